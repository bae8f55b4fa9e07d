"""`./aip produce SCENARIO --out DIR`: a scenario becomes a film without a browser."""

import json
import os
import re
import sys
from argparse import SUPPRESS, ArgumentParser
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand

from aipipeline.projects.errors import Invalid, PipelineError
from aipipeline.projects.frames import FPS_CHOICES
from aipipeline.projects.models import Project
from aipipeline.studio import production
from aipipeline.studio.command_files import DJANGOS_OWN, check_folder, read_file
from aipipeline.studio.launch.session import studio_at_work

BAD_INPUT = 2
FAILED = 1
INTERRUPTED = 130
ENGINES = ("local", "comfy")


class Command(BaseCommand):
    # Django's checks load every page and form; they belong to the test run.
    requires_system_checks: list[str] = []
    help = "Scenario file -> breakdown -> shots -> confirm -> first images -> proxy -> shot videos -> film."

    suppressed_base_arguments = DJANGOS_OWN

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("scenario", type=Path)
        parser.add_argument("--out", type=Path, required=True, help="Folder for film, EDL, XML, OTIO and sheet.")
        parser.add_argument("--project", default="", help="Project code (default: from the file name).")
        parser.add_argument("--title", default="", help="Title of the project (default: the file name).")
        parser.add_argument("--engine", choices=ENGINES, help="What renders (default: local).")
        parser.add_argument("--fps", help=f"{', '.join(FPS_CHOICES)} (default: 24).")
        parser.add_argument("--size", help="WIDTHxHEIGHT, both even (default: 1280x720).")
        parser.add_argument(
            "--until", default=production.STAGES[-1], help=f"Stop after {', '.join(production.STAGES)}."
        )
        parser.add_argument("--json", action="store_true", help="One JSON object as the last line of stdout.")
        parser.add_argument("--with-services", action="store_true", help=SUPPRESS)

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            made = self._produce(options)
        except OSError as error:
            if error.filename is None:
                raise
            self._stop(f"{os.fsdecode(error.filename)}: {error.strerror}.", BAD_INPUT)
        except PipelineError as error:
            bad_input = isinstance(error, Invalid) or error.status in (400, 409, 413, 415, 422)
            self._stop(str(error.message), BAD_INPUT if bad_input else FAILED)
        except KeyboardInterrupt:
            self._stop("Stopped. The same command again goes on from here.", INTERRUPTED)
        else:
            for warning in made.warnings:
                self.stderr.write(f"! {warning}")
            if options["json"]:
                self.stdout.write(json.dumps(made.as_json(), ensure_ascii=False))
            else:
                self._describe(made)

    def _produce(self, options: dict[str, Any]) -> production.Production:
        """Looks at everything that was given before anything is set up, started or made."""
        path: Path = options["scenario"]
        asked = _asked(options)
        data = read_file(path)
        production.check_text(data, path.name)
        check_folder(options["out"])
        with studio_at_work() if options["with_services"] else nullcontext():
            project, scenario = production.open_project(
                code=options["project"] or production.code_for(path.name),
                title=options["title"] or path.stem,
                data=data,
                filename=path.name,
                actor=None,
                **asked,
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


def _asked(options: dict[str, Any]) -> dict[str, Any]:
    """The project settings that were named; Invalid for values that nothing can be made with."""
    asked: dict[str, Any] = {}
    if (fps := options["fps"]) is not None:
        if fps not in FPS_CHOICES:
            raise Invalid(f"--fps {fps}: there are {', '.join(FPS_CHOICES)}.")
        asked["fps"] = fps
    if options["size"] is not None:
        asked["width"], asked["height"] = _size(options["size"])
    if options["engine"] is not None:
        asked["engine"] = options["engine"]
    if options["project"]:
        try:
            Project._meta.get_field("code").clean(options["project"], None)
        except ValidationError as error:
            raise Invalid(f"--project {options['project']}: {' '.join(error.messages)}") from error
    if options["until"] not in production.STAGES:
        raise Invalid(f"--until {options['until']}: the stages are {', '.join(production.STAGES)}.")
    return asked


def _size(text: str) -> tuple[int, int]:
    match = re.fullmatch(r"([0-9]{1,6})[xX×]([0-9]{1,6})", text.strip())
    if match is None:
        raise Invalid(f"--size {text}: write WIDTHxHEIGHT, for example 1280x720.")
    width, height = int(match.group(1)), int(match.group(2))
    if width % 2 or height % 2 or not (64 <= width <= 8192 and 64 <= height <= 8192):
        raise Invalid(f"--size {text}: both must be even and between 64 and 8192.")
    return width, height
