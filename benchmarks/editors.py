"""Many people editing one shot list at once: what a save costs, and whether anything is lost.

    .venv/bin/python benchmarks/editors.py [--people 20] [--seconds 60] [--shots 300] [--pause 2]
        [--databases postgresql,sqlite] [--json]

Starts the whole studio (`./aip up`) in a data folder of its own for each database, which is thrown away; PostgreSQL is
a temporary server as the tests use it (without fsync). Everybody has a session of their own and edits random cells with
the revision that they have seen; a refusal (409) is counted, and the person reads on. Afterwards the site's own history
is asked whether every acknowledged value was written, in an unbroken chain. One person alone is measured first.
"""

import argparse
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.people import Edits, Site, edit_together, lost_updates, percentile  # noqa: E402

PASSWORD = "editors-measure-0"
PROJECT = "EDITORS"
READY_SECONDS = 300

PEOPLE = """
import json
from rest_framework_simplejwt.tokens import AccessToken
from aipipeline.history.project_services import create_project, set_member
from aipipeline.projects.models import User
admin = User.objects.get(username="admin")
tokens = {{"admin": str(AccessToken.for_user(admin))}}
project = create_project(actor=admin, code={code!r}, title="Editors")
for number in range({people}):
    user = User.objects.create_user(username=f"editor{{number}}", password={password!r})
    set_member(project=project, actor=admin, user=user, role="artist")
    tokens[user.username] = str(AccessToken.for_user(user))
print(json.dumps(tokens))
"""


def main() -> int:
    parser = argparse.ArgumentParser(description="People editing one shot list at once: milliseconds and losses.")
    parser.add_argument("--people", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--shots", type=int, default=300)
    parser.add_argument("--pause", type=float, default=2.0, help="Seconds between two edits of one person.")
    parser.add_argument("--databases", default="postgresql,sqlite")
    parser.add_argument("--json", action="store_true", help="One JSON object as the last line of stdout.")
    options = parser.parse_args()
    found: dict[str, Any] = {}
    for name in options.databases.split(","):
        with ExitStack() as stack:
            database = stack.enter_context(_postgresql()) if name == "postgresql" else ""
            url, tokens = stack.enter_context(studio(database, options.people))
            found[name] = measure(name, url, tokens, options)
    if options.json:
        print(json.dumps(found))
    return 1 if any(facts["lost"] for facts in found.values()) else 0


def measure(name: str, url: str, tokens: dict[str, str], options: argparse.Namespace) -> dict[str, Any]:
    """One person alone, then everybody; prints and returns the figures."""
    admin = Site(url, tokens["admin"])
    body = {"create": [{"fields": {"description": f"Shot {n}"}} for n in range(options.shots)]}
    status, made = admin.call("POST", f"/api/v1/projects/{PROJECT}/shots/batch/", body)
    if status != 200:
        raise SystemExit(f"The shots could not be made: {status} {made}")
    rows = made["created"]
    people = [(who, token) for who, token in tokens.items() if who != "admin"]
    run = {"seconds": options.seconds, "pause": options.pause}
    alone = edit_together(url, PROJECT, rows, people[:1], seconds=min(options.seconds, 15), pause=options.pause)
    everybody = edit_together(url, PROJECT, rows, people, **run)
    lost = lost_updates(admin, PROJECT, rows, [*alone, *everybody])
    facts = {"alone": figures(alone), "together": figures(everybody), "lost": lost}
    print(f"{name}: {options.people} people, {options.shots} shots, {options.seconds:.0f} s")
    for label in ("alone", "together"):
        print("  {label:9} {saves} saves, {conflicts} refused as conflicts, {failures} failed;"
              " a save takes {p50:.0f} ms (p50), {p95:.0f} ms (p95), {worst:.0f} ms (worst)"
              .format(label=label, **facts[label]))  # fmt: skip
    print(f"  lost updates: {len(lost)}")
    for line in lost[:10]:
        print(f"    {line}")
    for failure in [failure for one in everybody for failure in one.failures][:5]:
        print(f"    failed: {failure}")
    return facts


def figures(edits: list[Edits]) -> dict[str, Any]:
    seconds = [value for one in edits for value in one.seconds]
    return {
        "saves": sum(len(values) for one in edits for values in one.acknowledged.values()),
        "conflicts": sum(one.conflicts for one in edits),
        "failures": sum(len(one.failures) for one in edits),
        "p50": percentile(seconds, 0.5),
        "p95": percentile(seconds, 0.95),
        "worst": percentile(seconds, 1.0),
    }


@contextmanager
def studio(database: str, people: int) -> Iterator[tuple[str, dict[str, str]]]:
    """The running studio with its people; yields its address and a token for each of them."""
    data = Path(tempfile.mkdtemp(prefix="aip-editors-"))
    port, flower = _free_port(), _free_port()
    dropped = ("DATABASE_URL", "REDIS_URL", "STORAGE_ROOT", "COMFYUI_URLS", "AIP_REDIS_SOCKET")
    environment = {name: value for name, value in os.environ.items() if name not in dropped}
    environment |= {
        "AIP_DATA": str(data), "AIP_SAMPLE": "0", "AIP_ADMIN_PASSWORD": PASSWORD, "AIP_PORT": str(port),
        "AIP_FLOWER_PORT": str(flower), "LOG_LEVEL": "WARNING",
    }  # fmt: skip
    if database:
        environment["DATABASE_URL"] = database
    log = data / "up.log"
    with open(log, "wb") as out:
        process = subprocess.Popen([ROOT / "aip", "up"], env=environment, stdout=out, stderr=subprocess.STDOUT)
    try:
        url = f"http://127.0.0.1:{port}"
        _wait(f"{url}/healthz", process, log)
        code = PEOPLE.format(code=PROJECT, people=people, password=PASSWORD)
        line = [ROOT / "aip", "manage", "shell", "-c", code]
        # Logging in twenty times a minute from one address is what the site refuses.
        told = subprocess.run(line, env=environment, check=True, stdout=subprocess.PIPE, text=True).stdout
        yield url, json.loads(told.splitlines()[-1])
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()
        shutil.rmtree(data, ignore_errors=True)


def _wait(url: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    end = time.monotonic() + READY_SECONDS
    while time.monotonic() < end and process.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except OSError:
            time.sleep(0.3)
    raise SystemExit(f"The studio did not start:\n{log.read_text(errors='replace')[-3000:]}")


@contextmanager
def _postgresql() -> Iterator[str]:
    from aipipeline.studio.launch.postgres import temporary_server

    with temporary_server() as url:
        yield url


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    sys.exit(main())
