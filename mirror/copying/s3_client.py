"""The client of a target's S3 server: keys by the names of their variables, patience of less than a minute."""

import os
from typing import Any

from django.utils.translation import gettext as _

from mirror.copying.store import TargetRefused
from mirror.models import MirrorTarget

CONNECTIONS = 8
# Not among the types of the stubs: AWS_ENDPOINT_URL of the environment does not count here.
_OWN_ENDPOINT: dict[str, Any] = {"ignore_configured_endpoint_urls": True}
MULTIPART_BYTES = 16 * 1024 * 1024


def _secret(name: str) -> str:
    value = os.environ.get(name, "")
    if not value:
        raise TargetRefused(
            _("The variable %(name)s is not set where the files worker runs. Set it there and start the worker again.")
            % {"name": name}
        )
    return value


def client_for(target: MirrorTarget) -> Any:
    """A client for this target alone; nothing of the machine's own AWS settings is used. TargetRefused as said."""
    import boto3
    from botocore.config import Config

    session = boto3.session.Session(
        aws_access_key_id=_secret(target.key_variable),
        aws_secret_access_key=_secret(target.secret_variable),
        region_name=target.region or "us-east-1",
    )
    return session.client(
        "s3",
        endpoint_url=target.endpoint_url or None,
        config=Config(
            signature_version="s3v4",
            connect_timeout=5,
            read_timeout=18,
            retries={"mode": "standard", "total_max_attempts": 2},
            max_pool_connections=CONNECTIONS + 4,
            s3={"addressing_style": "path" if target.endpoint_url else "auto"},
            # Servers other than Amazon's do not all know the newer checksums.
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
            **_OWN_ENDPOINT,
        ),
    )
