"""Versions with their reviews and notes, approvals, and render presets, for the metadata files of the tree.

How a version was made is in its own folder (version.json), sealed with the files; what people said of it later is in
the metadata of its owner. A version is made again from both.
"""

from collections.abc import Mapping
from functools import partial
from typing import Any

from django.utils.translation import gettext as _

from aipipeline.history.saving import save_columns
from aipipeline.projects.models import Project
from assets.facts import Form, save_all
from assets.metadata import register_part
from assets.rebuilding import Entry, Rebuild, short
from assets.remarks import notes_told, restore_notes
from renders.models import RenderPreset, Review, Version, Workflow, WorkflowGraph
from renders.models.workflow import Origin
from renders.sealed import VersionsOnDisk
from shots.models import ShotStep

OWNERS = ("environment", "character", "shot")
# The rest is sealed in the version's folder.
VERSION = Form(
    Version,
    names={"created_by": "username"},
    leave=frozenset({*OWNERS, "state", "manifest", "provenance", "width", "height", "frames", "fps", "follows"}),
)
REVIEW = Form(Review, names={"author": "username"}, leave=frozenset({"version"}))
PRESET = Form(RenderPreset, names={"workflow": "key", "author": "username"})
# A workflow that people brought for this project alone; that of the whole studio is not the project's to keep.
OWN = Form(Workflow, names={"author": "username"}, leave=frozenset({"origin", "graph"}))
GRAPH = Form(WorkflowGraph, names={"author": "username"}, leave=frozenset({"workflow"}))
# Older versions of a graph are told while there is room: versions that they made keep their graph themselves.
GRAPH_BYTES = 4 << 20


def register() -> None:
    register_part("project", _own_workflows, _restore_own_workflows)
    register_part("project", _presets, _restore_presets)
    for kind in OWNERS:
        register_part(kind, partial(_versions, kind=kind), partial(_restore_versions, kind=kind))
    register_part("shot", _approvals, _restore_approvals)


def _presets(rows: list[Project]) -> Mapping[Any, Mapping[str, Any]]:
    found: dict[Any, dict[str, Any]] = {row.pk: {"render_presets": []} for row in rows}
    for preset in PRESET.rows(RenderPreset.objects.filter(project__in=rows)).order_by("id"):
        found[preset.project_id]["render_presets"].append(PRESET.facts(preset))
    return found


def _restore_presets(rebuild: Rebuild, entries: list[Entry]) -> None:
    rebuild.keep({workflow.key: workflow for workflow in Workflow.objects.all()})
    rows: dict[str, RenderPreset] = {}
    for entry in entries:
        for where, facts in rebuild.objects(entry.facts, "render_presets", entry.where):
            row = PRESET.make(rebuild, where, facts)
            if row is not None and row.name in rows:
                rebuild.problem(where, _("%(name)s is there twice") % {"name": short(row.name)})
            elif row is not None:
                rows[row.name] = row
    save_all(rows.values())


def _own_workflows(rows: list[Project]) -> Mapping[Any, Mapping[str, Any]]:
    found: dict[Any, dict[str, Any]] = {row.pk: {"own_workflows": []} for row in rows}
    mine = OWN.rows(Workflow.objects.filter(project__in=rows, origin=Origin.OWN)).order_by("key")
    graphs: dict[int, list[dict[str, Any]]] = {}
    for graph in GRAPH.rows(WorkflowGraph.objects.filter(workflow__in=mine)).order_by("workflow", "-number"):
        told = graphs.setdefault(graph.workflow_id, [])
        if not told or sum(len(str(row["nodes"])) for row in told) + len(str(graph.nodes)) <= GRAPH_BYTES:
            told.append(GRAPH.facts(graph))
    for workflow in mine:
        facts = {**OWN.facts(workflow), "graphs": graphs.get(workflow.pk, [])}
        found[workflow.project_id]["own_workflows"].append(facts)
    return found


def _restore_own_workflows(rebuild: Rebuild, entries: list[Entry]) -> None:
    """A key that another project or the studio took in the meantime is theirs: this workflow is left out then."""
    taken = set(Workflow.objects.values_list("key", flat=True))
    made: list[Workflow] = []
    graphs: dict[str, list[WorkflowGraph]] = {}
    for entry in entries:
        for where, facts in rebuild.objects(entry.facts, "own_workflows", entry.where):
            row = OWN.make(rebuild, where, facts, origin=Origin.OWN)
            if row is None:
                continue
            if row.key in taken or not row.key.startswith("own."):
                rebuild.warn(where, _("the workflow %(key)s is left out: the name is taken") % {"key": short(row.key)})
                continue
            taken.add(row.key)
            made.append(row)
            graphs[row.key] = _graphs_of(rebuild, where, facts, row)
    save_all(made)
    save_all([graph for row in made for graph in graphs[row.key]])
    for row in made:
        row.graph = max(graphs[row.key], key=lambda graph: graph.number, default=None)
    if made:
        save_columns(made, ["graph"])


