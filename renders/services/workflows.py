"""Workflows: declared by the engines' apps, chosen for a shot and a step."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _

from aipipeline.projects.errors import Invalid
from aipipeline.projects.models import Project
from renders.models import Workflow
from shots.models import Shot, Step

CHOSEN: dict[tuple[str, str], str] = {
    ("local", Step.FIRST_IMAGE): "local.panel",
    ("local", Step.RENDER): "local.move",
    ("comfy", Step.FIRST_IMAGE): "comfy.flux_t2i",
    ("comfy", Step.RENDER): "comfy.wan22_i2v",
}
REFERENCE = "local.reference"


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


def workflow_named(key: str) -> Workflow:
    """The enabled workflow with this key; Invalid otherwise."""
    workflow = Workflow.objects.filter(key=key, enabled=True).first()
    if workflow is None:
        known = ", ".join(Workflow.objects.filter(enabled=True).values_list("key", flat=True))
        raise Invalid(
            _("There is no workflow %(key)s. There are: %(known)s.") % {"key": key, "known": known},
            fields={"workflow": [_("unknown")]},
        )
    return workflow


def workflow_for(project: Project, step: str, shot: Shot | None = None) -> Workflow:
    """The shot's own choice when it serves this step, else the one of the project's engine."""
    if shot is not None and shot.workflow:
        own = Workflow.objects.filter(key=shot.workflow, enabled=True, step=step).first()
        if own is not None:
            return own
    key = CHOSEN.get((project.engine, step))
    if key is None:
        raise Invalid(_("No workflow serves the step %(step)s yet.") % {"step": step})
    return workflow_named(key)


def reference_workflow(project: Project) -> Workflow:
    """The one that draws characters and environments; today the local draft, whatever the project's engine."""
    return workflow_named(REFERENCE)
