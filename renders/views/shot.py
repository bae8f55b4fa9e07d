"""The page of one shot: its facts, its versions, its jobs, its history. It needs versions, so it lives here."""

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from aipipeline.history.models import Action
from aipipeline.media.uploads import kept_upload
from aipipeline.projects.errors import Invalid
from aipipeline.projects.models import Project
from aipipeline.ui.context_processors import project_context
from aipipeline.ui.htmx import hx_toast, render_page_or_fragment
from aipipeline.ui.pages import project_page
from renders.models import VersionKind
from renders.selectors import jobs_visible_to
from renders.services.uploading import publish_upload
from shots.models import Shot
from shots.selectors import shot_for, shots_of
from shots.services.tree.folders import folder_of
from shots.views.shots import editor_choices, moves_of


@require_GET
@project_page("project.view")
def detail(request: HttpRequest, project: Project, shot_id: int) -> HttpResponse:
    shot = _shot(request, project, shot_id)
    versions = list(shot.versions.live().order_by("-published_at").prefetch_related("reviews__author"))
    order = list(shots_of(project, request.user).values_list("pk", flat=True))
    at = order.index(shot.pk)
    wanted = request.GET.get("version", "")
    shown = next((v for v in versions if str(v.pk) == wanted), None) or _best(versions)
    context = {
        **project_context(request, project),
        "shot": shot,
        "cast": shot.cast,  # type: ignore[attr-defined]
        "moves": moves_of(shot),
        "versions": versions,
        "shown": shown,
        "jobs": jobs_visible_to(request.user).filter(shot=shot)[:10],
        "previous": order[at - 1] if at else None,
        "following": order[at + 1] if at + 1 < len(order) else None,
        "actions": _history_of(shot),
        "tree_path": place.path if (place := folder_of(shot)) else "",
        "kinds": VersionKind.choices,
        **editor_choices(request, project),
    }
    return render_page_or_fragment(request, "renders/shot.html", "renders/_shot.html", context)


def _shot(request: HttpRequest, project: Project, shot_id: int) -> Shot:
    shot_for(request.user, shot_id)
    shot = shots_of(project, request.user).filter(pk=shot_id).first()
    if shot is None:
        raise Invalid(_("This shot belongs to another project."))
    return shot


def _best(versions: list[object]) -> object | None:
    ranked = ["final", "comp", "render", "playblast", "previz"]
    shown = [v for v in versions if getattr(v, "kind", "") in ranked]
    return min(shown, key=lambda v: ranked.index(getattr(v, "kind", "")), default=versions[0] if versions else None)


def _history_of(shot: Shot) -> list[Action]:
    """Actions that touched this shot, newest first, among the project's last thousand."""
    recent = Action.objects.filter(project=shot.project).select_related("actor").order_by("-sequence")[:1000]
    mine = [
        action
        for action in recent
        if any(entry["model"] == "shots.shot" and entry["id"] == shot.pk for entry in action.changes)
    ]
    return mine[:20]


@require_POST
@project_page("versions.upload")
def upload(request: HttpRequest, project: Project, shot_id: int) -> HttpResponse:
    """Publish a file that a person made as the next version of a kind."""
    shot = _shot(request, project, shot_id)
    with kept_upload(request.FILES.get("file")) as (name, path):
        version = publish_upload(
            project=project,
            owner=shot,
            kind=request.POST.get("kind", VersionKind.PREVIZ),
            name=name,
            path=path,
            actor=request.user,
            comment=request.POST.get("comment", ""),
        )
    response = HttpResponse(status=204, headers={"HX-Refresh": "true"})
    return hx_toast(response, _("%(label)s is published.") % {"label": version.label})
