"""Camera moves over a still: a window that travels smoothly over the picture, piped into the encoder.

Frames are cut with sub-pixel accuracy by Pillow, so that nothing jitters as ffmpeg's zoompan does, which moves
its window in whole pixels (docs/decisions/007-speed-of-produce.md compares). The window's path eases in and out and depends on the movement alone.
"""

import math
import subprocess
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from pathlib import Path

import av
from PIL import Image

from aipipeline.media import ffmpeg
from aipipeline.media.h264 import encoder, hold

PRESET, CRF = "superfast", 20
# Each movement: the window's zoom, and its centre as an offset in parts of the free room, at start and end.
_PATHS: dict[str, tuple[tuple[float, float, float], tuple[float, float, float]]] = {
    "push_in": ((1.0, 0, 0), (1.16, 0, -0.1)),
    "pull_out": ((1.16, 0, -0.1), (1.0, 0, 0)),
    "pan_left": ((1.14, 1, 0), (1.14, -1, 0)),
    "pan_right": ((1.14, -1, 0), (1.14, 1, 0)),
    "track_left": ((1.10, 1, 0.1), (1.13, -1, 0.1)),
    "track_right": ((1.10, -1, 0.1), (1.13, 1, 0.1)),
    "tilt_up": ((1.15, 0, 1), (1.15, 0, -1)),
    "tilt_down": ((1.15, 0, -1), (1.15, 0, 1)),
    "crane_up": ((1.06, 0, 1), (1.16, 0, -1)),
    "crane_down": ((1.16, 0, -1), (1.06, 0, 1)),
    "orbit": ((1.12, -0.9, 0.2), (1.16, 0.9, -0.2)),
}


def window(movement: str, t: float, seed: int) -> tuple[float, float, float]:
    """Zoom and centre offsets of the window at t (0 to 1)."""
    if movement == "handheld":
        phase = (seed % 97) / 97 * math.tau
        sway_x = math.sin(phase + t * 9.0) * 0.45 + math.sin(phase * 2 + t * 23.0) * 0.18
        sway_y = math.sin(phase * 3 + t * 11.0) * 0.4 + math.sin(phase + t * 29.0) * 0.15
        return 1.06, sway_x, sway_y
    start, end = _PATHS[movement]
    eased = t * t * (3 - 2 * t)
    return tuple(a + (b - a) * eased for a, b in zip(start, end, strict=True))  # type: ignore[return-value]


def render_move(
    still: Path,
    out: Path,
    *,
    frames: int,
    fps: Fraction,
    width: int,
    height: int,
    movement: str,
    seed: int = 0,
    on_frame: Callable[[int], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> None:
    """Write exactly `frames` frames at the exact rate, H.264. Raises ffmpeg.Cancelled or ffmpeg.FFmpegError."""
    tail = [*encoder(fps, preset=PRESET, crf=CRF), "-frames:v", str(frames)]
    if movement != "handheld" and movement not in _PATHS:
        fit = (
            f"scale={width}:{height}:force_original_aspect_ratio=increase,crop={width}:{height},setsar=1,format=yuv420p"
        )
        hold(still, out, frames=frames, fps=fps, fit=fit, encode=tail, cancelled=cancelled)
        return
    planes = planes_of(still, width, height)
    feed = ["-f", "rawvideo", "-pix_fmt", "yuv420p", "-s", f"{width}x{height}", "-framerate", str(fps), "-i", "pipe:0"]
    line = ffmpeg.command([*feed, "-vf", "setsar=1", *tail, out])
    line.remove("-nostdin")
    process = subprocess.Popen(line, stdin=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        _feed(process, planes, frames, (width, height), movement, seed, on_frame, cancelled)
    except BaseException:
        process.kill()
        process.wait()
        out.unlink(missing_ok=True)
        raise
    finally:
        if process.stderr is not None:
            process.stderr.close()


def _feed(
    process: "subprocess.Popen[bytes]",
    planes: Sequence[Image.Image],
    frames: int,
    size: tuple[int, int],
    movement: str,
    seed: int,
    on_frame: Callable[[int], None] | None,
    cancelled: Callable[[], bool] | None,
) -> None:
    assert process.stdin is not None  # opened as a pipe
    problem = b""
    try:
        # Pillow lets go of the interpreter while it resamples: the next frame is cut while this one is written.
        with ThreadPoolExecutor(1) as pool:
            ahead = pool.submit(cut_frame, planes, window(movement, 0.0, seed), size)
            for index in range(frames):
                data = ahead.result()
                if index + 1 < frames:
                    ahead = pool.submit(cut_frame, planes, window(movement, (index + 1) / (frames - 1), seed), size)
                for part in data:
                    process.stdin.write(part)
                if on_frame is not None:
                    on_frame(index + 1)
                if cancelled is not None and index % 6 == 0 and cancelled():
                    raise ffmpeg.Cancelled
        process.stdin.close()
    except BrokenPipeError:
        problem = b"the encoder closed its input"
    if process.stderr is not None:
        problem = process.stderr.read() or problem
    if process.wait() != 0:
        raise ffmpeg.FFmpegError("ffmpeg failed.", tail=problem.decode(errors="replace")[-2000:], args_used=[])


def planes_of(still: Path, width: int, height: int) -> list[Image.Image]:
    """The still in the frame's shape as the encoder's planes (brightness, and two of colour at half the size).

    A move resamples these instead of the RGB picture: half the numbers, and no conversion for every frame.
    """
    with Image.open(still) as opened:
        source = _fitted(opened.convert("RGB"), width, height)
    even = source.crop((0, 0, source.width // 2 * 2, source.height // 2 * 2))
    picture = av.VideoFrame.from_image(even).reformat(format="yuv420p")  # type: ignore[no-untyped-call]
    return [
        Image.frombuffer("L", (plane.width, plane.height), bytes(plane), "raw", "L", plane.line_size, 1)
        for plane in picture.planes
    ]


def cut_frame(
    planes: Sequence[Image.Image], view: tuple[float, float, float], size: tuple[int, int]
) -> tuple[bytes, bytes, bytes]:
    """The window of the picture as the three planes of one frame."""
    zoom, dx, dy = view
    found = []
    for plane, wanted in zip(planes, (size, _half(size), _half(size)), strict=True):
        w, h = plane.width / zoom, plane.height / zoom
        x = min(max((plane.width - w) / 2 * (1 + dx), 0), plane.width - w)
        y = min(max((plane.height - h) / 2 * (1 + dy), 0), plane.height - h)
        found.append(plane.resize(wanted, Image.Resampling.BILINEAR, box=(x, y, x + w, y + h)).tobytes())
    return found[0], found[1], found[2]


def _half(size: tuple[int, int]) -> tuple[int, int]:
    return size[0] // 2, size[1] // 2


def _fitted(image: Image.Image, width: int, height: int) -> Image.Image:
    """The still cut to the frame's shape, so that nothing is squeezed."""
    wanted = width / height
    if abs(image.width / image.height - wanted) < 0.005:
        return image
    if image.width / image.height > wanted:
        new = round(image.height * wanted)
        left = (image.width - new) // 2
        return image.crop((left, 0, left + new, image.height))
    new = round(image.width / wanted)
    top = (image.height - new) // 2
    return image.crop((0, top, image.width, top + new))
