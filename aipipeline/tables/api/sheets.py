"""Sheets over REST: out in three formats, and in with a difference first."""

import os
from collections.abc import Mapping
from typing import Any

from django.http import FileResponse, HttpResponse
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from rest_framework.request import Request
from rest_framework.response import Response

from aipipeline.projects.api.views import Endpoint, UploadEndpoint, only, text
from aipipeline.projects.errors import Invalid
from aipipeline.projects.permissions import require
from aipipeline.tables.filters import parse_json
from aipipeline.tables.models import ImportState, SheetImport
from aipipeline.tables.registry import table_of
from aipipeline.tables.selectors import load
from aipipeline.tables.sheets import imports, store
from aipipeline.tables.sheets.apply import apply_import, summary
from aipipeline.tables.sheets.compare import Diff, DiffRow
from aipipeline.tables.sheets.content import Wanted
from aipipeline.tables.sheets.decisions import Decisions
from aipipeline.tables.sheets.export import IN_MEMORY, Exported, export_sheet
from aipipeline.tables.sheets.mapping import fillable, headers_of
from aipipeline.tables.sheets.raw import MAX_BYTES, MAX_COLUMNS, MAX_ROWS

MAX_ACCEPTED = MAX_ROWS * 50
MAX_WORDS = 5000
MAX_SHOWN = 1000
SAMPLE = 8


def wanted_of(query: Any, project: Any, kind: str) -> Wanted:
    """What the address asks for: ?view=ID, or ?filter= &sort= &search= &columns=a,b."""
    view: dict[str, Any] = {}
    for name in ("filter", "sort"):
        if query.get(name):
            view[name] = parse_json(query[name], name)
    for name in ("view", "search"):
        if query.get(name):
            view[name] = query[name][:200]
    if query.get("columns"):
        view["columns"] = query["columns"].split(",")[:MAX_COLUMNS]
    return Wanted(project, kind, view)


def exported(
    query: Any, project: Any, kind: str, format: str, user: Any, *, headers: str = "names"
) -> HttpResponse | FileResponse:
    """The sheet as a download; a large one is sent piece by piece from its temporary file."""
    sheet: Exported = export_sheet(
        wanted=wanted_of(query, project, kind),
        format=format,
        headers=query.get("headers") or headers,
        pictures=query.get("thumbnails") in ("1", "true"),
        user=user,
    )
    size = sheet.file.seek(0, os.SEEK_END)
    sheet.file.seek(0)
    if size > IN_MEMORY:
        return FileResponse(sheet.file, as_attachment=True, filename=sheet.name, content_type=sheet.content_type)
    with sheet.file as file:
        disposition = content_disposition_header(True, sheet.name) or "attachment"
        return HttpResponse(file.read(), content_type=sheet.content_type, headers={"Content-Disposition": disposition})


def refuse_huge(request: Any) -> None:
    """Told by the length that the client names, before a byte of the body is read."""
    length = request.META.get("CONTENT_LENGTH") or "0"
    if length.isdigit() and int(length) > MAX_BYTES + 1024 * 1024:
        raise store.too_large()


class Sheet(Endpoint):
    def get(self, request: Request, code: str, kind: str, suffix: str) -> HttpResponse | FileResponse:
        return exported(request.query_params, self.project(code, "sheets.export"), kind, suffix, request.user)


class SheetImports(UploadEndpoint):
    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if request.method == "POST":
            refuse_huge(request)

    def post(self, request: Request, code: str) -> Response:
        """A sheet as `file`, or a pasted table as `text`; `kind` says what it is of."""
        project = self.project(code, "sheets.import")
        upload = request.FILES.get("file")
        body = self.body()
        only(body, "file", "text", "kind")
        kind = text(body, "kind") or "shots"
        pasted = text(body, "text", limit=MAX_BYTES)
        if upload is None and not pasted.strip():
            raise Invalid(_("Send the sheet as `file`, or a table as `text`."), fields={"file": [_("required")]})
        row = imports.create_import(
            project=project,
            actor=request.user,
            kind=kind,
            name=str(upload.name) if upload is not None else _("pasted table"),
            chunks=upload.chunks() if upload is not None else [pasted.encode()],
            size=upload.size if upload is not None else None,
        )
        return Response(import_json(row), status=201)


class SheetImportDetail(Endpoint):
    def get(self, request: Request, token: str) -> Response:
        """`?from=N` gives the next thousand rows of a large difference."""
        start = request.query_params.get("from", "0")
        return Response(
            import_json(
                self.found(token), start=int(start) if start.isascii() and start.isdigit() and len(start) < 7 else 0
            )
        )

    def delete(self, request: Request, token: str) -> Response:
        imports.discard(row=self.found(token), actor=request.user)
        return Response(status=204)

    def found(self, token: str) -> SheetImport:
        row = imports.find_import(token, actor=self.request.user)
        require(self.request.user, "sheets.import", row.project)
        return row


