"""The naming page: a project's templates with a live preview, and a field that reads a path back."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_POST

from aipipeline.projects.errors import Invalid
from aipipeline.projects.models import Project
from aipipeline.ui.context_processors import project_context
from aipipeline.ui.htmx import hx_toast, render_page_or_fragment
from aipipeline.ui.pages import body_of, number_in, project_page, tab_of
from assets.naming import (
    ALLOWED,
    DEFAULTS,
    Checked,
    NamingTemplates,
    NotRead,
    SeveralReadings,
    check_templates,
    describe,
)
from assets.services.naming import save_templates
from shots.models import Scene, Shot
from shots.services.tree.folders import Owner, contexts_of, kind_of
from shots.services.tree.reading import TreeReader

LABELS = {
    "scene": gettext_lazy("Scene folder"),
    "shot": gettext_lazy("Shot folder"),
    "character": gettext_lazy("Character folder"),
    "environment": gettext_lazy("Environment folder"),
    "version": gettext_lazy("Version folder"),
    "file": gettext_lazy("File name"),
}
HINTS = {
    "version": gettext_lazy("Lies in the folder of its shot, character or environment."),
    "file": gettext_lazy("What a published file is called."),
}


@dataclass(frozen=True)
class Row:
    """One template of the form, with what the check says of it."""

    name: str
    label: Any
    hint: Any
    source: str
    default: str
    tokens: tuple[str, ...]
    errors: list[Any]
    warnings: list[str]
    preview: list[Any]


def rows_of(checked: Checked, sources: dict[str, str]) -> list[Row]:
    return [
        Row(
            name=name,
            label=LABELS[name],
            hint=HINTS.get(name, ""),
            source=sources.get(name) or default,
            default=default,
            tokens=ALLOWED[name],
            errors=checked.errors.get(name, []),
            warnings=checked.warnings.get(name, []),
            preview=[] if checked.errors.get(name) else checked.preview[name],
        )
        for name, default in DEFAULTS.items()
    ]


@require_GET
@project_page("project.view")
def naming(request: HttpRequest, project: Project) -> HttpResponse:
    checked = check_templates(NamingTemplates.of(project.naming).sources(), contexts_of(project))
    return _page(request, project, checked)


def _page(request: HttpRequest, project: Project, checked: Checked) -> HttpResponse:
    context = {
        **project_context(request, project),
        "rows": rows_of(checked, checked.templates.sources()),
        "revision": project.revision,
    }
    return render_page_or_fragment(request, "shots/naming.html", "shots/_naming.html", context)


@require_POST
@project_page("tree.manage")
def save(request: HttpRequest, project: Project) -> HttpResponse:
    """Save all templates of the form; an empty one is the default again."""
    body = body_of(request)
    try:
        checked = save_templates(
            project=project,
            actor=request.user,
            templates=_templates(body),
            contexts=contexts_of(project),
            seen=number_in(body, "revision", required=False),
            tab=tab_of(request),
        )
    except Invalid as error:
        first = next((name for name in error.fields if name in LABELS), None)
        if first is None:
            raise
        # Each template says beside itself what is wrong; the head names the first as the page calls it.
        words = {"name": LABELS[first], "message": error.fields[first][0]}
        raise Invalid(_("The templates were not saved. %(name)s: %(message)s") % words) from error
    return hx_toast(_page(request, project, checked), _("The templates were saved. They count for new folders."))


@require_POST
@project_page("project.view")
def preview(request: HttpRequest, project: Project) -> HttpResponse:
    """What the templates of the form would make; the answer's parts go to their places beside the fields."""
    templates = _templates(body_of(request))
    checked = check_templates(templates, contexts_of(project))
    return render(request, "shots/_naming_told.html", {"rows": rows_of(checked, templates), "oob": True})


@require_POST
@project_page("project.view")
def read(request: HttpRequest, project: Project) -> HttpResponse:
    """What a pasted path or file name is."""
    path = str(body_of(request).get("path", ""))
    context: dict[str, Any] = {"path": path}
    try:
        if path.strip():
            context["found"] = found = TreeReader(project).read(path)
            context["owner_url"] = _address(project, found.owner)
    except SeveralReadings as error:
        context |= {"problem": error.message, "readings": [describe(names) for names in error.readings[:8]]}
    except NotRead as error:
        context["problem"] = error.message
    return render(request, "shots/_naming_read.html", context)


def _address(project: Project, owner: Owner | None) -> str:
    """The page of a row; "" of a scene, which has none."""
    if isinstance(owner, Shot):
        return reverse("shots:detail", args=[project.code, owner.pk])
    if owner is None or isinstance(owner, Scene):
        return ""
    return reverse("assets:edit", args=[project.code, kind_of(owner), owner.pk])


def _templates(body: dict[str, Any]) -> dict[str, str]:
    return {name: str(body[name]) for name in DEFAULTS if name in body}
