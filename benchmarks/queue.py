"""The render queue: what a claim costs, how soon a free machine has its next prompt, and who waits how long; how
late progress reaches the pages.

    .venv/bin/python benchmarks/queue.py [claim] [farm] [posted] [watch] [--json]

Everything runs on a temporary PostgreSQL and an embedded Redis that are thrown away; `posted` starts a worker of the
studio and the ComfyUI server of the tests, as processes. Without names all parts run. The load average of the machine
is told beside the figures: on one that does other things too, trust the CPU milliseconds and the simulated times.
"""

import importlib.util
import sys
import sysconfig
from pathlib import Path

if __name__ == "queue":
    # A program in this folder asked for the standard library's module of this name and found this file first.
    _spec = importlib.util.spec_from_file_location("queue", Path(sysconfig.get_path("stdlib")) / "queue.py")
    assert _spec is not None
    assert _spec.loader is not None
    _module = importlib.util.module_from_spec(_spec)
    sys.modules["queue"] = _module
    _spec.loader.exec_module(_module)
else:
    ROOT = Path(__file__).resolve().parents[1]
    sys.path[0] = str(ROOT)  # not this folder, for the same reason

    import argparse
    import json
    import os
    from typing import Any

    PARTS = ("claim", "farm", "posted", "watch")

    def main() -> int:
        parser = argparse.ArgumentParser(description="The render queue: claims, placement, and prompts in time.")
        parser.add_argument("parts", nargs="*", metavar="claim|farm|posted|watch")
        parser.add_argument("--json", action="store_true", help="One JSON object as the last line of stdout.")
        options = parser.parse_args()
        if unknown := set(options.parts) - set(PARTS):
            parser.error(f"there is no part {', '.join(sorted(unknown))}")
        from aipipeline.studio.launch.postgres import temporary_server

        found: dict[str, Any] = {}
        with temporary_server() as url:
            os.environ |= {"AIP_TEST_DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "aipipeline.settings"}
            import django

            import tests.harness.environment  # noqa: F401  (a data folder and a Redis of this run's own)

            django.setup()
            from django.conf import settings
            from django.core.management import call_command

            os.environ["STORAGE_ROOT"] = str(settings.STORAGE_ROOT)  # for the processes that parts start

            from benchmarks import queue_claims, queue_farm, queue_posted, queue_watch

            call_command("migrate", verbosity=0)
            modules = (queue_claims, queue_farm, queue_posted, queue_watch)
            measures = {part: module.measure for part, module in zip(PARTS, modules, strict=True)}
            for part in options.parts or PARTS:
                call_command("flush", interactive=False, verbosity=0)
                found[part] = {**measures[part](), "load": round(os.getloadavg()[0], 1)}
                print(part)
                for name, value in found[part].items():
                    print(f"  {name}: {value}")
        if options.json:
            print(json.dumps(found))
        return 0

    if __name__ == "__main__":
        sys.exit(main())