class SheetImportMapping(SheetImportDetail):
    http_method_names = ["put", "options"]

    def put(self, request: Request, token: str) -> Response:
        """How the columns are read: {"header", "first", "columns": {"0": "code"}, "key", "save_as"}."""
        row = self.found(token)
        body = self.body()
        save_as = text(body, "save_as", limit=80)
        row = imports.set_mapping(row=row, actor=request.user, given=body, save_as=save_as, tab=self.tab)
        return Response(import_json(row))


class SheetImportDecisions(SheetImportDetail):
    http_method_names = ["post", "options"]

    def post(self, request: Request, token: str) -> Response:
        """What a person says: {"words": [{"scope": "cell", "key": "2.action", "accept": true}]}."""
        row = self.found(token)
        body = self.body()
        only(body, "words")
        words = body.get("words")
        good = isinstance(words, list) and 0 < len(words) <= MAX_WORDS
        if not good or not all(isinstance(word, Mapping) for word in words or []):
            raise Invalid(_("words: a list of decisions is needed."), fields={"words": [_("not a list")]})
        row = imports.decide(row=row, words=words or [])
        return Response({"id": str(row.pk), "apply": summary(imports.look(row), Decisions(row.decisions))})


class SheetImportApply(SheetImportDetail):
    http_method_names = ["post", "options"]

    def post(self, request: Request, token: str) -> Response:
        """`{"accept": "all"}` takes the sheet's side of everything, `{"accept": [ids]}` cells and rows; without
        `accept` what was decided counts. One undo step."""
        row = self.found(token)
        body = self.body()
        only(body, "accept")
        accept = body.get("accept", "all") if "accept" in body or not row.decisions else "decided"
        good = isinstance(accept, list) and all(isinstance(part, str) and len(part) <= 120 for part in accept)
        if accept not in ("all", "decided") and (not good or not 0 < len(accept) <= MAX_ACCEPTED):
            raise Invalid(_('accept: "all" or a list of cell ids is needed.'), fields={"accept": [_("unknown")]})
        done = apply_import(row=row, actor=request.user, accept=None if accept == "decided" else accept, tab=self.tab)
        return Response(import_json(done))


def import_json(row: SheetImport, *, start: int = 0) -> dict[str, Any]:
    """The import in the form of the contract."""
    found: dict[str, Any] = {"id": str(row.pk), "kind": row.kind, "name": row.name, "state": row.state}
    if row.state == ImportState.APPLIED:
        return {**found, **{name: row.result.get(name) for name in ("counts", "cells")}, "errors": [], "rows": []}
    diff = imports.look(row)
    if row.state == ImportState.MAPPING:
        found |= mapping_json(row)
    elif diff.errors:
        found["state"] = ImportState.ERROR
    rows = diff.rows[start : start + MAX_SHOWN]
    more = start + MAX_SHOWN if len(diff.rows) > start + MAX_SHOWN else None
    return {
        **found,
        "counts": diff.counts,
        "errors": [
            {"row": e.row, "column": e.field, "letter": e.letter, "message": e.message} for e in diff.errors[:500]
        ],
        "notes": diff.notes,
        "rows": [row_json(one) for one in rows],
        "next": more,
        "missing": diff.missing[:500],
        "ignored": diff.ignored,
    }


def row_json(row: DiffRow) -> dict[str, Any]:
    names = ("id", "field", "base", "here", "sheet", "state")
    cells = [
        {**{name: getattr(cell, name) for name in names}, **({"message": cell.message} if cell.message else {})}
        for cell in row.cells
    ]
    return {
        "id": row.id,
        "row": row.row,
        "code": row.code,
        "state": row.state,
        "moved": row.moved,
        "cells": cells,
    }


def mapping_json(row: SheetImport) -> dict[str, Any]:
    """What a person needs to correct the reading of a foreign sheet."""
    raw = imports.raw_of(row)
    mapping = imports.mapping_of(row)
    loaded = load(table_of(row.table), row.project)
    return {
        "mapping": mapping.as_json(),
        "headers": headers_of(raw, mapping.header),
        "sample": [
            [str(v) if v is not None else "" for v in line] for number, line in raw.rows if number > mapping.header
        ][:SAMPLE],
        "fields": [{"name": c.name, "label": str(c.label)} for c in loaded.columns if fillable(c, loaded)],
        "worksheets": raw.others,
    }


__all__ = ["Diff", "Sheet", "SheetImportApply", "SheetImportDecisions", "SheetImportDetail", "SheetImports"]