def _graphs_of(rebuild: Rebuild, where: str, facts: Mapping[str, Any], row: Workflow) -> list[WorkflowGraph]:
    found: dict[int, WorkflowGraph] = {}
    for place, told in rebuild.objects(facts, "graphs", where):
        graph = GRAPH.make(rebuild, place, told, workflow=row)
        if graph is None:
            continue
        if not isinstance(graph.nodes, dict) or graph.number in found:
            rebuild.problem(place, _("an object of nodes, once for each number, is needed"))
            continue
        found[graph.number] = graph
    return list(found.values())


def _versions(rows: list[Any], kind: str) -> Mapping[Any, Mapping[str, Any]]:
    facts: dict[Any, dict[str, Any]] = {row.pk: {"versions": []} for row in rows}
    versions = list(
        VERSION.rows(Version.objects.live().filter(**{f"{kind}__in": list(facts)})).order_by("kind", "number")
    )
    ids = [version.pk for version in versions]
    reviews: dict[int, list[dict[str, Any]]] = {}
    for review in REVIEW.rows(Review.objects.filter(version__in=ids)).order_by("created_at", "id"):
        reviews.setdefault(review.version_id, []).append(REVIEW.facts(review))
    notes = notes_told(Version, ids)
    for version in versions:
        facts[getattr(version, f"{kind}_id")]["versions"].append(
            {
                **VERSION.facts(version),
                "files": version.manifest,
                **{name: getattr(version, name) for name in ("width", "height", "frames", "fps")},
                "reviews": reviews.get(version.pk, []),
                "notes": notes.get(version.pk, []),
            }
        )
    return facts


def _restore_versions(rebuild: Rebuild, entries: list[Entry], kind: str) -> None:
    disk = VersionsOnDisk(rebuild, entries)
    made: dict[Any, Version] = {}
    told: list[tuple[str, Version, Mapping[str, Any]]] = []
    for entry in entries:
        if entry.row is None:
            continue
        for where, facts in [*rebuild.objects(entry.facts, "versions", entry.where), *disk.untold(entry)]:
            sealed = disk.sealed(where, facts)
            row = None if sealed is None else VERSION.make(rebuild, where, facts, **sealed, **{kind: entry.row})
            if row is None:
                continue
            key = (kind, entry.row.pk, row.kind, row.number)
            if key in made:
                rebuild.warn(where, _("%(name)s is there twice; the first is taken") % {"name": row.path})
                continue
            made[key] = row
            told.append((where, row, facts))
    save_all(made.values())
    rebuild.keep(made)
    reviews = [
        REVIEW.make(rebuild, place, review, version=row)
        for where, row, facts in told
        for place, review in rebuild.objects(facts, "reviews", where)
    ]
    save_all([review for review in reviews if review is not None])
    restore_notes(rebuild, told)


def _approvals(rows: list[Any]) -> Mapping[Any, Mapping[str, Any]]:
    """By step, the version that was approved: its kind and number."""
    facts: dict[Any, dict[str, Any]] = {row.pk: {"approved": {}} for row in rows}
    steps = ShotStep.objects.filter(shot__in=list(facts), approved_version__isnull=False)
    found = list(steps.values_list("shot_id", "step", "approved_version"))
    versions = {
        pk: (kind, number)
        for pk, kind, number in Version.objects.filter(pk__in=[pk for _shot, _step, pk in found]).values_list(
            "pk", "kind", "number"
        )
    }
    for shot, step, pk in found:
        if pk in versions:
            kind, number = versions[pk]
            facts[shot]["approved"][step] = {"kind": kind, "number": number}
    return facts


def _restore_approvals(rebuild: Rebuild, entries: list[Entry]) -> None:
    shots = [entry.row for entry in entries if entry.row is not None]
    steps = {(step.shot_id, step.step): step for step in ShotStep.objects.filter(shot__in=shots)}
    found = []
    for entry in entries:
        approved = entry.facts.get("approved", {})
        if not isinstance(approved, dict):
            rebuild.problem(f"{entry.where}: approved", _("an object is needed"))
            continue
        for name, told in approved.items() if entry.row is not None else ():
            where = f"{entry.where}: approved.{name[:40]}"
            step = steps.get((entry.row.pk, name))
            if step is None or not isinstance(told, dict):
                rebuild.warn(where, _("the shot has no such step; the approval is left out"))
                continue
            key = ("shot", entry.row.pk, told.get("kind"), told.get("number"))
            hashable = isinstance(key[2], str) and isinstance(key[3], int)
            version = rebuild.named(Version._meta.label_lower, key if hashable else short(told), where)
            if version is not None:
                step.approved_version = version.pk
                found.append(step)
    if found:
        save_columns(found, ["approved_version"])
