"""Prompts of shots for pages and the API: previewed, taken over by hand, and built again."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aipipeline.projects.models import Project
from shots.models import Shot, Translation
from shots.prompts import Prompt, known_family, texts_of_shots, write_prompt
from shots.prompts.language import text_hash
from shots.prompts.words import MOTION
from shots.providers import dialect_of
from shots.selectors import castings_of
from shots.services import editing
from shots.services.translations import Translated, ensure_translations


@dataclass(frozen=True)
class Preview:
    """A shot's prompt as it would be sent now, and by text its stored translation (None: there is none)."""

    prompt: Prompt
    motion: bool
    translations: Mapping[str, Translation | None]


def preview_prompt(*, shot: Shot, family: str = "") -> Preview:
    """The prompt in this family, "" for the one of the shot's next render. Nothing is asked, nothing is written."""
    chosen, motion = dialect_of(shot)
    if family and known_family(family) != chosen:
        chosen, motion = known_family(family), family in MOTION
    cast = list(castings_of(shot))
    texts = texts_of_shots([(shot, cast)]) if chosen != "none" else []
    rows = _stored(shot.project, texts)
    prompt = write_prompt(
        shot=shot, cast=cast, family=chosen, motion=motion, wordings={row.text: row.words for row in rows.values()}
    )
    return Preview(prompt, motion, {text: rows.get(text_hash(text)) for text in prompt.texts})


def _stored(project: Project, texts: list[str]) -> dict[str, Translation]:
    hashes = [text_hash(text) for text in texts]
    rows = Translation.objects.live().filter(project=project, target="en", text_hash__in=hashes) if hashes else []
    return {row.text_hash: row for row in rows}


def translate_shot(*, shot: Shot) -> Translated:
    """Ask the language model for what the shot's prompt lacks; one question, outside of any transaction."""
    return ensure_translations(project=shot.project, texts=texts_of_shots([(shot, list(castings_of(shot)))]))


def take_prompt(*, shot: Shot, actor: Any, family: str, seen: int | None = None, tab: str = "") -> None:
    """The text that is built now becomes the shot's own: from here on a person changes it. One undo step."""
    prompt = preview_prompt(shot=shot, family=family).prompt
    fields = {"prompt": prompt.positive}
    if prompt.negative:
        fields["negative_prompt"] = prompt.negative
    save_prompt(shot=shot, actor=actor, fields=fields, seen=seen, tab=tab)


def build_prompt(*, shot: Shot, actor: Any, seen: int | None = None, tab: str = "") -> None:
    """Back to the text that is built from the rows, on both sides. One undo step."""
    save_prompt(shot=shot, actor=actor, fields={"prompt": "", "negative_prompt": ""}, seen=seen, tab=tab)


def save_prompt(*, shot: Shot, actor: Any, fields: Mapping[str, str], seen: int | None = None, tab: str = "") -> None:
    """A prompt written by hand; Conflict when somebody changed it after revision `seen`."""
    item = {"id": shot.pk, "revision": seen, "fields": dict(fields)}
    editing.update_shots(project=shot.project, actor=actor, items=[item], tab=tab)
