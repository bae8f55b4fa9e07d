"""Post by ffmpeg: motion-compensated interpolation and Lanczos upscaling, in pieces, never a whole clip in memory."""

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _
from PIL import Image, ImageFilter, ImageOps

from aipipeline.media import ffmpeg
from comfy_adapters.post import plan
from comfy_adapters.post.clips import Clip, encode, index, numbered, read_clip
from comfy_adapters.post.plan import Span, Target
from comfy_adapters.post.working import make_clip
from renders.backends import BackendError, JobContext, JobReporter

# The adaptive mode (aobmc) reads memory that it never wrote: no two runs of it are the same.
MOTION = "minterpolate=fps={grid}:mi_mode=mci:mc_mode=obmc:vsbmc=1"
# minterpolate looks at two frames before and after; with them a piece shows what the whole clip would show.
OVERLAP = 3
# In-between frames of an upscale need nothing of their neighbours.
_ALONE = 0
_SHARPEN = "unsharp=5:5:0.5"


def interpolate(context: JobContext, reporter: JobReporter) -> tuple[list[Path], dict[str, Any]]:
    """The clip at a higher rate, or slower, in-between frames made from motion; exactly as long as it was (or slow
    times that)."""
    clip = read_clip(_source(context, "source_video"))
    target = plan.interpolated(clip, context.params)

    def make(part: Span, out: Path, told: Callable[[float], None]) -> None:
        chain = f"{_taken(clip, part)},{_held(clip, part)}{MOTION.format(grid=target.grid)}"
        # The filter's clock is the result's: its frames are numbered as the result's are.
        chain += f",trim=start_pts={part.first}:end_pts={part.last},{numbered(target.fps)}"
        chain += f",scale={target.width}:{target.height},format=yuv420p"
        _encode(clip, part, chain, target.fps, out, told, reporter)

    out = context.out_dir / "interpolated.mp4"
    facts = make_clip(
        context,
        reporter,
        clip=clip,
        target=target,
        parts=plan.spans(clip, target, overlap=OVERLAP),
        recipe={"local.interpolate": MOTION},
        make=make,
        out=out,
    )
    return [out], facts


def upscale(context: JobContext, reporter: JobReporter) -> tuple[list[Path], dict[str, Any]]:
    """The clip in another size, by Lanczos and a little sharpening; the picture covers it and keeps its shape."""
    clip = read_clip(_source(context, "source_video"))
    target = plan.upscaled(clip, context.params)

    def make(part: Span, out: Path, told: Callable[[float], None]) -> None:
        chain = f"{_taken(clip, part)},{numbered(target.fps)},{_covering(target)},setsar=1,format=yuv420p"
        _encode(clip, part, chain, target.fps, out, told, reporter)

    out = context.out_dir / "upscaled.mp4"
    facts = make_clip(
        context,
        reporter,
        clip=clip,
        target=target,
        parts=plan.spans(clip, target, overlap=_ALONE),
        recipe={"local.upscale": _SHARPEN},
        make=make,
        out=out,
    )
    return [out], facts


def upscale_image(context: JobContext, reporter: JobReporter) -> tuple[list[Path], dict[str, Any]]:
    """A still in another size; the clean picture of a storyboard panel beside it, where there is one."""
    files = []
    for role, name in (("source_image", "upscaled.png"), ("clean_image", "clean.png")):
        path = context.inputs.get(role)
        if path is None and role == "clean_image":
            continue
        out = context.out_dir / name
        _upscale_still(path or _source(context, role), out, context)
        files.append(out)
        reporter.progress(0.5 * len(files))
    return files, {}


def _upscale_still(path: Path, out: Path, context: JobContext) -> None:
    with Image.open(path) as image:
        size = plan.upscaled_size(*image.size, context.params)
        picture = ImageOps.fit(image.convert("RGB"), size, Image.Resampling.LANCZOS)
    picture.filter(ImageFilter.UnsharpMask(1.5, 40, 2)).save(out, compress_level=1)


def _source(context: JobContext, role: str) -> Path:
    source = context.inputs.get(role)
    if source is None:
        raise BackendError(_("There is nothing to work on. Render the shot first."), retryable=False)
    return source


def _taken(clip: Clip, part: Span) -> str:
    """Exactly the source frames of the span, numbered as the clip's are."""
    return f"trim=end_frame={part.high - part.low},{index(clip, part.low)}"


def _held(clip: Clip, part: Span) -> str:
    """At the end of the clip its last frame stands: the last frames of the result have nothing to move to."""
    if part.high < clip.frames:
        return ""
    return f"tpad=stop={2 + OVERLAP}:stop_mode=clone,"


def _covering(target: Target) -> str:
    size = f"{target.width}:{target.height}"
    return f"scale={size}:force_original_aspect_ratio=increase:flags=lanczos,crop={size},{_SHARPEN}"


def _encode(
    clip: Clip,
    part: Span,
    chain: str,
    fps: Fraction,
    out: Path,
    told: Callable[[float], None],
    reporter: JobReporter,
) -> None:
    ffmpeg.run(
        [*clip.seek(part.low), "-i", clip.path, "-an", "-vf", chain, "-fps_mode", "passthrough",
         "-frames:v", str(part.frames), *encode(fps), out],
        on_frame=lambda done: told(done / part.frames),
        cancelled=reporter.cancelled,
    )  # fmt: skip
