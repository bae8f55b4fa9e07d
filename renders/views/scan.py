"""The comparison of the production tree with the disk: what it found, and dropped files that become versions."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from aipipeline.projects.models import Project
from aipipeline.projects.permissions import require
from aipipeline.ui.context_processors import project_context
from aipipeline.ui.htmx import hx_refresh, hx_toast, render_page_or_fragment
from aipipeline.ui.pages import body_of, project_page, tab_of
from renders.models import VersionKind
from renders.services import scans
from renders.services.scanning import Finding

SHOWN = 100


@require_http_methods(["GET", "HEAD", "POST"])
@project_page("project.view")
def scan(request: HttpRequest, project: Project) -> HttpResponse:
    """GET: what the newest scan found. POST: scan now; `deep` compares checksums too, which leads may start."""
    if request.method == "POST":
        require(request.user, "versions.upload", project)
        deep = body_of(request).get("deep") in ("1", "true", "on", True)
        if deep:
            require(request.user, "tree.manage", project)
        scans.start_scan(project=project, actor=request.user, deep=deep)
        return _told(_("The tree is being compared with the disk."))
    newest, done = scans.newest(project, scans.SCAN), scans.newest_done(project, scans.SCAN)
    adoption = scans.newest(project, scans.ADOPT)
    context = {
        **project_context(request, project),
        "running": [task for task in (newest, adoption) if task is not None and task.state in ("queued", "running")],
        "failed": [task for task in (newest, adoption) if task is not None and task.state == "failed"],
        "scan": done,
        "adoption": adoption if adoption is not None and adoption.state == "succeeded" else None,
        "findings": _findings(done.result if done is not None else {}, scans.reasons_of(adoption)),
        "kinds": VersionKind.choices,
    }
    return render_page_or_fragment(request, "renders/scan.html", "renders/_scan.html", context)


def _findings(result: dict[str, Any], reasons: dict[str, str]) -> list[dict[str, Any]]:
    """What was found, by kind, in the order in which a person should look at it."""
    shown = []
    for finding in Finding:
        count = result.get("counts", {}).get(finding.value, 0)
        if count:
            rows = [
                {**row, "reason": reasons.get(row["path"], "")}
                for row in result["found"].get(finding.value, [])[:SHOWN]
            ]
            shown.append(
                {"kind": finding.value, "label": finding.label, "count": count, "rows": rows, "more": count - len(rows)}
            )
    return shown


@require_POST
@project_page("versions.upload")
def adopt(request: HttpRequest, project: Project) -> HttpResponse:
    """One dropped file (`path`, `kind`), or all of them when no path is given."""
    body = body_of(request)
    files = [{"path": body.get("path"), "kind": body.get("kind", "")}] if body.get("path") is not None else None
    scans.start_adopt(project=project, actor=request.user, files=files, tab=tab_of(request))
    return _told(_("Dropped files are being taken in."))


def _told(text: str) -> HttpResponse:
    return hx_refresh(hx_toast(HttpResponse(status=204), text))
