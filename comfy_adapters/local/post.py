"""Post by ffmpeg: motion-compensated interpolation and upscaling, streamed, never a whole clip in memory."""

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

from aipipeline.media import ffmpeg

_ENCODER = (
    "-c:v",
    "libx264",
    "-preset",
    "veryfast",
    "-crf",
    "16",
    "-bf",
    "0",
    "-g",
    "12",
    "-pix_fmt",
    "yuv420p",
    "-an",
)


def interpolate(
    source: Path,
    out: Path,
    *,
    fps_out: Fraction,
    on_frame: Callable[[int], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> None:
    """The clip at another rate, in-between frames made from motion."""
    chain = f"minterpolate=fps={fps_out}:mi_mode=mci:mc_mode=aobmc:vsbmc=1"
    ffmpeg.run(["-i", source, "-vf", chain, *_ENCODER, out], on_frame=on_frame, cancelled=cancelled)


def upscale(
    source: Path,
    out: Path,
    *,
    width: int,
    height: int,
    on_frame: Callable[[int], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> None:
    """The clip at another size (even numbers), by Lanczos and a little sharpening."""
    chain = f"scale={width}:{height}:flags=lanczos,unsharp=5:5:0.5"
    ffmpeg.run(["-i", source, "-vf", chain, *_ENCODER, out], on_frame=on_frame, cancelled=cancelled)
