"""Post of a long clip in pieces, against one bare ffmpeg call over the whole of it: memory and time.

    python3 benchmarks/post.py [--seconds 60] [--size 1280x720] [--what upscale,interpolate] [--json]

Each way runs in this process one after the other, with the same filter and encoder. Memory is the largest sum of the
resident memory (RSS) of this process and all ffmpeg children, looked at twenty times a second, less what this process
had before. A clip a third as long is worked on first: what does not grow from it to the long one is bounded. The bare
call is told by the clock and in CPU seconds of its process; so is ours, with its pieces, their checksums and the join.
"""

import argparse
import json
import os
import resource
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
PAGE = os.sysconf("SC_PAGE_SIZE")


def resident(pid: int) -> int:
    """Bytes of a process and of all that it started."""
    try:
        mine = int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        for task in Path(f"/proc/{pid}/task").iterdir():
            if task.name != str(pid):
                children += (task / "children").read_text().split()
    except (OSError, IndexError):
        return 0
    return mine + sum(resident(int(child)) for child in children)


class Peak:
    bytes = 0


@contextmanager
def watched() -> Iterator[Peak]:
    """The largest resident memory while the block runs."""
    peak, over = Peak(), threading.Event()
    before = resident(os.getpid())

    def look() -> None:
        while not over.wait(0.05):
            peak.bytes = max(peak.bytes, resident(os.getpid()) - before)

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        yield peak
    finally:
        over.set()
        thread.join()


def measured(work: Callable[[], Any]) -> dict[str, float]:
    used = resource.getrusage(resource.RUSAGE_CHILDREN), time.process_time()
    began = time.perf_counter()
    with watched() as peak:
        work()
    now = resource.getrusage(resource.RUSAGE_CHILDREN), time.process_time()
    children = now[0].ru_utime + now[0].ru_stime - used[0].ru_utime - used[0].ru_stime
    return {
        "seconds": round(time.perf_counter() - began, 2),
        "cpu": round(children + now[1] - used[1], 2),
        "megabytes": round(peak.bytes / 2**20, 1),
    }


def clip_of(folder: Path, seconds: int, size: str) -> Path:
    from aipipeline.media import ffmpeg

    path = folder / f"{seconds}.mp4"
    picture = f"mandelbrot=s={size}:r=24:start_scale=2:end_scale=0.3:end_pts={seconds * 24},gblur=2"
    coded = ["-c:v", "libx264", "-preset", "ultrafast", "-crf", "16", "-pix_fmt", "yuv420p"]
    ffmpeg.run(["-f", "lavfi", "-i", picture, "-frames:v", str(seconds * 24), *coded, path])
    return path


def run(what: str, source: Path, folder: Path) -> dict[str, Any]:
    from fractions import Fraction

    from aipipeline.media import ffmpeg
    from comfy_adapters.local import post
    from comfy_adapters.local.backend import LocalBackend
    from comfy_adapters.post.clips import encode, read_clip
    from renders.backends import JobContext, JobReporter

    class Silent(JobReporter):
        def progress(self, value: float, message: str = "") -> None:
            return

        def preview(self, jpeg: bytes) -> None:
            return

        def stop(self) -> None:
            return None

        def save_state(self, **state: Any) -> None:
            return

    clip = read_clip(source)
    out = folder / f"{what}-{source.stem}"
    out.mkdir()
    context = JobContext(
        "j", "a", f"local.{what}", "comp", {}, {}, {"source_video": source}, out, work_dir=folder / f".work-{out.name}"
    )  # fmt: skip
    ours = measured(lambda: LocalBackend().run(context, Silent()))
    if what == "interpolate":
        fps, frames = clip.fps * 2, clip.frames * 2
        chain = f"tpad=stop=5:stop_mode=clone,{post.MOTION.format(grid=fps)},format=yuv420p"
    else:
        fps, frames = Fraction(clip.fps), clip.frames
        size = f"{clip.width * 2}:{clip.height * 2}"
        chain = f"scale={size}:flags=lanczos,unsharp=5:5:0.5,setsar=1,format=yuv420p"
    line = ["-i", source, "-an", "-vf", chain, "-frames:v", str(frames), *encode(fps), folder / f"{out.name}.mp4"]
    bare = measured(lambda: ffmpeg.run(line))
    return {
        "ours": ours,
        "bare": bare,
        "ratio": round(ours["seconds"] / bare["seconds"], 3),
        "cpu_ratio": round(ours["cpu"] / bare["cpu"], 3),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--size", default="1280x720")
    parser.add_argument("--what", default="upscale,interpolate")
    parser.add_argument("--json", action="store_true")
    wanted = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "aipipeline.settings")
    import django

    django.setup()
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as name:
        for seconds in (max(3, wanted.seconds // 3), wanted.seconds):
            source = clip_of(Path(name), seconds, wanted.size)
            for what in wanted.what.split(","):
                found[f"{what} {seconds} s"] = run(what, source, Path(name))
    if wanted.json:
        print(json.dumps(found))
        return
    for title, figures in found.items():
        print(title)
        for way in ("ours", "bare"):
            print(f"  {way:5} {figures[way]}")
        print(f"  ratio by the clock {figures['ratio']}, of CPU seconds {figures['cpu_ratio']}")


if __name__ == "__main__":
    main()
