"""Lengths: how they are counted, what goes first, and that nothing that is cut is lost from sight."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assets.models import Character, CinematicPreset, Environment, LoRA
from shots.choices import Angle, Movement, ShotSize
from shots.models import Casting, Shot
from shots.prompts import FAMILIES, write_prompt
from shots.prompts.fitting import LIMITS, count
from shots.tests.prompts.scenes import PROJECT, Scene, cafe, cast

WORDS = st.text(alphabet=st.sampled_from("ab 가나,.。\n-7é雨"), max_size=60)
LONG = st.builds(lambda text, times: text * times, WORDS, st.sampled_from([1, 1, 1, 40]))


def fields(*names: str) -> st.SearchStrategy[dict[str, str]]:
    return st.fixed_dictionaries(dict.fromkeys(names, LONG))


@st.composite
def scenes(draw: Any) -> Scene:
    about = draw(fields("location", "time_of_day", "weather", "mood", "description", "prompt"))
    inside = draw(st.sampled_from([None, True, False]))
    place = Environment(pk=2, project=PROJECT, name="p", interior=inside, **about)
    look = CinematicPreset(pk=3, project=PROJECT, **draw(fields("camera", "lens", "film_stock", "lighting", "filters")))
    shot = Shot(
        pk=4, project=PROJECT, size=draw(st.sampled_from(ShotSize.values)), angle=draw(st.sampled_from(Angle.values)),
        movement=draw(st.sampled_from(Movement.values)), environment=draw(st.sampled_from([None, place])),
        preset=draw(st.sampled_from([None, look])), negative_prompt=draw(WORDS),
        **draw(fields("description", "action", "dialogue", "emotion")),
    )  # fmt: skip
    people = []
    for number in range(draw(st.integers(0, 3))):
        lora = LoRA(pk=number, project=PROJECT, name=f"l{number}", path=draw(WORDS), trigger_words=draw(WORDS))
        person = Character(
            pk=10 + number, project=PROJECT, name=f"인물{number}", use_lora=draw(st.booleans()), lora=lora,
            **draw(fields("description", "default_clothing", "age", "trigger_words")),
        )  # fmt: skip
        people.append((person, {"speaks": draw(st.booleans()), "outfit": draw(st.sampled_from(["", "코트"]))}))
    return shot, cast(shot, *people)


@settings(max_examples=60, deadline=None)
@given(scene=scenes(), family=st.sampled_from(list(FAMILIES)), motion=st.booleans())
def test_the_same_rows_give_the_same_text_within_the_limit(scene: Scene, family: str, motion: bool) -> None:
    shot, rows = scene

    def write() -> Any:
        return write_prompt(shot=shot, cast=rows, family=family, motion=motion, wordings={})

    prompt = write()
    assert prompt == write()
    assert prompt.count == count(prompt.positive)
    assert not prompt.limit or prompt.count <= prompt.limit
    assert "".join(p.text for p in prompt.parts if p.kept and not p.negative) == prompt.positive
    told = any(warning.code == "too_long" for warning in prompt.warnings)
    assert told == any(not part.kept and not part.negative for part in prompt.parts)
    if family not in ("none", "sd") and not told:
        everything = [row.character.name for row in rows] if family != "edit" else []
        assert all(name in prompt.positive for name in everything)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("", 0), ("cat", 1), ("umbrella", 2), ("a cat, asleep.", 5), ("비가 온다", 8), ("35mm f/1.4", 6), ("café", 1)],
)
def test_the_rule_of_counting(text: str, expected: int) -> None:
    assert count(text) == expected


def test_the_least_important_goes_first() -> None:
    left = [part.field for part in write_prompt(shot=cafe()[0], cast=cafe()[1], family="sd", wordings={}).left_out]
    assert left[:4] == ["", "", "", ""]  # the words of quality
    assert left[4:8] == ["preset.filters", "preset.film_stock", "preset.lens", "preset.camera"]
    assert not {"shot.description", "shot.action", "character.trigger_words", "shot.size"} & set(left)


def test_one_text_never_pushes_out_all_others() -> None:
    shot, rows = cafe()
    shot.description = "very long words " * 400
    prompt = write_prompt(shot=shot, cast=rows, family="flux", wordings={})
    assert prompt.count <= LIMITS["flux"]
    assert "short black hair" in prompt.positive
    kept = next(part for part in prompt.parts if part.field == "shot.description" and part.kept)
    rest = next(part for part in prompt.left_out if part.field == "shot.description")
    assert f"{kept.words} {rest.words}".casefold() == shot.description.strip()


def test_a_text_by_hand_is_never_cut() -> None:
    shot = Shot(pk=1, project=PROJECT, prompt="words " * 600)
    prompt = write_prompt(shot=shot, cast=[], family="sd", wordings={})
    assert prompt.positive == shot.prompt.strip()
    assert [warning.code for warning in prompt.warnings] == ["by_hand", "too_long"]


def test_a_huge_text_is_no_trouble() -> None:
    shot = Shot(pk=1, project=PROJECT, description="가" * 1_000_000, action="x, " * 300_000)
    person = Casting(project=PROJECT, shot=shot, character=Character(project=PROJECT, pk=1, name="n" * 120))
    for family in FAMILIES:
        prompt = write_prompt(shot=shot, cast=[person], family=family, wordings={})
        assert not prompt.limit or prompt.count <= prompt.limit
