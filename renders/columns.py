"""What renders add to tables: the picture of a row, the job that works on it, and the workflows to choose from."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

from django.conf import settings
from django.db.models import Q

from aipipeline.projects.models import Project
from aipipeline.tables.columns import Option
from aipipeline.tables.registry import Provider, provide, table_of
from aipipeline.tables.sheets.pictures import PictureFiles, provide_pictures
from renders.models import RenderJob, Version, VersionKind, VersionStatus, Workflow
from renders.models.job import OPEN_STATES
from renders.selectors import current_by_shot, stale_reasons
from shots.tables import ShotTable

WIDTH = 320


def thumbnail_of(owner: str, *kinds: str) -> Provider:
    """By row: the address of the approved picture of these kinds, else of the newest not rejected. One query."""

    def provider(project: Project, ids: Sequence[int]) -> dict[int, str]:
        rows = Version.objects.live().filter(**{f"{owner}__in": ids}, kind__in=kinds)
        found: dict[int, tuple[bool, int]] = {}
        rows = rows.exclude(status=VersionStatus.REJECTED).order_by("published_at", "pk")
        for pk, version, status in rows.values_list(f"{owner}_id", "pk", "status"):
            approved = status == VersionStatus.APPROVED
            if approved or not found.get(pk, (False, 0))[0]:
                found[pk] = (approved, version)
        return {pk: f"/versions/{version}/thumb/{WIDTH}/" for pk, (_approved, version) in found.items()}

    return provider


def kept_thumbnail(version_id: int, width: int) -> Path:
    """Where the small picture of a version is kept once somebody has looked at it."""
    folder: Path = settings.AIP_DATA / "thumbnails"
    return folder / f"{version_id % 1000:03d}" / f"{version_id}_{width}.webp"


def picture_files(owner: str, *kinds: str) -> PictureFiles:
    """By row: the file of the picture that the grid shows, the small one where it is kept. Two queries."""
    shown = thumbnail_of(owner, *kinds)

    def provider(project: Project, ids: Sequence[int]) -> dict[int, Path]:
        versions = {row_id: int(url.split("/")[2]) for row_id, url in shown(project, ids).items()}
        rows = Version.objects.select_related("project").in_bulk(list(versions.values()))
        found: dict[int, Path] = {}
        for row_id, version_id in versions.items():
            small = kept_thumbnail(version_id, WIDTH)
            found[row_id] = small if small.is_file() else rows[version_id].file()
        return found

    return provider


def job_of(owner: str) -> Provider:
    """By row: [job id, how far it is from 0 to 1] of its newest job that still runs or waits. One query."""

    def provider(project: Project, ids: Sequence[int]) -> dict[int, list[Any]]:
        jobs = RenderJob.objects.filter(**{f"{owner}__in": ids}, state__in=OPEN_STATES).order_by("created_at")
        return {pk: [str(job), progress] for pk, job, progress in jobs.values_list(f"{owner}_id", "pk", "progress")}

    return provider


def stale_of(project: Project, ids: Sequence[int]) -> dict[int, str]:
    """By shot: why its current clip is out of date. Three queries."""
    shown = {row.pk: shot for (shot, _kind), row in current_by_shot(ids, [VersionKind.RENDER]).items()}
    reasons = stale_reasons(Version(pk=pk, project=project) for pk in shown)
    return {shown[pk]: reason for pk, reason in reasons.items()}


def workflows(project: Project) -> list[Option]:
    rows = Workflow.objects.filter(Q(project=None) | Q(project=project), enabled=True).order_by("title")
    return [Option(key, title, backend) for key, title, backend in rows.values_list("key", "title", "backend")]


def register() -> None:
    provide("shots", "thumbnail", thumbnail_of("shot", VersionKind.PREVIZ))
    provide("characters", "thumbnail", thumbnail_of("character", VersionKind.REFERENCE, VersionKind.PREVIZ))
    provide("environments", "thumbnail", thumbnail_of("environment", VersionKind.REFERENCE, VersionKind.PREVIZ))
    provide("presets", "thumbnail", thumbnail_of("shot__preset", VersionKind.PREVIZ))
    provide_pictures("shots", picture_files("shot", VersionKind.PREVIZ))
    provide_pictures("characters", picture_files("character", VersionKind.REFERENCE, VersionKind.PREVIZ))
    provide_pictures("environments", picture_files("environment", VersionKind.REFERENCE, VersionKind.PREVIZ))
    provide("shots", "stale", stale_of)
    for key, owner in (("shots", "shot"), ("characters", "character"), ("environments", "environment")):
        provide(key, "job", job_of(owner), fact=True)
    cast(ShotTable, table_of("shots")).workflows.append(workflows)
