"""The shot list as a sheet: out, and in with a look at the difference first."""

import uuid
from pathlib import Path
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from aipipeline.projects.errors import Invalid, NotFound
from aipipeline.projects.models import Project
from aipipeline.ui.context_processors import project_context
from aipipeline.ui.htmx import hx_toast
from aipipeline.ui.pages import project_page, tab_of
from shots.views.shots import shot_list_fragment

TYPES = {
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "csv": "text/csv; charset=utf-8",
    "json": "application/json",
}
MAX_UPLOAD = 20 * 1024 * 1024


@require_GET
@project_page("sheets.export")
def export(request: HttpRequest, project: Project, kind: str, format: str) -> HttpResponse:
    from shots.sheets.export import export_sheet

    name, content = export_sheet(project=project, kind=kind, format=format)
    return HttpResponse(
        content,
        content_type=TYPES[format],
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


@require_POST
@project_page("sheets.import")
def upload(request: HttpRequest, project: Project) -> HttpResponse:
    """Keep the file, show what it would change; nothing is written to the shot list yet."""
    from shots.sheets.importing import import_sheet

    file = request.FILES.get("file")
    if file is None:
        raise Invalid(_("Choose a sheet first."), fields={"file": [_("empty")]})
    if (file.size or 0) > MAX_UPLOAD:
        raise Invalid(_("%(name)s is larger than 20 MB.") % {"name": file.name})
    token = uuid.uuid4().hex
    kept = _folder(project) / f"{token}{Path(str(file.name)).suffix.lower()[:6]}"
    data = file.read()
    diff = import_sheet(
        project=project, actor=request.user, kind="shots", data=data, filename=str(file.name), dry_run=True
    )
    kept.write_bytes(data)
    return _diff(request, project, diff, kept.name, str(file.name))


@require_POST
@project_page("sheets.import")
def apply(request: HttpRequest, project: Project) -> HttpResponse:
    """Apply the sheet that was uploaded before: one transaction, one undo step."""
    from shots.sheets.importing import import_sheet

    name = Path(request.POST.get("token", "")).name
    kept = _folder(project) / name
    if not name or not kept.is_file():
        raise NotFound(_("This upload is not there any more. Upload the sheet again."))
    diff = import_sheet(
        project=project,
        actor=request.user,
        kind="shots",
        data=kept.read_bytes(),
        filename=kept.name,
        dry_run=False,
        tab=tab_of(request),
    )
    if diff.errors:
        return _diff(request, project, diff, kept.name, kept.name)
    kept.unlink(missing_ok=True)
    return hx_toast(shot_list_fragment(request, project), _("The sheet is applied. Ctrl+Z takes it back."))


def _folder(project: Project) -> Path:
    folder: Path = settings.AIP_DATA / "imports" / str(project.pk)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _diff(request: HttpRequest, project: Project, diff: Any, token: str, filename: str) -> HttpResponse:
    context = {**project_context(request, project), "diff": diff, "token": token, "filename": filename}
    return render(request, "shots/_sheet_diff.html", context)
