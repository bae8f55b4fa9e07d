"""Prompts and translations over REST."""

from typing import Any

from django.utils.translation import gettext as _
from rest_framework.request import Request
from rest_framework.response import Response

from aipipeline.projects.api.views import Endpoint, integer, only, text
from aipipeline.projects.errors import Invalid, NotFound
from shots.api.views import ShotEndpoint
from shots.models import Translation
from shots.models.translation import MAX_TEXT
from shots.prompts import Part
from shots.selectors import translations_of
from shots.services.prompts import Preview, preview_prompt
from shots.services.translations import save_translation


def prompt_json(preview: Preview) -> dict[str, Any]:
    """The kept parts of a side, `before + words + after` one after another, are its text."""
    prompt = preview.prompt
    return {
        "family": prompt.family,
        "motion": preview.motion,
        "positive": prompt.positive,
        "negative": prompt.negative,
        "by_hand": prompt.by_hand,
        "count": prompt.count,
        "limit": prompt.limit,
        "parts": [_part_json(part) for part in prompt.parts],
        "loras": [{**params, "trigger_words": row.trigger_words}
                  for params, row in zip(prompt.lora_params(), prompt.loras, strict=True)],
        "warnings": [{"code": warning.code, "message": warning.message} for warning in prompt.warnings],
        "translations": [
            translation_json(row) if row else {"id": None, "text": found, "target": "en", "words": "", "origin": ""}
            for found, row in preview.translations.items()
        ],
    }  # fmt: skip


def _part_json(part: Part) -> dict[str, Any]:
    names = ("source", "words", "before", "after", "field", "kind", "kept", "negative", "written")
    return {**{name: getattr(part, name) for name in names}, "id": part.row or None}


def translation_json(row: Translation) -> dict[str, Any]:
    names = ("text", "target", "words", "origin", "revision")
    return {"id": row.pk, **{name: getattr(row, name) for name in names}}


class ShotPrompt(ShotEndpoint):
    def get(self, request: Request, shot_id: int) -> Response:
        """The prompt in `?family=`, or as the shot's next render would read it."""
        shot = self.shot(shot_id, "project.view")
        return Response(prompt_json(preview_prompt(shot=shot, family=request.query_params.get("family", ""))))


class Translations(Endpoint):
    def get(self, request: Request, code: str) -> Response:
        """The stored translations; `?origin=machine` or `person`."""
        rows = translations_of(self.project(code, "project.view"), request.user)
        if origin := request.query_params.get("origin", ""):
            rows = rows.filter(origin=origin)
        return self.page(rows, lambda found: [translation_json(row) for row in found])

    def patch(self, request: Request, code: str) -> Response:
        """A person's wording of a text, named by its `id` or by the `text` itself; no words take it away (204)."""
        project = self.project(code, "shots.edit")
        body = self.body()
        only(body, "id", "text", "words", "target", "revision")
        number = integer(body.get("id"), "id")
        written, target = text(body, "text", limit=MAX_TEXT), text(body, "target", limit=8) or "en"
        if "words" not in body or (number is None and not written):
            missing = "words" if "words" not in body else "text"
            raise Invalid(_("Give the text (or its id) and the words."), fields={missing: [_("missing")]})
        if number is not None:
            row = translations_of(project, request.user).filter(pk=number).first()
            if row is None:
                raise NotFound(_("There is no such translation in this project."))
            written, target = row.text, row.target
        saved = save_translation(
            project=project,
            actor=request.user,
            text=written,
            words=text(body, "words", limit=MAX_TEXT),
            target=target,
            seen=integer(body.get("revision"), "revision"),
            tab=self.tab,
        )
        return Response(status=204) if saved is None else Response(translation_json(saved))
