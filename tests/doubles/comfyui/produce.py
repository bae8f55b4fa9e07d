"""What the double's nodes make: pictures and clips of the right size and length, cheaply."""

import io
import json
import random
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw, PngImagePlugin

from aipipeline.media import ffmpeg


def picture(width: int, height: int, seed: int, text: str = "") -> Image.Image:
    """A soft colour field that depends on the seed alone."""
    colours = random.Random(seed).randbytes(4 * 3 * 3)
    image = Image.frombytes("RGB", (4, 3), colours).resize((width, height), Image.Resampling.BICUBIC)
    if text:
        ImageDraw.Draw(image).text((8, 8), text[:60].encode("latin-1", "replace").decode("latin-1"), fill="white")
    return image


def preview(image: Image.Image, step: int, steps: int) -> bytes:
    """JPEG of at most 512 px that gets lighter with every step."""
    small = image.copy()
    small.thumbnail((512, 512))
    out = io.BytesIO()
    Image.blend(Image.new("RGB", small.size), small, step / steps).save(out, "JPEG", quality=60)
    return out.getvalue()


def save_png(path: Path, image: Image.Image, prompt: dict[str, Any]) -> None:
    """With the graph in a text chunk, as the real server writes it."""
    info = PngImagePlugin.PngInfo()
    info.add_text("prompt", json.dumps(prompt))
    image.save(path, pnginfo=info, compress_level=1)


def save_clip(path: Path, start: Image.Image, frames: int, fps: float) -> None:
    """The start image drifting sideways for exactly `frames` frames."""
    width, height = start.width // 2 * 2, start.height // 2 * 2
    still = path.with_suffix(".start.png")
    start.resize((width + 32, height)).save(still, compress_level=1)
    chain = (
        f"loop=loop={frames}:size=1:start=0,setpts=N/({fps})/TB,"
        f"crop={width}:{height}:x='32*n/{max(frames, 2)}':y=0,format=yuv420p"
    )
    encoder = ["-c:v", "libx264", "-preset", "ultrafast", "-frames:v", str(frames)]
    try:
        ffmpeg.run(["-framerate", str(fps), "-i", still, "-vf", chain, *encoder, path])
    finally:
        still.unlink()
