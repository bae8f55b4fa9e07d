"""A Celery worker that stops at one edge of an attempt, so that a test can kill it, or what it needs, right there.

AIP_HOLD_AT names the edge, AIP_HOLD_FILE a path: while that file exists the attempt stops at the edge, and says so by
making `<path>.reached`. The code that runs is the worker's own; only the moment is held.
"""

import functools
import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any


def _edges() -> dict[str, tuple[Any, str]]:
    """Edge: the function before which it lies."""
    from comfy_adapters.comfyui.client import ComfyClient
    from renders.services import publishing, queue, sealing

    return {
        "leased": (queue, "begin"),
        "saved": (ComfyClient, "submit"),  # the prompt's id is kept, nothing is posted yet
        "publishing": (sealing, "seal"),  # the job says so, its files are still aside
        "sealed": (publishing, "publish_attempt"),  # the folder is in its place, nothing says so
    }


def _held(work: Callable[..., Any], file: Path) -> Callable[..., Any]:
    @functools.wraps(work)
    def held(*args: Any, **kwargs: Any) -> Any:
        if file.exists():
            Path(f"{file}.reached").touch()
        while file.exists():
            time.sleep(0.02)
        return work(*args, **kwargs)

    return held


def main(arguments: Sequence[str]) -> None:
    from celery_workers import app

    owner, name = _edges()[os.environ["AIP_HOLD_AT"]]
    setattr(owner, name, _held(getattr(owner, name), Path(os.environ["AIP_HOLD_FILE"])))
    app.start(argv=list(arguments))
