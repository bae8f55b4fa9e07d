"""Workflows: declared by the engines' apps, chosen for a shot and a step."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from aipipeline.projects.errors import Invalid
from aipipeline.projects.models import Project
from renders.models import VersionKind, Workflow
from shots.models import Shot, Step

CHOSEN: dict[tuple[str, str], str] = {
    ("local", Step.FIRST_IMAGE): "local.panel",
    ("local", Step.RENDER): "local.move",
    ("comfy", Step.FIRST_IMAGE): "comfy.flux_t2i",
    ("comfy", Step.RENDER): "comfy.wan22_i2v",
}
REFERENCES = {"local": "local.reference", "comfy": "comfy.flux_t2i"}
MOST_SHOWN = 200
_SAID_BY_JOBS = frozenset({
    "positive_prompt", "negative_prompt", "motion_prompt", "seed", "width", "height", "length", "fps",
    "filename_prefix",
})  # fmt: skip


@dataclass(frozen=True)
class Declaration:
    """A workflow as its engine declares it.

    `inputs`: [{"role": "first_image", "kind": "previz", "required": True, "also": {"clean_image": "clean.png"}}]:
    the version of that kind gives its main file under the role, and named files of it under further roles.
    `step` is the shot's step that it serves; "" means that it makes references of characters and environments.
    """

    key: str
    title: str
    backend: str
    output_kind: str
    step: str
    vram_gb: int = 0
    version: str = "1"
    inputs: Sequence[dict[str, Any]] = ()
    defaults: dict[str, Any] = field(default_factory=dict)
    family: str = ""
    needs: dict[str, Any] = field(default_factory=dict)
    slots: Sequence[str] = ()
    model_key: str = ""


def usual_values(nodes: Mapping[str, Any], targets: Mapping[str, Sequence[Mapping[str, Any]]]) -> dict[str, Any]:
    """What a graph itself says for its parameters, by slot: what holds when a job does not say it.

    `targets`: where each slot goes, [{"node", "input", "upload", "scale", "offset"}]. Words and files of a job are
    left out.
    """
    found: dict[str, Any] = {}
    for name, places in targets.items():
        if name in _SAID_BY_JOBS or not places or places[0].get("upload"):
            continue
        place = places[0]
        value = ((nodes.get(str(place["node"])) or {}).get("inputs") or {}).get(place["input"])
        if isinstance(value, bool) or not isinstance(value, int | float | str) or len(str(value)) > MOST_SHOWN:
            continue
        scale = place.get("scale") or 1
        if not isinstance(value, str) and (scale != 1 or place.get("offset")):
            value = type(value)((value - (place.get("offset") or 0)) / scale)
        found[name] = value
    return found


_declared: dict[str, Declaration] = {}


def declare(*declarations: Declaration) -> None:
    """Called from an engine app's `ready()`; the rows follow after each migrate (`sync_workflows`)."""
    for declaration in declarations:
        _declared[declaration.key] = declaration


def sync_workflows() -> None:
    """Write the declared workflows as rows; what a person switched off stays off."""
    for declared in _declared.values():
        Workflow.objects.update_or_create(
            key=declared.key,
            defaults={
                "title": declared.title,
                "backend": declared.backend,
                "output_kind": declared.output_kind,
                "step": declared.step,
                "vram_gb": declared.vram_gb,
                "version": declared.version,
                "inputs": list(declared.inputs),
                "defaults": declared.defaults,
                "family": declared.family,
                "needs": declared.needs,
                "slots": list(declared.slots),
                "model_key": declared.model_key,
            },
        )


def _usable(project: Project | None) -> "QuerySet[Workflow]":
    """What is switched on and open to this project: a workflow that people brought may belong to one alone."""
    rows = Workflow.objects.filter(enabled=True).select_related("graph")
    return rows if project is None else rows.filter(Q(project=None) | Q(project=project))


def workflow_named(key: str, project: Project | None = None) -> Workflow:
    """The enabled workflow with this key that the project may use; Invalid otherwise."""
    workflow = _usable(project).filter(key=key).first()
    if workflow is None:
        known = ", ".join(_usable(project).values_list("key", flat=True))
        raise Invalid(
            _("There is no workflow %(key)s. There are: %(known)s.") % {"key": key[:80], "known": known},
            fields={"workflow": [_("unknown")]},
        )
    return workflow


def chosen_workflows(project: Project, step: str, shots: Iterable[Shot]) -> dict[int, Workflow]:
    """By shot: its own choice when it serves this step, else the one of the project's engine. Two queries."""
    rows = list(shots)
    keys = {shot.workflow for shot in rows if shot.workflow}
    own = {row.key: row for row in _usable(project).filter(key__in=keys, step=step)} if keys and step else {}
    rest = None if all(shot.workflow in own for shot in rows) else _of_engine(project, step)
    found = {}
    for shot in rows:
        workflow = own.get(shot.workflow) or rest
        assert workflow is not None  # asked for above
        found[shot.pk] = workflow
    return found


def workflow_for(project: Project, step: str, shot: Shot | None = None) -> Workflow:
    """`chosen_workflows` for one shot, or for none in particular."""
    return _of_engine(project, step) if shot is None else chosen_workflows(project, step, [shot])[shot.pk]


def _of_engine(project: Project, step: str) -> Workflow:
    key = CHOSEN.get((project.engine, step))
    if key is None:
        raise Invalid(_("No workflow serves the step %(step)s yet.") % {"step": step}, fields={"step": [_("unknown")]})
    return workflow_named(key, project)


def reference_workflow(project: Project) -> Workflow:
    """The one that draws characters and environments, by the project's engine."""
    return workflow_named(REFERENCES.get(project.engine, REFERENCES["local"]), project)


def draws_references(workflow: Workflow) -> bool:
    """Whether it can make a reference of a character or an environment.

    That is what serves no step, and what paints one picture from words: the words are the character's then. Engines
    that draw a shot from its own data (no prompt dialect) cannot.
    """
    reads_words = workflow.family not in ("", "none")
    return not workflow.step or (reads_words and workflow.output_kind == VersionKind.PREVIZ)
