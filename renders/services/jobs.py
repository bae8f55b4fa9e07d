"""Making render jobs: what is wanted is fixed here, and the shots' steps go to generating."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from aipipeline.history.services import recording
from aipipeline.projects.errors import Invalid
from aipipeline.projects.models import Project
from assets.models import Character, Environment
from renders.models import Capability, RenderBatch, RenderJob, Workflow
from renders.models.job import OPEN_STATES, VRAM_OF
from renders.services.experience import place
from renders.services.nudges import announce_jobs, nudge
from renders.services.waiting import hold
from renders.services.workflows import reference_workflow, workflow_for, workflow_named
from shots.models import Casting, Shot
from shots.prompts import compose, subject_of
from shots.prompts.compose import seed_of
from shots.prompts.references import reference_prompt, reference_seed, reference_subject
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
    if named is not None and not named.step:
        raise Invalid(
            _("%(key)s draws characters and environments, not shots.") % {"key": named.key},
            fields={"workflow": [_("not for shots")]},
        )
    batch = RenderBatch(project=project, actor=actor if getattr(actor, "pk", None) else None)
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
                wanted=_wanted_of_shot(shot, chosen[shot.pk], casts.get(shot.pk, [])) | dict(params or {}),
                subject=subject_of(shot, casts.get(shot.pk, [])),
                priority=priority,
                batch=batch,
                actor=actor,
                auto_approve=auto_approve,
            )
            for shot in free
        ]
        _queue(batch, jobs, after)
        for used in {job.step for job in jobs}:
            start_steps(recorder, [job.shot for job in jobs if job.step == used and job.shot], used)
    return jobs


def render_references(
    *,
    project: Project,
    actor: Any,
    owners: Sequence[Character | Environment],
    workflow: str = "",
    params: Mapping[str, Any] | None = None,
    priority: int = 0,
    after: Sequence[RenderJob] = (),
    tab: str = "",
) -> list[RenderJob]:
    """One job per character and environment for a reference picture of it, by the named or the project's workflow.

    One that already has an open job of the same workflow is left alone. Returns the new jobs.
    """
    if not owners:
        raise Invalid(_("Choose at least one character or environment."), fields={"characters": [_("empty")]})
    if any(owner.project_id != project.pk or owner.removed_at for owner in owners):
        raise Invalid(_("A character or environment is not in this project."), fields={"characters": [_("unknown id")]})
    used = workflow_named(workflow) if workflow else reference_workflow(project)
    if used.step:
        raise Invalid(
            _("%(key)s makes shots, not characters or environments.") % {"key": used.key},
            fields={"workflow": [_("only for shots")]},
        )
    batch = RenderBatch(project=project, actor=actor if getattr(actor, "pk", None) else None)
    counts = {"references": len(owners)}
    with recording(project=project, actor=actor, kind="render.start", tab=tab, undoable=False, params=counts):
        jobs = [
            _job(
                owner,
                used,
                wanted=_wanted_of_reference(project, owner, used) | dict(params or {}),
                subject=reference_subject(owner),
                priority=priority,
                batch=batch,
                actor=actor,
            )
            for owner in _without_open_references(owners, used)
        ]
        _queue(batch, jobs, after)
    return jobs


def start_renders(
    *,
    project: Project,
    actor: Any,
    shots: Sequence[Shot],
    references: Sequence[Character | Environment],
    workflow: str = "",
    step: str = "",
    params: Mapping[str, Any] | None = None,
    priority: int = 0,
    after: Sequence[RenderJob] = (),
    tab: str = "",
) -> list[RenderJob]:
    """Jobs for shots, characters and environments together: all of them, or none when one cannot be made."""
    jobs: list[RenderJob] = []
    with transaction.atomic():
        if shots or not references:
            jobs += render_shots(
                project=project,
                actor=actor,
                shots=shots,
                workflow=workflow,
                step=step,
                params=params,
                priority=priority,
                after=after,
                tab=tab,
            )
        if references:
            jobs += render_references(
                project=project,
                actor=actor,
                owners=references,
                workflow=workflow,
                params=params,
                priority=priority,
                after=after,
                tab=tab,
            )
    return jobs


def _queue(batch: RenderBatch, jobs: list[RenderJob], after: Sequence[RenderJob]) -> None:
    """Write the jobs with what they wait for, tell the pages, and wake the workers on commit."""
    if jobs:
        batch.save(force_insert=True)
    place(jobs)
    RenderJob.objects.bulk_create(jobs)
    waits = RenderJob.after.through
    waits.objects.bulk_create(waits(from_renderjob=job, to_renderjob=first) for job in jobs for first in after)
    if after:
        hold(RenderJob.objects.filter(pk__in=[job.pk for job in jobs]))
    announce_jobs(jobs)
    transaction.on_commit(lambda: nudge(jobs), robust=True)


def _without_open_references(
    owners: Sequence[Character | Environment], workflow: Workflow
) -> list[Character | Environment]:
    open_jobs = RenderJob.objects.filter(workflow=workflow, state__in=OPEN_STATES, shot=None)
    busy = set(open_jobs.filter(project=owners[0].project_id).values_list("character_id", "environment_id"))
    return [
        owner
        for owner in dict.fromkeys(owners)
        if ((owner.pk, None) if isinstance(owner, Character) else (None, owner.pk)) not in busy
    ]


def _without_open_jobs(shots: Sequence[Shot], chosen: Mapping[int, Workflow]) -> list[Shot]:
    busy = set(RenderJob.objects.filter(shot__in=shots, state__in=OPEN_STATES).values_list("shot_id", "workflow_id"))
    return [shot for shot in shots if (shot.pk, chosen[shot.pk].pk) not in busy]


def _casts(shots: Sequence[Shot]) -> dict[int, list[Casting]]:
    found: dict[int, list[Casting]] = {}
    rows = Casting.objects.live().filter(shot__in=shots).select_related("character").order_by("order", "id")
    for row in rows:
        found.setdefault(row.shot_id, []).append(row)
    return found


def _wanted_of_shot(shot: Shot, workflow: Workflow, cast: list[Casting]) -> dict[str, Any]:
    prompt = compose(shot, cast, motion=workflow.output_kind == "render")
    return {
        **workflow.defaults,
        "prompt": prompt.positive,
        "negative_prompt": prompt.negative,
        "seed": seed_of(shot),
        "width": shot.project.width,
        "height": shot.project.height,
        "frames": shot.duration_frames,
        "fps": shot.project.fps,
        "movement": shot.movement,
    }


def _wanted_of_reference(project: Project, owner: Character | Environment, workflow: Workflow) -> dict[str, Any]:
    return {
        **workflow.defaults,
        "prompt": reference_prompt(owner),
        "negative_prompt": "",
        "seed": reference_seed(owner),
        "width": project.width,
        "height": project.height,
    }


def _job(
    owner: Shot | Character | Environment,
    workflow: Workflow,
    *,
    wanted: Mapping[str, Any],
    subject: Mapping[str, Any],
    priority: int,
    batch: RenderBatch,
    actor: Any,
    auto_approve: bool = False,
) -> RenderJob:
    return RenderJob(
        project=owner.project,
        shot=owner if isinstance(owner, Shot) else None,
        character=owner if isinstance(owner, Character) else None,
        environment=owner if isinstance(owner, Environment) else None,
        workflow=workflow,
        kind=workflow.output_kind,
        step=workflow.step,
        graph=workflow.graph,
        model_key=workflow.model_key,
        vram_gb=workflow.vram_gb,
        capability=capability_for(workflow.vram_gb),
        params=dict(wanted),
        subject=dict(subject),
        inputs={entry["role"]: None for entry in workflow.inputs},
        priority=priority,
        batch=batch,
        auto_approve=auto_approve,
        max_attempts=settings.RENDER_MAX_ATTEMPTS,
        requested_by=actor if getattr(actor, "pk", None) else None,
    )
