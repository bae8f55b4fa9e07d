"""A worker in a process of its own, to be killed: runs one job and keeps its state in a file."""

import json
import os
import sys
from pathlib import Path

import django

django.setup()

from comfy_adapters.comfyui.backend import ComfyBackend  # noqa: E402 - the app registry comes first
from comfy_adapters.tests.comfyui.helpers import QUICK, Reporter, context  # noqa: E402


class FileReporter(Reporter):
    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path

    def save_state(self, **state: object) -> None:
        part = self.path.with_suffix(".part")
        part.write_text(json.dumps(state))
        os.replace(part, self.path)


if __name__ == "__main__":
    url, folder = sys.argv[1], Path(sys.argv[2])
    ComfyBackend(QUICK).run(context(url, folder), FileReporter(folder / "state.json"))
    (folder / "done").touch()
