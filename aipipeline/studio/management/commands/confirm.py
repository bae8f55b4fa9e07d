"""`./aip manage confirm CODE`: build or update a project's production tree without a browser."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from aipipeline.projects.errors import Invalid, PipelineError
from aipipeline.projects.models import Project
from aipipeline.studio.command_files import DJANGOS_OWN
from shots.models import Shot
from shots.services.confirm import confirm
from shots.services.tree.planning import Fate, plan_tree

LOOK = (Fate.CONFLICT, Fate.RENAMED, Fate.RETIRE, Fate.REVIVE, Fate.CREATE)


def project_named(code: str) -> Project:
    """The live project with this code; CommandError that lists the others."""
    project = Project.objects.live().filter(code=code).first()
    if project is None:
        known = ", ".join(Project.objects.live().order_by("code").values_list("code", flat=True)[:20])
        raise CommandError(f"There is no project {code}. There are: {known or 'none yet'}.")
    found: Project = project
    return found


class Command(BaseCommand):
    requires_system_checks: list[str] = []
    help = "Build or update the production tree of a project, write its metadata, and lock its shots."
    suppressed_base_arguments = DJANGOS_OWN

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("project", help="The project's code.")
        parser.add_argument("--shots", default="", help="Codes of some shots, with commas between (default: all).")
        parser.add_argument("--preview", action="store_true", help="Say what would be done, and do nothing.")
        parser.add_argument("--json", action="store_true", help="One JSON object on stdout.")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            project = project_named(options["project"])
            ids = _ids(project, options["shots"])
            if options["preview"]:
                self._preview(project, ids, as_json=options["json"])
            else:
                self._confirm(project, ids, as_json=options["json"])
        except PipelineError as error:
            raise CommandError(str(error.message)) from error

    def _preview(self, project: Project, ids: list[int] | None, *, as_json: bool) -> None:
        plan = plan_tree(project, ids)
        if as_json:
            self.stdout.write(json.dumps(plan.as_json(), ensure_ascii=False))
            return
        for entry in plan.of(*LOOK):
            wanted = f" -> {entry.wanted}" if entry.wanted else ""
            note = f"  ({entry.note})" if entry.note else ""
            self.stdout.write(f"{entry.fate:>8}  {entry.path}{wanted}{note}")
        counts = ", ".join(f"{count} {fate}" for fate, count in plan.counts.items() if count)
        self.stdout.write(f"{counts}; {plan.folders_to_make} folders to make, {plan.to_lock} shots to lock.")

    def _confirm(self, project: Project, ids: list[int] | None, *, as_json: bool) -> None:
        report = confirm(project=project, actor=None, shots=ids)
        if as_json:
            self.stdout.write(json.dumps(report.as_json(), ensure_ascii=False))
            return
        self.stdout.write(
            f"{report.root}: {report.folders_made} folders made, {report.files_written} files written, "
            f"{report.files_unchanged} unchanged, {len(report.locked)} shots locked."
        )
        for words, paths in (("retired", report.retired), ("stays", report.renamed), ("kept", report.kept)):
            for path in paths:
                self.stdout.write(f"{words:>8}  {path}")


def _ids(project: Project, codes: str) -> list[int] | None:
    wanted = [code.strip() for code in codes.split(",") if code.strip()]
    if not wanted:
        return None
    found = dict(Shot.objects.live().filter(project=project, code__in=wanted).values_list("code", "pk"))
    if unknown := [code for code in wanted if code not in found]:
        raise Invalid(_("There is no such shot in this project: %(codes)s.") % {"codes": ", ".join(unknown)})
    return list(found.values())
