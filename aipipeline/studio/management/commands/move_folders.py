"""`./aip manage move_folders CODE`: move folders to where templates, codes and scenes say by now."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from aipipeline.projects.errors import PipelineError
from aipipeline.studio.command_files import DJANGOS_OWN
from aipipeline.studio.management.commands.confirm import project_named
from shots.services.tree.moves import move_folders, plan_moves


class Command(BaseCommand):
    requires_system_checks: list[str] = []
    help = "Move the folders of a project that belong elsewhere by now; a pointer stays in each old place."
    suppressed_base_arguments = DJANGOS_OWN

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("project", help="The project's code.")
        parser.add_argument("--dry-run", action="store_true", help="Say what would move, and move nothing.")
        parser.add_argument("--json", action="store_true", help="One JSON object on stdout.")

    def handle(self, *args: Any, **options: Any) -> None:
        project = project_named(options["project"])
        try:
            moves = plan_moves(project) if options["dry_run"] else move_folders(project=project, actor=None).moved
        except PipelineError as error:
            raise CommandError(str(error.message)) from error
        if options["json"]:
            self.stdout.write(json.dumps({"moves": [move.as_json() for move in moves]}, ensure_ascii=False))
            return
        for move in moves:
            self.stdout.write(f"{move.before} -> {move.after}{f'  ({move.refusal})' if move.refusal else ''}")
        self.stdout.write(f"{len(moves)} folders {'would move' if options['dry_run'] else 'moved'}.")
