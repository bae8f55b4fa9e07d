"""Making render jobs: what is wanted is fixed here, and the shots' steps go to generating.

One call is one batch and one action: everything is checked before anything is queued, and all of it is queued or none.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from aipipeline.history.services import recording
from aipipeline.media.exclusive import exclusive
from aipipeline.projects.errors import Conflict, Invalid
from aipipeline.projects.models import Project
from assets.models import Character, Environment
from renders.models import BatchKind, RenderBatch, RenderJob, RenderPreset, WaitsFor, Workflow
from renders.models.job import OPEN_STATES
from renders.services import chains, waiting
from renders.services.estimates import finish_estimate
from renders.services.failing import online_workers
from renders.services.fits import advice, refusals, too_small
from renders.services.inputs import checked_inputs
from renders.services.lora_files import with_lora_paths
from renders.services.making import Wish, make_jobs
from renders.services.nudges import announce_jobs, nudge
from renders.services.parameters import checked_params
from renders.services.titles import name_of, title_of
from renders.services.workflows import chosen_workflows, draws_references, reference_workflow, workflow_named
from shots.models import Shot
from shots.services.steps import start_steps

__all__ = ["Started", "queue_batch", "render_references", "render_shots", "start_renders"]

# What differs from shot to shot and is the same to every server.
_OWN_WORDS = frozenset({"prompt", "negative_prompt", "seed", "movement", "frames"})
MOST_VARIANTS = 12
MOST_JOBS = 5000
START_SECONDS = 15.0


@dataclass(frozen=True)
class Started:
    """What a start made: `batch` is None when everything wanted is under way already; `estimate` in seconds or None.

    `warnings`: what goes, but not well, with whose it is; and that no card is large enough.
    """

    batch: RenderBatch | None
    jobs: list[RenderJob]
    estimate: float | None = None
    warnings: Sequence[str] = ()


@dataclass(frozen=True)
class _Choice:
    """One way to make it: a preset or a workflow of its own in a comparison, or just what was asked for."""

    variant: str
    workflow: Workflow | None
    params: Mapping[str, Any]
    seed_shift: int = 0


def _other_seed(choice: _Choice, n: int) -> _Choice:
    """The n-th of several takes of one choice, from 0."""
    return replace(choice, variant=f"{choice.variant} #{n + 1}".strip(), seed_shift=n)


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
    """`start_renders` for shots alone; the new jobs."""
    return start_renders(
        project=project, actor=actor, shots=shots, step=step, workflow=workflow, params=params, priority=priority,
        after=after, auto_approve=auto_approve, tab=tab,
    ).jobs  # fmt: skip


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
    """`start_renders` for reference pictures of characters and environments alone; the new jobs."""
    if not owners:
        raise Invalid(_("Choose at least one character or environment."), fields={"characters": [_("empty")]})
    return start_renders(
        project=project, actor=actor, references=owners, workflow=workflow, params=params, priority=priority,
        after=after, tab=tab,
    ).jobs  # fmt: skip


def start_renders(
    *,
    project: Project,
    actor: Any,
    shots: Sequence[Shot] = (),
    references: Sequence[Character | Environment] = (),
    step: str = "",
    workflow: str = "",
    preset: RenderPreset | None = None,
    presets: Sequence[RenderPreset] = (),
    workflows: Sequence[str] = (),
    variants: int = 1,
    params: Mapping[str, Any] | None = None,
    inputs: Mapping[str, Any] | None = None,
    priority: int = 0,
    after: Sequence[RenderJob] = (),
    after_of: Mapping[int, Sequence[RenderJob]] | None = None,
    waits_for: str = WaitsFor.RENDERED,
    chain: bool = False,
    auto_approve: bool = False,
    tab: str = "",
) -> Started:
    """One job for each shot, character and environment, by a step, a workflow or a preset: one batch.

    `presets` or `workflows`: one job for each of them and each shot, to compare (A/B); `variants`: so many of each,
    with one seed after the other. `chain`: shot after shot in story order, see `renders.services.chains`. `inputs`: see
    `renders.services.inputs`. `waits_for` says when the jobs in `after` are good enough; `after_of`: those that each
    shot's jobs wait for, by the shot's id. What already has an open job of the same workflow is left alone, except in
    a comparison.
    Invalid by field; then nothing is queued.
    """
    if waits_for not in WaitsFor.values:
        raise Invalid(_("waits_for is rendered or approved."), fields={"waits_for": [_("unknown")]})
    if chain and (presets or workflows or references):
        raise Invalid(_("A chain is of shots, in one way each."), fields={"chain": [_("not with a comparison")]})
    shots = chains.in_story_order(shots) if chain else list(dict.fromkeys(shots))
    _refuse_strangers(project, shots, references)
    if preset is not None:
        workflow, params = preset.workflow.key, {**preset.params, **(params or {})}
    choices = _choices(project, presets, workflows, params or {}) or [
        _Choice("", workflow_named(workflow, project) if workflow else None, params or {})
    ]
    if variants > 1:
        if chain or variants * len(choices) > MOST_VARIANTS:
            text = _("At most %(most)d can be compared at once, and none in a chain.") % {"most": MOST_VARIANTS}
            raise Invalid(text, fields={"variants": [_("too many")]})
        choices = [_other_seed(choice, n) for choice in choices for n in range(variants)]
    wishes = [wish for choice in choices for wish in _wishes(project, choice, shots, references, step)]
    if len(wishes) > MOST_JOBS:
        raise Invalid(_("At most %(most)d at once; choose fewer.") % {"most": MOST_JOBS}, fields={"shots": [_("many")]})
    used = {wish.workflow.pk: wish.workflow for wish in wishes}
    given, sources = checked_inputs(project, used.values(), inputs or {})
    if chain:
        chains.refuse_busy(wishes)
    elif not choices[0].variant:
        wishes = _not_under_way(wishes)
    if not wishes:
        return Started(None, [])
    kind = BatchKind.CHAIN if chain else BatchKind.VARIANTS if choices[0].variant else BatchKind.SELECTION
    person = actor if getattr(actor, "pk", None) else None
    batch = RenderBatch(project=project, actor=person, kind=kind, title=title_of(wishes))
    jobs = make_jobs(
        wishes, project=project, batch=batch, actor=actor, inputs=given, priority=priority, waits_for=waits_for,
        auto_approve=auto_approve,
    )  # fmt: skip
    waits = [(job, first) for job in jobs[: 1 if chain else None] for first in after]
    waits += [(job, first) for job in jobs for first in sources if job not in after]
    waits += [(job, first) for job in jobs if job.shot_id for first in (after_of or {}).get(job.shot_id, ())]
    if chain:
        waits += chains.link(jobs)
    _refuse_impossible(jobs)
    # Asking servers and translating took a while: of two who start the same at once, one makes it.
    with exclusive(f"renders.start:{project.pk}", seconds=START_SECONDS) as mine:
        if not mine:
            raise Conflict(_("Other renders of this project are being started. Try again in a moment."))
        if chain:
            chains.refuse_busy(wishes)
        elif not choices[0].variant:
            still = {id(wish) for wish in _not_under_way(wishes)}
            jobs = [job for wish, job in zip(wishes, jobs, strict=True) if id(wish) in still]
        if not jobs:
            return Started(None, [])
        queue_batch(batch, jobs, waits, actor=actor, tab=tab)
    known = any(job.estimate is not None for job in jobs)
    return Started(batch, jobs, finish_estimate(jobs) if known else None, _warnings(jobs))


def _refuse_impossible(jobs: Sequence[RenderJob]) -> None:
    """Invalid with the servers' own reasons when none of those that are known could do one of these."""
    looked: dict[tuple[int, str], list[str]] = {}
    # Of those that differ in their own words only, the longest may be too long.
    for job in sorted(jobs, key=_length, reverse=True):
        asked = json.dumps({k: v for k, v in job.params.items() if k not in _OWN_WORDS}, sort_keys=True, default=str)
        key = (job.workflow_id, asked)
        if key in looked:
            continue
        looked[key] = refusals(workflow=job.workflow, graph=job.graph, params=job.params)
        if looked[key] and job.params.get("loras"):
            # A LoRA that lies in the studio's own storage is brought to the server by its worker.
            there = with_lora_paths(job.project, job.params)
            looked[key] = refusals(workflow=job.workflow, graph=job.graph, params=there)
        if looked[key]:
            text = _("%(owner)s: no server can do %(key)s. %(why)s")
            why = " ".join(looked[key][:10])
            facts = {"owner": job.owner, "key": job.workflow.key, "why": why}
            raise Invalid(text % facts, fields={"workflow": looked[key][:50]})


