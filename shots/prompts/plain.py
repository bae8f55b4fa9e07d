"""The plain text for engines that draw by themselves: every field as it is written, sentence after sentence."""

from collections.abc import Sequence

from shots.choices import Angle, Movement, ShotSize
from shots.models import Casting, Shot
from shots.prompts import words
from shots.prompts.result import Part


def plain_parts(shot: Shot, cast: Sequence[Casting], *, motion: bool) -> tuple[Part, ...]:
    """The parts of a shot's plain text; one sentence for each source."""

    def of_shot(source: str, field: str, text: str) -> Part:
        return Part(source, text, f"shot.{field}", "shot", shot.pk)

    camera = [
        of_shot("camera", "size", words.SIZES[ShotSize(shot.size)]),
        of_shot("camera", "angle", words.ANGLES[Angle(shot.angle)]),
    ]
    told = [of_shot("shot", name, getattr(shot, name).strip().rstrip(".")) for name in ("description", "action")]
    if told[0].words == told[1].words:
        told = told[:1]
    groups = [(", ", camera), (". ", told)]
    groups += [(", ", _person(row)) for row in cast]
    if e := shot.environment:
        place = next((name for name in ("prompt", "location", "name") if getattr(e, name)), "name")
        names = (place, "time_of_day", "weather", "mood", "description")
        about = [Part("environment", getattr(e, n), f"environment.{n}", "environment", e.pk) for n in names]
        groups.append((", ", about))
    if p := shot.preset:
        names = ("camera", "lens", "film_stock", "lighting", "filters")
        groups.append((", ", [Part("preset", getattr(p, n), f"preset.{n}", "preset", p.pk) for n in names]))
    groups.append((", ", [of_shot("emotion", "emotion", shot.emotion)]))
    if motion:
        groups.append((", ", [of_shot("movement", "movement", words.MOVES.get(Movement(shot.movement), ""))]))
    return _laid(groups)


def _person(casting: Casting) -> list[Part]:
    c = casting.character
    used = c.use_lora if casting.use_lora is None else casting.use_lora
    worn = "casting.outfit" if casting.outfit else "character.default_clothing"
    told = (
        ("character.trigger_words", c.trigger_words if used else ""), ("character.name", c.name),
        ("character.age", c.age), ("character.description", c.description), (worn, casting.worn),
    )  # fmt: skip
    return [Part(c.name, text, field, "character", c.pk) for field, text in told]


def _laid(groups: Sequence[tuple[str, list[Part]]]) -> tuple[Part, ...]:
    """One sentence after another with one full stop between; what was said already is not said again."""
    laid: list[Part] = []
    seen: set[str] = set()
    for glue, group in groups:
        present = [part for part in group if part.words]
        text = glue.join(part.words for part in present).strip().rstrip(".")
        if not text or text in seen:
            continue
        seen.add(text)
        for number, part in enumerate(present):
            said = part.words.lstrip() if number == 0 else part.words
            said = said.rstrip().rstrip(".") if number == len(present) - 1 else said
            before = glue if number else ". " if laid else ""
            laid.append(Part(part.source, said, part.field, part.kind, part.row, before=before))
    return tuple(laid)
