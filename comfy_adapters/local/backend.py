"""The local engine as a render backend."""

import hashlib
import time
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _

from aipipeline.media import ffmpeg
from comfy_adapters.local import moves, post
from comfy_adapters.local.panel import draw_panel
from comfy_adapters.local.sheet import draw_reference
from comfy_adapters.local.spec import PanelSpec
from renders.backends import BackendError, JobCancelled, JobContext, JobReporter, JobResult

ENGINE_VERSION = "1"

Made = tuple[list[Path], dict[str, Any]]


class LocalBackend:
    """Panels, camera moves and post without a GPU; results say of themselves that they are local drafts."""

    key = "local"
    version = ENGINE_VERSION

    def run(self, context: JobContext, reporter: JobReporter) -> JobResult:
        """Make the files of one job. BackendError for what cannot be made, JobCancelled when told to stop."""
        began = time.monotonic()
        work = {
            "local.panel": self._panel,
            "local.reference": self._reference,
            "local.move": self._move,
            "local.interpolate": post.interpolate,
            "local.upscale": post.upscale,
            "local.upscale_image": post.upscale_image,
        }.get(context.workflow)
        if work is None:
            raise BackendError(
                _("The local engine has no workflow %(name)s.") % {"name": context.workflow}, retryable=False
            )
        try:
            files, facts = work(context, reporter)
        except ffmpeg.Cancelled as error:
            raise JobCancelled from error
        except ffmpeg.FFmpegError as error:
            raise BackendError(f"ffmpeg: {error.tail[-400:] or error}") from error
        provenance = {
            "engine": "local",
            "engine_version": ENGINE_VERSION,
            "draft": True,
            "graph": context.workflow,
            "graph_version": ENGINE_VERSION,
            "graph_hash": _graph_hash(context.workflow),
            "prompt": str(context.params.get("prompt") or ""),
            "models": [],
            "seed": context.params.get("seed"),
            "subject": dict(context.subject),
            **facts,
            "seconds": round(time.monotonic() - began, 3),
        }
        return JobResult(files=tuple(files), provenance=provenance)

    def _panel(self, context: JobContext, reporter: JobReporter) -> Made:
        reporter.progress(0.1)
        files = write_panel(context.subject, context.params, context.out_dir)
        if reporter.cancelled():
            raise JobCancelled
        return files, {}

    def _reference(self, context: JobContext, reporter: JobReporter) -> Made:
        width, height = _size(context.params)
        out = context.out_dir / "reference.png"
        draw_reference(context.subject, width, height, int(context.params.get("seed") or 0)).save(out, compress_level=1)
        reporter.progress(1.0)
        return [out], {}

    def _move(self, context: JobContext, reporter: JobReporter) -> Made:
        width, height = _size(context.params)
        still = context.inputs.get("clean_image") or context.inputs.get("first_image")
        if still is None:
            raise BackendError(_("A camera move needs a first image. Generate one first."), retryable=False)
        frames = int(context.params["frames"])
        out = context.out_dir / "shot.mp4"
        moves.render_move(
            still,
            out,
            frames=frames,
            fps=Fraction(context.params["fps"]),
            width=width,
            height=height,
            movement=str(context.params.get("movement", "static")),
            seed=int(context.params.get("seed") or 0),
            on_frame=lambda n: reporter.progress(n / frames),
            cancelled=reporter.cancelled,
        )
        return [out], {}


def _graph_hash(workflow: str) -> str:
    """What stands for a graph here: the procedure and the version of the engine that it is written in."""
    return hashlib.sha256(f"local {ENGINE_VERSION} {workflow}".encode()).hexdigest()


def write_panel(subject: Mapping[str, Any], params: Mapping[str, Any], folder: Path) -> list[Path]:
    """Draw a shot's panel; writes `panel.png` (with its caption) and `clean.png` (what a camera move runs over)."""
    width, height = _size(params)
    panel, clean = draw_panel(PanelSpec.from_subject(subject), width, height, int(params.get("seed") or 0))
    files = [folder / "panel.png", folder / "clean.png"]
    # Level 1: the panel is the master for every later stage, and drawing it again takes a tenth of a second.
    panel.save(files[0], compress_level=1)
    clean.save(files[1], compress_level=1)
    return files


def _size(params: Mapping[str, Any]) -> tuple[int, int]:
    return int(params["width"]) // 2 * 2, int(params["height"]) // 2 * 2
