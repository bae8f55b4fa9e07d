"""The storyboard: every shot's picture in story order, generated and reviewed from one page."""

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from aipipeline.projects.checks import whole_number
from aipipeline.projects.errors import Invalid
from aipipeline.projects.models import Project
from aipipeline.projects.permissions import require
from aipipeline.ui.context_processors import project_context
from aipipeline.ui.htmx import hx_refresh, hx_toast, render_page_or_fragment
from aipipeline.ui.pages import body_of, number_in, project_page, tab_of
from renders.models import VersionStatus
from renders.selectors import newest_by_shot, storyboard_of, version_for
from renders.services.jobs import render_shots
from renders.services.reviews import review_version
from shots.models import Shot, Step


@require_GET
@project_page("project.view")
def storyboard(request: HttpRequest, project: Project) -> HttpResponse:
    panels = storyboard_of(project, request.user)
    context = {
        **project_context(request, project),
        "panels": panels,
        "without_image": sum(p.image is None for p in panels),
        "without_video": sum(p.video is None for p in panels),
        "to_review": sum(p.image is not None and p.image.status == VersionStatus.PENDING for p in panels),
        "running": sum(p.job is not None for p in panels),
        "panel_ids": ",".join(str(p.shot.pk) for p in panels),
    }
    return render_page_or_fragment(request, "renders/storyboard.html", "renders/_storyboard.html", context)


@require_POST
@project_page("renders.start")
def render_start(request: HttpRequest, project: Project) -> HttpResponse:
    """Start a step for the named shots (`ids`), or for every shot that lacks its version (`which=missing`)."""
    body = body_of(request)
    step = str(body.get("step") or Step.FIRST_IMAGE)
    if step not in (Step.FIRST_IMAGE, Step.RENDER):
        raise Invalid(_("Unknown step."), fields={"step": [_("unknown")]})
    rows = (
        Shot.objects.live()
        .filter(project=project)
        .select_related("project", "scene__environment", "environment", "preset")
    )
    wanted = [part for part in str(body.get("ids", "")).split(",") if part.strip()]
    if wanted:
        ids = [number for part in wanted if (number := whole_number(part)) is not None]
        shots = list(rows.filter(pk__in=ids))
    else:
        shots = list(rows.order_by("position"))
        have = newest_by_shot(shots, "previz" if step == Step.FIRST_IMAGE else "render")
        shots = [shot for shot in shots if shot.pk not in have]
    if not shots:
        raise Invalid(_("Every shot has one already. Choose shots to make them again."))
    jobs = render_shots(
        project=project,
        actor=request.user,
        shots=shots,
        step=step,
        workflow=str(body.get("workflow", "")),
        tab=tab_of(request),
    )
    response = HttpResponse(status=204)
    hx_refresh(response)
    return hx_toast(response, _("%(n)s jobs queued.") % {"n": len(jobs)})


@require_POST
@project_page("notes.write")
def review(request: HttpRequest, project: Project, version_id: int) -> HttpResponse:
    """Approve, reject or comment on a version."""
    body = body_of(request)
    verdict = str(body.get("verdict", ""))
    if verdict != "comment":
        require(request.user, "versions.review", project)
    version = version_for(request.user, version_id)
    if version.project_id != project.pk:
        raise Invalid(_("This version belongs to another project."))
    review_version(
        version=version,
        actor=request.user,
        verdict=verdict,
        text=str(body.get("text", "")),
        frame=number_in(body, "frame", required=False),
        tab=tab_of(request),
    )
    response = HttpResponse(status=204)
    hx_refresh(response)
    words = {"approve": _("Approved."), "reject": _("Sent back."), "comment": _("Comment kept.")}
    return hx_toast(response, words[verdict])
