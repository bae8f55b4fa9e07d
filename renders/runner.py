"""Runs one attempt: gathers the inputs, lets the engine work under a heartbeat, publishes what it made."""

import shutil
import threading
import time
import uuid
from pathlib import Path
from typing import Any

import structlog
from django.conf import settings
from django.db import close_old_connections
from django.utils.translation import gettext as _

from aipipeline.events import publish_progress
from aipipeline.media.files import sha256_file
from aipipeline.media.storage import storage_error
from aipipeline.projects.errors import PipelineError
from renders.backends import BackendError, JobCancelled, JobContext, JobReporter, JobResult, Stop, backend_for
from renders.gathering import FRAMES, gather_inputs
from renders.models import Cause, JobState, RenderAttempt, RenderJob, Worker
from renders.previews import keep_preview
from renders.services import batches, numbering, publishing, queue, sealing, workdirs
from renders.services.lora_files import with_lora_paths
from renders.services.reproducing import exact_graph

log = structlog.get_logger(__name__)
TELL_SECONDS = 0.1


class Reporter(JobReporter):
    """The engine's way to speak: numbers to the page at once, to the database with the heartbeat."""

    def __init__(self, attempt: RenderAttempt) -> None:
        self.attempt_id = attempt.pk
        self.job = attempt.job
        self.value = 0.0
        self.message = ""
        self.working = False  # the engine has begun
        self._verdict: Stop | None = None
        self._told = 0.0
        self._previews = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._beat, daemon=True)

    def __enter__(self) -> "Reporter":
        self._thread.start()
        return self

    def __exit__(self, *_exc: object) -> None:
        self._stop.set()
        self._thread.join(timeout=10)

    def progress(self, value: float, message: str = "") -> None:
        self.value, self.message = min(max(value, self.value), 1.0), message
        now = time.monotonic()
        if now - self._told >= TELL_SECONDS:
            self._told = now
            numbers: dict[str, Any] = {"ids": [str(self.job.pk)], "progress": round(self.value, 4), "message": message}
            if self._previews:
                numbers["preview"] = self._previews
            of = {"shot": self.job.shot_id, "batch": str(self.job.batch_id or "")}
            publish_progress(f"project:{self.job.project_id}", "job.progress", **of, **numbers)
            publish_progress(f"job:{self.job.pk}", "job.progress", **numbers)

    def preview(self, jpeg: bytes) -> None:
        keep_preview(self.job.pk, jpeg, number=self._previews + 1)
        self._previews += 1

    def stop(self) -> Stop | None:
        return self._verdict

    def save_state(self, **state: Any) -> None:
        queue.save_state(attempt_id=self.attempt_id, state=state)

    def _beat(self) -> None:
        # Often enough to notice a cancel soon, and at least three times a lease.
        pause = min(settings.RENDER_BEAT_SECONDS, settings.RENDER_LEASE_SECONDS / 3)
        while not self._stop.wait(pause):
            try:
                self._verdict = queue.heartbeat(attempt_id=self.attempt_id, progress=self.value, message=self.message)
                batches.announce_progress(self.job)
            except Exception:
                log.warning("heartbeat_failed", attempt=str(self.attempt_id), exc_info=True)
            finally:
                close_old_connections()


def run_attempt(attempt_id: uuid.UUID | str) -> bool:
    """Run a leased attempt to its end; False when it was not there to run (taken back, or told twice)."""
    attempt = queue.begin(attempt_id=attempt_id)
    if attempt is None:
        return False
    structlog.contextvars.bind_contextvars(job=str(attempt.job_id), attempt=str(attempt.pk))
    reporter = Reporter(attempt)
    try:
        with reporter:
            _render_and_publish(attempt, reporter)
    except JobCancelled:
        queue.end_attempt(attempt=attempt, state=JobState.CANCELLED)
    except Exception as error:
        _end_badly(attempt, error, working=reporter.working)
    finally:
        _tidy(attempt.job)
        structlog.contextvars.unbind_contextvars("job", "attempt")
    return True


def _tidy(job: RenderJob) -> None:
    """Remove the work folder of a job that has ended. What fails here, the sweep does later."""
    try:
        workdirs.remove_ended(job, workdirs.work_folder(job))
    except Exception:
        log.warning("work_folder_left", exc_info=True)


