"""The files that a job works on, found when it is run: by what was named for it, else by kind."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _

from aipipeline.media.frames import FrameError, take_frame
from renders.backends import BackendError
from renders.models import RenderJob, Version, VersionKind, VersionState, VersionStatus, WaitsFor
from renders.services.approvals import approved_of
from renders.services.chains import version_from

# Inside the attempt's folder, for frames that were taken of clips; gone before the results are sealed.
FRAMES = ".frames"


def gather_inputs(job: RenderJob, frames: Path | None = None) -> tuple[dict[str, Path], dict[str, Any]]:
    """Files by role, and what was used: by role a version id, or {"version": id, "frame": n} with the frame's number.

    Frames of clips are written as PNG into `frames`. BackendError names what is missing and the remedy.
    """
    files: dict[str, Path] = {}
    used: dict[str, Any] = {}
    for entry in job.workflow.inputs:
        role, named = entry["role"], job.inputs.get(entry["role"])
        version = _version(job, entry["kind"], named)
        if version is None:
            if entry.get("required", True):
                raise _missing(job, entry)
            continue
        if isinstance(named, Mapping) and version.frames is not None:
            assert frames is not None  # whoever runs jobs has a place for them
            number, files[role] = _frame(_there(version.file()), named["frame"], frames, role)
            used[role] = {"version": version.pk, "frame": number}
            continue
        used[role] = version.pk
        files[role] = _there(version.file())
        # What goes with a version goes with it only where the workflow found it by kind, whole.
        for extra, name in entry.get("also", {}).items():
            if version.has_file(name):
                files[extra] = _there(version.file(name))
    return files, used


def _missing(job: RenderJob, entry: Mapping[str, Any]) -> BackendError:
    if isinstance(job.inputs.get(entry["role"]), Mapping | int):
        text = _("What was named for %(role)s is not there any more, or is not approved; name another and start again.")
        return BackendError(text % {"role": entry["role"]}, retryable=False)
    text = _("%(owner)s has no %(kind)s yet; make one first, then try again.")
    return BackendError(text % {"owner": job.owner, "kind": _kind(job, entry["kind"])}, retryable=False)


def _there(path: Path) -> Path:
    if not path.is_file():
        raise BackendError(_("Input files are gone from the storage: %(names)s.") % {"names": path.name})
    return path


def _frame(source: Path, which: Any, folder: Path, role: str) -> tuple[int, Path]:
    target = folder / f"{role}.png"
    try:
        folder.mkdir(exist_ok=True)
        return take_frame(source, which, target), target
    except FrameError as error:
        raise BackendError(str(error.message), retryable=False) from error


def _kind(job: RenderJob, kind: str) -> str:
    """Characters and environments have references where shots have first images."""
    return VersionKind.REFERENCE if job.shot_id is None and kind == VersionKind.PREVIZ else kind


def _version(job: RenderJob, kind: str, named: Any) -> Version | None:
    """The version named when the job was made, else the owner's approved one, else its newest not rejected."""
    published = Version.objects.filter(state=VersionState.PUBLISHED).select_related("project")
    if isinstance(named, Mapping) and "job" in named:
        source = RenderJob.objects.filter(pk=named["job"], project=job.project_id).select_related("version__project")
        first = source.first()
        if first is None:
            return None
        approved = approved_of(first) if job.waits_for == WaitsFor.APPROVED else None
        return approved or version_from(first)
    if named is not None:
        pk = named["version"] if isinstance(named, Mapping) else named
        return published.filter(pk=pk, project=job.project_id).first()
    mine = published.filter(
        shot=job.shot, character=job.character, environment=job.environment, kind=_kind(job, kind)
    )  # fmt: skip
    approved = mine.filter(status=VersionStatus.APPROVED).order_by("-number").first()
    return approved or mine.exclude(status=VersionStatus.REJECTED).order_by("-number").first()
