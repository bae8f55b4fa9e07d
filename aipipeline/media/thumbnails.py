"""Small pictures of stills and videos."""

import os
from pathlib import Path

import av
from PIL import Image, ImageOps

from aipipeline.media.errors import MediaError

MAX_PIXELS = 64_000_000
_VIDEOS = {".mp4", ".mov", ".webm", ".mkv", ".avi", ".m4v"}


def make_thumbnail(source: Path, target: Path, *, width: int) -> None:
    """Write `target` (WebP, at most `width` wide) atomically; MediaError when the source cannot be read."""
    try:
        image = _first_frame(source) if source.suffix.lower() in _VIDEOS else _still(source)
        image.thumbnail((width, width * 4))
        temporary = target.with_name(f".{target.name}.{os.getpid()}.part")
        image.save(temporary, "WEBP", quality=82, method=3)
        os.replace(temporary, target)
    except (OSError, ValueError, SyntaxError, av.FFmpegError, Image.DecompressionBombError) as error:
        raise MediaError(f"{source.name}: {error}") from error


def _still(source: Path) -> Image.Image:
    with Image.open(source) as image:
        if image.width * image.height > MAX_PIXELS:
            raise MediaError(f"{source.name}: larger than {MAX_PIXELS // 1_000_000} megapixels")
        return ImageOps.exif_transpose(image).convert("RGB")


def _first_frame(source: Path) -> Image.Image:
    with av.open(str(source)) as container:
        for frame in container.decode(video=0):
            image: Image.Image = frame.to_image()  # type: ignore[no-untyped-call]
            return image
    raise MediaError(f"{source.name}: no frames inside")
