"""From what people wish to rows of the queue: prompts, parameters, inputs, fixed when the job is made."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings

from aipipeline.projects.models import Project
from assets.models import Character, Environment
from renders.models import RenderBatch, RenderJob, VersionKind, Workflow
from renders.services.experience import place
from shots.models import Casting, Shot
from shots.prompts import (
    Prompt,
    reference_seed,
    reference_subject,
    seed_of,
    subject_of,
    texts_of_references,
    texts_of_shots,
    write_prompt,
    write_reference,
)
from shots.services.translations import ensure_translations

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
    """One job for each wish, in their order, not saved. Outside of any transaction; few queries in all.

    Words that are not in the models' language are translated first, in one question, where a language model is set up.
    """
    casts = _casts([wish.owner for wish in wishes if isinstance(wish.owner, Shot)])
    wordings = _wordings(project, wishes, casts)
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
                params=_shifted(
                    {**_own_params(project, owner, cast, workflow, wordings), **wish.params}, wish.seed_shift
                ),
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
    place(jobs)
    return jobs


def _shifted(params: dict[str, Any], shift: int) -> dict[str, Any]:
    seed = params.get("seed")
    return {**params, "seed": (seed + shift) % 2**53} if shift and isinstance(seed, int) else params


def _casts(shots: Sequence[Shot]) -> dict[int, list[Casting]]:
    found: dict[int, list[Casting]] = {}
    rows = Casting.objects.live().filter(shot__in=shots).select_related("character__lora").order_by("order", "id")
    for row in rows:
        found.setdefault(row.shot_id, []).append(row)
    return found


def _wordings(project: Project, wishes: Sequence[Wish], casts: Mapping[int, list[Casting]]) -> Mapping[str, str] | None:
    """English by text, for those whose model reads it; engines that draw take the words as they are written."""
    reading = list(dict.fromkeys(wish.owner for wish in wishes if wish.workflow.family not in ("", "none")))
    shots = [(owner, casts.get(owner.pk, [])) for owner in reading if isinstance(owner, Shot)]
    texts = [*texts_of_shots(shots), *texts_of_references(o for o in reading if not isinstance(o, Shot))]
    return ensure_translations(project=project, texts=texts).wordings if texts else {}


def _own_params(
    project: Project, owner: Owner, cast: list[Casting], workflow: Workflow, wordings: Mapping[str, str] | None
) -> dict[str, Any]:
    """What the rows themselves say; people's own parameters go over it."""
    own = {**workflow.defaults, "width": project.width, "height": project.height}
    if not isinstance(owner, Shot):
        prompt = write_reference(owner=owner, family=workflow.family, wordings=wordings)
        return {**own, **_said(prompt), "seed": reference_seed(owner)}
    motion = workflow.output_kind == VersionKind.RENDER
    prompt = write_prompt(shot=owner, cast=cast, family=workflow.family, motion=motion, wordings=wordings)
    return {
        **own,
        **_said(prompt),
        "seed": seed_of(owner),
        "frames": owner.duration_frames,
        "fps": project.fps,
        "movement": owner.movement,
    }


def _said(prompt: Prompt) -> dict[str, Any]:
    words = {"prompt": prompt.positive, "negative_prompt": prompt.negative}
    return {**words, "loras": prompt.lora_params()} if prompt.loras else words
