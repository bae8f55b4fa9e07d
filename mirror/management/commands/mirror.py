"""`./aip manage mirror CODE`: run a project's mirrors here and now, without a worker."""

import json
import sys
import threading
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.db import connection

from aipipeline.projects.errors import PipelineError
from aipipeline.projects.models import Project
from aipipeline.ui.templatetags.ui import filesize
from celery_workers import ledger
from celery_workers.models import LedgerTask, TaskState
from mirror import work  # noqa: F401  (registers the kinds of work)
from mirror.models import MirrorTarget
from mirror.services.runs import request_run

BAD_INPUT, FAILED, INTERRUPTED = 2, 1, 130
TOLD = (("conflict", "conflict"), ("left", "changed meanwhile"), ("skipped", "skipped"), ("damaged", "damaged"))


class Command(BaseCommand):
    requires_system_checks: list[str] = []
    help = "Copy a project's tree to its mirrors. Exit code 0: all up to date, 1: something failed, 2: bad input."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("code", help="The project's code.")
        parser.add_argument("--target", default="", help="One mirror by its name (default: every enabled one).")
        parser.add_argument("--dry-run", action="store_true", help="Say what would be copied; write nothing.")
        parser.add_argument("--verify", action="store_true", help="Read everything back and compare checksums.")
        parser.add_argument("--json", action="store_true", help="One JSON object as the last line of stdout.")

    def handle(self, *args: Any, **options: Any) -> None:
        targets = self._targets(options["code"], options["target"])
        found: dict[str, Any] = {}
        for target in targets:
            task = self._run(target, dry_run=options["dry_run"], verify=options["verify"])
            result = task.result or {} if options["dry_run"] else self._last(target)
            found[target.name] = {"state": task.state, "error": task.error, **result}
            if not options["json"]:
                self._describe(target, task, result)
        if options["json"]:
            self.stdout.write(json.dumps(found, ensure_ascii=False))
        bad = any(one["state"] != TaskState.SUCCEEDED or one.get("conflict") or one.get("damaged") or one.get("skipped")
                  for one in found.values())  # fmt: skip
        if bad:
            sys.exit(FAILED)

    def _targets(self, code: str, name: str) -> list[MirrorTarget]:
        project = Project.objects.live().filter(code=code).first()
        if project is None:
            self._stop(f"There is no project {code}.", BAD_INPUT)
        rows = MirrorTarget.objects.filter(project=project).select_related("project")
        rows = rows.filter(name=name) if name else rows.filter(enabled=True)
        targets = list(rows)
        if not targets:
            names = ", ".join(MirrorTarget.objects.filter(project=project).values_list("name", flat=True))
            self._stop(f"{code} has no such mirror. Mirrors: {names or 'none'}.", BAD_INPUT)
        return targets

    def _run(self, target: MirrorTarget, *, dry_run: bool, verify: bool) -> LedgerTask:
        try:
            task = request_run(target=target, actor=None, dry_run=dry_run, verify=verify, send=False)
        except PipelineError as error:
            self._stop(f"{target.name}: {error.message}", FAILED)
        ended = threading.Event()
        teller = threading.Thread(target=self._tell, args=(task, target.name, ended), daemon=True)
        teller.start()
        try:
            ledger.run(str(task.pk))
        except KeyboardInterrupt:
            ledger.cancel(task=task)
            self._stop("Stopped. The same command again goes on from here.", INTERRUPTED)
        finally:
            ended.set()
            teller.join(timeout=2)
        task.refresh_from_db()
        return task

    def _tell(self, task: LedgerTask, name: str, ended: threading.Event) -> None:
        """The progress as the page shows it, every two seconds."""
        try:
            while not ended.wait(2.0):
                words = LedgerTask.objects.filter(pk=task.pk).values_list("message", flat=True).first()
                if words:
                    self.stderr.write(f"{name}: {words}")
        finally:
            connection.close()

    def _last(self, target: MirrorTarget) -> dict[str, Any]:
        target.refresh_from_db()
        return dict(target.last_result)

    def _describe(self, target: MirrorTarget, task: LedgerTask, result: dict[str, Any]) -> None:
        count = result.get
        if task.params["dry_run"]:
            self.stdout.write(
                f"{target.name}: would copy {count('new', 0)} new and {count('changed', 0)} changed files, "
                f"{filesize(count('to_copy_bytes', 0))}; {count('same', 0)} are the same, {count('extra', 0)} extra"
            )
        else:
            self.stdout.write(
                f"{target.name}: copied {count('copied', 0)} files, {filesize(count('bytes', 0))}; "
                f"{count('same', 0)} were the same, {count('extra', 0)} extra"
                + (f"; {count('verified', 0)} read back" if task.params["verify"] else "")
            )
        lists = result.get("lists", {})
        for path, why in lists.get("paths", ()):
            self.stdout.write(f"  {why}: {path}")
        for name, words in TOLD:
            for path, *why in lists.get(name, ()):
                self.stdout.write(f"  {words}: {path}" + (f" ({why[0]})" if why else ""))
        if task.error:
            self.stderr.write(f"{target.name}: {task.error}")

    def _stop(self, message: str, code: int) -> Any:
        self.stderr.write(message)
        sys.exit(code)
