"""The bare work of a production that `./aip produce` made: its Pillow and ffmpeg calls, and nothing else.

Run by `produce.py` in the production's data folder. What is to be drawn and encoded is read from the database before
the clock starts. Then, in a plain pool of two processes, stage after stage as the data depends: every panel drawn and
written as PNG by the same functions, every shot video, every segment of the proxy and every join by the same ffmpeg
commands. Left out: database, queue, web, events, leases, checksums, flushing to disk, reading files back, metadata
files, exports, and starting any service. The pool's processes are forked warm, and their start is measured.
"""

import json
import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from fractions import Fraction
from multiprocessing import get_context
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "aipipeline.settings")
POOL = 2


def panel(task: tuple[dict[str, Any], dict[str, Any], Path]) -> None:
    from comfy_adapters.local import backend

    subject, params, folder = task
    folder.mkdir()
    backend.write_panel(subject, params, folder)


def move(task: tuple[dict[str, Any], Path, Path]) -> None:
    from comfy_adapters.local import moves

    params, still, out = task
    moves.render_move(
        still,
        out,
        frames=int(params["frames"]),
        fps=Fraction(params["fps"]),
        width=int(params["width"]),
        height=int(params["height"]),
        movement=str(params["movement"]),
        seed=int(params["seed"] or 0),
    )


def segment(task: tuple[Any, Path]) -> None:
    from timeline.assembly.segments import render_segment

    render_segment(*task)


def joined(task: tuple[list[Path], Path]) -> None:
    from timeline.assembly.build import join

    join(*task)


def cpu() -> float:
    usages = (resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def stages(code: str, folder: Path) -> list[tuple[str, Callable[..., None], Sequence[Any]]]:
    """(stage, function, its tasks) in order."""
    from aipipeline.projects.models import Project
    from renders.models import RenderJob
    from timeline.assembly.profiles import PROXY
    from timeline.assembly.segments import Segment
    from timeline.selectors import cut_of

    project = Project.objects.get(code=code)
    jobs = {(j.shot.code, j.kind): j for j in RenderJob.objects.filter(project=project).select_related("shot")}
    _edit, cut = cut_of(project)
    width, height = PROXY.size(cut.width, cut.height)
    panels, videos, shown = [], [], []
    for number, clip in enumerate(cut.clips):
        image, video = jobs[clip.shot_code, "previz"], jobs[clip.shot_code, "render"]
        at = folder / str(number)
        panels.append((image.subject, image.params, at))
        videos.append((video.params, at / "clean.png", at / "shot.mp4"))
        # The proxy of the run showed the stills: the videos came after it.
        still = Segment(at / "panel.png", "", "", True, 0, clip.duration, cut.fps, width, height, PROXY)
        shown.append((still, at / "proxy.mp4"))
    return [
        ("images", panel, panels),
        ("proxy", segment, shown),
        ("proxy", joined, [([file for _still, file in shown], folder / "proxy.mp4")]),
        ("videos", move, videos),
        ("film", joined, [([file for _params, _still, file in videos], folder / "film.mp4")]),
    ]


def main() -> int:
    import django

    django.setup()
    from django.db import connections

    with tempfile.TemporaryDirectory(prefix="aip-bare-", dir=os.environ["AIP_DATA"]) as folder:
        work = stages(sys.argv[1], Path(folder))
        connections.close_all()
        seconds: dict[str, float] = {}
        spent: dict[str, float] = {}
        for name, function, tasks in work:
            began, used = time.monotonic(), cpu()
            with get_context("fork").Pool(POOL) as pool:
                pool.map(function, tasks, chunksize=1)
                pool.close()
                pool.join()
            seconds[name] = seconds.get(name, 0.0) + time.monotonic() - began
            spent[name] = spent.get(name, 0.0) + cpu() - used
    print(json.dumps({
        "seconds": seconds, "cpu": spent, "total": sum(seconds.values()), "total_cpu": sum(spent.values()),
    }))  # fmt: skip
    return 0


if __name__ == "__main__":
    sys.exit(main())
