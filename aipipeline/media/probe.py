"""What a media file is, read with PyAV: there is no ffprobe in the pip packages."""

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Literal

import av
from PIL import Image

from aipipeline.media.errors import MediaError

_STILLS = {".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".bmp"}


class ProbeError(MediaError):
    """The file cannot be read as an image, a video or sound."""

    code = "unreadable"


@dataclass(frozen=True)
class Probe:
    """`frames` counts the video's packets (1 for stills, 0 for sound); `fps` is exact; `seconds` of the container."""

    kind: Literal["image", "video", "audio"]
    codec: str
    width: int
    height: int
    fps: Fraction | None
    frames: int
    pix_fmt: str
    has_audio: bool
    seconds: Fraction | None


def probe(path: Path) -> Probe:
    """Facts about a file; ProbeError with its name when it cannot be read."""
    if path.suffix.lower() in _STILLS:
        return _probe_still(path)
    try:
        with av.open(str(path)) as container:
            if container.streams.video:
                return _probe_video(container)
            if container.streams.audio:
                sound = container.streams.audio[0]
                length = Fraction(container.duration, av.time_base) if container.duration else None
                return Probe("audio", sound.codec_context.name, 0, 0, None, 0, "", True, length)
    except (av.FFmpegError, OSError, ValueError) as error:
        raise ProbeError(f"{path.name}: {error}") from error
    raise ProbeError(f"{path.name}: no picture and no sound inside")


def _probe_still(path: Path) -> Probe:
    try:
        with Image.open(path) as image:
            found = Probe("image", str(image.format).lower(), *image.size, None, 1, image.mode, False, None)
            if image.format == "PNG":
                image.verify()  # its checksums cover every byte; decoding would tell nothing more
            else:
                image.load()
            return found
    except (OSError, ValueError, Image.DecompressionBombError, SyntaxError) as error:
        raise ProbeError(f"{path.name}: {error}") from error


def _probe_video(container: "av.container.InputContainer") -> Probe:
    stream = container.streams.video[0]
    context = stream.codec_context
    # Containers lie about their frame count (WebM gives 0); the packets do not.
    frames = sum(1 for packet in container.demux(stream) if packet.size)
    rate = stream.average_rate or stream.guessed_rate
    return Probe(
        "video",
        context.name,
        context.width,
        context.height,
        Fraction(rate) if rate else None,
        frames,
        context.pix_fmt or "",
        bool(container.streams.audio),
        Fraction(container.duration, av.time_base) if container.duration else None,
    )
