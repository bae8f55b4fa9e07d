"""What the double's nodes write: pictures and clips of the right size and length, cheaply."""

import io
import json
import random
import tempfile
from fractions import Fraction
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw, PngImagePlugin

from aipipeline.media import ffmpeg
from tests.doubles.comfyui.media import Audio, Images, Video

_H264 = ("-c:v", "libx264", "-preset", "ultrafast", "-crf", "20")
_ENCODERS = {
    ".webm": ("-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8", "-b:v", "1M"),
    ".gif": ("-c:v", "gif"),
}


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
    Image.blend(Image.new("RGB", small.size), small, min(step / max(steps, 1), 1.0)).save(out, "JPEG", quality=60)
    return out.getvalue()


def save_png(path: Path, image: Image.Image, prompt: dict[str, Any], extra: dict[str, Any]) -> None:
    """With the graph in a text chunk, as the real server writes it; the UI's form only if the submitter sent it."""
    info = PngImagePlugin.PngInfo()
    for name, content in _told(prompt, extra).items():
        info.add_text(name, json.dumps(content))
    image.save(path, pnginfo=info, compress_level=1)


def pictures(images: Images) -> list[Image.Image]:
    """Every frame as a picture."""
    if images.frames == 1 and images.clip is None:
        return [images.picture()]
    with tempfile.TemporaryDirectory(prefix="comfy-double-") as folder:
        source, chain = _frames_of(images, Path(folder), Fraction(24))
        ffmpeg.run([*source, "-vf", chain, "-frames:v", str(images.frames), Path(folder) / "%06d.png"])
        found = []
        for path in sorted(Path(folder).glob("[0-9]*.png")):
            with Image.open(path) as opened:
                found.append(opened.convert("RGB"))
        return found


def save_clip(path: Path, video: Video, prompt: dict[str, Any], extra: dict[str, Any]) -> None:
    """Exactly the video's frames at its rate, with its sound, and the graph in the container's tags."""
    images, fps, encoder = video.images, video.fps, _ENCODERS.get(path.suffix, _H264)
    with tempfile.TemporaryDirectory(prefix="comfy-double-") as folder:
        source, chain = _frames_of(images, Path(folder), fps)
        if path.suffix != ".gif":
            chain += ",format=yuv420p"
        line: list[str | Path] = [*source]
        seconds = str(float(images.frames / fps))
        if video.audio:
            line += _sound(video.audio, float(seconds))
            codec = ("-c:a", "libopus") if path.suffix == ".webm" else ("-c:a", "aac")
            line += ["-map", "0:v", "-map", "1:a", *codec, "-t", seconds]
        for name, content in _told(prompt, extra).items():
            line += ["-metadata", f"{name}={json.dumps(content)}"]
        if path.suffix == ".mp4":
            line += ["-movflags", "use_metadata_tags"]
        ffmpeg.run([*line, "-vf", chain, "-r", str(fps), *encoder, "-frames:v", str(images.frames), path])


def save_sound(path: Path, audio: Audio) -> None:
    ffmpeg.run([*_sound(audio, audio.seconds), "-vn", "-c:a", "flac", path])


def _told(prompt: dict[str, Any], extra: dict[str, Any]) -> dict[str, Any]:
    return {"prompt": prompt, **(extra.get("extra_pnginfo") or {})}


def _sound(audio: Audio, seconds: float) -> list[str | Path]:
    if audio.path is not None:
        return ["-i", audio.path]
    return ["-f", "lavfi", "-i", f"sine=frequency=220:sample_rate=44100:duration={max(seconds, 0.05)}"]


def _frames_of(images: Images, folder: Path, fps: Fraction) -> tuple[list[str | Path], str]:
    """ffmpeg's input and the filters that give the batch's frames in its size."""
    width, height = (max(side // 2 * 2, 2) for side in images.size)
    # setpts leaves each frame's old duration, which the encoder goes by; the rate filter gives it the right one.
    end = f"settb=AVTB,setpts=N/({fps})/TB,fps={fps}"
    if images.clip:
        skip, each = images.clip.skip, images.clip.each
        fit = f"scale={width}:{height}:force_original_aspect_ratio=increase:flags=fast_bilinear,crop={width}:{height}"
        # One frame a second, then `each` frames a second: every frame is there `each` times, exactly.
        copies = f"setpts=N/TB,fps={each},tpad=stop=-1:stop_mode=clone"
        return ["-i", images.clip.path], f"{copies},trim=start_frame={skip},{end},{fit}"
    still, count = folder / "start.png", max(images.frames, 1)
    loop = f"loop=loop={count}:size=1:start=0"
    if images.last is None:
        images.picture().resize((width + 32, height)).save(still, compress_level=1)
        return ["-i", still], f"{loop},{end},crop={width}:{height}:x='32*n/{max(count, 2)}':y=0"
    images.picture().resize((width, height)).save(still, compress_level=1)
    images.last.resize((width, height)).save(folder / "last.png", compress_level=1)
    same = f"{loop},{end},format=yuv420p"
    fade = f"xfade=transition=fade:duration={float(count / fps)}:offset=0"
    return ["-i", still], f"{same}[first];movie={folder / 'last.png'},{same}[last];[first][last]{fade},{end}"
