"""Translations of a project's texts: fetched from the language model, written and changed by people."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import structlog
from django.db import IntegrityError
from django.utils.translation import gettext as _

from aipipeline.history.rows import create_row, remove_rows, update_row
from aipipeline.history.services import lock, one_action, recording
from aipipeline.llm.client import configured
from aipipeline.llm.errors import LlmError
from aipipeline.llm.translating import translate
from aipipeline.projects.errors import Invalid
from aipipeline.projects.models import Project
from assets.models import Character
from shots.models.translation import MAX_TEXT, Translation, TranslationOrigin
from shots.prompts.language import TARGETS, cleaned, is_foreign, mostly_foreign, text_hash
from shots.prompts.stored import wordings_for

# One question holds so many texts and characters; what is beyond stays for the next one.
MAX_TEXTS = 200
MAX_CHARACTERS = 12_000
MAX_NAMES = 100
log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Translated:
    """`wordings`: by text what is known now. `missing`: texts without one. `problem`: why, when the model failed."""

    wordings: Mapping[str, str] = field(default_factory=dict)
    missing: tuple[str, ...] = ()
    problem: str = ""


def ensure_translations(*, project: Project, texts: Iterable[str], target: str = "en") -> Translated:
    """The stored translations of these texts, and those of the missing ones from the language model, stored.

    One question, outside of any transaction (RuntimeError inside one), and only when a model is set up. A model that
    fails, answers nonsense or a part only never raises: what is missing is told.
    """
    _known_target(target)
    wanted = [text for text in dict.fromkeys(cleaned(text) for text in texts) if is_foreign(text)]
    wordings = wordings_for(project.pk, wanted, target)
    missing = [text for text in wanted if text not in wordings]
    asked = _affordable(missing)
    problem = ""
    if asked and configured():
        try:
            found = translate(asked, target=target, names=_spellings(project, asked, target))
            _store(project, {text: said for text, said in found.items() if _usable(text, said)}, target)
            wordings = wordings_for(project.pk, wanted, target)
        except LlmError as error:
            problem = error.message if isinstance(error.message, str) else str(error.message)
            log.warning("translation_failed", project=project.code, texts=len(asked), problem=problem)
    return Translated(wordings, tuple(text for text in wanted if text not in wordings), problem)


def _affordable(texts: list[str]) -> list[str]:
    chosen: list[str] = []
    room = MAX_CHARACTERS
    for text in texts:
        if len(chosen) == MAX_TEXTS:
            break
        if len(text) <= min(MAX_TEXT, room):
            chosen.append(text)
            room -= len(text)
    return chosen


def _usable(text: str, said: str) -> bool:
    """A translation: no echo of the text, and no essay about it."""
    return not mostly_foreign(said) and len(said) <= min(MAX_TEXT, 200 + 8 * len(text)) and "\x00" not in said


def _spellings(project: Project, texts: list[str], target: str) -> dict[str, str]:
    """How the names that stand in these texts are spelled, where that is known."""
    whole = " ".join(texts)
    names = Character.objects.live().filter(project=project).order_by("id").values_list("name", flat=True)[:1000]
    return wordings_for(project.pk, [name for name in names if name in whole][:MAX_NAMES], target)


def _store(project: Project, found: Mapping[str, str], target: str) -> None:
    """Keep what the machine said of texts that have no wording; one that came meanwhile stays."""
    for _try in range(3):
        try:
            with recording(project=project, actor=None, kind="translation.create") as recorder:
                hashes = {text_hash(text): text for text in found}
                rows = lock(Translation.objects.filter(project=project, target=target, text_hash__in=hashes))
                removed = []
                for row in rows.order_by("pk"):
                    text = hashes.pop(row.text_hash)
                    if row.removed_at is not None:
                        removed.append((row, {"words": found[text], "origin": TranslationOrigin.MACHINE}))
                recorder.update_many(removed)
                if removed:
                    recorder.restore([row for row, _fields in removed])
                recorder.create_many([_row(project, text, found[text], target) for text in hashes.values()])
            return
        except IntegrityError:
            continue  # somebody stored one of them at the same moment: look again


def _row(project: Project, text: str, words: str, target: str, origin: str = TranslationOrigin.MACHINE) -> Translation:
    return Translation(project=project, target=target, text=text, text_hash=text_hash(text), words=words, origin=origin)


def save_translation(
    *,
    project: Project,
    actor: Any,
    text: str,
    words: str,
    target: str = "en",
    seen: int | None = None,
    tab: str = "",
) -> Translation | None:
    """A person's wording of a text; no words take the wording away (None). One undo step.

    Invalid for texts that are empty or too long, Conflict when somebody changed it after revision `seen`.
    """
    _known_target(target)
    text, words = cleaned(text), words.strip()
    for name, value in (("text", text), ("words", words)):
        if len(value) > MAX_TEXT:
            message = _("At most %(count)s characters.") % {"count": MAX_TEXT}
            raise Invalid(message, fields={name: [message]})
    if not is_foreign(text):
        message = _("Only texts in another language than English are translated.")
        raise Invalid(message, fields={"text": [message]})
    # Rows in the middle of this are locked by their own services; a text of two at once is one row by constraint.
    key = {"project": project, "target": target, "text_hash": text_hash(text)}
    row: Translation | None = Translation.objects.filter(**key).first()
    if not words:
        if row is not None and row.removed_at is None:
            remove_rows(rows=[row], actor=actor, tab=tab)
        return None
    fields = {"words": words, "origin": TranslationOrigin.PERSON}
    if row is None:
        return create_row(row=_row(project, text, words, target, TranslationOrigin.PERSON), actor=actor, tab=tab)
    with one_action(project=project, actor=actor, kind="translation.update", tab=tab) as recorder:
        fresh: Translation = lock(Translation.objects.filter(pk=row.pk)).get()
        if fresh.removed_at is not None:
            recorder.restore([fresh])
            seen = None
        return update_row(row=fresh, actor=actor, fields=fields, known=("words", "origin"), seen=seen, tab=tab)


def _known_target(target: str) -> None:
    if target not in TARGETS:
        message = _("Translations are kept in: %(known)s.") % {"known": ", ".join(TARGETS)}
        raise Invalid(message, fields={"target": [message]})
