"""The shot list as a sheet: out, and in with a look at the difference first."""

import uuid

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from aipipeline.projects.errors import Invalid
from aipipeline.projects.models import Project
from aipipeline.ui.context_processors import project_context
from aipipeline.ui.htmx import hx_toast
from aipipeline.ui.pages import project_page, tab_of
from shots.sheets import uploads
from shots.sheets.export import export_sheet
from shots.sheets.importing import SheetDiff
from shots.sheets.reading import MAX_BYTES
from shots.views.shots import shot_list_fragment

TYPES = {
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "csv": "text/csv; charset=utf-8",
    "json": "application/json",
}


@require_GET
@project_page("sheets.export")
def export(request: HttpRequest, project: Project, kind: str, format: str) -> HttpResponse:
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
    file = request.FILES.get("file")
    if file is None:
        raise Invalid(_("Choose a sheet first."), fields={"file": [_("empty")]})
    if (file.size or 0) > MAX_BYTES:
        raise Invalid(_("%(name)s is larger than 20 MB.") % {"name": file.name})
    kept = uploads.keep(project=project, kind="shots", name=str(file.name), data=file.read(), token=uuid.uuid4().hex)
    return _diff(request, project, uploads.look(kept, actor=request.user), kept)


@require_POST
@project_page("sheets.import")
def apply(request: HttpRequest, project: Project) -> HttpResponse:
    """Apply the sheet that was uploaded before: one transaction, one undo step."""
    kept = uploads.find(request.POST.get("token", ""), actor=request.user)
    if kept.project.pk != project.pk:
        raise Invalid(_("This upload belongs to another project."))
    diff = uploads.look(kept, actor=request.user)
    if diff.errors:
        return _diff(request, project, diff, kept)
    uploads.apply(kept, actor=request.user, tab=tab_of(request))
    return hx_toast(shot_list_fragment(request, project), _("The sheet is applied. Ctrl+Z takes it back."))


def _diff(request: HttpRequest, project: Project, diff: SheetDiff, kept: uploads.Kept) -> HttpResponse:
    context = {**project_context(request, project), "diff": diff, "token": kept.token, "filename": kept.name}
    return render(request, "shots/_sheet_diff.html", context)
