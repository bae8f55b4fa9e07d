"""Reads of the cut: the clips in order with the best media of each shot, and the movies made of it."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from aipipeline.projects.models import Project
from renders.models import Version, VersionStatus
from shots.models import Shot
from timeline.cut import Cut, CutClip, CutMarker
from timeline.models import Clip, Edit, Marker, Movie
from timeline.services.edits import ensure_edit
from timeline.timecode import media_start_for, reel_for

MEDIA_KINDS = ("final", "comp", "render", "playblast", "previz")


@dataclass(frozen=True)
class EditClip:
    """One clip of the page: its place in the cut, in frames, and what it shows."""

    shot: Shot
    clip: Clip | None
    start: int
    version: Version | None

    @property
    def end(self) -> int:
        return self.start + self.shot.duration_frames


def best_versions(shots: Iterable[Shot]) -> dict[int, Version]:
    """By shot: the furthest kind that exists, approved before newest, never a rejected one. One query."""
    best: dict[int, tuple[tuple[int, int, int], Version]] = {}
    versions = (
        Version.objects.live()
        .filter(shot__in=[shot.pk for shot in shots], kind__in=MEDIA_KINDS)
        .exclude(status=VersionStatus.REJECTED)
        .select_related("project")
    )
    for version in versions:
        assert version.shot_id is not None  # filtered by shot
        rank = (
            -MEDIA_KINDS.index(version.kind),
            version.status == VersionStatus.APPROVED,
            version.number,
        )
        if version.shot_id not in best or rank > best[version.shot_id][0]:
            best[version.shot_id] = (rank, version)
    return {shot_id: version for shot_id, (_rank, version) in best.items()}


def clips_of(project: Project, edit: Edit) -> list[EditClip]:
    """The primary clips in story order with their start frames."""
    shots = list(
        Shot.objects.live().filter(project=project).select_related("scene", "project").order_by("position", "id")
    )
    clips = {
        clip.shot_id: clip
        for clip in Clip.objects.live().filter(track__edit=edit, primary=True).select_related("version")
    }
    best = best_versions(shots)
    found: list[EditClip] = []
    start = 0
    for shot in shots:
        clip = clips.get(shot.pk)
        version = clip.version if clip and clip.version else best.get(shot.pk)
        found.append(EditClip(shot=shot, clip=clip, start=start, version=version))
        start += shot.duration_frames
    return found


def cut_of(project: Project) -> tuple[Edit, Cut]:
    """The current edit as a Cut: what players, encoders and exporters work on."""
    edit = ensure_edit(project)
    clips = clips_of(project, edit)
    rate = project.rate
    fps = round(rate)
    start = edit.start_frame if edit.start_frame is not None else 3600 * fps
    markers = Marker.objects.live().filter(edit=edit)
    return edit, Cut(
        title=project.title,
        fps=rate,
        width=project.width,
        height=project.height,
        start_frame=start,
        clips=tuple(_cut_clip(entry, index, rate) for index, entry in enumerate(clips)),
        markers=tuple(CutMarker(frame=m.frame, name=m.name, comment=m.comment, color=m.color) for m in markers),
    )


def _cut_clip(entry: EditClip, index: int, rate: Any) -> CutClip:
    shot, version = entry.shot, entry.version
    still = version is not None and not version.frames
    return CutClip(
        name=shot.code,
        shot_code=shot.code,
        reel=reel_for(shot.code, index),
        duration=shot.duration_frames,
        source_in=entry.clip.source_in if entry.clip else 0,
        media=version.file() if version else None,
        media_frames=(version.frames or shot.duration_frames) if version else shot.duration_frames,
        media_start=media_start_for(index, rate),
        is_still=still,
        comment=shot.description,
        scene=shot.scene.code if shot.scene else "",
        dialogue=shot.dialogue,
        markers=(),
    )


def signature(cut: Cut, *, profile: str) -> str:
    """A hash of everything that shows in the movie: the same signature is the same movie."""
    facts: list[Any] = [profile, str(cut.fps), cut.width, cut.height]
    for clip in cut.clips:
        facts.append([clip.shot_code, clip.duration, clip.source_in, str(clip.media)])
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()


def newest_movie(project: Project, kind: str) -> Movie | None:
    """The movie that was made last; whether it still shows the cut, its signature tells."""
    return Movie.objects.filter(project=project, kind=kind).order_by("-created_at").first()
