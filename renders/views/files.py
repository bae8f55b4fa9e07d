"""Files of versions: thumbnails made on demand, originals with Range, previews of running jobs."""

from pathlib import Path
from uuid import UUID

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from aipipeline.media.errors import MediaError
from aipipeline.media.serving import serve_file
from aipipeline.media.thumbnails import make_thumbnail
from aipipeline.projects.errors import NotFound
from renders.columns import kept_thumbnail
from renders.models import Version
from renders.previews import preview_of
from renders.selectors import job_for, version_for

WIDTHS = (160, 320, 640, 1280)


@require_safe
def file(request: HttpRequest, version_id: int, name: str = "") -> HttpResponseBase:
    """The main file of a version, or a named one; `?download=1` gives it its production name."""
    version = version_for(request.user, version_id)
    path = _path(version, name)
    download = _download_name(version, path) if "download" in request.GET else ""
    return serve_file(request, path, download_name=download, immutable=True)


def _download_name(version: Version, path: Path) -> str:
    """The main file has its production name already; others get it in front of their own."""
    if path == version.file():
        return version.file_name
    return f"{Path(version.file_name).stem}_{path.name}"


@require_safe
def thumbnail(request: HttpRequest, version_id: int, width: int) -> HttpResponseBase:
    """A small picture, made once and kept; a version never changes, so neither does it."""
    version = version_for(request.user, version_id)
    size = min((w for w in WIDTHS if w >= width), default=WIDTHS[-1])
    path = kept_thumbnail(version.pk, size)
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            make_thumbnail(_path(version, ""), path, width=size)
        except MediaError as error:
            raise NotFound(_("There is no picture of this version.")) from error
    return serve_file(request, path, immutable=True)


@require_safe
def preview(request: HttpRequest, job_id: UUID) -> HttpResponse:
    """The newest preview of a running job; 404 while there is none."""
    job = job_for(request.user, job_id)
    jpeg = preview_of(job.pk)
    if jpeg is None:
        raise NotFound(_("There is no preview of this job."))
    return HttpResponse(jpeg, content_type="image/jpeg", headers={"Cache-Control": "no-store"})


def _path(version: Version, name: str) -> Path:
    try:
        return version.file(name)
    except (FileNotFoundError, IndexError) as error:
        raise NotFound(_("This version has no such file.")) from error
