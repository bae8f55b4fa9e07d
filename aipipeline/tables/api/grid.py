"""Grids over REST: the stream of rows, what changed since, and batches of edits."""

from collections.abc import Iterator, Mapping
from typing import Any

from django.http import HttpResponseBase
from django.utils.translation import gettext as _
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from aipipeline.history.changes import current_change
from aipipeline.history.models import Action
from aipipeline.history.recorder import Repeated
from aipipeline.history.selectors import action_with_key
from aipipeline.projects.api.views import Endpoint, integer, integers, only, text
from aipipeline.projects.errors import Invalid
from aipipeline.projects.models import Project
from aipipeline.projects.permissions import require
from aipipeline.tables import grid
from aipipeline.tables.cells import CellError, Reader
from aipipeline.tables.columns import Column
from aipipeline.tables.custom import columns_of, options_of
from aipipeline.tables.filters import parse_json
from aipipeline.tables.registry import Done, Table, table_of
from aipipeline.tables.selectors import as_chunk, load, rows_of_view
from aipipeline.tables.services.views import view_for
from aipipeline.tables.streaming import line, stream

MAX_ITEMS = 10_000


class TableEndpoint(Endpoint):
    """Every view of a table: `table` of the address is its key."""

    def open(self, code: str, table: str, operation: str = "project.view") -> tuple[Project, Table]:
        return self.project(code, operation), table_of(table)


class JSONLines(BaseRenderer):
    """The grid's own type, so that a client may ask for it by name; an error is a single line."""

    media_type = "application/x-ndjson"
    format = "ndjson"
    charset = None

    def render(self, data: Any, accepted_media_type: str | None = None, renderer_context: Any = None) -> bytes:
        return bytes(JSONRenderer().render(data)) + b"\n"


