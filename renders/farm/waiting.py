"""Why a job waits, in words with a remedy: for many jobs at once, in five queries however many they are."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from renders.models import (
    JobState,
    Pause,
    PauseScope,
    RenderJob,
    VersionStatus,
    WaitsFor,
    Worker,
    WorkerBlock,
    WorkerFit,
    WorkerState,
)
from renders.services.fits import too_small

MOST_ASKED = 500


@dataclass(frozen=True)
class Why:
    """`stuck`: it does not go on by itself. `jobs`: the ones that it waits for."""

    text: str
    stuck: bool = False
    details: tuple[str, ...] = ()
    jobs: tuple[RenderJob, ...] = ()


def why_waiting(jobs: Iterable[RenderJob]) -> dict[UUID, Why]:
    """By job id, for the queued ones among them. The jobs come with their workflow."""
    waiting = [job for job in jobs if job.state == JobState.QUEUED]
    if not waiting:
        return {}
    before = _before(waiting)
    pauses = {(pause.scope, pause.key): pause for pause in Pause.objects.all()}
    farm = _Farm(waiting)
    return {job.pk: _why(job, before.get(job.pk, []), pauses, farm) for job in waiting}


def _why(job: RenderJob, before: Sequence[RenderJob], pauses: dict[tuple[str, str], Pause], farm: "_Farm") -> Why:
    if before:
        rendering = any(other.state != JobState.SUCCEEDED for other in before)
        text = _("It waits until %(jobs)s is rendered.") if rendering else _("It waits until %(jobs)s is approved.")
        said = job.blocked_reason or text % {"jobs": ", ".join(str(other.owner) for other in before[:3])}
        return Why(said, jobs=tuple(before), stuck=not rendering)
    if job.blocked_reason:
        return Why(job.blocked_reason, stuck=True)
    for scope, key, text in (
        (PauseScope.PROJECT, str(job.project_id), _("The project is paused.")),
        (PauseScope.CAPABILITY, job.capability, _("This class of card is paused.")),
        (PauseScope.WORKFLOW, str(job.workflow_id), _("The workflow is paused.")),
    ):
        pause = pauses.get((scope, key))
        if pause is not None:
            return Why(" ".join(filter(None, (str(text), _end_of(pause), pause.reason))), stuck=not pause.until)
    if job.not_before and job.not_before > timezone.now():
        at = date_format(timezone.localtime(job.not_before), "H:i:s")
        return Why(_("Another try at %(time)s.") % {"time": at}, details=(job.error,) if job.error else ())
    return farm.why(job)


def _end_of(pause: Pause) -> str:
    if pause.until is None:
        return ""
    return _("It goes on by itself at %(time)s.") % {"time": date_format(timezone.localtime(pause.until), "m-d H:i")}


def _before(jobs: Sequence[RenderJob]) -> dict[UUID, list[RenderJob]]:
    """The jobs that each still waits for, in one query."""
    links = RenderJob.after.through.objects.filter(from_renderjob__in=[job.pk for job in jobs]).select_related(
        "to_renderjob__shot",
        "to_renderjob__character",
        "to_renderjob__environment",
        "to_renderjob__version",
        "to_renderjob__workflow",
    )
    approval = {job.pk for job in jobs if job.waits_for == WaitsFor.APPROVED}
    found: dict[UUID, list[RenderJob]] = {}
    for link in links:
        other = link.to_renderjob
        done = other.state == JobState.SUCCEEDED
        if done and link.from_renderjob_id in approval:
            done = other.version is not None and other.version.status == VersionStatus.APPROVED
        if not done:
            found.setdefault(link.from_renderjob_id, []).append(other)
    return found


def unserved(jobs: "QuerySet[RenderJob]") -> str:
    """Why some of these waiting jobs cannot start with the workers that there are, with the remedy; "" when each can.

    What waits for other jobs, or is paused, is only asked for its workers. Four queries.
    """
    rows = jobs.filter(state=JobState.QUEUED).select_related("workflow").order_by("created_at")[:MOST_ASKED]
    alike = {(job.workflow_id, job.vram_gb, str(job.refused)): job for job in rows}
    farm = _Farm(list(alike.values()))
    found = (farm.why(job) for job in alike.values())
    return next((" ".join([why.text, *why.details]) for why in found if why.stuck), "")


class _Farm:
    """The workers with what each refuses, read once for all jobs."""

    def __init__(self, jobs: Sequence[RenderJob]) -> None:
        workflows = {job.workflow_id for job in jobs}
        self.workers = [w for w in Worker.objects.all() if w.state == WorkerState.ONLINE]
        fits = WorkerFit.objects.filter(workflow__in=workflows, fits=False)
        self.misfits = {(fit.worker_id, fit.workflow_id): list(fit.reasons) for fit in fits}
        blocks = WorkerBlock.objects.filter(workflow__in=workflows)
        self.blocks = {(block.worker_id, block.workflow_id): block for block in blocks}

    def why(self, job: RenderJob) -> Why:
        """Why none of the workers has begun it; not `stuck` when one of them would."""
        able = [worker for worker in self.workers if job.workflow.backend in worker.backends]
        if not able and job.workflow.backend == "comfyui":
            return Why(
                _("No worker drives a ComfyUI server. Set COMFYUI_URLS, or start ./aip worker --comfy URL --vram GB."),
                stuck=True,
            )
        if not able:
            return Why(_("No worker for the engine %(engine)s is online.") % {"engine": job.workflow.backend}, True)
        if not any(worker.vram_gb >= job.vram_gb for worker in able):
            return Why(too_small(able, job.vram_gb), stuck=True)
        refusals = [self._refusal(worker, job) for worker in able]
        details = tuple(f"{worker.name}: {said}" for worker, said in zip(able, refusals, strict=True) if said)
        if not all(refusals):
            free = len(able) - len(details)
            if not details:
                return Why(_("It waits for a free worker."))
            text = _("It waits for a free worker: %(n)d of %(all)d can do it.")
            return Why(text % {"n": free, "all": len(able)}, details=details)
        if len(able) == 1:
            return Why(details[0], stuck=True)
        if len(set(refusals)) == 1:
            details = (refusals[0],)
        return Why(_("None of the %(n)d workers can do it.") % {"n": len(able)}, stuck=True, details=details)

    def _refusal(self, worker: Worker, job: RenderJob) -> str:
        """Why this worker does not take the job; "" when it would."""
        if worker.error:
            return worker.error
        if worker.vram_gb < job.vram_gb:
            text = _("%(has)d GB of GPU memory, %(need)d GB are needed.")
            return text % {"has": worker.vram_gb, "need": job.vram_gb}
        key = (worker.pk, job.workflow_id)
        if key in self.misfits:
            return " ".join(self.misfits[key]) or _("Its server lacks what the workflow needs.")
        if key in self.blocks:
            block = self.blocks[key]
            text = _("Blocked after %(n)d failures. %(reason)s Lift the block on the farm page.")
            return text % {"n": block.failures, "reason": block.reason}
        if worker.pk in job.refused or str(worker.pk) in job.refused:
            return _("It refused this job: its server lacks what just this one needs.")
        return ""
