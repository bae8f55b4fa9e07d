"""moto's S3 server as a process of its own, and what tests ask of it directly."""

import http.client
import json
import subprocess
import sys
import time
from typing import Any

import boto3
from botocore.config import Config

from tests.harness.processes import free_port

KEY, SECRET = "AIP_MIRROR_ACCESS_KEY", "AIP_MIRROR_SECRET_KEY"


class Server:
    """Answers on 127.0.0.1 until `stop`."""

    def __init__(self) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        code = "import sys; from moto.server import main; main(sys.argv[1:])"
        self.child = subprocess.Popen(
            [sys.executable, "-c", code, "-H", "127.0.0.1", "-p", str(self.port)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        end = time.monotonic() + 60
        while not self._answers():
            assert time.monotonic() < end, "moto's server does not start"
            time.sleep(0.05)

    def _answers(self) -> bool:
        try:
            self.post("/moto-api/reset")
        except OSError:
            return False
        return True

    def post(self, path: str, body: bytes = b"") -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        connection.request("POST", path, body)
        assert connection.getresponse().status < 300
        connection.close()

    def stop(self) -> None:
        self.child.kill()
        self.child.wait()

    def client(self, service: str = "s3", key: str = "test", secret: str = "test") -> Any:
        return boto3.client(
            service,
            endpoint_url=self.url,
            region_name="us-east-1",
            aws_access_key_id=key,
            aws_secret_access_key=secret,
            config=Config(s3={"addressing_style": "path"}),
        )

    def known_user(self, *, rights: bool) -> tuple[str, str]:
        """A person of the server with a key, from whom every later call is checked."""
        iam = self.client("iam")
        iam.create_user(UserName="studio")
        made = iam.create_access_key(UserName="studio")["AccessKey"]
        if rights:
            policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
            iam.put_user_policy(UserName="studio", PolicyName="all", PolicyDocument=json.dumps(policy))
        self.post("/moto-api/reset-auth", b"0")
        return made["AccessKeyId"], made["SecretAccessKey"]

    def trust_everybody(self) -> None:
        self.post("/moto-api/reset-auth", b"inf")

    def objects(self, bucket: str, prefix: str = "") -> dict[str, bytes]:
        """Every object by its key below the prefix, the marker left out."""
        s3 = self.client()
        found = {}
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
            for entry in page.get("Contents", ()):
                body = s3.get_object(Bucket=bucket, Key=entry["Key"])["Body"].read()
                found[entry["Key"][len(prefix) :]] = body
        found.pop(".aip-mirror.json", None)
        return found
