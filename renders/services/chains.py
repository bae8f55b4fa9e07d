"""Jobs that wait for others: shot after shot, a continuity chain, and what a failed link takes down and brings back.

In a chain each shot's job waits for the one before in story order. Where the workflow makes a clip from a first image,
that image is the last frame of the clip before, so that the picture goes on.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.models import F, QuerySet
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from aipipeline.history.recorder import Recorder
from aipipeline.projects.errors import Conflict, Invalid
from renders.models import JobState, RenderJob, Version, VersionState
from renders.models.job import OPEN_STATES
from renders.services.inputs import MOVING
from renders.services.making import Owner, Wish
from renders.services.nudges import announce_jobs, nudge
from renders.services.placing import place_anew
from shots.models import Shot
from shots.services.steps import start_steps

FIRST = "first_image"
NOT_DONE = (JobState.FAILED, JobState.CANCELLED)


def key_of(owner: Owner) -> tuple[int | None, int | None, int | None]:
    """Whose it is, as the columns shot, character and environment say it."""
    names = ("shot", "character", "environment")
    found = type(owner)._meta.model_name
    shot, character, environment = (owner.pk if name == found else None for name in names)
    return shot, character, environment


def in_story_order(shots: Iterable[Shot]) -> list[Shot]:
    """Each shot once, as the story tells them."""
    return sorted(dict.fromkeys(shots), key=lambda shot: (shot.position, shot.pk))


def refuse_busy(wishes: Sequence[Wish]) -> None:
    """A chain goes through all of its shots: one that is being made already by the same workflow would break it."""
    shots = {wish.owner.pk: wish for wish in wishes}
    jobs = RenderJob.objects.filter(shot__in=list(shots), state__in=OPEN_STATES)
    busy = sorted({shots[s].owner for s, w in jobs.values_list("shot_id", "workflow_id") if shots[s].workflow.pk == w},
                  key=str)  # fmt: skip
    if busy:
        names = ", ".join(map(str, busy[:5])) + ("…" if len(busy) > 5 else "")
        text = _("%(names)s: a job of this workflow is open already. Wait for it or cancel it, then start the chain.")
        raise Conflict(text % {"names": names}, details={"shots": [shot.pk for shot in busy]})


def link(jobs: Sequence[RenderJob]) -> list[tuple[RenderJob, RenderJob]]:
    """Each job after the one before, its first image the last frame of that one's clip; (job, waits for) pairs.

    Works on jobs that are not saved yet.
    """
    pairs = list(zip(jobs[1:], jobs[:-1], strict=True))
    for job, before in pairs:
        if FIRST in job.inputs and job.kind in MOVING and before.kind in MOVING:
            job.inputs = {**job.inputs, FIRST: {"job": str(before.pk), "frame": "last"}}
    return pairs


def locked(rows: "QuerySet[RenderJob]") -> "QuerySet[RenderJob]":
    """These jobs, their rows locked in one order, whoever asks: two who lock many never wait for each other."""
    of = ("self",) if connection.features.has_select_for_update_of else ()
    return rows.select_for_update(of=of).order_by("created_at", "pk")


def hold(jobs: Iterable[RenderJob], *others: RenderJob) -> None:
    """Lock jobs that others shall wait for, with those. Invalid when one has failed: nothing would ever begin."""
    ids = {job.pk for job in jobs}
    rows = list(locked(RenderJob.objects.filter(pk__in=ids | {job.pk for job in others}))) if ids or others else []
    dead = [row for row in rows if row.pk in ids and row.state in NOT_DONE]
    if dead:
        text = _("%(job)s has failed or was cancelled; nothing can wait for it. Try it again first.")
        raise Invalid(text % {"job": dead[0]}, fields={"after": [_("has failed")]})


def version_from(source: RenderJob) -> Version | None:
    """What a job that was waited for made; None before that is published."""
    version = source.version
    return version if version is not None and version.state == VersionState.PUBLISHED else None


def dead_before(jobs: Iterable[RenderJob]) -> list[RenderJob]:
    """The failed and cancelled jobs that these wait for, directly or through others; locked, and these with them.

    Whoever tries these again must try them too: nothing that waits for a dead job ever begins.
    """
    asked = {job.pk for job in jobs}
    found = set(asked)
    front = set(asked)
    while front:
        links = RenderJob.after.through.objects.filter(from_renderjob__in=front, to_renderjob__state__in=NOT_DONE)
        front = set(links.values_list("to_renderjob_id", flat=True)) - found
        found |= front
    rows = locked(RenderJob.objects.filter(pk__in=found)).select_related("shot", "character", "environment")
    return [row for row in rows if row.pk not in asked and row.state in NOT_DONE]


def fallen_with(jobs: Iterable[RenderJob]) -> list[RenderJob]:
    """The jobs that were cancelled because these did not succeed, directly or through others; locked.

    What a person cancelled is not among them, nor what waits for another job that is not done either.
    """
    back = {job.pk for job in jobs}
    found: list[RenderJob] = []
    front = set(back)
    while front:
        rows = list(
            locked(RenderJob.objects.filter(after__in=front, state=JobState.CANCELLED, cancel_requested=False))
            .exclude(pk__in=back)
            .select_related("shot", "character", "environment")
        )
        waits = RenderJob.after.through.objects.filter(from_renderjob__in=rows, to_renderjob__state__in=NOT_DONE)
        dead: dict[Any, set[Any]] = {}
        for job_id, first in waits.values_list("from_renderjob_id", "to_renderjob_id"):
            dead.setdefault(job_id, set()).add(first)
        ready = {row.pk: row for row in rows if dead.get(row.pk, set()) <= back}
        found += ready.values()
        front = set(ready)
        back |= front
    return found


@dataclass(frozen=True)
class Again:
    """What was queued again: the jobs that were asked for, and those that came back with them (see `try_again`)."""

    asked: tuple[RenderJob, ...]
    brought: tuple[RenderJob, ...] = ()

    @property
    def jobs(self) -> tuple[RenderJob, ...]:
        return self.asked + self.brought

    @property
    def names(self) -> list[str]:
        """Whose the ones are that came back with them, each once, in story order."""
        owners = {job.owner: None for job in self.brought}
        return [str(owner) for owner in sorted(owners, key=lambda o: (getattr(o, "position", 0), o.pk))]

    def as_json(self) -> dict[str, Any]:
        return {
            "jobs": [str(job.pk) for job in self.jobs],
            "brought": {"count": len(self.brought), "jobs": [str(j.pk) for j in self.brought], "names": self.names},
        }


def try_again(recorder: Recorder, jobs: Sequence[RenderJob]) -> Again:
    """Queue ended jobs (locked) again, inside a running recording.

    With them the dead jobs that they wait for, and all that was cancelled because any of these did not succeed.
    """
    before = dead_before(jobs)
    brought = (*before, *fallen_with([*before, *jobs]))
    requeue(recorder, [*jobs, *brought])
    return Again(tuple(jobs), brought)


def requeue(recorder: Recorder, jobs: Sequence[RenderJob]) -> None:
    """Queue ended jobs (locked) again with all their tries, and move their steps; inside a running recording."""
    RenderJob.objects.filter(pk__in=[job.pk for job in jobs]).update(
        state=JobState.QUEUED,
        cancel_requested=False,
        error="",
        message="",
        progress=0.0,
        started_at=None,
        finished_at=None,
        not_before=Now(),
        refused=[],
        max_attempts=F("attempts_made") + settings.RENDER_MAX_ATTEMPTS,
    )
    place_anew(jobs)
    steps: dict[str, list[Shot]] = {}
    for job in jobs:
        job.state, job.cancel_requested, job.error = JobState.QUEUED, False, ""
        if job.shot is not None:
            steps.setdefault(job.step, []).append(job.shot)
    for step, shots in steps.items():
        start_steps(recorder, shots, step)
    announce_jobs(jobs)
    transaction.on_commit(lambda: nudge(jobs), robust=True)


def refuse_cycle(job: RenderJob, firsts: Mapping[Any, RenderJob]) -> None:
    """Invalid when one of `firsts` waits for `job` itself, directly or through others: neither would ever begin."""
    seen: set[Any] = set()
    front = set(firsts)
    while front:
        if job.pk in front:
            text = _("%(job)s would wait for itself.")
            raise Invalid(text % {"job": job}, fields={"after": [_("a circle")]})
        seen |= front
        waits = RenderJob.after.through.objects.filter(from_renderjob__in=front)
        front = set(waits.values_list("to_renderjob_id", flat=True)) - seen
