"""Clips with frames that can be told apart, and jobs that end as they are told, for tests of chains."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from aipipeline.media import ffmpeg
from renders.models import JobState, RenderAttempt, RenderJob, Version, Worker
from renders.services import queue
from renders.services.publishing import publish_files
from renders.services.queue import lease_end

Color = tuple[int, int, int]


def clip(path: Path, colors: Sequence[Color], *, size: str = "64x36", rate: int = 24) -> Path:
    """A lossless clip whose frames have these colours, one each."""
    raw = b"".join(bytes(color) * (64 * 36) for color in colors)
    source = path.with_suffix(".rgb")
    source.write_bytes(raw)
    ffmpeg.run([
        "-f", "rawvideo", "-pix_fmt", "rgb24", "-s", size, "-r", str(rate), "-i", source,
        "-c:v", "libx264rgb", "-qp", "0", path,
    ])  # fmt: skip
    source.unlink()
    return path


def clip_version(shot: Any, folder: Path, colors: Sequence[Color], actor: Any = None, **provenance: Any) -> Version:
    """A published render of a shot with these frames."""
    name = f"{shot.pk}_{len(list(folder.iterdir()))}.mp4"
    path = clip(folder / name, colors)
    return publish_files(owner=shot, kind="render", files={name: path}, actor=actor, provenance=provenance)


def worker() -> Worker:
    found, _made = Worker.objects.get_or_create(name="cpu@test", defaults={"backends": ["local"], "queue": "host.test"})
    return found


def end(job: RenderJob, state: str, *, version: Version | None = None, error: str = "") -> RenderJob:
    """The job was tried once and ended so; `version` is what it made."""
    attempt = RenderAttempt.objects.create(
        job=job, worker=worker(), number=job.attempts_made + 1, state=JobState.RUNNING, lease_until=lease_end()
    )
    values = {"attempts_made": job.attempts_made + 1, "state": JobState.RUNNING}
    RenderJob.objects.filter(pk=job.pk).update(**values, version=version)
    if state == JobState.SUCCEEDED:
        RenderAttempt.objects.filter(pk=attempt.pk).update(state=state)
        queue.end_job(RenderJob.objects.get(pk=job.pk), state)
    else:
        queue.end_attempt(attempt=attempt, state=state, error=error)
    job.refresh_from_db()
    return job
