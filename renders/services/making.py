"""From what people wish to rows of the queue: prompts, parameters, inputs, fixed when the job is made."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings

from aipipeline.projects.models import Project
from assets.models import Character, Environment
from renders.models import Capability, RenderBatch, RenderJob, VersionKind, Workflow
from renders.models.job import VRAM_OF
from shots.models import Casting, Shot
from shots.prompts import compose, subject_of
from shots.prompts.compose import seed_of
from shots.prompts.references import reference_prompt, reference_seed, reference_subject

Owner = Shot | Character | Environment


@dataclass(frozen=True)
class Wish:
    """One result that is wanted. `params` are what people said, checked; `variant` tells A from B.

    `seed_shift` is added to the seed: several takes of the same.
    """

    owner: Owner
    workflow: Workflow
    params: Mapping[str, Any] = field(default_factory=dict)
    variant: str = ""
    seed_shift: int = 0


def capability_for(vram_gb: int) -> str:
    """The smallest capability that has this much VRAM."""
    for capability, has in VRAM_OF.items():
        if has >= vram_gb:
            return capability
    return str(Capability.VRAM48)


def make_jobs(
    wishes: Sequence[Wish],
    *,
    project: Project,
    batch: RenderBatch,
    actor: Any,
    inputs: Mapping[str, Any],
    priority: int,
    waits_for: str,
    auto_approve: bool,
) -> list[RenderJob]:
    """One job for each wish, in their order, not saved. Outside of any transaction; few queries in all."""
    casts = _casts([wish.owner for wish in wishes if isinstance(wish.owner, Shot)])
    jobs = []
    for wish in wishes:
        owner, workflow = wish.owner, wish.workflow
        cast = casts.get(owner.pk, []) if isinstance(owner, Shot) else []
        is_shot = isinstance(owner, Shot)
        roles = [entry["role"] for entry in workflow.inputs]
        jobs.append(
            RenderJob(
                project=project,
                shot=owner if isinstance(owner, Shot) else None,
                character=owner if isinstance(owner, Character) else None,
                environment=owner if isinstance(owner, Environment) else None,
                workflow=workflow,
                kind=workflow.output_kind if is_shot else VersionKind.REFERENCE,
                step=workflow.step if is_shot else "",
                graph=workflow.graph,
                model_key=workflow.model_key,
                vram_gb=workflow.vram_gb,
                capability=capability_for(workflow.vram_gb),
                params=_shifted({**_own_params(project, owner, cast, workflow), **wish.params}, wish.seed_shift),
                subject=subject_of(owner, cast) if isinstance(owner, Shot) else reference_subject(owner),
                inputs={role: inputs.get(role) for role in roles},
                priority=priority,
                batch=batch,
                variant=wish.variant,
                waits_for=waits_for,
                auto_approve=auto_approve,
                max_attempts=settings.RENDER_MAX_ATTEMPTS,
                requested_by=actor if getattr(actor, "pk", None) else None,
            )
        )
    return jobs


def _shifted(params: dict[str, Any], shift: int) -> dict[str, Any]:
    seed = params.get("seed")
    return {**params, "seed": (seed + shift) % 2**53} if shift and isinstance(seed, int) else params


def _casts(shots: Sequence[Shot]) -> dict[int, list[Casting]]:
    found: dict[int, list[Casting]] = {}
    rows = Casting.objects.live().filter(shot__in=shots).select_related("character").order_by("order", "id")
    for row in rows:
        found.setdefault(row.shot_id, []).append(row)
    return found


def _own_params(project: Project, owner: Owner, cast: list[Casting], workflow: Workflow) -> dict[str, Any]:
    """What the rows themselves say; people's own parameters go over it."""
    size = {"width": project.width, "height": project.height}
    if not isinstance(owner, Shot):
        words = {"prompt": reference_prompt(owner), "negative_prompt": ""}
        return {**workflow.defaults, **words, "seed": reference_seed(owner), **size}
    prompt = compose(owner, cast, motion=workflow.output_kind == VersionKind.RENDER)
    return {
        **workflow.defaults,
        "prompt": prompt.positive,
        "negative_prompt": prompt.negative,
        "seed": seed_of(owner),
        **size,
        "frames": owner.duration_frames,
        "fps": project.fps,
        "movement": owner.movement,
    }
