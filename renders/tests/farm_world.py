"""A farm of rows: workers, workflows and waiting jobs, for tests of who takes what."""

from typing import Any

from renders.models import RenderAttempt, RenderJob, Worker, Workflow
from renders.services import queue
from renders.services.experience import class_for
from shots.models import Shot

BIG = {"width": 1280, "height": 720, "frames": 81}
SMALL = {"width": 640, "height": 360, "frames": 41}


def worker(name: str = "gpu", *, vram: int = 24, backend: str = "comfyui", **fields: Any) -> Worker:
    made: Worker = Worker.objects.create(
        name=name, queue=f"host.{name}", vram_gb=vram, backends=[backend], gpu={"gpu": f"Card {vram}"}, **fields
    )
    return made


def workflow(key: str = "own.one", *, vram: int = 8, backend: str = "comfyui", **fields: Any) -> Workflow:
    made: Workflow = Workflow.objects.create(
        key=key, title=key, backend=backend, output_kind="render", step="render", vram_gb=vram, **fields
    )
    return made


def job(shot: Shot, of: Workflow, *, by: Any = None, after: Any = (), **fields: Any) -> RenderJob:
    """One waiting job, as large as BIG unless `params` say otherwise."""
    facts: dict[str, Any] = {"vram_gb": of.vram_gb, "capability": class_for(of.vram_gb), "params": dict(BIG)} | fields
    made: RenderJob = RenderJob.objects.create(
        project=shot.project, shot=shot, workflow=of, kind="render", step="render", requested_by=by,
        model_key=of.model_key, **facts,
    )  # fmt: skip
    made.after.set(after)
    return made


def take(who: Worker, slots: int = 99) -> RenderJob | None:
    attempt = queue.claim(worker=who, slots=slots)
    return attempt.job if attempt else None


def begun(who: Worker) -> RenderAttempt:
    """The next attempt of this worker, running."""
    claimed = queue.claim(worker=who, slots=99)
    assert claimed is not None
    attempt = queue.begin(attempt_id=claimed.pk)
    assert attempt is not None
    return attempt


def again_now() -> None:
    """No waiting job waits for its backoff."""
    from django.db.models.functions import Now

    RenderJob.objects.update(not_before=Now())
