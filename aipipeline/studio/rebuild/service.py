"""Make a project again from its tree, in one transaction: all of it, or nothing."""

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import DataError, IntegrityError, transaction
from django.utils.translation import gettext as _

from aipipeline.history.services import recording
from aipipeline.projects.errors import Conflict, Invalid, PipelineError
from aipipeline.projects.models import Membership, Project
from aipipeline.studio.rebuild.tree import Tree, read_tree
from assets.metadata import restore
from assets.rebuilding import MOST_TOLD, Rebuild, short
from shots.services.tree.metadata import mark_stale

Progress = Callable[[str], None]
# What is counted for the person who rebuilds.
COUNTED = (
    "assets.environment", "assets.character", "assets.cinematicpreset", "assets.lora", "shots.scenario", "shots.scene",
    "shots.shot", "shots.casting", "shots.shotstep", "shots.folder", "renders.version", "renders.renderpreset",
    "timeline.clip", "timeline.marker", "notes.note", "tables.customcolumn", "tables.savedview",
)  # fmt: skip


class TreeRefused(PipelineError):
    """The tree cannot be taken as it is; `details["problems"]` says what to do, file by file. Nothing was made."""

    status = 422
    code = "tree_refused"


@dataclass
class Report:
    """What was made (or would be, with `dry_run`). `people`: accounts that were made, closed."""

    code: str
    path: str
    dry_run: bool = False
    counts: dict[str, int] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    people: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        names = ("code", "path", "dry_run", "counts", "warnings", "problems", "people")
        return {name: getattr(self, name) for name in names}


class _OnlyLooked(Exception):
    """Ends the transaction of a dry run."""


def rebuild_project(
    *,
    path: Path,
    actor: Any,
    code: str = "",
    dry_run: bool = False,
    progress: Progress = lambda _line: None,
) -> Report:
    """Make the project of the tree at `path`, which stays where it is and is not written.

    `code`: the new code when the tree was renamed; it is the name of its folder either way. TreeRefused lists what is
    wrong with the files, Conflict says that the code is taken. With `dry_run` problems are in the report instead.
    """
    root = _root(path)
    progress(_("Reading %(path)s") % {"path": root})
    tree = read_tree(root)
    report = Report(code=root.name, path=str(root), dry_run=dry_run, warnings=list(tree.warnings))
    if tree.entries["project"]:
        report.code = _code(tree, code)
    progress(_("%(n)s files read") % {"n": sum(len(entries) for entries in tree.entries.values())})
    if tree.problems:
        return _refuse(report, tree.problems)
    state = Rebuild(
        root=root, code=report.code, storage_root=_storage_root(root), versions=tree.versions, warnings=report.warnings
    )
    try:
        with transaction.atomic():
            _make(state, tree, report, actor, progress)
            if dry_run:
                raise _OnlyLooked
    except _OnlyLooked:
        report.problems = state.problems
    except (IntegrityError, DataError) as error:
        # The files pass every check and still do not fit together.
        raise TreeRefused(
            _("The database refuses what the tree says: %(why)s") % {"why": str(error).strip().splitlines()[0]}
        ) from error
    return report


def _root(path: Path) -> Path:
    try:
        root = path.resolve(strict=True)
    except (OSError, ValueError, RuntimeError) as error:
        raise Invalid(_("%(path)s: there is no such folder.") % {"path": short(str(path))}) from error
    if not root.is_dir():
        raise Invalid(_("%(path)s is no folder. Name the folder of the project.") % {"path": root})
    return root


def _code(tree: Tree, wanted: str) -> str:
    """The code of the new project: the name of its folder, and what the files say or what is asked for."""
    told, name = tree.config.get("code"), tree.root.name
    if wanted and wanted != name:
        raise Invalid(
            _("The project's folder is named by its code. Rename %(path)s to %(code)s first, then try again.")
            % {"path": tree.root, "code": wanted}
        )
    if not wanted and told != name:
        raise Invalid(
            _("The folder %(name)s holds the project %(code)s. Rename it to that, or say --code %(name)s.")
            % {"name": name, "code": short(told)}
        )
    try:
        Project._meta.get_field("code").clean(name, None)
    except ValidationError as error:
        raise Invalid(f"{name}: {error.messages[0]}") from error
    # Codes name folders, and some filesystems do not tell capitals from small letters.
    if Project.objects.filter(code__iexact=name).exists():
        raise Conflict(
            _(
                "There is a project %(code)s in this database already. To have both, rename the folder to a code "
                "that is free and say it with --code."
            )
            % {"code": name},
            details={"code": name},
        )
    return name


def _storage_root(root: Path) -> str:
    """Where the project's folder lies; "" for the place where all projects are."""
    usual = Path(settings.STORAGE_ROOT)
    return "" if os.path.realpath(usual) == str(root.parent) else str(root.parent)


def _refuse(report: Report, problems: list[str], untold: int = 0) -> Report:
    report.problems = problems[:MOST_TOLD]
    if report.dry_run:
        return report
    text = _("The tree cannot be taken; nothing was made. %(first)s") % {"first": problems[0]}
    if len(problems) + untold > 1:
        text += " " + _("There are %(n)s more problems.") % {"n": len(problems) + untold - 1}
    raise TreeRefused(text, details={"problems": report.problems})


def _make(state: Rebuild, tree: Tree, report: Report, actor: Any, progress: Progress) -> None:
    progress(_("Making the rows"))
    restore(state, tree.entries)
    if state.problems:
        _refuse(report, state.problems, state.untold)
        return
    report.people = state.people_made
    report.counts = _counts(state.project)
    for kind, pk in sorted(state.stale):
        mark_stale(state.project.pk, kind, [pk])
    params = {"counts": report.counts, "warnings": len(report.warnings) + state.untold}
    with recording(project=state.project, actor=actor, kind="project.rebuild", undoable=False, params=params):
        progress(_("Committing"))


def _counts(project: Project) -> dict[str, int]:
    counts = {}
    for label in COUNTED:
        model = apps.get_model(label)
        counts[str(model._meta.verbose_name_plural)] = model._default_manager.filter(project=project).count()
    counts[str(Membership._meta.verbose_name_plural)] = Membership.objects.filter(project=project).count()
    return counts
