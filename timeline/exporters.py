"""Edits with their tracks, clips and markers, for the metadata file of the cut (edit/timeline_state.json)."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from aipipeline.projects.models import Project
from assets.facts import Form, save_all
from assets.metadata import register_part
from assets.rebuilding import Entry, Rebuild, short
from renders.models import Version
from shots.models import Shot
from timeline.models import Clip, Edit, Marker, Track

EDIT = Form(Edit)
TRACK = Form(Track, leave=frozenset({"edit", "created_at"}))
CLIP = Form(Clip, names={"shot": "code"}, leave=frozenset({"track", "version", "created_at"}))
MARKER = Form(Marker, names={"author": "username"}, leave=frozenset({"edit"}))
# A version is told by what it is a version of, its kind and its number.
_OWNERS = {"shot": "code", "character": "name", "environment": "name"}


def register() -> None:
    register_part("edit", describe_edits, restore_edits)


def describe_edits(rows: list[Project]) -> Mapping[Any, Mapping[str, Any]]:
    facts: dict[Any, dict[str, Any]] = {row.pk: {"edits": []} for row in rows}
    mine = {"project__in": rows}
    tracks = _grouped(TRACK.rows(Track.objects.filter(**mine)).order_by("kind", "index", "id"), "edit_id")
    related = ("shot", "version", *(f"version__{name}" for name in _OWNERS))
    clips = _grouped(Clip.objects.filter(**mine).select_related(*related).order_by("id"), "track_id")
    markers = _grouped(MARKER.rows(Marker.objects.filter(**mine)).order_by("id"), "edit_id")
    for edit in Edit.objects.filter(**mine).order_by("id"):
        facts[edit.project_id]["edits"].append(
            {
                **EDIT.facts(edit),
                "tracks": [
                    {**TRACK.facts(track), "clips": [_clip(clip) for clip in clips.get(track.pk, [])]}
                    for track in tracks.get(edit.pk, [])
                ],
                "markers": [MARKER.facts(marker) for marker in markers.get(edit.pk, [])],
            }
        )
    return facts


def _grouped(rows: Any, name: str) -> dict[int, list[Any]]:
    found: dict[int, list[Any]] = {}
    for row in rows:
        found.setdefault(getattr(row, name), []).append(row)
    return found


def _clip(clip: Clip) -> dict[str, Any]:
    version = clip.version
    if version is None:
        return {**CLIP.facts(clip), "version": None}
    owner = next((kind, getattr(version, kind)) for kind in _OWNERS if getattr(version, kind) is not None)
    told = {owner[0]: getattr(owner[1], _OWNERS[owner[0]]), "kind": version.kind, "number": version.number}
    return {**CLIP.facts(clip), "version": told}


def restore_edits(rebuild: Rebuild, entries: list[Entry]) -> None:
    for entry in entries:
        entry.row = rebuild.project
        edits: list[tuple[str, Edit, dict[str, Any]]] = []
        for where, facts in rebuild.objects(entry.facts, "edits", entry.where):
            if (edit := EDIT.make(rebuild, where, facts)) is not None:
                edits.append((where, edit, facts))
        if sum(edit.current and edit.removed_at is None for _where, edit, _facts in edits) > 1:
            rebuild.problem(entry.where, _("two edits say that they are the current one"))
            continue
        save_all([edit for _where, edit, _facts in edits])
        markers = [
            MARKER.make(rebuild, place, marker, edit=edit)
            for where, edit, facts in edits
            for place, marker in rebuild.objects(facts, "markers", where)
        ]
        save_all([marker for marker in markers if marker is not None])
        _restore_tracks(rebuild, edits)


def _restore_tracks(rebuild: Rebuild, edits: list[tuple[str, Edit, dict[str, Any]]]) -> None:
    tracks: dict[tuple[int, str, int], tuple[str, Track, dict[str, Any]]] = {}
    for where, edit, facts in edits:
        for place, told in rebuild.objects(facts, "tracks", where):
            track = TRACK.make(rebuild, place, told, edit=edit)
            if track is None:
                continue
            if (edit.pk, track.kind, track.index) in tracks:
                name = f"{track.kind} {track.index}"
                rebuild.problem(place, _("%(name)s is there twice") % {"name": name})
            tracks[edit.pk, track.kind, track.index] = (place, track, told)
    save_all([track for _place, track, _told in tracks.values()])
    clips = []
    for place, track, told in tracks.values():
        seen: set[int] = set()
        for where, facts in rebuild.objects(told, "clips", place):
            clip = _restore_clip(rebuild, where, facts, track, seen)
            if clip is not None:
                clips.append(clip)
    save_all(clips)


def _restore_clip(rebuild: Rebuild, where: str, facts: Mapping[str, Any], track: Track, seen: set[int]) -> Clip | None:
    clip: Clip | None = CLIP.make(rebuild, where, facts, track=track, version=_version(rebuild, where, facts))
    if clip is None or not clip.primary:
        return clip
    if clip.shot_id is None:
        rebuild.warn(where, _("a shot's own clip without its shot; it is left out"))
        return None
    if clip.record_in is not None or clip.duration_frames is not None:
        rebuild.problem(where, _("a shot's own clip has no place and length of its own"))
        return None
    if clip.shot_id in seen:
        rebuild.problem(where, _("%(name)s is there twice") % {"name": short(facts.get("shot"))})
        return None
    seen.add(clip.shot_id)
    return clip


def _version(rebuild: Rebuild, where: str, facts: Mapping[str, Any]) -> Version | None:
    told = facts.get("version")
    if told is None:
        return None
    kind = next((kind for kind in _OWNERS if isinstance(told, dict) and isinstance(told.get(kind), str)), None)
    if kind is None or not isinstance(told.get("kind"), str) or not isinstance(told.get("number"), int):
        rebuild.problem(f"{where}: version", _("an object with an owner, a kind and a number is needed"))
        return None
    labels = {"shot": Shot._meta.label_lower, "character": "assets.character", "environment": "assets.environment"}
    owner = rebuild.named(labels[kind], told[kind], f"{where}: version")
    if owner is None:
        return None
    key = (kind, owner.pk, told["kind"], told["number"])
    version: Version | None = rebuild.named(Version._meta.label_lower, key, f"{where}: version")
    return version
