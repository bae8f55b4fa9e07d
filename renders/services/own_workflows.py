"""Workflows that people bring along: made, given new versions, corrected, switched. Nothing is ever deleted.

The engine's app reads and checks graphs; here they become rows. What a job of an older version used stays as it was:
every correction is a version of its own.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from django.db import IntegrityError
from django.utils.text import slugify
from django.utils.translation import gettext as _

from aipipeline.events import publish
from aipipeline.history.plain import create_plain, update_plain
from aipipeline.history.recorder import Recorder
from aipipeline.history.services import lock, recording
from aipipeline.projects.errors import Conflict, Invalid
from aipipeline.projects.models import Project
from aipipeline.projects.permissions import allows, require
from renders.models import Workflow, WorkflowGraph
from renders.models.workflow import Origin
from renders.services.workflows import usual_values
from shots.services.tree.metadata import mark_stale

BACKEND = "comfyui"
PREFIX = "own."
OPERATION = "workflows.manage"
# Slots whose values a job has under other names, or that the engine sets by itself.
_NAMED_OTHERWISE = {"positive_prompt": "prompt"}
# Of what the result of post shall be, in words that are the same for every engine.
_MORE = (("multiplier", "slow"), ("post_scale", "scale"))
_BY_ITSELF = frozenset({"length", "fps", "filename_prefix"})


def create_workflow(
    *,
    actor: Any,
    project: Project | None,
    nodes: Mapping[str, Any],
    about: Mapping[str, Any],
    source: str = "",
    name: str = "",
    tab: str = "",
) -> Workflow:
    """A workflow `own.<name>` with its graph as version 1; for one project, or (None, staff only) for all.

    `about` is a whole, checked slot map. `name` becomes the key; without one it follows from the title. NotAllowed,
    Conflict when a given name is taken, Invalid by field.
    """
    require(actor, OPERATION, project)
    wanted = slugify(name) if name else slugify(str(about["title"]))
    if name and not wanted:
        raise Invalid(_("The short name needs Latin letters or digits."), fields={"name": [_("letters or digits")]})
    wanted = (wanted or "workflow")[:60]
    for _try in range(4):
        try:
            with recording(project=project, actor=actor, kind="workflow.create", tab=tab, undoable=False) as recorder:
                return _create(recorder, actor, project, nodes, about, source, _free(wanted, given=bool(name)))
        except IntegrityError:  # somebody took the key in between
            continue
    raise Conflict(_("Others are making workflows of this name. Try again."))


def _create(
    recorder: Recorder,
    actor: Any,
    project: Project | None,
    nodes: Mapping[str, Any],
    about: Mapping[str, Any],
    source: str,
    key: str,
) -> Workflow:
    person = actor if getattr(actor, "pk", None) else None
    row = Workflow(key=key, backend=BACKEND, origin=Origin.OWN, project=project, author=person, **_fields(about, nodes))
    create_plain(recorder, row)
    _add(recorder, row, actor, nodes, about, source)
    return row


def _free(wanted: str, *, given: bool) -> str:
    key = f"{PREFIX}{wanted}"
    taken = set(Workflow.objects.filter(key__startswith=key).values_list("key", flat=True))
    if key not in taken:
        return key
    if given:
        raise Conflict(
            _("There is a workflow %(key)s already. Give this one another short name, or make it a new version there.")
            % {"key": key},
            fields={"name": [_("taken")]},
        )
    return next(f"{key}-{number}" for number in range(2, len(taken) + 3) if f"{key}-{number}" not in taken)


def add_version(
    *,
    workflow: Workflow,
    actor: Any,
    nodes: Mapping[str, Any],
    about: Mapping[str, Any],
    source: str = "",
    tab: str = "",
) -> WorkflowGraph:
    """The next version of a brought workflow, which new jobs use; open ones keep theirs.

    The same graph with the same slot map as the current one makes no new version: that one is returned.
    """
    _require(workflow, actor)
    with recording(project=workflow.project, actor=actor, kind="workflow.version", tab=tab, undoable=False) as recorder:
        row: Workflow = lock(Workflow.objects.filter(pk=workflow.pk)).select_related("graph").get()  # type: ignore[type-var]
        current = row.graph
        if current is not None and (current.nodes, current.about) == (dict(nodes), _told(row, about, current.number)):
            return current
        update_plain(recorder, row, **_fields(about, nodes))
        made = _add(recorder, row, actor, nodes, about, source or (current.source if current is not None else ""))
    workflow.refresh_from_db()
    return made


def update_about(*, workflow: Workflow, actor: Any, about: Mapping[str, Any], tab: str = "") -> WorkflowGraph:
    """Correct what is said of the current graph: a version of its own, for jobs and versions point at theirs."""
    if workflow.graph is None:
        raise Conflict(_("This workflow has no graph yet. Bring one first."))
    return add_version(workflow=workflow, actor=actor, nodes=workflow.graph.nodes, about=about, tab=tab)


def set_enabled(*, workflow: Workflow, actor: Any, enabled: bool, tab: str = "") -> Workflow:
    """Offer a brought workflow for new jobs, or do not any more; what it made stays."""
    _require(workflow, actor)
    with recording(project=workflow.project, actor=actor, kind="workflow.update", tab=tab, undoable=False) as recorder:
        row: Workflow = lock(Workflow.objects.filter(pk=workflow.pk)).get()  # type: ignore[type-var]
        update_plain(recorder, row, enabled=enabled)
        _tell(row)
    workflow.enabled = enabled
    return row


def may_manage(actor: Any, workflow: Workflow) -> bool:
    """Whether the person may give it new versions and switch it."""
    return workflow.origin == Origin.OWN and allows(actor, OPERATION, workflow.project)


def _require(workflow: Workflow, actor: Any) -> None:
    if workflow.origin != Origin.OWN:
        raise Invalid(_("%(key)s is built in: it changes with the program.") % {"key": workflow.key})
    require(actor, OPERATION, workflow.project)


def _add(
    recorder: Recorder, row: Workflow, actor: Any, nodes: Mapping[str, Any], about: Mapping[str, Any], source: str
) -> WorkflowGraph:
    last = WorkflowGraph.objects.filter(workflow=row).order_by("-number").values_list("number", flat=True).first()
    number = (last or 0) + 1
    graph = WorkflowGraph.objects.create(
        workflow=row,
        number=number,
        nodes=dict(nodes),
        about=_told(row, about, number),
        sha256=_sha256(nodes),
        source=source[:300],
        author=actor if getattr(actor, "pk", None) else None,
    )
    # The graph itself is no news for a list of edits: it may have megabytes, and its row never changes.
    recorder.note(graph, {"number": [last, number], "source": [None, graph.source], "sha256": [None, graph.sha256]})
    Workflow.objects.filter(pk=row.pk).update(graph=graph, version=str(number))
    row.graph, row.version = graph, str(number)
    # Whether servers have its nodes and files is asked anew for the new graph.
    row.fits.all().delete()
    _tell(row)
    return graph


def _told(row: Workflow, about: Mapping[str, Any], number: int) -> dict[str, Any]:
    return {**about, "name": row.key.removeprefix(PREFIX), "version": str(number)}


def _fields(about: Mapping[str, Any], nodes: Mapping[str, Any]) -> dict[str, Any]:
    """The columns of a workflow that follow from its slot map."""
    slots: Mapping[str, Any] = about["slots"]
    names = [
        _NAMED_OTHERWISE.get(name, name)
        for name, targets in slots.items()
        if name not in _BY_ITSELF and not any(target.get("upload") for target in targets)
    ]
    names += [name for slot, name in _MORE if slot in names]
    files = sorted({(row["folder"], row["file"]) for row in about["models"]})
    return {
        "title": about["title"],
        "output_kind": about["makes"],
        "step": about["step"],
        "vram_gb": about["vram_gb"],
        "family": about["family"],
        "inputs": [dict(row) for row in about["inputs"]],
        "slots": [*names, *(["loras"] if about["lora_chain"] else [])],
        "needs": {
            "min_comfyui": about["min_comfyui"],
            "custom_nodes": list(about["custom_nodes"]),
            "models": [{name: row[name] for name in ("folder", "file", "source")} for row in about["models"]],
            "constraints": dict(about["constraints"]),
            "usual": usual_values(nodes, slots),
        },
        "model_key": hashlib.sha256(json.dumps(files).encode()).hexdigest() if files else "",
    }


def _sha256(nodes: Mapping[str, Any]) -> str:
    text = json.dumps(nodes, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _tell(row: Workflow) -> None:
    publish("farm", "workflow.changed", ids=[row.pk])
    if row.project_id is not None:  # the project's file in the tree tells of it
        mark_stale(row.project_id, "config", [row.project_id])
