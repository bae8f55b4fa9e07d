"""What a model made becomes what the shot needs: the exact size, rate and number of frames."""

import math
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

from PIL import Image, ImageOps

from aipipeline.media import ffmpeg
from aipipeline.media.h264 import timescale

# A render is the master of its shot: visually lossless, without B-frames so that cuts and seeks stay exact.
ENCODER = (
    "-c:v", "libx264", "-preset", "medium", "-crf", "14", "-bf", "0", "-g", "12", "-keyint_min", "12",
    "-sc_threshold", "0", "-flags", "+cgop", "-pix_fmt", "yuv420p", "-movflags", "+faststart",
)  # fmt: skip


def source_length(frames: int, fps: Fraction, model_fps: int | Fraction) -> int:
    """Frames at the model's own rate that cover `frames` frames at `fps`."""
    return max(1, math.ceil(Fraction(frames * model_fps) / fps))


def retime(
    source: Path,
    out: Path,
    *,
    frames: int,
    fps: Fraction,
    width: int,
    height: int,
    on_frame: Callable[[int], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> None:
    """Write exactly `frames` frames at `fps` in `width`×`height` (even): the picture covers the frame and keeps its
    shape, a clip that is too short holds its last frame. Raises ffmpeg.FFmpegError or ffmpeg.Cancelled."""
    chain = (
        f"setpts=PTS-STARTPTS,fps={fps},tpad=stop=-1:stop_mode=clone,"
        f"scale={width}:{height}:force_original_aspect_ratio=increase:flags=lanczos,"
        f"crop={width}:{height},setsar=1,format=yuv420p"
    )
    tail = [*ENCODER, "-video_track_timescale", str(timescale(fps)), "-frames:v", str(frames)]
    # Every frame of the source must decode: a damaged file is no version.
    ffmpeg.run(["-xerror", "-i", source, "-an", "-vf", chain, *tail, out], on_frame=on_frame, cancelled=cancelled)


def fit_image(source: Path, out: Path, *, width: int, height: int) -> None:
    """Write the picture as PNG in exactly that size: what the model's lattice added is cut off, shape is kept."""
    with Image.open(source) as image:
        picture = image.convert("RGB")
        if 0 <= picture.width - width < 64 and 0 <= picture.height - height < 64:
            left, top = (picture.width - width) // 2, (picture.height - height) // 2
            fitted = picture.crop((left, top, left + width, top + height))
        else:
            fitted = ImageOps.fit(picture, (width, height), Image.Resampling.LANCZOS)
    fitted.save(out, compress_level=1)