def _length(job: RenderJob) -> int:
    return int(job.params.get("frames") or 0)


def _warnings(jobs: Sequence[RenderJob]) -> list[str]:
    """What is to be known of these jobs; the same of many is said once, of the longest and of the largest."""
    found: dict[tuple[int, Any], str] = {}
    for job in sorted(jobs, key=_length, reverse=True):
        key = (job.workflow_id, job.params.get("fps"))
        if key not in found:
            told = advice(workflow=job.workflow, graph=job.graph, params=job.params)
            found[key] = f"{job.owner}: {' '.join(told)}" if told else ""
    needs: dict[str, int] = {}
    for job in jobs:
        needs[job.workflow.backend] = max(needs.get(job.workflow.backend, 0), job.vram_gb)
    for backend, need in needs.items():
        online = online_workers(backend)
        if online and not any(worker.vram_gb >= need for worker in online):
            found[0, backend] = " ".join([too_small(online, need), _("Until then it will wait.")])
    return [text for text in found.values() if text]


def queue_batch(
    batch: RenderBatch, jobs: list[RenderJob], waits: list[tuple[RenderJob, RenderJob]], *, actor: Any, tab: str
) -> None:
    """Write the batch with its jobs and what they wait for, tell the pages, and wake the workers on commit."""
    params = {"batch": str(batch.pk), "label": batch.title, "jobs": len(jobs)}
    with recording(
        project=batch.project, actor=actor, kind="render.start", tab=tab, undoable=False, params=params
    ) as recorder:
        new = {job.pk for job in jobs}
        chains.hold(first for _job, first in waits if first.pk not in new)
        batch.save(force_insert=True)
        RenderJob.objects.bulk_create(jobs)
        through = RenderJob.after.through
        pairs = dict.fromkeys((job.pk, first.pk) for job, first in waits if job.pk in new)
        through.objects.bulk_create(
            [through(from_renderjob_id=job, to_renderjob_id=first) for job, first in pairs], batch_size=500
        )
        if pairs:
            waiting.hold(RenderJob.objects.filter(batch=batch))
        for step in dict.fromkeys(job.step for job in jobs if job.step):
            start_steps(recorder, [job.shot for job in jobs if job.step == step and job.shot], step)
        announce_jobs(jobs)
        transaction.on_commit(lambda: nudge(jobs), robust=True)


