"""Clips that tests of post begin with, and how far two pictures are from each other."""

from pathlib import Path

from PIL import Image, ImageChops, ImageStat

from aipipeline.media import ffmpeg
from renders.backends import JobContext, JobReporter, Stop

SIZE = (160, 90)


def moving(path: Path, *, frames: int, fps: str = "24", sound: bool = False, size: tuple[int, int] = SIZE) -> Path:
    """A clip that zooms into a fractal, with B-frames and groups that fit no piece."""
    picture = f"mandelbrot=s={size[0]}x{size[1]}:r={fps}:start_scale=2:end_scale=0.3:end_pts={frames},gblur=3"
    inputs = ["-f", "lavfi", "-i", picture]
    if sound:
        inputs += ["-f", "lavfi", "-i", "sine=440", "-c:a", "aac", "-shortest"]
    coded = ["-c:v", "libx264", "-preset", "veryfast", "-crf", "10", "-bf", "2", "-g", "17", "-pix_fmt", "yuv420p"]
    ffmpeg.run([*inputs, "-frames:v", str(frames), *coded, path])
    return path


def pictures(path: Path) -> list[Image.Image]:
    """Every frame of a small clip, as brightness."""
    import av

    with av.open(str(path)) as container:
        return [frame.to_image().convert("L") for frame in container.decode(video=0)]


def apart(one: Image.Image, other: Image.Image) -> float:
    """Mean difference of brightness, of 255."""
    return float(ImageStat.Stat(ImageChops.difference(one, other)).mean[0])


def pieces(folder: Path) -> list[Path]:
    """The finished pieces of a job in its work folder."""
    return [path for path in folder.glob("*.mp4") if not path.name.startswith(".")]


class Listening(JobReporter):
    """Keeps what it is told, and says stop when the progress passes `until`, or when so many pieces are `made`."""

    def __init__(self, until: float = 2.0, made: tuple[Path, int] | None = None) -> None:
        self.until, self.made, self.told = until, made, [0.0]
        self.messages: list[str] = []

    def progress(self, value: float, message: str = "") -> None:
        self.told.append(value)
        self.messages.append(message)

    def preview(self, jpeg: bytes) -> None:
        raise AssertionError("nothing here shows previews")

    def stop(self) -> Stop | None:
        if self.made is not None and len(pieces(self.made[0])) >= self.made[1]:
            return Stop.CANCELLED
        return Stop.CANCELLED if self.told[-1] >= self.until else None

    def save_state(self, **state: object) -> None:
        raise AssertionError("pieces are the state")


def job(folder: Path, workflow: str, inputs: dict[str, Path], number: int = 1, **params: object) -> JobContext:
    """An attempt of a job whose work folder stays from attempt to attempt."""
    out = folder / f"out-{number}"
    out.mkdir()
    return JobContext(
        job_id="j",
        attempt_id=str(number),
        workflow=workflow,
        kind="comp",
        params=params,
        subject={},
        inputs=inputs,
        out_dir=out,
        work_dir=folder / ".work-j",
    )
