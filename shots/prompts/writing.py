"""Prompts of shots, and of references, in the dialect of a model family: the same rows always give the same text."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from aipipeline.projects.errors import Invalid
from assets.models import Character, Environment
from shots.models import Casting, Shot
from shots.prompts import dialects, words
from shots.prompts.facts import (
    Fact,
    Reader,
    facts_of_character,
    facts_of_environment,
    facts_of_shot,
    person_fact,
)
from shots.prompts.fitting import LIMITS, Piece, count, fit, text_of
from shots.prompts.loras import loras_of, loras_of_character
from shots.prompts.plain import plain_parts
from shots.prompts.result import FAMILIES, Part, Prompt, PromptLora, PromptWarning
from shots.prompts.stored import wordings_for

Wordings = Mapping[str, str]


@dataclass
class _Draft:
    """A prompt under way."""

    family: str
    reader: Reader
    parts: list[Part] = field(default_factory=list)
    warnings: list[PromptWarning] = field(default_factory=list)
    positive: str = ""
    negative: str = ""
    by_hand: bool = False

    def warn(self, code: str, message: str) -> None:
        self.warnings.append(PromptWarning(code, message))

    def lay(self, sentences: dialects.Sentences) -> None:
        fitted = fit(sentences, limit=LIMITS.get(self.family, 0), as_tags=self.family == "sd")
        self.positive = text_of(fitted.placed)
        self.parts += [_part(row.piece, row.words, before=row.before, after=row.after) for row in fitted.placed]
        self.parts += [_part(piece, piece.words, kept=False) for piece in fitted.left_out]
        if fitted.left_out:
            some = {"count": len(fitted.left_out), "limit": LIMITS[self.family]}
            self.warn("too_long", ngettext(
                "Longer than the %(limit)s units that this model reads well: %(count)s part was left out.",
                "Longer than the %(limit)s units that this model reads well: %(count)s parts were left out.",
                some["count"],
            ) % some)  # fmt: skip

    def done(self, loras: tuple[PromptLora, ...]) -> Prompt:
        if self.reader.untranslated:
            some = {"count": len(dict.fromkeys(self.reader.untranslated))}
            self.warn("untranslated", ngettext(
                "%(count)s text is not in English and has no translation: it is passed as written.",
                "%(count)s texts are not in English and have no translation: they are passed as written.",
                some["count"],
            ) % some)  # fmt: skip
        if not self.positive:
            self.warn("empty", _("There are no words to make a prompt of. Describe the shot first."))
        return Prompt(
            family=self.family,
            positive=self.positive,
            negative=self.negative,
            parts=tuple(self.parts),
            loras=loras,
            warnings=tuple(self.warnings),
            texts=tuple(dict.fromkeys(self.reader.texts)),
            count=count(self.positive),
            limit=LIMITS.get(self.family, 0),
            by_hand=self.by_hand,
        )


def _part(piece: Piece, said: str, *, kept: bool = True, before: str = "", after: str = "") -> Part:
    f = piece.fact
    return Part(f.source, said, f.field, f.kind, f.row, kept, before=before, after=after, written=f.written)


def known_family(family: str) -> str:
    """The family as it is called here; Invalid for one that nobody speaks."""
    if (family or "none") not in FAMILIES:
        known = ", ".join(FAMILIES)
        raise Invalid(
            _("There is no prompt dialect %(family)s. There are: %(known)s.") % {"family": family[:40], "known": known},
            fields={"family": [_("unknown")]},
        )
    return family or "none"


def write_prompt(
    *, shot: Shot, cast: Sequence[Casting], family: str, motion: bool = False, wordings: Wordings | None = None
) -> Prompt:
    """The prompt of a shot in a family's dialect: a person's own text when there is one, else built from its rows.

    `cast`: its castings in order, with character and LoRA. `motion`: the result moves, so the camera is told too.
    `wordings`: English by text, as `ensure_translations` answers; None reads the stored ones (one query).
    Invalid for an unknown family.
    """
    family = known_family(family)
    if wordings is None:
        wordings = wordings_for(shot.project_id, texts_of_shots([(shot, cast)])) if family != "none" else {}
    # Plain texts are as people wrote them, for engines that know their words.
    draft = _Draft(family, Reader(wordings))
    if shot.prompt.strip():
        _by_hand(draft, shot, cast)
    elif family == "none":
        draft.parts += plain_parts(shot, cast, motion=motion)
        draft.positive = "".join(part.text for part in draft.parts)
    else:
        arranger = dialects.Arranger(facts_of_shot(shot, cast, draft.reader, family=family))
        sentences = dialects.DIALECTS[family](arranger)
        if motion and family not in words.MOTION:
            sentences.append(arranger.one("movement"))
        draft.lay(sentences)
    _negative(draft, shot)
    loras, told = loras_of(cast, family)
    draft.warnings += told
    return draft.done(loras)


def _by_hand(draft: _Draft, shot: Shot, cast: Sequence[Casting]) -> None:
    """A person's text is used whole, in every family; only its language follows the model."""
    draft.by_hand = True
    text = shot.prompt.strip()
    said, written = (text, "") if draft.family == "none" else draft.reader.whole(text)
    draft.positive = said
    draft.parts.append(Part("shot", said, "shot.prompt", "shot", shot.pk, written=written))
    draft.warn("by_hand", _("A prompt written by hand is in use: changes of the rows do not reach it."))
    limit = LIMITS.get(draft.family, 0)
    if limit and count(said) > limit:
        draft.warn("too_long", _("Written by hand and longer than the %(limit)s units that this model reads well: "
                                 "nothing was cut, but its end counts little.") % {"limit": limit})  # fmt: skip
    for lora in loras_of(cast, draft.family)[0]:
        missing = [word for word in lora.trigger_words.split(", ") if word and word.casefold() not in said.casefold()]
        if missing:
            what = {"name": lora.name, "words": ", ".join(missing)}
            draft.warn(
                "trigger_missing", _("The LoRA %(name)s listens to %(words)s, which is not in the prompt.") % what
            )


