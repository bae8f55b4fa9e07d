"""The web process knows the mirrors' kinds of work, though it never loads Celery's tasks."""

import subprocess
import sys

ASK = """
import django
django.setup()
import aipipeline.urls
from celery_workers.kinds import kind_named
print([name for name in ("mirror.run", "mirror.test") if kind_named(name) is None])
"""


def test_a_process_without_tasks_knows_the_kinds() -> None:
    # A process of its own: this one has imported more than a web server does.
    asked = subprocess.run([sys.executable, "-c", ASK], capture_output=True, text=True, timeout=60, check=False)
    assert asked.returncode == 0, asked.stderr
    assert asked.stdout.strip() == "[]"
