"""An uploaded sheet on its way into a table: kept, read, looked at, decided about, applied as one undo step."""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from aipipeline.history.changes import current_change
from aipipeline.history.rows import create_row, update_row
from aipipeline.projects.errors import Conflict, Invalid, NotFound
from aipipeline.projects.models import Project
from aipipeline.projects.permissions import require
from aipipeline.tables.models import ImportState, SheetImport
from aipipeline.tables.models import SheetMapping as SavedMapping
from aipipeline.tables.registry import Table, sheet_of, table_of
from aipipeline.tables.selectors import load
from aipipeline.tables.sheets import store
from aipipeline.tables.sheets.compare import Diff, DiffCell, DiffRow, Problem, compare, refuse_empty
from aipipeline.tables.sheets.content import own_labels
from aipipeline.tables.sheets.decisions import MAX_STORED, SCOPES, Decisions
from aipipeline.tables.sheets.mapping import SheetMapping, from_person, guess, headers_of
from aipipeline.tables.sheets.raw import MAX_BYTES, RawSheet

KEEP_DAYS = 14


def create_import(
    *, project: Project, actor: Any, kind: str, name: str, chunks: Iterable[bytes], size: int | None = None
) -> SheetImport:
    """Keep an upload and read it once. SheetError (nothing kept) when it cannot be read; NotFound for the kind.

    Our own sheets are ready to be looked at; others wait until somebody has seen how their columns are read.
    """
    table, sheet = sheet_of(kind)
    if size is not None and size > MAX_BYTES:
        raise store.too_large()
    row = SheetImport(
        id=uuid.uuid4(), project=project, author=actor if getattr(actor, "pk", None) else None, table=table.key,
        kind=sheet.kind, name=name.replace("\\", "/").rpartition("/")[2][-255:] or "sheet",
    )  # fmt: skip
    store.keep_upload(row.pk, chunks)
    try:
        raw = store.load_raw(row.pk, row.name)
        refuse_empty(raw)
        mapping, sure = _first_mapping(project, table, raw)
        row.mapping = mapping.as_json()
        look(row, raw=raw)  # what cannot be compared at all is refused now
        row.state = ImportState.READY if sure else ImportState.MAPPING
        row.save(force_insert=True)
    except BaseException:
        store.drop(row.pk)
        raise
    return row


def _first_mapping(project: Project, table: Table, raw: RawSheet) -> tuple[SheetMapping, bool]:
    """The guess, or a saved mapping whose headers are the same; and whether nobody needs to look at it."""
    loaded = load(table, project)
    labels = own_labels(project, table.key)
    mapping = guess(raw, loaded, labels)
    if mapping.own:
        return mapping, True
    for saved in SavedMapping.objects.live().filter(project=project, table=table.key).order_by("-updated_at"):
        config = saved.config if isinstance(saved.config, dict) else {}
        if saved.headers and saved.headers == headers_of(raw, int(config.get("header", 1))):
            return SheetMapping(**{**config, "worksheet": raw.title, "own": False}), True
    names = {column.name for column in loaded.columns}
    header = [text for text in headers_of(raw, mapping.header) if text]
    exact = bool(header) and all(text in names or text == "id" for text in header)
    return mapping, exact and mapping.header == 1 and not mapping.sections


def find_import(import_id: Any, *, actor: Any) -> SheetImport:
    """An import of a project that the actor may see; NotFound otherwise."""
    try:
        number = uuid.UUID(str(import_id))
    except ValueError:
        number = uuid.UUID(int=0)
    visible = Project.objects.visible_to(actor)
    row = SheetImport.objects.select_related("project").filter(pk=number, project__in=visible).first()
    if row is None:
        raise NotFound(_("This upload is not there any more. Upload the sheet again."))
    return row


def raw_of(row: SheetImport) -> RawSheet:
    return store.load_raw(row.pk, row.name, worksheet=str(row.mapping.get("worksheet", "")))


def mapping_of(row: SheetImport) -> SheetMapping:
    return SheetMapping(**row.mapping)


def look(row: SheetImport, *, keep: bool = True, raw: RawSheet | None = None) -> Diff:
    """The difference as it is now; computed again only when something of the project changed since the last look.

    `keep` False: what is computed anew does not become what the person has looked at.
    """
    now = current_change(row.project)
    stamp = {"change": now, "mapping": row.mapping, "language": get_language()}
    kept = store.load_diff(row.pk)
    if kept is not None and kept.get("stamp") == stamp:
        return diff_from(kept["diff"])
    diff = compare(project=row.project, table=table_of(row.table), raw=raw or raw_of(row), mapping=mapping_of(row))
    if keep:
        store.save_diff(row.pk, {"stamp": stamp, "diff": diff.as_json()})
    return diff


