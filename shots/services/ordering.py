"""Codes that are never reused, and positions that one row write can change."""

import re
from collections.abc import Sequence

from django.db.models import F, Max
from django.utils.translation import gettext as _

from aipipeline.history.services import Recorder, lock
from aipipeline.projects.errors import Invalid
from aipipeline.projects.models import Project
from shots.models import Scene, Shot

STEP = 10
GAP = 2**16
_NUMBER = re.compile(r"(\d+)$")


def next_codes(project: Project, *, scenes: int = 0, shots: int = 0) -> tuple[list[str], list[str]]:
    """New scene and shot codes, counted by the database: SCN_010, SCN_020…; SHT_0010, SHT_0020…"""
    Project.objects.select_for_update().filter(pk=project.pk).values_list("pk").first()
    Project.objects.filter(pk=project.pk).update(
        scene_counter=F("scene_counter") + scenes * STEP, shot_counter=F("shot_counter") + shots * STEP
    )
    project.refresh_from_db(fields=["scene_counter", "shot_counter"])
    first_scene = project.scene_counter - scenes * STEP
    first_shot = project.shot_counter - shots * STEP
    return (
        [f"SCN_{first_scene + STEP * (i + 1):03d}" for i in range(scenes)],
        [f"SHT_{first_shot + STEP * (i + 1):04d}" for i in range(shots)],
    )


def code_between(project: Project, before: Shot | None) -> str:
    """A code right after the shot `before`, in the gap that steps of ten leave; else the next at the end."""
    match = _NUMBER.search(before.code) if before else None
    if before is None or match is None:
        return next_codes(project, shots=1)[1][0]
    stem, number = before.code[: match.start()], int(match.group(1))
    width = len(match.group(1))
    candidates = [f"{stem}{n:0{width}d}" for n in range(number + 1, (number // STEP + 1) * STEP)]
    taken = set(Shot.objects.filter(project=project, code__in=candidates).values_list("code", flat=True))
    free = [code for code in candidates if code not in taken]
    return free[(len(free) - 1) // 2] if free else next_codes(project, shots=1)[1][0]


def end_position(project: Project, model: type[Shot] | type[Scene] = Shot) -> int:
    """A position after everything."""
    newest = model.objects.filter(project=project).aggregate(last=Max("position"))["last"]
    return int(newest or 0) + GAP


def positions_between(
    recorder: Recorder, project: Project, *, before: Shot | None, moving: Sequence[int], count: int
) -> list[int]:
    """`count` positions just before the shot `before` (None: at the end); makes room when there is none."""
    if before is None:
        first = end_position(project)
        return [first + GAP * i for i in range(count)]
    rows = Shot.objects.filter(project=project, removed_at__isnull=True).exclude(pk__in=moving)
    left = rows.filter(position__lt=before.position).aggregate(last=Max("position"))["last"]
    low = int(left) if left is not None else before.position - GAP * (count + 1)
    room = before.position - low
    if room <= count:
        _spread(recorder, project)
        before.refresh_from_db()
        return positions_between(recorder, project, before=before, moving=moving, count=count)
    return [low + room * (i + 1) // (count + 1) for i in range(count)]


def _spread(recorder: Recorder, project: Project) -> None:
    """Number all positions anew with wide gaps, in the order they have."""
    rows = lock(Shot.objects.filter(project=project)).order_by("position", "id")
    recorder.update_many((shot, {"position": GAP * (index + 1)}) for index, shot in enumerate(rows))


def place_new(recorder: Recorder, project: Project, shots: Sequence[Shot], before: Sequence[int | None]) -> None:
    """Give new, unsaved shots their codes and places: each before the named shot, or at the end. Invalid by row."""
    named = {pk for pk in before if pk is not None}
    targets = {shot.pk: shot for shot in Shot.objects.live().filter(project=project, pk__in=named)}
    errors = {
        f"create.{number}": {"before": [_("unknown id")]}
        for number, pk in enumerate(before)
        if pk is not None and pk not in targets
    }
    if errors:
        raise Invalid(_("Nothing was saved: some rows have errors."), fields=errors)
    groups: dict[int | None, list[Shot]] = {}
    for shot, pk in zip(shots, before, strict=True):
        groups.setdefault(pk, []).append(shot)
    for pk, group in groups.items():
        target = targets.get(pk) if pk is not None else None
        if target is not None:
            target.refresh_from_db(fields=["position"])
        places = positions_between(recorder, project, before=target, moving=[], count=len(group))
        for shot, place in zip(group, places, strict=True):
            shot.position = place
        for shot, code in zip(group, _codes_for(project, target, len(group)), strict=True):
            shot.code = code


def _codes_for(project: Project, target: Shot | None, count: int) -> list[str]:
    """Codes for shots just before another one: in the gap after its neighbour while it lasts, else at the end."""
    neighbour = None
    if target is not None:
        rows = Shot.objects.live().filter(project=project, position__lt=target.position)
        neighbour = rows.order_by("-position", "-id").first()
    if count == 1:
        return [code_between(project, neighbour)]
    match = _NUMBER.search(neighbour.code) if neighbour else None
    if neighbour is None or match is None:
        return next_codes(project, shots=count)[1]
    stem, number, width = neighbour.code[: match.start()], int(match.group(1)), len(match.group(1))
    candidates = [f"{stem}{n:0{width}d}" for n in range(number + 1, (number // STEP + 1) * STEP)]
    taken = set(Shot.objects.filter(project=project, code__in=candidates).values_list("code", flat=True))
    free = [code for code in candidates if code not in taken]
    return free[:count] if len(free) >= count else next_codes(project, shots=count)[1]
