"""Making render jobs: what is wanted is fixed here, and the shots' steps go to generating."""

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from aipipeline.history.services import recording
from aipipeline.projects.errors import Invalid
from aipipeline.projects.models import Project
from renders.models import Capability, RenderJob, Workflow
from renders.models.job import OPEN_STATES, VRAM_OF
from renders.services.nudges import announce_jobs, nudge
from renders.services.workflows import workflow_for, workflow_named
from shots.models import Casting, Shot
from shots.prompts import compose, subject_of
from shots.prompts.compose import seed_of
from shots.services.steps import start_steps


def capability_for(vram_gb: int) -> str:
    """The smallest capability that has this much VRAM."""
    for capability, has in VRAM_OF.items():
        if has >= vram_gb:
            return capability
    return str(Capability.VRAM48)


def render_shots(
    *,
    project: Project,
    actor: Any,
    shots: Sequence[Shot],
    step: str = "",
    workflow: str = "",
    params: Mapping[str, Any] | None = None,
    priority: int = 0,
    after: Sequence[RenderJob] = (),
    auto_approve: bool = False,
    tab: str = "",
) -> list[RenderJob]:
    """One job per shot, for a step (with the workflow that shot or project chose) or for a named workflow.

    A shot that already has an open job of the same workflow is left alone. Returns the new jobs.
    """
    if not shots:
        raise Invalid(_("Choose at least one shot."), fields={"shots": [_("empty")]})
    named = workflow_named(workflow) if workflow else None
    if named is None and not step:
        raise Invalid(_("Say which step or which workflow to render."), fields={"workflow": [_("missing")]})
    if any(shot.project_id != project.pk or shot.removed_at for shot in shots):
        raise Invalid(_("A shot is not in this project."), fields={"shots": [_("unknown id")]})
    group = uuid.uuid4()
    with recording(
        project=project,
        actor=actor,
        kind="render.start",
        tab=tab,
        undoable=False,
        params={"shots": len(shots)},
    ) as recorder:
        chosen = {shot.pk: named or workflow_for(project, step, shot) for shot in shots}
        free = _without_open_jobs(shots, chosen)
        casts = _casts(free)
        jobs = [
            _job(
                shot,
                chosen[shot.pk],
                casts.get(shot.pk, []),
                params or {},
                priority,
                group,
                actor,
                auto_approve,
            )
            for shot in free
        ]
        RenderJob.objects.bulk_create(jobs)
        for job in jobs:
            if after:
                job.after.set(after)
        for used in {job.step for job in jobs}:
            start_steps(recorder, [job.shot for job in jobs if job.step == used and job.shot], used)
        announce_jobs(jobs)
        transaction.on_commit(lambda: nudge(jobs), robust=True)
    return jobs


def _without_open_jobs(shots: Sequence[Shot], chosen: Mapping[int, Workflow]) -> list[Shot]:
    busy = set(RenderJob.objects.filter(shot__in=shots, state__in=OPEN_STATES).values_list("shot_id", "workflow_id"))
    return [shot for shot in shots if (shot.pk, chosen[shot.pk].pk) not in busy]


def _casts(shots: Sequence[Shot]) -> dict[int, list[Casting]]:
    found: dict[int, list[Casting]] = {}
    rows = Casting.objects.live().filter(shot__in=shots).select_related("character").order_by("order", "id")
    for row in rows:
        found.setdefault(row.shot_id, []).append(row)
    return found


def _job(
    shot: Shot,
    workflow: Workflow,
    cast: list[Casting],
    params: Mapping[str, Any],
    priority: int,
    group: uuid.UUID,
    actor: Any,
    auto_approve: bool,
) -> RenderJob:
    project = shot.project
    prompt = compose(shot, cast, motion=workflow.output_kind == "render")
    wanted = {
        **workflow.defaults,
        "prompt": prompt.positive,
        "negative_prompt": prompt.negative,
        "seed": seed_of(shot),
        "width": project.width,
        "height": project.height,
        "frames": shot.duration_frames,
        "fps": project.fps,
        "movement": shot.movement,
        **params,
    }
    return RenderJob(
        project=project,
        shot=shot,
        workflow=workflow,
        kind=workflow.output_kind,
        step=workflow.step,
        vram_gb=workflow.vram_gb,
        capability=capability_for(workflow.vram_gb),
        params=wanted,
        subject=subject_of(shot, cast),
        inputs={entry["role"]: None for entry in workflow.inputs},
        priority=priority,
        group=group,
        auto_approve=auto_approve,
        max_attempts=settings.RENDER_MAX_ATTEMPTS,
        requested_by=actor if getattr(actor, "pk", None) else None,
    )
