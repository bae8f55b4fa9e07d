"""The inputs that people name for a job: versions, frames of versions, and frames of what other jobs make."""

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from aipipeline.projects.checks import whole_number
from aipipeline.projects.errors import Invalid
from aipipeline.projects.models import Project
from renders.models import RenderJob, Version, VersionKind, Workflow

MOVING = frozenset({VersionKind.RENDER, VersionKind.COMP, VersionKind.FINAL, VersionKind.PLAYBLAST, VersionKind.MOTION})
LAST_FRAME = 10_000_000


def takes_clip(entry: Mapping[str, Any]) -> bool:
    """Whether this input of a workflow is a clip; else it is a picture."""
    return str(entry.get("role", "")).endswith("_video") or entry.get("kind") in MOVING


def checked_inputs(
    project: Project, workflows: Iterable[Workflow], given: Mapping[str, Any]
) -> tuple[dict[str, Any], list[RenderJob]]:
    """The inputs as jobs keep them, by role, and the jobs that have to end first. Invalid by field, `inputs.<role>`.

    `given`: by role a version id, {"version": id, "frame": "first"|"last"|n} or {"job": id, "frame": …}. What is named
    has to lie in this project; whose it is, is for the person to choose (the style of another shot, a character's
    reference).
    """
    entries = {entry["role"]: entry for workflow in workflows for entry in workflow.inputs}
    if unknown := sorted(set(given) - set(entries)):
        text = _("The workflow takes no input %(names)s. It takes: %(known)s.")
        facts = {"names": ", ".join(unknown)[:200], "known": ", ".join(sorted(entries)) or "–"}
        raise Invalid(text % facts, fields={f"inputs.{name[:80]}": [_("unknown")] for name in unknown[:20]})
    plain = {role: _plain(role, value) for role, value in given.items() if value is not None}
    versions = _versions(project, plain)
    jobs = _jobs(project, plain)
    for role, value in plain.items():
        if isinstance(value, int):
            _refuse_other_medium(role, entries[role], versions[value])
        elif takes_clip(entries[role]):
            _refuse(role, _("a clip is needed, not a frame of one"))
        elif "version" in value and versions[value["version"]].frames is None and value["frame"] not in ("first", 0):
            _refuse(role, _("this version is a picture; it has no further frames"))
    return plain, list(jobs.values())


def _plain(role: str, value: Any) -> Any:
    if (number := whole_number(value)) is not None and number > 0:
        return number
    if isinstance(value, Mapping) and "frame" in value and set(value) in ({"version", "frame"}, {"job", "frame"}):
        frame = value["frame"]
        if frame not in ("first", "last"):
            frame = whole_number(frame)
            if frame is None or not 0 <= frame <= LAST_FRAME:
                _refuse(role, _('a frame is "first", "last" or its number, counted from 0'))
        if "version" in value:
            if (number := whole_number(value["version"])) is not None and number > 0:
                return {"version": number, "frame": frame}
        else:
            try:
                return {"job": str(UUID(value["job"])), "frame": frame}
            except (ValueError, AttributeError, TypeError):
                pass
    return _refuse(role, _('a version id, {"version": id, "frame": n} or {"job": id, "frame": n} is needed'))


def _versions(project: Project, plain: Mapping[str, Any]) -> dict[int, Version]:
    ids = {role: v if isinstance(v, int) else v.get("version") for role, v in plain.items()}
    found = Version.objects.live().filter(project=project, pk__in=[pk for pk in ids.values() if pk]).in_bulk()
    for role, pk in ids.items():
        if pk and pk not in found:
            _refuse(role, _("there is no such version in this project"))
    return found


def _jobs(project: Project, plain: Mapping[str, Any]) -> dict[str, RenderJob]:
    ids = {role: v["job"] for role, v in plain.items() if isinstance(v, dict) and "job" in v}
    rows = RenderJob.objects.filter(project=project, pk__in=ids.values())
    found = {str(job.pk): job for job in rows}
    for role, pk in ids.items():
        if pk not in found:
            _refuse(role, _("there is no such job in this project"))
    return found


def _refuse_other_medium(role: str, entry: Mapping[str, Any], version: Version) -> None:
    if takes_clip(entry) and version.frames is None:
        _refuse(role, _("a clip is needed; this version is a picture"))
    if not takes_clip(entry) and version.frames is not None:
        _refuse(role, _('a picture is needed; this version is a clip: name a frame of it, {"version": id, "frame": n}'))


def _refuse(role: str, why: str) -> Any:
    raise Invalid(f"inputs.{role[:80]}: {why}.", fields={f"inputs.{role[:80]}": [why]})