class Grid(TableEndpoint):
    """All rows of a table, or those of a view, streamed as lines of JSON."""

    renderer_classes = (JSONRenderer, JSONLines)

    def get(self, request: Request, code: str, table: str) -> HttpResponseBase:
        project, found = self.open(code, table)
        loaded = load(found, project)
        wanted = view_of(request, project, found)
        if wanted is None:
            pieces: Iterator[dict[str, Any]] = grid.lines(loaded, request.user)
        else:
            rows = rows_of_view(loaded, **wanted)
            pieces = iter(self._view(loaded, request, rows))
        # The head is read here, while the request's language and person are set; the rest while it is sent.
        first = line(next(pieces))
        return stream(request._request, _after(first, pieces))

    def _view(self, loaded: Any, request: Request, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        seq = current_change(loaded.project)
        pieces = [grid.head(loaded, request.user, total=len(rows), seq=seq)]
        for start in range(0, len(rows), 1000):
            part = rows[start : start + 1000]
            pieces.append({"type": "rows", "rows": as_chunk(part, list(part[0]))})
        return [*pieces, {"type": "end", "total": len(rows)}]


def _after(first: bytes, pieces: Iterator[dict[str, Any]]) -> Iterator[bytes]:
    yield first
    for piece in pieces:
        yield line(piece)


def view_of(request: Any, project: Project, table: Table) -> dict[str, Any] | None:
    """filter, sort and search of the address: those of `view=ID`, or given there; None when it names nothing.

    `request`: of Django or of DRF. NotFound for a view that is not this person's, Invalid for what is not well formed.
    """
    query = request.GET
    wanted: dict[str, Any] = {}
    if number := integer(query.get("view"), "view"):
        config = view_for(project, table, request.user, number).config
        wanted = {name: config[name] for name in ("filter", "sort", "search") if config.get(name)}
    for name in ("filter", "sort"):
        if query.get(name):
            wanted[name] = parse_json(query[name], name)
    if query.get("search"):
        wanted["search"] = query["search"][:200]
    return wanted or None


class Changes(TableEndpoint):
    """Rows that changed after a number, and the number to ask with next."""

    def get(self, request: Request, code: str, table: str) -> Response:
        project, found = self.open(code, table)
        since = integer(request.query_params.get("since"), "since")
        if since is None:
            raise Invalid(_("since: the number of the last answer is needed."), fields={"since": [_("required")]})
        return Response(grid.changes(found, project, request.user, since))


class Batch(TableEndpoint):
    """Many cells in one action, with rows made (`create`) and removed (`delete`): all or nothing in errors.

    `fields` are cells, `texts` are read as a person writes them. Conflicts answer 409 by row, or with
    `on_conflict: skip` leave those rows out and list them. With `since` the answer holds what changed after it.
    `key` names the batch: sent again by the same person it writes nothing, and answers what it did the first time
    with `repeated`. Whoever lost the answer to new rows can so ask again without making them twice.
    """

    def post(self, request: Request, code: str, table: str) -> Response:
        found = table_of(table)
        project = self.project(code, found.edit_operation)
        body = self.body()
        only(body, "items", "create", "delete", "on_conflict", "since", "key")
        if (on_conflict := text(body, "on_conflict") or "fail") not in ("fail", "skip"):
            raise Invalid(_("on_conflict is fail or skip."), fields={"on_conflict": [_("unknown")]})
        since = integer(body.get("since"), "since")
        key = text(body, "key", limit=64)
        remove = integers(body.get("delete", []), "delete", limit=MAX_ITEMS)
        if remove:
            require(request.user, found.delete_operation, project)
        if first := action_with_key(project, request.user, key):
            return self._answer(project, found, _done_before(found, first), since, repeated=True)
        rows = Rows(project, found, body)
        items, create = rows.read("items"), rows.read("create")
        if not (items or create or remove):
            raise Invalid(_("items: a list of 1 to 10000 objects is needed."), fields={"items": [_("empty")]})
        try:
            done = found.apply_batch(
                project=project,
                actor=request.user,
                items=items,
                create=create,
                remove=remove,
                on_conflict=on_conflict,
                tab=self.tab,
                key=key,
            )
        except Repeated:
            # Both were on their way at once: this one waited for the other and was taken back.
            first = action_with_key(project, request.user, key)
            return self._answer(project, found, _done_before(found, first), since, repeated=True)
        return self._answer(project, found, done, since)

    def _answer(
        self, project: Project, table: Table, done: Done, since: int | None, *, repeated: bool = False
    ) -> Response:
        answer: dict[str, Any] = {"created": done.created, "deleted": done.removed, "conflicts": done.conflicts}
        if repeated:
            answer["repeated"] = True
        if since is None:
            answer["results"] = table.results(project, self.request.user, [*done.changed, *done.created])
        else:
            answer["changes"] = grid.changes(table, project, self.request.user, since)
        return Response(answer)


def _done_before(table: Table, action: Action | None) -> Done:
    """What an earlier batch did to the rows of this table, as its action tells."""
    done = Done()
    for entry in action.changes if action else []:
        if entry["model"] != table.label_lower:
            continue
        before, after = entry["fields"].get("removed_at", (None, None))
        kind = done.created if before == "created" else done.removed if after else done.changed
        kind.append(int(entry["id"]))
    return done


class Rows:
    """The rows of a batch's body, read and checked; the table's lists are loaded only when texts must be read."""

    def __init__(self, project: Project, table: Table, body: Mapping[str, Any]) -> None:
        self.project = project
        self.table = table
        self.body = body
        self._reader: Reader | None = None
        self._columns: dict[str, Column] = {}

    def read(self, name: str) -> list[dict[str, Any]]:
        """Every row cleaned; Invalid with the errors of all rows by their number."""
        rows = self.body.get(name, [])
        if not isinstance(rows, list) or len(rows) > MAX_ITEMS:
            raise Invalid(
                _("%(name)s: a list of at most 10000 objects is needed.") % {"name": name},
                fields={name: [_("not a list")]},
            )
        clean = self._item if name == "items" else self._new
        found, errors = [], {}
        for number, row in enumerate(rows):
            try:
                found.append(clean(row))
            except Invalid as error:
                errors[str(number) if name == "items" else f"{name}.{number}"] = error.fields
        if errors:
            raise Invalid(_("Nothing was saved: some rows have errors."), fields=errors)
        return found

    def _item(self, row: Any) -> dict[str, Any]:
        if not isinstance(row, dict) or integer(row.get("id"), "id") is None:
            raise Invalid(_("A row has no id."), fields={"id": [_("required")]})
        only(row, "id", "revision", "fields", "texts")
        return {
            "id": integer(row["id"], "id"),
            "revision": integer(row.get("revision"), "revision"),
            "fields": self._cells(row),
        }

    def _new(self, row: Any) -> dict[str, Any]:
        """{"fields", "texts", "before"}, or the fields alone."""
        if not isinstance(row, dict):
            raise Invalid(_("Give the fields as an object."), fields={"fields": [_("not an object")]})
        if not set(row) <= {"fields", "texts", "before"}:
            row = {"fields": row}
        return {"fields": self._cells(row), "before": integer(row.get("before"), "before")}

    def _cells(self, row: Mapping[str, Any]) -> dict[str, Any]:
        fields, texts = row.get("fields", {}), row.get("texts", {})
        if not isinstance(fields, dict) or not isinstance(texts, dict):
            raise Invalid(_("Give the fields as an object."), fields={"fields": [_("not an object")]})
        return {**self.table.clean_json(fields), **self._read_texts(texts)}

    def _read_texts(self, texts: Mapping[str, Any]) -> dict[str, Any]:
        if not texts:
            return {}
        if self._reader is None:
            self._columns = {column.name: column for column in columns_of(self.project, self.table)}
            self._reader = Reader(options_of(self.project, self.table), self.project.rate)
        found: dict[str, Any] = {}
        errors: dict[str, Any] = {}
        for name, value in texts.items():
            column = self._columns.get(name)
            if column is None or not column.editable:
                errors[name] = [_("unknown or read-only")]
                continue
            if not isinstance(value, (str, int, float)):
                errors[name] = [_("a text is needed")]
                continue
            try:
                found[name] = self._reader.parse(column, value)
            except CellError as error:
                errors.update(error.fields)
        if errors:
            raise Invalid(_("Some texts cannot be read."), fields=errors)
        return found


class Move(TableEndpoint):
    """Put rows just before another one: `ids`, `before`, and for shots the `scene` that they come into."""

    def post(self, request: Request, code: str, table: str) -> Response:
        found = table_of(table)
        project = self.project(code, found.edit_operation)
        body = self.body()
        only(body, "ids", "before", "scene")
        into = {"scene": integer(body["scene"], "scene")} if "scene" in body else {}
        found.move(
            project=project,
            actor=request.user,
            ids=integers(body.get("ids"), "ids", limit=MAX_ITEMS),
            before=integer(body.get("before"), "before"),
            tab=self.tab,
            fields=into,
        )
        return Response({"order": list(found.rows(project).values_list("pk", flat=True))})