def _refuse_strangers(project: Project, shots: Sequence[Shot], references: Sequence[Character | Environment]) -> None:
    if not shots and not references:
        raise Invalid(_("Choose at least one shot."), fields={"shots": [_("empty")]})
    if any(shot.project_id != project.pk or shot.removed_at for shot in shots):
        raise Invalid(_("A shot is not in this project."), fields={"shots": [_("unknown id")]})
    if any(owner.project_id != project.pk or owner.removed_at for owner in references):
        raise Invalid(_("A character or environment is not in this project."), fields={"characters": [_("unknown id")]})


def _choices(
    project: Project, presets: Sequence[RenderPreset], workflows: Sequence[str], params: Mapping[str, Any]
) -> list[_Choice]:
    """The ways to compare, each under a name of its own."""
    rows = [(row.name, workflow_named(row.workflow.key, project), {**row.params, **params}) for row in presets]
    found = [workflow_named(key, project) for key in workflows]
    rows += [(name_of(row), row, dict(params)) for row in found]
    if len(rows) > MOST_VARIANTS:
        text = _("At most %(most)d can be compared at once.") % {"most": MOST_VARIANTS}
        raise Invalid(text, fields={"presets": [_("too many")]})
    choices: dict[str, _Choice] = {}
    for name, workflow, own in rows:
        free = next(n for n in (name[:110], *(f"{name[:110]} ({i})" for i in range(2, 99))) if n not in choices)
        choices[free] = _Choice(free, workflow, own)
    return list(choices.values())


def _wishes(
    project: Project,
    choice: _Choice,
    shots: Sequence[Shot],
    references: Sequence[Character | Environment],
    step: str,
) -> list[Wish]:
    if shots and choice.workflow is None and not step:
        raise Invalid(_("Say which step or which workflow to render."), fields={"workflow": [_("missing")]})
    if shots and choice.workflow is not None and not choice.workflow.step:
        raise Invalid(
            _("%(key)s draws characters and environments, not shots.") % {"key": choice.workflow.key},
            fields={"workflow": [_("not for shots")]},
        )
    if references and choice.workflow is not None and not draws_references(choice.workflow):
        raise Invalid(
            _("%(key)s makes shots, not characters or environments.") % {"key": choice.workflow.key},
            fields={"workflow": [_("only for shots")]},
        )
    checked: dict[int, dict[str, Any]] = {}
    wishes = []
    chosen = chosen_workflows(project, step, shots) if choice.workflow is None and shots else {}
    for owner in [*shots, *dict.fromkeys(references)]:
        used = choice.workflow
        if used is None:
            used = chosen[owner.pk] if isinstance(owner, Shot) else reference_workflow(project)
        if used.pk not in checked:
            checked[used.pk] = checked_params(used, choice.params)
        wishes.append(Wish(owner, used, checked[used.pk], choice.variant, choice.seed_shift))
    return wishes


def _not_under_way(wishes: list[Wish]) -> list[Wish]:
    """Without those whose owner has an open job of the same workflow."""
    jobs = RenderJob.objects.filter(project=wishes[0].owner.project_id, state__in=OPEN_STATES, variant="")
    names = ("shot_id", "character_id", "environment_id", "workflow_id")
    busy = set(jobs.filter(workflow__in={wish.workflow.pk for wish in wishes}).values_list(*names))
    return [wish for wish in wishes if (*chains.key_of(wish.owner), wish.workflow.pk) not in busy]
