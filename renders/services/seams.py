"""Seams: how far the picture jumps from the end of one shot to the beginning of the next.

Measured in the background once both sides are published: small pictures are compared in brightness and in structure,
the same way every time.
"""

import tempfile
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path
from typing import Any

import structlog
from django.db.models import Q
from PIL import Image, ImageChops, ImageStat

from aipipeline.events import publish
from aipipeline.media.frames import FrameError, take_frame
from aipipeline.media.storage import StorageError
from aipipeline.projects.models import Project
from renders.models import Seam, Version, VersionKind
from renders.selectors import current_by_shot, links_of
from shots.models import Shot

SIZE = (160, 90)
# Below this much (of 255) an edge is noise: flat pictures with grain are not told apart by it.
GRAIN = 10.0
STRUCTURE = 0.5
AT_ONCE = 50
log = structlog.get_logger(__name__)


def pairs_of(project: Project) -> list[tuple[int, int]]:
    """(before, after) version ids: the current clips of neighbours in the story, and each link of a chain.

    Three queries.
    """
    order = list(Shot.objects.live().filter(project=project).order_by("position", "pk").values_list("pk", flat=True))
    clips = {shot: row.pk for (shot, _kind), row in current_by_shot(order, [VersionKind.RENDER]).items()}
    found = [(clips[a], clips[b]) for a, b in pairwise(order) if a in clips and b in clips]
    shown = set(clips.values())
    found += [(used, pk) for pk, used in links_of([project.pk]).items() if pk in shown]
    return list(dict.fromkeys(found))


def missing_of(project: Project) -> list[tuple[int, int]]:
    """The pairs that nobody has measured yet."""
    measured = set(Seam.objects.filter(project=project).values_list("before_id", "after_id"))
    return [pair for pair in pairs_of(project) if pair not in measured]


def measure_project(*, project: Project) -> int:
    """Measure what is missing, a portion at most; how many were. What cannot be read is logged and passed over.

    Slow: it decodes clips. Safe to run anywhere and at once, a seam is written once.
    """
    pairs = missing_of(project)[:AT_ONCE]
    versions = Version.objects.live().select_related("project").in_bulk({pk for pair in pairs for pk in pair})
    done = []
    for before, after in pairs:
        if before in versions and after in versions and measure(versions[before], versions[after]) is not None:
            done.append(after)
    if done:
        publish(f"project:{project.pk}", "seam.changed", ids=done)
    return len(done)


def measure_all() -> int:
    """Measure what is missing in the projects whose clips were published lately."""
    count = 0
    for project in _lately_published():
        count += measure_project(project=project)
    return count


def _lately_published() -> Iterable[Project]:
    recent = Version.objects.live().filter(kind=VersionKind.RENDER, shot__isnull=False).order_by("-published_at")
    ids = dict.fromkeys(recent.values_list("project_id", flat=True)[:500])
    return Project.objects.live().filter(pk__in=ids)


def measure(before: Version, after: Version) -> Seam | None:
    """Measure one seam and keep it; None when a side cannot be read."""
    try:
        with tempfile.TemporaryDirectory(prefix="seam-") as folder:
            last = _picture(before, "last", Path(folder) / "last.png")
            first = _picture(after, "first", Path(folder) / "first.png")
            score, details = jump(last, first)
    except (FrameError, StorageError, OSError, Image.DecompressionBombError) as error:
        log.warning("seam_not_measured", before=before.pk, after=after.pk, error=str(error))
        return None
    seam, _made = Seam.objects.update_or_create(
        before=before, after=after, defaults={"project": before.project, "score": score, "details": details}
    )
    return seam


def _picture(version: Version, which: Any, target: Path) -> Image.Image:
    source = version.file()
    if version.frames is not None:
        take_frame(source, which, target)
        source = target
    with Image.open(source) as image:
        return image.convert("L").resize(SIZE, Image.Resampling.BOX)


def jump(last: Image.Image, first: Image.Image) -> tuple[float, dict[str, float]]:
    """0 for the same picture, 1 for black against white; with its parts `luma` and `structure`, each 0 to 1.

    Both are grey and of one size. Structure is the share of the edges that are not in both.
    """
    luma = _mean(ImageChops.difference(last, first)) / 255
    apart = either = 0.0
    for step in ((1, 0), (0, 1)):
        a, b = _edges(last, *step), _edges(first, *step)
        apart += _mean(ImageChops.difference(a, b))
        either += _mean(ImageChops.lighter(a, b))
    structure = apart / (either + GRAIN)
    score = luma + (1 - luma) * STRUCTURE * structure
    return round(min(1.0, score), 4), {"luma": round(luma, 4), "structure": round(structure, 4)}


def _edges(image: Image.Image, across: int, down: int) -> Image.Image:
    """How much each point differs from its neighbour; without the rim, which has none."""
    moved = ImageChops.offset(image, across, down)
    width, height = image.size
    return ImageChops.difference(image, moved).crop((across, down, width, height))


def _mean(image: Image.Image) -> float:
    return float(ImageStat.Stat(image).mean[0])


def told(project: Project, pairs: Iterable[tuple[int, int]]) -> list[Seam]:
    """The seams of these pairs that were measured, with both versions' shots; in the order of the pairs."""
    wanted = list(pairs)
    rows = Seam.objects.filter(
        Q(before__in=[a for a, _b in wanted]), Q(after__in=[b for _a, b in wanted]), project=project
    ).select_related("before__shot", "after__shot")
    found = {(row.before_id, row.after_id): row for row in rows.defer("before__provenance", "after__provenance")}
    return [found[pair] for pair in wanted if pair in found]