def _end_badly(attempt: RenderAttempt, error: Exception, *, working: bool) -> None:
    """Write down in words what went wrong, and whether trying again helps. `working`: the engine had begun."""
    storage = storage_error(error, attempt.job.project.root)
    if storage is not None:
        log.warning("attempt_without_storage", error=str(error))
        queue.end_attempt(
            attempt=attempt, state=JobState.FAILED, error=str(storage.message), retryable=True, cause=Cause.AWAY
        )
    elif isinstance(error, BackendError):
        log.warning("attempt_failed", error=error.message)
        queue.end_attempt(
            attempt=attempt,
            state=JobState.FAILED,
            error=error.message,
            retryable=error.retryable,
            cause=_cause(error, working),
        )
    elif isinstance(error, PipelineError):
        queue.end_attempt(attempt=attempt, state=JobState.FAILED, error=str(error.message))
    else:
        log.error("attempt_crashed", exc_info=error)
        text = _("The engine stopped with an unexpected error: %(error)s. The worker's log has the details.")
        queue.end_attempt(
            attempt=attempt,
            state=JobState.FAILED,
            error=text % {"error": f"{type(error).__name__}: {error}"[:500]},
            retryable=True,
            cause=Cause.ENGINE if working else "",
        )


def _cause(error: BackendError, working: bool) -> str:
    """What the error says of the worker; "" when it says nothing."""
    if error.elsewhere:
        return Cause.LACKING
    if error.out_of_memory:
        return Cause.MEMORY
    if error.later:
        return Cause.AWAY
    # An engine may say by `kind` that something broke in, or that the job is to blame.
    return Cause.ENGINE if working and getattr(error, "kind", "error") == "error" else ""


def _render_and_publish(attempt: RenderAttempt, reporter: Reporter) -> None:
    job = attempt.job
    sealing.discard_earlier(job, attempt)
    version = numbering.reserve_for_job(job)
    facts = sealing.sealed_facts(version)
    if facts is None:
        staged = sealing.stage(job.owner, job.kind, str(attempt.pk))
        try:
            result, inputs, files = _render(attempt, reporter, staged.folder)
            if reporter.cancelled():
                raise JobCancelled
            if not queue.to_publishing(attempt_id=attempt.pk):
                raise JobCancelled
            provenance = {
                **result.provenance,
                "workflow": job.workflow.key,
                **({"variant": job.variant} if job.variant else {}),
                "params": job.params,
                "inputs": inputs,
                "input_files": files,
                "worker": attempt.worker.name if attempt.worker else "",
            }
            sealing.seal(version, staged, result.files, provenance)
        finally:
            sealing.discard(staged)
        facts = sealing.sealed_facts(version)
        assert facts is not None  # sealed a line above
    else:
        log.info("sealed_version_adopted", version=version.pk)
        queue.to_publishing(attempt_id=attempt.pk)
    publishing.publish_attempt(attempt, facts)


def _render(
    attempt: RenderAttempt, reporter: Reporter, folder: Path
) -> tuple[JobResult, dict[str, Any], dict[str, str]]:
    """The result, the versions that it was made of, and the SHA-256 of each file that went in, by role."""
    job = attempt.job
    inputs, used = gather_inputs(job, folder / FRAMES)
    digests = {role: sha256_file(path) for role, path in inputs.items()}
    context = JobContext(
        job_id=str(job.pk),
        attempt_id=str(attempt.pk),
        workflow=job.workflow.key,
        kind=job.kind,
        params=with_lora_paths(job.project, job.params),
        subject=job.subject,
        inputs=inputs,
        out_dir=folder,
        endpoint=attempt.worker.endpoint if attempt.worker else "",
        state=attempt.saved,
        work_dir=workdirs.work_folder(job),
        graph=graph_of(job),
        exact=exact_graph(job),
        endpoints=tuple(Worker.objects.exclude(endpoint="").values_list("endpoint", flat=True)),
    )
    backend = backend_for(job.workflow.backend)
    reporter.working = True
    result = backend.run(context, reporter)
    reporter.working = False
    # They lie there for the engine alone; what is sealed is what it made.
    shutil.rmtree(folder / FRAMES, ignore_errors=True)
    if not result.files or any(not f.is_relative_to(folder) or not f.is_file() for f in result.files):
        raise BackendError(_("The engine gave no usable files."), retryable=True)
    return result, used, digests


def graph_of(job: RenderJob) -> dict[str, Any] | None:
    """The graph that was fixed when the job was made, as engines get it; None for the engine's own workflows."""
    if job.graph is None:
        return None
    return {"nodes": job.graph.nodes, "about": job.graph.about, "number": job.graph.number}
