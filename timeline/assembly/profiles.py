"""How movies are encoded."""

from dataclasses import dataclass
from fractions import Fraction

from aipipeline.media.h264 import encoder


@dataclass(frozen=True)
class Profile:
    """`max_width` in pixels (None: the project's size). Everything that changes the picture is in `key`."""

    name: str
    max_width: int | None
    preset: str
    crf: int
    tune: str = ""

    def size(self, width: int, height: int) -> tuple[int, int]:
        """The movie's size, both even, in the cut's shape."""
        if self.max_width is None or width <= self.max_width:
            return width // 2 * 2, height // 2 * 2
        return self.max_width, round(self.max_width * height / width / 2) * 2

    def encoder(self, fps: Fraction) -> list[str]:
        """ffmpeg's output arguments."""
        return encoder(fps, preset=self.preset, crf=self.crf, tune=self.tune)

    @property
    def key(self) -> str:
        return f"{self.name}/{self.max_width}/{self.preset}/{self.crf}/{self.tune}"


PROXY = Profile("proxy", 960, "veryfast", 23, "fastdecode")
FILM = Profile("film", None, "superfast", 18)
