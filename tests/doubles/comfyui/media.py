"""What flows along the links of a graph in the double: sizes, lengths and where the pixels come from, never frames."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from PIL import Image, ImageOps

from aipipeline.media.probe import ProbeError, probe


class NodeError(Exception):
    """An exception inside a node, with the type name that the server reports."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


class Blocked(Exception):
    """An ExecutionBlocker with a message reached a node."""


@dataclass(frozen=True)
class Clip:
    """Frames of a file: frame i is the file's frame (skip + i) // each."""

    path: Path
    skip: int = 0
    each: int = 1


@dataclass(frozen=True)
class Images:
    """A batch of pictures of one size. Its frames are those of `clip`; without one they go from `first` to `last`, or
    drift a little. `first` may be of another size: `picture()` has the right one."""

    first: Image.Image
    size: tuple[int, int]
    frames: int = 1
    clip: Clip | None = None
    last: Image.Image | None = None

    @classmethod
    def of(cls, image: Image.Image, frames: int = 1) -> "Images":
        return cls(image, image.size, frames)

    def picture(self) -> Image.Image:
        return self.first if self.first.size == self.size else ImageOps.fit(self.first, self.size)

    def sized(self, width: int, height: int, *, crop: bool = True) -> "Images":
        image = self.first if crop else self.first.resize((width, height))
        return replace(self, first=image, size=(width, height))

    def part(self, start: int, count: int) -> "Images":
        """Frames from `start`, as many as there are of `count`."""
        start = max(0, min(start, self.frames - 1))
        clip = self.clip and replace(self.clip, skip=self.clip.skip + start)
        return replace(self, frames=max(1, min(count, self.frames - start)), clip=clip)

    def times(self, each: int) -> "Images":
        """Interpolated: (n - 1) · each + 1 frames."""
        clip = self.clip and replace(self.clip, skip=self.clip.skip * each, each=self.clip.each * each)
        return replace(self, frames=(self.frames - 1) * each + 1, clip=clip)


@dataclass(frozen=True)
class Audio:
    """Sound of a file, or a tone."""

    seconds: float
    path: Path | None = None


@dataclass(frozen=True)
class Video:
    images: Images
    fps: Fraction
    audio: Audio | None = None


@dataclass(frozen=True)
class Mask:
    width: int
    height: int


@dataclass(frozen=True)
class Model:
    """Of a loader: the file's name tells what its VAE does to sizes and lengths."""

    file: str

    @property
    def stride(self) -> int:
        """Frames that one latent frame stands for."""
        name = self.file.lower()
        return 8 if "ltx" in name else 4 if "wan" in name or "umt5" in name else 1


@dataclass(frozen=True)
class Latent:
    """`width` and `height` in pixels, `count` in latent frames of `stride` frames each (all but the first).
    `guides`: how many of them are keyframes that were appended and have to be cropped off again."""

    width: int
    height: int
    count: int = 1
    stride: int = 1
    seed: int = 0
    guides: int = 0
    start: Image.Image | None = None
    end: Image.Image | None = None
    clip: Clip | None = None

    @property
    def frames(self) -> int:
        return (self.count - 1) * self.stride + 1


@dataclass(frozen=True)
class Sound:
    """A latent of sound."""

    seconds: float


@dataclass(frozen=True)
class Both:
    """Video and sound in one latent."""

    video: Latent
    sound: Sound


@dataclass(frozen=True)
class Run:
    """What a node may use besides its inputs. `step(value, max, image)` reports a step and takes its time,
    `check_memory(pixels of all frames)` raises when the card is too small, `load(file)` counts and waits."""

    key: str
    prompt: dict[str, Any]
    extra: dict[str, Any]
    folders: dict[str, Path]
    modern: bool
    step: Callable[[int, int, Image.Image], None]
    check_memory: Callable[[int], None]
    load: Callable[[str], None]


def input_path(folders: dict[str, Path], name: str) -> Path:
    """The file behind a name as loaders take it: `sub/file.png`, or `file.png [output]` for an earlier result."""
    kind = "input"
    for other in folders:
        if name.endswith(f" [{other}]"):
            kind, name = other, name[: -len(other) - 3]
    return folders[kind] / name


def open_image(path: Path, *, turned: bool = False) -> tuple[Image.Image, int]:
    """The first picture and how many there are. `turned`: upright as its maker held it, as Pillow is asked to."""
    try:
        with Image.open(path) as opened:
            opened.load()
            frames = 1 if opened.format == "MPO" else getattr(opened, "n_frames", 1)
            return (ImageOps.exif_transpose(opened) if turned else opened.copy()), frames
    except OSError as error:
        raise NodeError("UnidentifiedImageError", f"cannot identify image file '{path}'") from error


def open_video(path: Path) -> Video:
    """The whole file as frames that are read again when something is saved."""
    try:
        facts = probe(path)
        if facts.kind != "video":
            raise ProbeError("no picture")
        with av.open(str(path)) as container:
            first = next(container.decode(container.streams.video[0])).to_image()
    except (ProbeError, av.FFmpegError, StopIteration) as error:
        raise NodeError("InvalidDataError", f"Invalid data found when processing input: '{path}'") from error
    images = Images(first, first.size, facts.frames, Clip(path))
    fps = facts.fps or Fraction(24)
    audio = Audio(float(facts.frames / fps), path) if facts.has_audio else None
    return Video(images, fps, audio)
