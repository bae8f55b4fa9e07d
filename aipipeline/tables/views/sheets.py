"""Sheets as pages: downloads, and an upload that is looked at before anything is written."""

from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from aipipeline.history.models import Action, ActionState
from aipipeline.projects.errors import Conflict, Invalid, NotFound
from aipipeline.projects.models import Project
from aipipeline.tables.api.sheets import exported, refuse_huge
from aipipeline.tables.models import ImportState, SheetImport
from aipipeline.tables.models import SheetMapping as SavedMapping
from aipipeline.tables.registry import table_of
from aipipeline.tables.selectors import load
from aipipeline.tables.sheets import imports
from aipipeline.tables.sheets.apply import apply_import, summary
from aipipeline.tables.sheets.content import ID, own_labels
from aipipeline.tables.sheets.decisions import Decisions
from aipipeline.tables.sheets.mapping import TIME_IN, TIME_OUT, fillable, headers_of
from aipipeline.tables.sheets.shown import FILTERS, Words, chips, shown_rows
from aipipeline.ui.context_processors import project_context
from aipipeline.ui.htmx import hx_location, hx_refresh, render_page_or_fragment, wants_fragment
from aipipeline.ui.pages import body_of, project_page, tab_of

PER_PAGE = 200
SAMPLE = 8
PAGES = {
    "shots": ("shots:list", ""),
    "characters": ("assets:library", "?kind=character"),
    "environments": ("assets:library", "?kind=environment"),
    "presets": ("assets:library", "?kind=preset"),
}


@require_GET
@project_page("sheets.export")
def export(request: HttpRequest, project: Project, kind: str, format: str) -> HttpResponseBase:
    """A sheet with headers in the person's language."""
    return exported(request.GET, project, kind, format, request.user, headers="labels")


@require_POST
@project_page("sheets.import")
def upload(request: HttpRequest, project: Project) -> HttpResponseBase:
    """Keep a file or a pasted table, and go to its page; nothing is written to the table yet."""
    refuse_huge(request)
    file = request.FILES.get("file")
    pasted = request.POST.get("text", "")
    if file is None and not pasted.strip():
        raise Invalid(_("Choose a sheet or paste a table first."), fields={"file": [_("empty")]})
    row = imports.create_import(
        project=project,
        actor=request.user,
        kind=request.POST.get("kind", "shots"),
        name=str(file.name) if file is not None else _("pasted table"),
        chunks=file.chunks() if file is not None else [pasted.encode(errors="replace")],
        size=file.size if file is not None else None,
    )
    url = reverse("tables:import", args=[project.code, row.pk])
    return hx_location(url) if wants_fragment(request) else redirect(url)


def _found(request: HttpRequest, project: Project, token: str) -> SheetImport:
    row = imports.find_import(token, actor=request.user)
    if row.project_id != project.pk:
        raise NotFound(_("This upload is not there any more. Upload the sheet again."))
    return row


@require_GET
@project_page("sheets.import")
def look(request: HttpRequest, project: Project, token: str) -> HttpResponse:
    """The mapping of a foreign sheet, the difference, or what was applied."""
    row = _found(request, project, token)
    if row.state == ImportState.MAPPING or (request.GET.get("columns") and row.state == ImportState.READY):
        context = {**_context(request, row), **_mapping(row)}
        return render_page_or_fragment(request, "tables/import.html", "tables/_mapping.html", context)
    context = {**_context(request, row), **_difference(request, row)}
    return render_page_or_fragment(request, "tables/import.html", "tables/_import.html", context)


def _context(request: HttpRequest, row: SheetImport) -> dict[str, Any]:
    table = table_of(row.table)
    name, query = PAGES.get(row.table, ("studio:overview", ""))
    return {
        **project_context(request, row.project),
        "import": row,
        "table": table,
        "back": reverse(name, args=[row.project.code]) + query,
        "is_mapping": row.state == ImportState.MAPPING or bool(request.GET.get("columns")),
    }


def _difference(request: HttpRequest, row: SheetImport) -> dict[str, Any]:
    if row.state == ImportState.APPLIED:
        done = Action.objects.filter(pk=row.result.get("action"), state=ActionState.DONE).exists()
        return {"applied": row.result, "undone": "action" in row.result and not done}
    diff = imports.look(row)
    decisions = Decisions(row.decisions)
    show = request.GET.get("show", "")
    show = show if show in FILTERS else ""
    wanted = FILTERS[show](diff)
    page = Paginator(wanted, PER_PAGE).get_page(request.GET.get("page"))
    loaded = load(table_of(row.table), row.project)
    columns = {c.name: str(c.label) for c in loaded.columns} | own_labels(row.project, row.table)
    said = Words(loaded.columns, loaded.reader.options, loaded.reader.fps)
    return {
        "diff": diff,
        "show": show,
        "chips": chips(diff, show),
        "page": page,
        "query": f"show={show}&" if show else "",
        "rows": shown_rows(page.object_list, diff, decisions, columns, said),
        "columns": [(name, columns.get(name, name)) for name in diff.columns],
        "will": summary(diff, decisions),
        "skip_errors": decisions.skip_errors,
    }


