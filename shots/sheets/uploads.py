"""Uploaded sheets between look and apply: kept on disk, so that any web process can go on."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _

from aipipeline.media.files import write_atomic
from aipipeline.projects.errors import Invalid, NotFound
from aipipeline.projects.models import Project
from shots.sheets.importing import SheetDiff, import_sheet
from shots.sheets.reading import MAX_BYTES

_TOKEN = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True)
class Kept:
    token: str
    project: Project
    kind: str
    name: str
    path: Path


def _folder() -> Path:
    folder: Path = settings.AIP_DATA / "imports"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def keep(*, project: Project, kind: str, name: str, data: bytes, token: str) -> Kept:
    """Keep an upload until it is applied; Invalid when it is too large."""
    if len(data) > MAX_BYTES:
        raise Invalid(_("The sheet is larger than 20 MB."))
    kept = Kept(token, project, kind, Path(name).name, _folder() / f"{token}.bin")
    import_sheet(project=project, actor=None, kind=kind, data=data, filename=kept.name, dry_run=True)
    write_atomic(kept.path, data)
    facts = {"project": project.pk, "kind": kind, "name": kept.name}
    write_atomic(kept.path.with_suffix(".json"), json.dumps(facts))
    return kept


def find(token: str, *, actor: Any) -> Kept:
    """The upload with this token, of a project that the actor may see."""
    path = _folder() / f"{token}.json"
    if not _TOKEN.fullmatch(token) or not path.is_file():
        raise NotFound(_("This upload is not there any more. Upload the sheet again."))
    facts = json.loads(path.read_text())
    project = Project.objects.visible_to(actor).filter(pk=facts["project"]).first()
    if project is None:
        raise NotFound(_("This upload is not there any more. Upload the sheet again."))
    return Kept(token, project, facts["kind"], facts["name"], path.with_suffix(".bin"))


def look(kept: Kept, *, actor: Any) -> SheetDiff:
    """The difference as it is now."""
    return import_sheet(
        project=kept.project, actor=actor, kind=kept.kind, data=kept.path.read_bytes(), filename=kept.name, dry_run=True
    )


def describe(kept: Kept, *, actor: Any) -> dict[str, Any]:
    return diff_json(look(kept, actor=actor))


def apply(kept: Kept, *, actor: Any, accept: Sequence[str] | None = None, tab: str = "") -> dict[str, Any]:
    """Apply the sheet, or the cells and rows with these ids, in one undo step; Invalid with every error's place."""
    diff = import_sheet(
        project=kept.project,
        actor=actor,
        kind=kept.kind,
        data=kept.path.read_bytes(),
        filename=kept.name,
        dry_run=False,
        accept=accept,
        tab=tab,
    )
    if diff.errors:
        places = {f"{e.row}.{e.column}": [e.message] for e in diff.errors[:200]}
        raise Invalid(_("Nothing was applied: some cells have errors."), fields=places)
    kept.path.unlink(missing_ok=True)
    kept.path.with_suffix(".json").unlink(missing_ok=True)
    return {**diff_json(diff), "state": "applied"}


def diff_json(diff: SheetDiff) -> dict[str, Any]:
    return {
        "state": "error" if diff.errors else "ready",
        "counts": diff.counts,
        "errors": [{"row": e.row, "column": e.column, "message": e.message} for e in diff.errors[:500]],
        "rows": [
            {
                "id": row.id,
                "row": row.sheet_row,
                "code": row.code,
                "state": row.state,
                # What the cell was when the sheet was exported is not known yet, so nothing can be a conflict.
                "cells": [
                    {
                        "id": row.cell_id(cell.field),
                        "field": cell.field,
                        "base": None,
                        "here": cell.here,
                        "sheet": cell.sheet,
                        "state": row.state,
                    }
                    for cell in row.cells
                ],
            }
            for row in diff.rows
            if row.state != "unchanged"
        ],
        "missing": diff.missing,
    }
