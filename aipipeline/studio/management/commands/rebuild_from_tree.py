"""`./aip manage rebuild_from_tree PATH`: a project's rows from its folder on disk."""

import json
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand

from aipipeline.projects.errors import Invalid, PipelineError
from aipipeline.projects.models import User
from aipipeline.studio.command_files import DJANGOS_OWN
from aipipeline.studio.rebuild.service import Report, rebuild_project

BAD_INPUT = 2
FAILED = 1


class Command(BaseCommand):
    # Django's checks load every page and form; they belong to the test run.
    requires_system_checks: list[str] = []
    help = "Make a project again from its folder: rows, versions, cut. The folder is read, never written."

    suppressed_base_arguments = DJANGOS_OWN

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("path", type=Path, help="The folder of the project, named by its code.")
        parser.add_argument("--code", default="", help="The new code, when the folder was renamed to it.")
        parser.add_argument("--user", default="", help="Who does it (default: the first administrator).")
        parser.add_argument("--dry-run", action="store_true", help="Say what would be made, and make nothing.")
        parser.add_argument("--json", action="store_true", help="One JSON object as the last line of stdout.")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            report = rebuild_project(
                path=options["path"],
                actor=_actor(options["user"]),
                code=options["code"],
                dry_run=options["dry_run"],
                progress=self._progress,
            )
        except PipelineError as error:
            self._stop(error, as_json=options["json"])
        else:
            self._tell(report, as_json=options["json"])
            if report.problems:
                sys.exit(BAD_INPUT)

    def _progress(self, line: str) -> None:
        self.stderr.write(line)
        self.stderr.flush()

    def _tell(self, report: Report, *, as_json: bool) -> None:
        for line in report.problems:
            self.stderr.write(f"✗ {line}")
        for line in report.warnings:
            self.stderr.write(f"! {line}")
        for name in report.people:
            self.stderr.write(f"! {name}: this account was not here; it was made, closed. An administrator opens it.")
        if as_json:
            self.stdout.write(json.dumps(report.as_json(), ensure_ascii=False))
            return
        for name, count in report.counts.items():
            self.stdout.write(f"{count:>7} {name}")
        verb = "would be made" if report.dry_run else "is made"
        if not report.problems:
            self.stdout.write(f"The project {report.code} {verb} from {report.path}.")

    def _stop(self, error: PipelineError, *, as_json: bool) -> None:
        problems = error.details.get("problems") or []
        self.stderr.write(str(error))
        for line in problems[1:]:
            self.stderr.write(f"✗ {line}")
        if as_json:
            self.stdout.write(json.dumps({"error": error.as_json()}, ensure_ascii=False))
        sys.exit(BAD_INPUT if error.status in (400, 409, 422) else FAILED)


def _actor(username: str) -> User:
    if username:
        user = User.objects.filter(username=username).first()
        if user is None:
            raise Invalid(f"--user {username}: there is no such account.")
        return user
    first = User.objects.filter(is_superuser=True, is_active=True).order_by("pk").first()
    if first is None:
        raise Invalid("There is no administrator yet. Make one with ./aip manage createsuperuser, or say --user.")
    return first