def _mapping(row: SheetImport) -> dict[str, Any]:
    raw = imports.raw_of(row)
    mapping = imports.mapping_of(row)
    loaded = load(table_of(row.table), row.project)
    headers = headers_of(raw, mapping.header)
    lines = [(number, line) for number, line in raw.rows if number >= mapping.first][:SAMPLE]
    width = max([len(headers), *(len(line) for _number, line in lines)], default=0)
    own = own_labels(row.project, row.table)
    fields = [(c.name, own.get(c.name) or str(c.label)) for c in loaded.columns if fillable(c, loaded)]
    if loaded.table.column("duration_frames"):
        fields += [(TIME_IN, _("Start time")), (TIME_OUT, _("End time"))]
    fields.append((ID, _("Row id")))
    return {
        "raw": raw,
        "mapping": mapping,
        "fields": fields,
        "guesses": [
            {
                "index": index,
                "header": headers[index] if index < len(headers) else "",
                "field": mapping.columns.get(str(index), ""),
                "sample": [_text(line, index) for _number, line in lines],
            }
            for index in range(width)
        ],
        "numbers": [number for number, _line in lines],
        "keys": [("", _("None: every row is new")), (loaded.table.name_column, _("Name or code")), (ID, _("Row id"))],
        "has_scene": loaded.table.column("scene") is not None,
        "has_time": loaded.table.column("duration_frames") is not None,
        "saved": list(SavedMapping.objects.live().filter(project=row.project, table=row.table)[:50]),
    }


def _text(line: list[Any], index: int) -> str:
    value = line[index] if index < len(line) else None
    return "" if value is None else str(value)[:120]


@require_POST
@project_page("sheets.import")
def columns(request: HttpRequest, project: Project, token: str) -> HttpResponseBase:
    """The person's reading of the columns; a saved one by its name; or another worksheet."""
    row = _found(request, project, token)
    body = body_of(request)
    given: dict[str, Any] = {
        name: body.get(name) for name in ("header", "first", "key", "times", "blank", "sections", "fill", "make")
    }
    given["worksheet"] = body.get("worksheet", "")
    given["columns"] = {
        name.removeprefix("column-"): value for name, value in body.items() if name.startswith("column-") and value
    }
    if saved := body.get("saved"):
        kept = SavedMapping.objects.live().filter(project=project, table=row.table, name=saved).first()
        if kept is None:
            raise NotFound(_("There is no such mapping."))
        given = {**kept.config, "worksheet": given["worksheet"]}
    elif given["worksheet"] and given["worksheet"] != row.mapping.get("worksheet"):
        given["columns"] = {}
    imports.set_mapping(
        row=row, actor=request.user, given=given, save_as=str(body.get("save_as") or ""), tab=tab_of(request)
    )
    return hx_location(reverse("tables:import", args=[project.code, row.pk]))


@require_POST
@project_page("sheets.import")
def decide(request: HttpRequest, project: Project, token: str) -> HttpResponse:
    """Decisions as JSON: {"words": [{"scope", "key", "accept"}]}; the answer says what an apply would do."""
    row = _found(request, project, token)
    words = body_of(request).get("words")
    if not isinstance(words, list) or not all(isinstance(word, dict) for word in words) or len(words) > 5000:
        raise Invalid(_("words: a list of decisions is needed."), fields={"words": [_("not a list")]})
    row = imports.decide(row=row, words=words)
    return JsonResponse({"apply": summary(imports.look(row), Decisions(row.decisions))})


@require_POST
@project_page("sheets.import")
def apply(request: HttpRequest, project: Project, token: str) -> HttpResponse:
    """Write what was decided: one transaction, one undo step."""
    row = _found(request, project, token)
    try:
        row = apply_import(row=row, actor=request.user, tab=tab_of(request))
    except Conflict as conflict:
        if row.state != ImportState.READY or "cells" not in conflict.details:
            raise
        row.refresh_from_db()
        context = {**_context(request, row), **_difference(request, row), "moved": conflict}
        return render(request, "tables/_import.html", context)
    cells = ngettext("%(n)s cell", "%(n)s cells", row.result["cells"]) % {"n": row.result["cells"]}
    rows = ngettext("%(n)s row", "%(n)s rows", row.result["rows"]) % {"n": row.result["rows"]}
    context = {
        **_context(request, row),
        "applied": row.result,
        "toast": _("Applied: %(cells)s, %(rows)s.") % {"cells": cells, "rows": rows},
    }
    return hx_refresh(render(request, "tables/_import.html", context))


@require_POST
@project_page("sheets.import")
def discard(request: HttpRequest, project: Project, token: str) -> HttpResponseBase:
    """Forget the upload."""
    row = _found(request, project, token)
    back = _context(request, row)["back"]
    imports.discard(row=row, actor=request.user)
    return hx_location(back)
