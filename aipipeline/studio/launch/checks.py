"""Checks that need a little care to start: import layers, and migrations that were forgotten."""

import os
import subprocess
import sys
import tempfile

from aipipeline.studio.launch.paths import ROOT, say


def main() -> int:
    """0 when the layers hold and every model change has its migration."""
    with tempfile.TemporaryDirectory() as folder:
        env = {**os.environ, "AIP_DATA": folder, "PYTHONPATH": str(ROOT)}
        for line in (
            ["lint-imports", "--no-cache"],
            [sys.executable, str(ROOT / "manage.py"), "makemigrations", "--check", "--dry-run"],
        ):
            done = subprocess.run(line, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
            if done.returncode != 0:
                say(done.stdout[-6000:] + done.stderr[-3000:])
                return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