def diff_from(found: Mapping[str, Any]) -> Diff:
    """The opposite of `Diff.as_json`."""
    rows = [DiffRow(**{**row, "cells": [DiffCell(**cell) for cell in row["cells"]]}) for row in found["rows"]]
    return Diff(
        **{
            **found,
            "rows": rows,
            "errors": [Problem(**problem) for problem in found["errors"]],
            "order": [(number, row_id) for number, row_id in found["order"]],
        }
    )


def locked_import(row: SheetImport, *states: str) -> SheetImport:
    """The row under a lock, in one of these states; Conflict otherwise."""
    found = SheetImport.objects.select_for_update(of=("self",)).select_related("project").get(pk=row.pk)
    if found.state not in states:
        raise Conflict(
            _("This sheet is already applied.")
            if found.state == ImportState.APPLIED
            else _("Say first what the columns are.")
        )
    return found


@transaction.atomic
def set_mapping(
    *, row: SheetImport, actor: Any, given: Mapping[str, Any], save_as: str = "", tab: str = ""
) -> SheetImport:
    """Read the columns as this person says; with a name, the mapping is kept for the next sheet with these headers."""
    row = locked_import(row, ImportState.MAPPING, ImportState.READY)
    table = table_of(row.table)
    worksheet = str(given.get("worksheet") or row.mapping.get("worksheet", ""))
    raw = store.load_raw(row.pk, row.name, worksheet=worksheet)
    if worksheet != row.mapping.get("worksheet", "") and not given.get("columns"):
        mapping = guess(raw, load(table, row.project), own_labels(row.project, table.key))
        row.mapping, row.state = mapping.as_json(), ImportState.MAPPING
        row.save(update_fields=["mapping", "state", "updated_at"])
        return row
    if mapping_of(row).own:
        raise Conflict(_("This sheet was exported here: its columns are known."))
    mapping = from_person(given, raw, load(table, row.project))
    row.mapping, row.state, row.decisions = mapping.as_json(), ImportState.READY, {}
    row.save(update_fields=["mapping", "state", "decisions", "updated_at"])
    if name := save_as.strip()[:80]:
        values = {"headers": headers_of(raw, mapping.header), "config": mapping.as_json()}
        saved = SavedMapping.objects.live().filter(project=row.project, table=row.table, name=name).first()
        if saved is None:
            create_row(
                row=SavedMapping(project=row.project, table=row.table, name=name, **values), actor=actor, tab=tab
            )
        else:
            update_row(row=saved, actor=actor, fields=values, known=tuple(values), tab=tab)
    return row


@transaction.atomic
def decide(*, row: SheetImport, words: Sequence[Mapping[str, Any]]) -> SheetImport:
    """Keep what a person said: words are {"scope", "key", "accept"}; accept null forgets. Invalid for others."""
    row = locked_import(row, ImportState.READY)
    decisions = Decisions(row.decisions)
    for word in words:
        scope, key, accept = word.get("scope"), word.get("key", ""), word.get("accept")
        if scope == "errors" and isinstance(accept, bool):
            decisions.skip_errors = accept
            continue
        if scope not in SCOPES or not isinstance(key, str) or len(key) > 120 or accept not in (True, False, None):
            raise Invalid(_("A decision names a scope, a key and accept."), fields={"words": [_("not a decision")]})
        decisions.say(scope, key, accept)
    if sum(map(len, decisions.by.values())) > MAX_STORED:
        raise Invalid(_("These are too many single decisions. Accept or reject by row or column."))
    row.decisions = decisions.as_json()
    row.save(update_fields=["decisions", "updated_at"])
    return row


def discard(*, row: SheetImport, actor: Any) -> None:
    """Forget an upload."""
    require(actor, "sheets.import", row.project)
    store.drop(row.pk)
    SheetImport.objects.filter(pk=row.pk).delete()


def clean_imports(*, days: int = KEEP_DAYS) -> int:
    """Drop uploads that nobody touched for this many days, and folders that no row names; how many rows went."""
    before = timezone.now() - timedelta(days=days)
    gone = list(SheetImport.objects.filter(updated_at__lt=before).values_list("pk", flat=True))
    for pk in gone:
        store.drop(pk)
    SheetImport.objects.filter(pk__in=gone).delete()
    known = {pk.hex for pk in SheetImport.objects.values_list("pk", flat=True)}
    for folder in store.root().iterdir() if store.root().is_dir() else ():
        if folder.name not in known and folder.stat().st_mtime < before.timestamp():
            store.drop_folder(folder)
    return len(gone)
