"""The prompt panel of the shot page: a fragment of its own, for each dialect."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from aipipeline.llm.client import configured
from aipipeline.projects.models import Project
from aipipeline.ui.context_processors import project_context
from aipipeline.ui.htmx import hx_toast
from aipipeline.ui.pages import body_of, number_in, project_page, tab_of
from assets.models import Character, CinematicPreset, Environment
from shots.models import Casting, Shot
from shots.prompts import FAMILIES, SOURCES, Part
from shots.providers import dialect_of
from shots.selectors import shot_in
from shots.services import prompts
from shots.services.translations import save_translation

_MODELS: dict[str, type[Any]] = {
    "shot": Shot, "casting": Casting, "character": Character, "environment": Environment, "preset": CinematicPreset,
}  # fmt: skip
# As many characters have a colour of their own; the next ones share them again.
_COLOURS = 6


@dataclass(frozen=True)
class Word:
    """A part as the panel shows it: `colour` is the legend's key, `url` the page of the row it comes from."""

    part: Part
    colour: str
    label: str
    field: str
    url: str


@require_GET
@project_page("project.view")
def panel(request: HttpRequest, project: Project, shot_id: int) -> HttpResponse:
    return _panel(request, project, shot_in(project, request.user, shot_id), str(request.GET.get("family", "")))


def _panel(request: HttpRequest, project: Project, shot: Shot, family: str) -> HttpResponse:
    preview = prompts.preview_prompt(shot=shot, family=family)
    own = dialect_of(shot)[0]
    words = _words(project, shot, preview.prompt.parts)
    legend = {word.colour: word for word in reversed(words)}
    context = {
        **project_context(request, project),
        "shot": shot,
        "prompt": preview.prompt,
        "positive": [word for word in words if word.part.kept and not word.part.negative],
        "negative": [word for word in words if word.part.kept and word.part.negative],
        "left_out": [word for word in words if not word.part.kept],
        "legend": [legend[colour] for colour in dict.fromkeys(word.colour for word in words)],
        "families": [(key, label, key == own) for key, label in FAMILIES.items()],
        "family": preview.prompt.family,
        "translations": list(preview.translations.items()),
        "untranslated": sum(row is None for row in preview.translations.values()),
        "llm": configured(),
        "by_hand": preview.prompt.by_hand or bool(shot.negative_prompt.strip()),
    }
    return render(request, "shots/_prompt.html", context)


def _words(project: Project, shot: Shot, parts: Sequence[Part]) -> list[Word]:
    people = list(dict.fromkeys(part.row for part in parts if part.kind == "character"))
    found = []
    for part in parts:
        colour = f"cast-{people.index(part.row) % _COLOURS}" if part.kind == "character" else part.source
        label = part.source if part.kind == "character" else str(SOURCES.get(part.source, part.source))
        found.append(Word(part, colour, label, _field(part), _url(project, shot, part)))
    return found


def _field(part: Part) -> str:
    """The name of the field as people read it."""
    kind, _dot, name = part.field.partition(".")
    model = _MODELS.get(kind)
    return capfirst(str(model._meta.get_field(name).verbose_name)) if model else ""


def _url(project: Project, shot: Shot, part: Part) -> str:
    """Where the words are changed: the page of the row, or the shot list at this shot."""
    if part.kind == "shot":
        return f"{reverse('shots:list', args=[project.code])}?{urlencode({'search': shot.code})}"
    return reverse("assets:edit", args=[project.code, part.kind, part.row]) if part.kind else ""


@require_POST
@project_page("shots.edit")
def take(request: HttpRequest, project: Project, shot_id: int) -> HttpResponse:
    """The built text becomes the shot's own."""
    body = body_of(request)
    shot = shot_in(project, request.user, shot_id)
    family, seen = str(body.get("family", "")), number_in(body, "revision", required=False)
    prompts.take_prompt(shot=shot, actor=request.user, family=family, seen=seen, tab=tab_of(request))
    return _again(request, project, shot_id, family, _("The text is the shot's own now."))


@require_POST
@project_page("shots.edit")
def build(request: HttpRequest, project: Project, shot_id: int) -> HttpResponse:
    """Back to the text that is built from the rows."""
    body = body_of(request)
    shot = shot_in(project, request.user, shot_id)
    seen = number_in(body, "revision", required=False)
    prompts.build_prompt(shot=shot, actor=request.user, seen=seen, tab=tab_of(request))
    return _again(request, project, shot_id, str(body.get("family", "")), _("The prompt is built from the rows again."))


@require_POST
@project_page("shots.edit")
def save(request: HttpRequest, project: Project, shot_id: int) -> HttpResponse:
    """A prompt that is written by hand."""
    body = body_of(request)
    shot = shot_in(project, request.user, shot_id)
    fields: dict[str, str] = {name: str(body[name]) for name in ("prompt", "negative_prompt") if name in body}
    seen = number_in(body, "revision", required=False)
    prompts.save_prompt(shot=shot, actor=request.user, fields=fields, seen=seen, tab=tab_of(request))
    return _again(request, project, shot_id, str(body.get("family", "")), _("Saved."))


@require_POST
@project_page("shots.edit")
def words(request: HttpRequest, project: Project, shot_id: int) -> HttpResponse:
    """A person's translation of one text."""
    body = body_of(request)
    shot_in(project, request.user, shot_id)
    save_translation(
        project=project,
        actor=request.user,
        text=str(body.get("text", "")),
        words=str(body.get("words", "")),
        seen=number_in(body, "revision", required=False),
        tab=tab_of(request),
    )
    return _again(request, project, shot_id, str(body.get("family", "")), _("Saved."))


@require_POST
@project_page("shots.edit")
def translate(request: HttpRequest, project: Project, shot_id: int) -> HttpResponse:
    """Ask the language model for the translations that this shot lacks."""
    family = str(body_of(request).get("family", ""))
    done = prompts.translate_shot(shot=shot_in(project, request.user, shot_id))
    if done.problem:
        return hx_toast(_panel_of(request, project, shot_id, family), done.problem, "error")
    if done.missing:
        message = _("The language model did not translate everything. Write the rest yourself, or ask again.")
        return hx_toast(_panel_of(request, project, shot_id, family), message, "warning")
    return _again(request, project, shot_id, family, _("Translated."))


def _panel_of(request: HttpRequest, project: Project, shot_id: int, family: str) -> HttpResponse:
    return _panel(request, project, shot_in(project, request.user, shot_id), family)


def _again(request: HttpRequest, project: Project, shot_id: int, family: str, message: str) -> HttpResponse:
    return hx_toast(_panel_of(request, project, shot_id, family), message)
