"""`./aip produce SCENARIO --out DIR`: a scenario becomes a film without a browser."""

import json
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand

from aipipeline.projects.errors import Invalid, PipelineError
from aipipeline.projects.frames import FPS_CHOICES
from aipipeline.studio import production

BAD_INPUT = 2
FAILED = 1


class Command(BaseCommand):
    # Django's checks load every page and form; they belong to the test run.
    requires_system_checks: list[str] = []
    help = "Scenario file -> breakdown -> shots -> confirm -> first images -> proxy -> shot videos -> film."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("scenario", type=Path)
        parser.add_argument("--out", type=Path, required=True, help="Folder for film, EDL, XML, OTIO and sheet.")
        parser.add_argument("--project", default="", help="Project code (default: from the file name).")
        parser.add_argument("--title", default="")
        parser.add_argument("--engine", choices=["local", "comfy"], default="local")
        parser.add_argument("--fps", choices=FPS_CHOICES, default="24")
        parser.add_argument("--size", default="1280x720", help="WIDTHxHEIGHT, both even.")
        parser.add_argument("--until", choices=production.STAGES, default=production.STAGES[-1])
        parser.add_argument("--json", action="store_true", help="One JSON object as the last line of stdout.")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            made = self._produce(options)
        except OSError as error:
            self._stop(f"{error.filename or ''}: {error.strerror}", BAD_INPUT)
        except PipelineError as error:
            bad_input = isinstance(error, Invalid) or error.status in (400, 409, 413, 415, 422)
            self._stop(str(error.message), BAD_INPUT if bad_input else FAILED)
        else:
            for warning in made.warnings:
                self.stderr.write(f"! {warning}")
            if options["json"]:
                self.stdout.write(json.dumps(made.as_json(), ensure_ascii=False))
            else:
                self._describe(made)

    def _produce(self, options: dict[str, Any]) -> production.Production:
        path: Path = options["scenario"]
        width, height = _size(options["size"])
        data = path.read_bytes()
        project, scenario = production.open_project(
            code=options["project"] or production.code_for(path.name),
            title=options["title"] or path.stem,
            data=data,
            filename=path.name,
            actor=None,
            fps=options["fps"],
            width=width,
            height=height,
            engine=options["engine"],
        )
        return production.run(
            project=project,
            scenario=scenario,
            out=options["out"],
            until=options["until"],
            report=self._report,
        )

    _last = ""

    def _report(self, stage: str, value: float, message: str) -> None:
        line = f"{stage:<10} {value:>4.0%} {message}".rstrip()
        if line != self._last:
            self._last = line
            self.stderr.write(line)

    def _describe(self, made: production.Production) -> None:
        for name, count in made.counts.items():
            self.stdout.write(f"{name:<12} {count}")
        for name, where in made.paths.items():
            self.stdout.write(f"{name:<12} {where}")

    def _stop(self, message: str, code: int) -> None:
        self.stderr.write(message)
        sys.exit(code)


def _size(text: str) -> tuple[int, int]:
    try:
        width, height = (int(part) for part in text.lower().split("x"))
    except ValueError:
        raise Invalid(f"--size {text}: write WIDTHxHEIGHT, for example 1280x720.") from None
    if width % 2 or height % 2 or not (64 <= width <= 8192 and 64 <= height <= 8192):
        raise Invalid(f"--size {text}: both must be even and between 64 and 8192.")
    return width, height
