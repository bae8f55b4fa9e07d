"""`./aip analyse SCENARIO --json`: the breakdown alone."""

import json
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand

from aipipeline.projects.errors import PipelineError
from aipipeline.studio.command_files import DJANGOS_OWN, read_file
from shots.scenario import analyse, read_text

BAD_INPUT = 2


class Command(BaseCommand):
    help = "Break a scenario down into characters, scenes, environments and shots, without keeping anything."
    requires_system_checks: list[str] = []

    suppressed_base_arguments = DJANGOS_OWN

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("scenario", type=Path)
        parser.add_argument("--json", action="store_true", help="One JSON object as the last line.")

    def handle(self, *args: Any, **options: Any) -> None:
        path: Path = options["scenario"]
        try:
            breakdown = analyse(read_text(read_file(path), path.name)).to_dict()
        except PipelineError as error:
            self.stderr.write(str(error.message))
            sys.exit(BAD_INPUT)
        for warning in breakdown["warnings"]:
            self.stderr.write(str(warning))
        if options["json"]:
            self.stdout.write(json.dumps(breakdown, ensure_ascii=False))
        else:
            self._describe(breakdown)
        if not breakdown["shots"]:
            sys.exit(BAD_INPUT)

    def _describe(self, breakdown: dict[str, Any]) -> None:
        names = ", ".join(c["name"] for c in breakdown["characters"])
        self.stdout.write(f"{breakdown['dialect']}: {len(breakdown['scenes'])} scenes, {len(breakdown['shots'])} shots")
        self.stdout.write(f"characters: {names}")
        for shot in breakdown["shots"]:
            self.stdout.write(
                f"{shot['scene']}-{shot['shot_number']}  {shot['suggested_duration']:.1f} s  "
                f"{shot['suggested_camera']}  {shot['description']}"
            )
