"""How movies are encoded."""

from dataclasses import dataclass
from fractions import Fraction


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
        """ffmpeg's arguments. No B-frames and closed groups: segments join exactly, and browsers seek exactly."""
        tune = ["-tune", self.tune] if self.tune else []
        return [
            "-c:v", "libx264", "-preset", self.preset, *tune, "-crf", str(self.crf), "-bf", "0", "-g", "12",
            "-keyint_min", "12", "-sc_threshold", "0", "-flags", "+cgop", "-pix_fmt", "yuv420p", "-an",
            "-video_track_timescale", str(timescale(fps)), "-x264-params", "stitchable=1",
        ]  # fmt: skip

    @property
    def key(self) -> str:
        return f"{self.name}/{self.max_width}/{self.preset}/{self.crf}/{self.tune}"


def timescale(fps: Fraction) -> int:
    """Ticks per second in which every frame is a whole number of ticks: the same for all segments."""
    return fps.numerator * 512 if fps.denominator == 1 else fps.numerator


PROXY = Profile("proxy", 960, "veryfast", 23, "fastdecode")
FILM = Profile("film", None, "superfast", 18)
