"""Saved views and columns of a table over REST."""

from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _
from rest_framework.request import Request
from rest_framework.response import Response

from aipipeline.projects.api.views import integer, only, text
from aipipeline.projects.errors import Invalid
from aipipeline.projects.permissions import require
from aipipeline.tables import grid
from aipipeline.tables.api.grid import TableEndpoint
from aipipeline.tables.columns import CUSTOM
from aipipeline.tables.registry import table_of
from aipipeline.tables.selectors import load
from aipipeline.tables.services import columns, views


class Views(TableEndpoint):
    def get(self, request: Request, code: str, table: str) -> Response:
        project, found = self.open(code, table)
        return Response({"results": grid.views_json(found, project, request.user)})

    def post(self, request: Request, code: str, table: str) -> Response:
        project, found = self.open(code, table)
        body = self.body()
        only(body, "name", "shared", "config")
        view = views.save_view(
            project=project,
            table=found,
            actor=request.user,
            name=text(body, "name"),
            shared=_truth(body, "shared"),
            config=body.get("config", {}),
            tab=self.tab,
        )
        return Response(_view_json(view, request.user), status=201)


class ViewDetail(TableEndpoint):
    def get(self, request: Request, code: str, table: str, view_id: int) -> Response:
        project, found = self.open(code, table)
        return Response(_view_json(views.view_for(project, found, request.user, view_id), request.user))

    def patch(self, request: Request, code: str, table: str, view_id: int) -> Response:
        project, found = self.open(code, table)
        body = self.body()
        only(body, "name", "shared", "config", "default")
        view = views.view_for(project, found, request.user, view_id)
        fields = {name: value for name, value in body.items() if name != "default"}
        if "shared" in fields:
            fields["shared"] = _truth(fields, "shared")
        with transaction.atomic():
            if fields:
                view = views.update_view(view=view, table=found, actor=request.user, fields=fields, tab=self.tab)
            if "default" in body:
                self._set_default(project, found, view, default=_truth(body, "default"))
        return Response(_view_json(view, request.user))

    def _set_default(self, project: Any, table: Any, view: Any, *, default: bool) -> None:
        settings = columns.settings_of(project, table)
        if default or (settings is not None and settings.default_view_id == view.pk):
            chosen = view if default else None
            views.set_default(project=project, table=table, actor=self.request.user, view=chosen, tab=self.tab)
        else:
            require(self.request.user, "project.edit", project)  # it was none: another one stays the default

    def delete(self, request: Request, code: str, table: str, view_id: int) -> Response:
        project, found = self.open(code, table)
        view = views.view_for(project, found, request.user, view_id)
        views.remove_view(view=view, actor=request.user, tab=self.tab)
        return Response(status=204)


class PresentView(TableEndpoint):
    """How this person looks at the table right now."""

    def get(self, request: Request, code: str, table: str) -> Response:
        project, found = self.open(code, table)
        return Response(views.present_view(project, found, request.user))

    def put(self, request: Request, code: str, table: str) -> Response:
        project, found = self.open(code, table)
        body = self.body()
        only(body, "id", "config")
        number = integer(body.get("id"), "id")
        view = views.view_for(project, found, request.user, number) if number is not None else None
        views.choose(project=project, table=found, actor=request.user, view=view, config=body.get("config", {}))
        return Response(views.present_view(project, found, request.user))


class Columns(TableEndpoint):
    def get(self, request: Request, code: str, table: str) -> Response:
        project, found = self.open(code, table)
        return Response({"results": grid.columns_json(load(found, project))})

    def post(self, request: Request, code: str, table: str) -> Response:
        found = table_of(table)
        project = self.project(code, found.edit_operation)
        body = self.body()
        only(body, "label", "type", "choices", "after")
        row = columns.add_column(
            project=project,
            table=found,
            actor=request.user,
            label=text(body, "label"),
            type=text(body, "type"),
            choices=body.get("choices", []),
            after=text(body, "after"),
            tab=self.tab,
        )
        return Response(self.answer(project, found, f"{CUSTOM}{row.key}"), status=201)

    def answer(self, project: Any, table: Any, name: str) -> dict[str, Any]:
        loaded = load(table, project)
        column = next((c for c in grid.columns_json(loaded) if c["name"] == name), None)
        if column is None:
            return {}
        choices = [option.as_json() for option in loaded.options.get(name, [])]
        return {**column, "choices": choices}


class ColumnDetail(Columns):
    http_method_names = ("patch", "delete", "options")

    def patch(self, request: Request, code: str, table: str, column: str) -> Response:
        found = table_of(table)
        project = self.project(code, found.edit_operation if column.startswith(CUSTOM) else "project.edit")
        columns.update_column(
            project=project, table=found, actor=request.user, name=column, fields=self.body(), tab=self.tab
        )
        return Response(self.answer(project, found, column))

    def delete(self, request: Request, code: str, table: str, column: str) -> Response:
        found = table_of(table)
        project = self.project(code, "project.edit")
        columns.remove_column(project=project, table=found, actor=request.user, name=column, tab=self.tab)
        return Response(status=204)


def _view_json(view: Any, actor: Any) -> dict[str, Any]:
    return {
        "id": view.pk,
        "name": view.name,
        "shared": view.shared,
        "mine": view.owner_id == actor.pk,
        "config": view.config,
    }


def _truth(body: Any, name: str) -> bool:
    value = body.get(name, False)
    if not isinstance(value, bool):
        raise Invalid(_("%(name)s: true or false is needed.") % {"name": name}, fields={name: [_("not true or false")]})
    return value
