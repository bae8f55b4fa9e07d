"""`./aip manage scan_tree CODE`: compare a project's production tree with the database, and take dropped files in."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from aipipeline.projects.errors import PipelineError
from aipipeline.projects.models import Project
from aipipeline.studio.command_files import DJANGOS_OWN
from renders.services.adopting import adopt_dropped
from renders.services.scanning import Finding, scan_tree


class Command(BaseCommand):
    requires_system_checks: list[str] = []
    help = "Compare the production tree of a project with the database; --adopt makes versions of dropped files."
    suppressed_base_arguments = DJANGOS_OWN

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("project", help="The project's code.")
        parser.add_argument("--deep", action="store_true", help="Read every file of every version, compare checksums.")
        parser.add_argument("--adopt", action="store_true", help="Make versions of dropped files first.")
        parser.add_argument("--json", action="store_true", help="One JSON object on stdout.")

    def handle(self, *args: Any, **options: Any) -> None:
        project = Project.objects.live().filter(code=options["project"]).first()
        if project is None:
            known = ", ".join(Project.objects.live().order_by("code").values_list("code", flat=True)[:20])
            raise CommandError(f"There is no project {options['project']}. There are: {known or 'none yet'}.")
        try:
            adopted = adopt_dropped(project=project, actor=None).as_json() if options["adopt"] else None
            found = scan_tree(project, deep=options["deep"]).as_json()
        except PipelineError as error:
            raise CommandError(str(error.message)) from error
        if options["json"]:
            self.stdout.write(json.dumps({"scan": found, "adopted": adopted}, ensure_ascii=False))
            return
        for item in (adopted or {}).get("adopted", []):
            self.stdout.write(f"adopted  {item['path']} -> {item['label']}")
        for item in (adopted or {}).get("left", []):
            self.stdout.write(f"left  {item['path']}  ({item['reason']})")
        for finding in Finding:
            for item in found["found"][finding.value]:
                note = f"  ({item['note']})" if "note" in item else ""
                self.stdout.write(f"{finding.value}  {item['path']}{note}")
        counts = ", ".join(f"{count} {kind}" for kind, count in found["counts"].items() if count)
        self.stdout.write(f"{found['folders']} folders, {found['versions']} versions: {counts or 'nothing to report'}.")
