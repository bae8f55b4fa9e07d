"""The history of one row over REST, and putting cells back from it."""

from uuid import UUID

from django.utils.translation import gettext as _
from rest_framework.request import Request
from rest_framework.response import Response

from aipipeline.history.selectors import LONGEST_PAGE, PAGE
from aipipeline.projects.api.views import integer, only, text
from aipipeline.projects.errors import Invalid
from aipipeline.tables.api.grid import TableEndpoint
from aipipeline.tables.history import history_of_row
from aipipeline.tables.registry import table_of
from aipipeline.tables.selectors import load
from aipipeline.tables.services.restoring import restore_cells


class RowHistory(TableEndpoint):
    """Edits of a row, newest first. `before`: only those before this change number; `page_size`: at most 100."""

    def get(self, request: Request, code: str, table: str, row_id: int) -> Response:
        project, found = self.open(code, table)
        before = integer(request.query_params.get("before"), "before")
        size = integer(request.query_params.get("page_size"), "page_size") or PAGE
        rows, more = history_of_row(load(found, project), row_id, before=before, limit=size)
        query = f"?before={more}&page_size={min(size, LONGEST_PAGE)}"
        return Response(
            {"results": rows, "next": request.build_absolute_uri(request.path + query) if more is not None else None}
        )


class RestoreRow(TableEndpoint):
    """Write the values that fields had before an edit: `action`, `fields`. A new undo step."""

    def post(self, request: Request, code: str, table: str, row_id: int) -> Response:
        found = table_of(table)
        project = self.project(code, found.edit_operation)
        body = self.body()
        only(body, "action", "fields")
        done = restore_cells(
            project=project,
            table=found,
            actor=request.user,
            row_id=row_id,
            action_id=_uuid(text(body, "action")),
            fields=_names(body.get("fields")),
            tab=self.tab,
        )
        return Response({"results": found.results(project, request.user, [row_id]), "changed": done.changed})


def _uuid(value: str) -> UUID:
    try:
        return UUID(value)
    except ValueError as error:
        raise Invalid(_("action: the id of an edit is needed."), fields={"action": [_("not an id")]}) from error


def _names(value: object) -> list[str]:
    if not isinstance(value, list) or len(value) > 100 or not all(isinstance(name, str) for name in value):
        raise Invalid(_("fields: a list of field names is needed."), fields={"fields": [_("not a list of names")]})
    return list(dict.fromkeys(value))
