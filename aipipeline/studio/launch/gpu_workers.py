"""One Celery worker per ComfyUI address in COMFYUI_URLS, with one slot each; stops when told, restarts what dies."""

import os
import signal
import subprocess
import sys
import time
from types import FrameType
from urllib.parse import urlparse

CLASSES = ((8, "gpu.vram8"), (16, "gpu.vram16"), (24, "gpu.vram24"), (48, "gpu.vram48"))


def command(name: str, vram_gb: int) -> list[str]:
    """The worker listens to every class that its card serves."""
    queues = ",".join(queue for size, queue in CLASSES if size <= vram_gb) or CLASSES[0][1]
    return [
        sys.executable, "-m", "celery", "-A", "celery_workers", "worker", "-n", f"{name}@%h", "-Q", queues,
        "-c", "1", "-l", "WARNING", "--without-mingle", "--without-gossip",
    ]  # fmt: skip


def environment(url: str, vram_gb: int) -> dict[str, str]:
    return {**os.environ, "AIP_WORKER_ENDPOINT": url, "AIP_WORKER_VRAM": str(vram_gb)}


def name_for(url: str) -> str:
    """gpu-host-port, unique by address."""
    parts = urlparse(url)
    return f"gpu-{(parts.hostname or 'comfy').replace('.', '-')}-{parts.port or 80}"


def main() -> int:
    urls = [u.strip() for u in os.environ.get("COMFYUI_URLS", "").split(",") if u.strip()]
    vram = int(os.environ.get("AIP_WORKER_VRAM", "24"))
    workers: dict[str, subprocess.Popen[bytes]] = {}
    stopping = False

    def stop(_signal: int, _frame: FrameType | None) -> None:
        nonlocal stopping
        stopping = True
        for worker in workers.values():
            worker.send_signal(signal.SIGTERM)

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    while not stopping:
        for url in urls:
            if url not in workers or workers[url].poll() is not None:
                workers[url] = subprocess.Popen(
                    command(name_for(url), vram), env=environment(url, vram), start_new_session=True
                )
        time.sleep(1)
    for worker in workers.values():
        worker.wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
