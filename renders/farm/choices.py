"""What the render dialog offers: presets and workflows by step, with what keeps each from being done here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext as _

from aipipeline.projects.checks import whole_number
from aipipeline.projects.errors import Invalid, NotFound
from aipipeline.projects.models import Project
from renders.farm.roles import role_name
from renders.models import RenderJob, RenderPreset, Worker, WorkerFit, WorkerState, Workflow
from renders.services.fits import too_small
from renders.services.presets import presets_visible_to
from shots.models import Step


@dataclass(frozen=True)
class Choice:
    """`value`: "w:<key>" or "p:<id>". `reasons`: why no worker can do it; `waits`: why none does it right now."""

    value: str
    title: str
    workflow: Workflow
    preset: RenderPreset | None = None
    reasons: tuple[str, ...] = ()
    waits: str = ""

    @property
    def needs(self) -> list[str]:
        return [
            role_name(entry["role"], entry["kind"]) for entry in self.workflow.inputs if entry.get("required", True)
        ]


@dataclass(frozen=True)
class Group:
    title: str
    step: str
    choices: Sequence[Choice]


def groups_for(project: Project, actor: Any) -> list[Group]:
    """Presets first, then the workflows of each step that makes shots. Four queries."""
    workflows = list(workflows_for(project))
    presets = list(presets_for(project, actor).filter(workflow__in=workflows).exclude(workflow__step=""))
    farm = Fitting()
    groups = [
        Group(_("Presets"), "preset", [farm.choice(preset.workflow, preset) for preset in presets]),
        *(
            Group(str(label), step, [farm.choice(workflow) for workflow in workflows if workflow.step == step])
            for step, label in Step.choices
        ),
    ]
    return [group for group in groups if group.choices]


def workflows_for(project: Project) -> Any:
    """The workflows that make shots and that this project may use."""
    mine = Q(project=None) | Q(project=project)
    return Workflow.objects.filter(mine, enabled=True).exclude(step="").order_by("vram_gb", "title")


def presets_for(project: Project, actor: Any) -> Any:
    """The presets of the project that are shared, or one's own."""
    return presets_visible_to(actor).filter(project=project)


def named_choices(project: Project, actor: Any, values: Sequence[str]) -> list[tuple[Workflow, RenderPreset | None]]:
    """What each "w:<key>" or "p:<id>" names, among what this person may use here; two queries at most.

    NotFound for a preset, Invalid for anything else that there is not.
    """
    parts = [value.partition(":") for value in values]
    ids = {number for kind, _colon, name in parts if kind == "p" and (number := whole_number(name)) is not None}
    keys = {name for kind, _colon, name in parts if kind == "w"}
    presets = presets_for(project, actor).in_bulk(ids) if ids else {}
    workflows = {row.key: row for row in workflows_for(project).filter(key__in=keys)} if keys else {}
    found: list[tuple[Workflow, RenderPreset | None]] = []
    for kind, _colon, name in parts:
        preset = presets.get(whole_number(name)) if kind == "p" else None
        if kind == "p" and preset is None:
            raise NotFound(_("There is no such render preset."))
        workflow = preset.workflow if preset is not None else workflows.get(name) if kind == "w" else None
        if workflow is None:
            raise Invalid(_("Choose a workflow or a preset."), fields={"choice": [_("unknown")]})
        found.append((workflow, preset))
    return found


class Fitting:
    """The workers and what their servers lack, read once."""

    def __init__(self) -> None:
        self.workers = list(Worker.objects.defer("schema"))
        rows = WorkerFit.objects.values_list("worker", "workflow", "fits", "reasons")
        self.fits: Mapping[tuple[int, int], tuple[bool, list[str]]] = {
            (worker, workflow): (fits, reasons) for worker, workflow, fits, reasons in rows
        }

    def choice(self, workflow: Workflow, preset: RenderPreset | None = None) -> Choice:
        reasons = self._reasons(workflow)
        return Choice(
            value=f"p:{preset.pk}" if preset else f"w:{workflow.key}",
            title=preset.name if preset else _(workflow.title),
            workflow=workflow,
            preset=preset,
            reasons=tuple(reasons),
            waits="" if reasons else self._waits(workflow),
        )

    def _reasons(self, workflow: Workflow) -> list[str]:
        """Why none of the servers that have been looked at can do it; empty when one can, or nobody knows."""
        able = [w for w in self.workers if workflow.backend in w.backends and w.state != WorkerState.OFFLINE]
        if not able:
            able = [w for w in self.workers if workflow.backend in w.backends]
        known = [(w, self.fits[w.pk, workflow.pk]) for w in able if (w.pk, workflow.pk) in self.fits]
        if not known or len(known) < len(able) or any(fits for _worker, (fits, _reasons) in known):
            return []
        if len({tuple(reasons) for _worker, (_fits, reasons) in known}) == 1:
            return list(known[0][1][1])
        return [f"{worker.name}: {reason}" for worker, (_fits, reasons) in known for reason in reasons]

    def _waits(self, workflow: Workflow) -> str:
        online = [w for w in self.workers if workflow.backend in w.backends and w.state == WorkerState.ONLINE]
        if not online:
            return _("No worker for it is online; it will wait.")
        if not any(worker.vram_gb >= workflow.vram_gb for worker in online):
            return " ".join([too_small(online, workflow.vram_gb), _("Until then it will wait.")])
        return ""


def first_choice(project: Project, actor: Any, step: str, groups: Sequence[Group], usual: str) -> str:
    """What this person rendered last in this step here, else what the project uses, else the first that is offered."""
    values = [choice.value for group in groups for choice in group.choices if not choice.reasons]
    jobs = RenderJob.objects.filter(project=project, requested_by=actor, shot__isnull=False)
    if step:
        jobs = jobs.filter(step=step)
    last = jobs.order_by("-created_at").values_list("workflow__key", flat=True).first()
    for value in (f"w:{last}", f"w:{usual}"):
        if value in values:
            return value
    return values[0] if values else ""
