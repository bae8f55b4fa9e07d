"""The H.264 that the studio writes: clips that join by stream copy and that browsers seek exactly.

No B-frames, closed groups of twelve frames, one clock per rate, and (`stitchable`) a stream header that depends on
size, rate and preset alone, never on the quality. See docs/decisions/005-segments-and-headers.md.
"""

import os
import secrets
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av

from aipipeline.media import ffmpeg

GROUP = 12
# Two encoders run side by side (worker slots, segments of a movie): together they use the machine once, not twice.
THREADS = max(1, (os.cpu_count() or 2) // 2)


def timescale(fps: Fraction) -> int:
    """Ticks per second in which every frame is a whole number of ticks, the same for all clips of a rate."""
    return fps.numerator * 512 if fps.denominator == 1 else fps.numerator


def encoder(fps: Fraction, *, preset: str, crf: int, tune: str = "") -> list[str]:
    """ffmpeg's output arguments, picture only."""
    return [
        "-c:v", "libx264", "-preset", preset, *(["-tune", tune] if tune else []), "-crf", str(crf),
        "-bf", "0", "-g", str(GROUP), "-keyint_min", str(GROUP), "-sc_threshold", "0", "-flags", "+cgop",
        "-pix_fmt", "yuv420p", "-an", "-threads", str(THREADS), "-x264-params", "stitchable=1",
        "-video_track_timescale", str(timescale(fps)), "-movflags", "+faststart",
    ]  # fmt: skip


def hold(
    still: Path,
    out: Path,
    *,
    frames: int,
    fps: Fraction,
    fit: str,
    encode: list[str],
    cancelled: Callable[[], bool] | None = None,
) -> None:
    """Write exactly `frames` frames of one picture; `fit` is the filter chain that brings it to the movie's size.

    Every group of a picture that stands is the same: one is encoded, and its packets are repeated with new times.
    It shows what encoding all of them would show, at the cost of twelve frames. Raises ffmpeg's errors.
    """
    once = min(frames, GROUP)
    # The picture is decoded once and looped: an eighth of the cost of decoding it for every frame.
    chain = f"{fit},loop=loop={once - 1}:size=1:start=0,setpts=N/({fps})/TB"
    group = out if once == frames else out.with_name(f".{out.stem}.{secrets.token_hex(4)}.group.mp4")
    args = ["-framerate", str(fps), "-i", str(still), "-vf", chain, "-frames:v", str(once), *encode, str(group)]
    try:
        ffmpeg.run(args, cancelled=cancelled)
        if group is not out:
            _repeat(group, out, frames=frames, fps=fps)
    except BaseException:
        out.unlink(missing_ok=True)
        raise
    finally:
        if group is not out:
            group.unlink(missing_ok=True)


def _repeat(group: Path, out: Path, *, frames: int, fps: Fraction) -> None:
    """The packets of `group`, again and again up to `frames`, each at its own place on the frame grid."""
    scale = timescale(fps)
    options = {"video_track_timescale": str(scale), "movflags": "+faststart"}
    try:
        with av.open(str(group)) as source, av.open(str(out), "w", format="mp4", options=options) as target:
            stream = source.streams.video[0]
            packets = [(bytes(p), p.is_keyframe) for p in source.demux(stream) if p.size]
            copy = target.add_stream_from_template(stream)
            copy.time_base = Fraction(1, scale)
            ticks = int(scale / fps)
            for index in range(frames):
                data, key = packets[index % len(packets)]
                packet = av.Packet(data)
                packet.stream, packet.time_base, packet.is_keyframe = copy, Fraction(1, scale), key
                packet.pts = packet.dts = index * ticks
                packet.duration = ticks
                target.mux(packet)
    except av.FFmpegError as error:
        raise ffmpeg.FFmpegError("The clip could not be put together.", tail=str(error), args_used=[]) from error