def _negative(draft: _Draft, shot: Shot) -> None:
    """The shot's own negative words; without them the family's vocabulary, which the plain text has none of."""
    own = shot.negative_prompt.strip()
    heard = draft.family in words.WITH_NEGATIVE
    if own:
        said, written = (own, "") if draft.family == "none" else draft.reader.whole(own)
        row = Part("shot", said, "shot.negative_prompt", "shot", shot.pk, heard, negative=True, written=written)
        draft.parts.append(row)
        draft.negative = said if heard else ""
        if not heard:
            draft.warn("negative_unused", _("This model does not use a negative prompt: the shot's own is left out."))
    elif vocabulary := words.NEGATIVE.get(draft.family, ""):
        draft.parts.append(Part("dialect", vocabulary, negative=True))
        draft.negative = vocabulary


def write_reference(*, owner: Character | Environment, family: str, wordings: Wordings | None = None) -> Prompt:
    """The prompt of a character sheet, or of an empty plate of a place. Arguments and errors as `write_prompt`."""
    family = known_family(family)
    if wordings is None:
        wordings = wordings_for(owner.project_id, texts_of_references([owner])) if family != "none" else {}
    draft = _Draft(family, Reader(wordings))
    loras: tuple[PromptLora, ...] = ()
    if isinstance(owner, Character):
        loras, told = loras_of_character(owner, family)
        draft.warnings += told
    if family == "none":
        draft.parts += _plain_reference(owner)
        draft.positive = "".join(part.text for part in draft.parts)
    else:
        draft.lay(dialects.reference(_facts_of(owner, draft.reader, bool(loras)), family))
        if vocabulary := words.NEGATIVE.get(family, ""):
            draft.parts.append(Part("dialect", vocabulary, negative=True))
            draft.negative = vocabulary
    return draft.done(loras)


def _facts_of(owner: Character | Environment, reader: Reader, triggers: bool) -> list[Fact]:
    if isinstance(owner, Environment):
        return facts_of_environment(owner, reader)
    facts = facts_of_character(owner, reader, 0, triggers=triggers)
    return [*facts, *person_fact(owner, reader, 0, "worn", owner.default_clothing, "character.default_clothing")]


def _plain_reference(owner: Character | Environment) -> list[Part]:
    if isinstance(owner, Character):
        names = ("trigger_words",) if owner.use_lora else ()
        told = [Part(owner.name, getattr(owner, name).strip(), f"character.{name}", "character", owner.pk)
                for name in (*names, "name", "age", "description", "default_clothing")]  # fmt: skip
        told = [Part("dialect", words.SHEET), *told]
    else:
        place = next((name for name in ("prompt", "location", "name") if getattr(owner, name)), "name")
        told = [Part("environment", getattr(owner, name).strip(), f"environment.{name}", "environment", owner.pk)
                for name in (place, "time_of_day", "weather", "mood", "description")]  # fmt: skip
        told = [Part("dialect", words.PLATE), *told]
    said = [part for part in told if part.words]
    return [
        Part(p.source, p.words, p.field, p.kind, p.row, before=", " if number else "") for number, p in enumerate(said)
    ]


def texts_of_shots(shots: Iterable[tuple[Shot, Sequence[Casting]]]) -> list[str]:
    """The texts of these shots that are not in English, each once: what `ensure_translations` is to know."""
    reader = Reader({})
    for shot, cast in shots:
        if shot.prompt.strip():
            reader.whole(shot.prompt)
        else:
            facts_of_shot(shot, cast, reader, family="")
        if shot.negative_prompt.strip():
            reader.whole(shot.negative_prompt)
    return list(dict.fromkeys([*reader.texts, *reader.known]))


def texts_of_references(owners: Iterable[Character | Environment]) -> list[str]:
    """The same of characters and environments."""
    reader = Reader({})
    for owner in owners:
        _facts_of(owner, reader, False)
    return list(dict.fromkeys([*reader.texts, *reader.known]))
