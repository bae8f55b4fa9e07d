"""One Celery worker per ComfyUI address in COMFYUI_URLS, with one slot each; stops when told, restarts what dies."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from types import FrameType
from urllib.parse import urlparse

from aipipeline.studio.launch.paths import ROOT
from aipipeline.studio.launch.setup import wait_until_migrated

CLASSES = ((8, "gpu.vram8"), (16, "gpu.vram16"), (24, "gpu.vram24"), (48, "gpu.vram48"))
# Less than supervisor waits for this program: what still renders then is let go, and taken up again at the next start.
STOP_SECONDS = 45.0
RESTART_SECONDS = 5.0
AT_ONCE = "--at-once"


def command(name: str, vram_gb: int) -> list[str]:
    """The worker listens to every class that its card serves, and to the one that it serves in part: work for more than
    8 GB calls the class of 16, a card of 12 may do it. To all of them while its VRAM (0) is not known.

    What it listens to only wakes it; what it takes is decided by the row that its server's answer fills.
    """
    smaller = (0, *(size for size, _queue in CLASSES))
    queues = ",".join(
        queue for (_size, queue), below in zip(CLASSES, smaller, strict=False) if not vram_gb or below < vram_gb
    )
    return [
        sys.executable, "-m", "celery", "-A", "celery_workers", "worker", "-n", f"{name}@%h", "-Q", queues,
        "-c", "1", "-l", "WARNING", "--without-mingle", "--without-gossip",
    ]  # fmt: skip


def environment(url: str, vram_gb: int, tags: str = "", *, urls: Sequence[str] = ()) -> dict[str, str]:
    """Of the worker's process, or of this module's own for several `urls`; VRAM 0 is left to the server to say."""
    return {
        **os.environ,
        **({"COMFYUI_URLS": ",".join(urls)} if urls else {}),
        "AIP_WORKER_ENDPOINT": url,
        "AIP_WORKER_VRAM": str(vram_gb),
        "AIP_WORKER_TAGS": tags or os.environ.get("AIP_WORKER_TAGS", ""),
    }


def name_for(url: str) -> str:
    """gpu-host-port, unique by address."""
    parts = urlparse(url if "://" in url else f"http://{url}")
    return f"gpu-{(parts.hostname or 'comfy').replace('.', '-').replace(':', '-')}-{parts.port or 80}"


def declared_vram() -> int:
    """GB by AIP_WORKER_VRAM; 0 when it is not set. SystemExit when it is no number."""
    text = os.environ.get("AIP_WORKER_VRAM", "").strip() or "0"
    if not text.isdecimal():
        raise SystemExit(f"AIP_WORKER_VRAM={text}: write the memory of the card in whole GB, for example 24.")
    return int(text)


def main() -> int:
    urls = list(dict.fromkeys(u.strip() for u in os.environ.get("COMFYUI_URLS", "").split(",") if u.strip()))
    vram = declared_vram()
    workers: dict[str, subprocess.Popen[bytes]] = {}
    started: dict[str, float] = {}
    stopping = False

    def stop(_signal: int, _frame: FrameType | None) -> None:
        nonlocal stopping
        stopping = True

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    # `./aip worker` asked the database itself; on another host no data folder tells that it is prepared.
    if AT_ONCE not in sys.argv:
        wait_until_migrated()
    while not stopping:
        for url in urls:
            gone = url not in workers or workers[url].poll() is not None
            if gone and time.monotonic() - started.get(url, -RESTART_SECONDS) >= RESTART_SECONDS:
                workers[url] = subprocess.Popen(
                    command(name_for(url), vram), cwd=ROOT, env=environment(url, vram), start_new_session=True
                )
                started[url] = time.monotonic()
        time.sleep(0.5)
    _stop(list(workers.values()))
    return 0


def _stop(workers: list["subprocess.Popen[bytes]"]) -> None:
    """Let each finish what it holds for a while; then end it with its children, so that none outlives the studio.

    The prompt of such an attempt goes on at its server; the next attempt finds it there.
    """
    for worker in workers:
        worker.terminate()
    end = time.monotonic() + STOP_SECONDS
    for worker in workers:
        try:
            worker.wait(max(end - time.monotonic(), 0.1))
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(worker.pid, signal.SIGKILL)
            worker.wait()


if __name__ == "__main__":
    sys.exit(main())
