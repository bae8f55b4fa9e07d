"""The scenario page: text in, a draft breakdown to check, apply."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from aipipeline.projects.errors import Invalid, NotFound
from aipipeline.projects.models import Project
from aipipeline.ui.context_processors import project_context
from aipipeline.ui.htmx import hx_location, render_page_or_fragment
from aipipeline.ui.pages import body_of, number_in, project_page, tab_of
from shots.choices import Angle, Movement, ShotSize
from shots.models import Scenario
from shots.scenario.reading import MAX_BYTES, too_large
from shots.selectors import scenarios_of
from shots.services import scenarios

DRAFT_FIELDS = {
    "characters": ("name", "description", "clothing", "age", "role"),
    "environments": ("location", "interior", "time_of_day", "weather", "mood"),
    "scenes": ("heading",),
    "shots": ("description", "action", "size", "angle", "movement", "suggested_duration", "emotion"),
}


@require_GET
@project_page("project.view")
def scenario(request: HttpRequest, project: Project, scenario_id: int | None = None) -> HttpResponse:
    """The newest scenario (or the named one) with its draft; a place to paste when there is none."""
    rows = scenarios_of(project, request.user).order_by("-created_at")
    current = _get(request, project, scenario_id) if scenario_id else rows.first()
    return _page(request, project, current)


def _page(request: HttpRequest, project: Project, current: Scenario | None, status: int = 200) -> HttpResponse:
    rows = (
        scenarios_of(project, request.user)
        .order_by("-created_at")
        .only("id", "title", "state", "created_at", "source_name")
    )
    context = {
        **project_context(request, project),
        "scenario": current,
        "scenarios": rows,
        "draft": current.proposal if current else {},
        "sizes": ShotSize.choices,
        "angles": Angle.choices,
        "movements": Movement.choices,
        "new": "new" in request.GET or current is None,
    }
    return render_page_or_fragment(request, "shots/scenario.html", "shots/_scenario.html", context, status=status)


@require_POST
@project_page("scenario.edit")
def add(request: HttpRequest, project: Project) -> HttpResponse:
    """Take a pasted text or a file in, break it down, and show the draft."""
    upload = request.FILES.get("file")
    text = request.POST.get("text", "")
    if upload is not None:
        if (upload.size or 0) > MAX_BYTES:
            raise too_large(str(upload.name))
        data, name = upload.read(), str(upload.name)
    elif text.strip():
        data, name = text.encode(), "pasted.txt"
    else:
        raise Invalid(_("Paste a text or choose a file first."), fields={"text": [_("empty")]})
    title = request.POST.get("title", "").strip() or (_("Pasted text") if upload is None else "")
    tab = tab_of(request)
    kept = scenarios.add_scenario(project=project, actor=request.user, data=data, filename=name, title=title, tab=tab)
    kept = scenarios.analyse_scenario(scenario=kept, actor=request.user, tab=tab)
    if request.htmx:  # type: ignore[attr-defined]
        return hx_location(reverse("shots:scenario_detail", args=[project.code, kept.pk]))
    return HttpResponse(
        status=303, headers={"Location": reverse("shots:scenario_detail", args=[project.code, kept.pk])}
    )


@require_POST
@project_page("scenario.edit")
def analyse(request: HttpRequest, project: Project, scenario_id: int) -> HttpResponse:
    """Break the text down again."""
    row = scenarios.analyse_scenario(
        scenario=_get(request, project, scenario_id), actor=request.user, tab=tab_of(request)
    )
    return _page(request, project, row)


@require_POST
@project_page("scenario.edit")
def edit_draft(request: HttpRequest, project: Project, scenario_id: int) -> HttpResponse:
    """Change one cell of the draft (list, index, field, value), or remove a row (list, index, remove)."""
    row = _get(request, project, scenario_id)
    body = body_of(request)
    name, field = str(body.get("list", "")), str(body.get("field", ""))
    index = number_in(body, "index")
    rows = list(row.proposal.get(name, [])) if name in DRAFT_FIELDS else None
    if rows is None or index is None or not 0 <= index < len(rows):
        raise Invalid(_("This row of the draft does not exist any more. Reload the page."))
    if body.get("remove"):
        rows.pop(index)
    elif field in DRAFT_FIELDS[name]:
        rows[index] = {**rows[index], field: _draft_value(field, body.get("value"))}
    else:
        raise Invalid(_("This field of the draft cannot be edited."), fields={"field": [_("unknown")]})
    row = scenarios.update_proposal(
        scenario=row,
        actor=request.user,
        rows={name: rows},
        seen=number_in(body, "revision", required=False),
        tab=tab_of(request),
    )
    return _page(request, project, row)


def _draft_value(field: str, value: object) -> object:
    text = str(value or "").strip()
    if field == "suggested_duration":
        try:
            seconds = float(text.removesuffix("s"))
        except ValueError:
            raise Invalid(
                _("Write the length in seconds, like 4 or 2.5."), fields={field: [_("not a number")]}
            ) from None
        return min(max(seconds, 0.5), 600.0)
    if field == "clothing":
        return [part.strip() for part in text.split(",") if part.strip()]
    if field == "interior":
        return {"int": True, "ext": False}.get(text)
    return text


@require_POST
@project_page("scenario.edit")
def apply(request: HttpRequest, project: Project, scenario_id: int) -> HttpResponse:
    """Make characters, environments, scenes and shots of the draft, and go to the shot list."""
    made = scenarios.apply_scenario(
        scenario=_get(request, project, scenario_id), actor=request.user, tab=tab_of(request)
    )
    messages.success(request, _("%(n)s shots were made.") % {"n": len(made)})
    return hx_location(reverse("shots:list", args=[project.code]))


def _get(request: HttpRequest, project: Project, scenario_id: int) -> Scenario:
    row = scenarios_of(project, request.user).filter(pk=scenario_id).first()
    if row is None:
        raise NotFound(_("There is no such scenario in this project."))
    return row
