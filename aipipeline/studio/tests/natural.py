"""Rows of a project without ids: every column of every model, what is pointed at by its natural key."""

import json
from collections.abc import Callable
from typing import Any

from django.apps import apps
from django.db import models

from aipipeline.projects.models import Project
from renders.models import WorkflowGraph

# Ids, counts of edits and the moments of bookkeeping are the database's own.
OWN = {"id", "revision", "field_revisions", "updated_at"}
# Moments that nobody is shown: when a row of a row came to be.
UNTOLD = {"shots.casting", "shots.shotstep", "shots.folder", "timeline.track", "timeline.clip"}
# What metadata files do not tell, and why, is in docs/how-to/rebuild-from-tree.md.
NOT_EXPORTED = {
    "projects.user", "history.action", "history.change", "history.changenumber", "notes.notification",
    "tables.viewchoice", "tables.sheetimport", "celery_workers.ledgertask", "celery_workers.schedule",
    "renders.pathmap", "renders.worker", "renders.renderjob", "renders.renderattempt",
    "renders.renderbatch", "renders.machineschema", "renders.workerfit", "renders.workerblock",
    "renders.pause", "renders.experience", "renders.seam",
    "timeline.movie", "shots.stalemark",
    "mirror.mirrorentry", "mirror.mirrortarget",
}  # fmt: skip
OURS = (
    "projects", "history", "notes", "tables", "celery_workers", "assets", "shots", "renders", "timeline", "events",
    "comfy_adapters", "blender_bridge", "studio", "mirror",
)  # fmt: skip


def models_of_the_studio() -> list[type[models.Model]]:
    return [m for m in apps.get_models() if m._meta.app_label in OURS and not m._meta.auto_created]


def exported() -> list[type[models.Model]]:
    return [m for m in models_of_the_studio() if m._meta.label_lower not in NOT_EXPORTED]


class Natural:
    """Natural keys of one project's rows."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self._scenarios = list(self._ids("shots.scenario"))
        self._views = list(self._ids("tables.savedview"))
        self._edits = list(self._ids("timeline.edit"))

    def _ids(self, label: str) -> Any:
        rows = apps.get_model(label)._default_manager.filter(project=self.project)
        return rows.order_by("id").values_list("pk", flat=True)

    def key(self, row: Any) -> Any:
        if row is None:
            return None
        keys: dict[str, Callable[[], Any]] = {
            "projects.project": lambda: row.code,
            "projects.user": lambda: row.username,
            "shots.scenario": lambda: self._scenarios.index(row.pk),
            "tables.savedview": lambda: self._views.index(row.pk),
            "timeline.edit": lambda: self._edits.index(row.pk),
            "timeline.track": lambda: [self.key(row.edit), row.kind, row.index],
            "renders.version": lambda: [self.key(row.owner), row.kind, row.number],
            "renders.workflow": lambda: row.key,
            "renders.workflowgraph": lambda: [row.workflow.key, row.number],
            "shots.scene": lambda: row.code,
            "shots.shot": lambda: row.code,
        }
        return keys.get(row._meta.label_lower, lambda: row.name)()

    def row(self, row: Any) -> dict[str, Any]:
        label = row._meta.label_lower
        told: dict[str, Any] = {}
        for field in row._meta.concrete_fields:
            if field.name in OWN or (field.name == "created_at" and label in UNTOLD):
                continue
            value = getattr(row, field.name)
            if field.name == "confirmed_at":
                # That it was is kept, and when it was is not (docs/how-to/rebuild-from-tree.md).
                value = value is not None
            told[field.name] = self.key(value) if field.is_relation else value
        special: dict[str, Callable[[], None]] = {
            "notes.note": lambda: told.update(target_id=self._by_id(row.target_model, row.target_id)),
            "shots.shotstep": lambda: told.update(
                approved_version=self._by_id("renders.version", row.approved_version)
            ),
            "tables.savedview": lambda: told.update(config=self._config(row.config)),
        }
        special.get(label, lambda: None)()
        return json.loads(json.dumps(told, default=str, sort_keys=True))  # type: ignore[no-any-return]

    def _by_id(self, label: str, pk: Any) -> Any:
        return None if pk in (None, "") else self.key(apps.get_model(label)._default_manager.get(pk=pk))

    def _config(self, node: Any) -> Any:
        """A view's config with names for the ids in its filter."""
        if isinstance(node, list):
            return [self._config(part) for part in node]
        if not isinstance(node, dict):
            return node
        models_of = {"characters": "assets.character", "environment": "assets.environment"}
        if node.get("field") in models_of and "value" in node:
            ids = node["value"] if isinstance(node["value"], list) else [node["value"]]
            return {**node, "value": [self._by_id(models_of[node["field"]], pk) for pk in ids]}
        return {name: self._config(part) for name, part in node.items()}

    def everything(self) -> dict[str, list[dict[str, Any]]]:
        found = {}
        for model in exported():
            names = {field.name for field in model._meta.concrete_fields}
            above = "workflow" if model is WorkflowGraph else "version"
            mine = {"project" if "project" in names else f"{above}__project": self.project}
            rows = model._default_manager.filter(**({"pk": self.project.pk} if model is Project else mine))
            # Where people see rows in the order of their ids, that order counts too, among those of one row.
            by_id = "id" in model._meta.ordering
            told = [self.row(row) for row in (rows.order_by("id") if by_id else rows)]
            told.sort(key=_above if by_id else _all)
            found[model._meta.label_lower] = told
        return found


def _all(told: dict[str, Any]) -> str:
    return json.dumps(told, sort_keys=True)


def _above(told: dict[str, Any]) -> str:
    return json.dumps([told.get(name) for name in ("track", "edit", "shot")])
