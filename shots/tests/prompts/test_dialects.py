"""What each family is told of the same shots. The texts are in golden.json, to be read by people when they change."""

import json
from pathlib import Path
from typing import Any

import pytest
from django.utils import translation

from aipipeline.projects.errors import Invalid
from assets.models import LoRA
from shots.prompts import FAMILIES, Prompt, write_prompt, write_reference
from shots.tests.prompts.scenes import SCENES, WORDINGS, Scene, alley, cafe, empty

GOLDEN: dict[str, Any] = json.loads(Path(__file__).with_name("golden.json").read_text(encoding="utf-8"))
MOTION = {"wan", "ltx"}


def write(scene: Scene, family: str, **more: Any) -> Prompt:
    shot, cast = scene
    return write_prompt(
        shot=shot, cast=cast, family=family, **{"motion": family in MOTION, "wordings": WORDINGS, **more}
    )


def codes(prompt: Prompt) -> list[str]:
    return [warning.code for warning in prompt.warnings]


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("name", SCENES)
@pytest.mark.parametrize("language", ["ko", "en"])
def test_a_shot_in_every_dialect(name: str, family: str, language: str) -> None:
    with translation.override(language):
        prompt = write(SCENES[name](), family)
    assert {
        "positive": prompt.positive,
        "negative": prompt.negative,
        "left_out": [part.words for part in prompt.left_out],
        "warnings": codes(prompt),
    } == GOLDEN[name][family]


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("name", SCENES)
def test_the_parts_are_the_text(name: str, family: str) -> None:
    """A page can colour every letter: the kept parts of a side, one after another, are that side."""
    prompt = write(SCENES[name](), family)
    for negative, text in ((False, prompt.positive), (True, prompt.negative)):
        assert "".join(p.text for p in prompt.parts if p.kept and p.negative == negative) == text
    assert all(part.row and part.field.partition(".")[2] for part in prompt.parts if part.source != "dialect")


def test_every_word_says_where_it_comes_from() -> None:
    found = {part.field: part for part in write(cafe(), "flux").parts}
    worn = found["casting.outfit"]
    assert (worn.source, worn.words, worn.kind, worn.row) == ("리나", "a long brown coat", "character", 10)
    assert (found["environment.time_of_day"].words, found["environment.time_of_day"].written) == ("night", "밤")
    assert (found["shot.size"].source, found["preset.lens"].source) == ("camera", "preset")
    assert found["shot.description"].written == "리나가 창가에 앉아 노트북을 연다."
    assert found["shot.action"].written == ""


def test_the_casting_comes_before_the_character() -> None:
    shot, cast = cafe()
    assert [row.strength for row in write((shot, cast), "flux").loras] == [0.4]
    cast[0].use_lora = False
    cast[0].outfit = ""
    off = write((shot, cast), "flux")
    assert off.loras == ()
    assert "Rina_v2" not in off.positive
    assert "wearing grey sweater" in off.positive
    cast[0].use_lora, cast[0].strength = None, None
    (lora,) = write((shot, cast), "flux").loras
    assert (lora.file, lora.strength, lora.name, lora.trigger_words) == (
        "faces\\rina.safetensors", 0.8, "rina", "Rina_v2, woman",
    )  # fmt: skip
    assert write((shot, cast), "flux").lora_params() == [
        {"file": "faces\\rina.safetensors", "strength": 0.8, "name": "rina"}
    ]


def test_a_lora_without_a_file_or_of_another_model_is_told_and_left_out() -> None:
    shot, cast = cafe()
    cast[1].use_lora = True
    assert codes(write((shot, cast), "flux")) == ["lora_missing"]
    lora = cast[0].character.lora
    assert lora is not None
    lora.base_model = "FLUX.1-dev"
    assert [len(write((shot, cast), family).loras) for family in FAMILIES] == [1, 1, 0, 0, 1, 0, 0]
    wan = write((shot, cast), "wan")
    assert "lora_other_model" in codes(wan)
    assert "Rina_v2" not in wan.positive


def test_a_file_that_two_share_is_applied_once() -> None:
    shot, cast = cafe()
    same = LoRA(pk=6, project=shot.project, name="twin", path="faces\\rina.safetensors", strength=1.2)
    cast[1].character.use_lora, cast[1].character.lora = True, same
    assert [(row.name, row.strength) for row in write((shot, cast), "flux").loras] == [("twin", 1.2)]


def test_korean_without_a_translation_is_passed_as_written_with_a_warning() -> None:
    prompt = write(cafe(), "flux", wordings={})
    assert "리나가 창가에 앉아 노트북을 연다" in prompt.positive
    assert codes(prompt) == ["untranslated"]
    assert prompt.texts == ("리나가 창가에 앉아 노트북을 연다.", "리나", "카페 창가", "쓸쓸함")
    # Times of day and weathers are a vocabulary of their own; a person may still say them better.
    assert ", night, rain," in prompt.positive
    assert ", in the dead of night, rain," in write(cafe(), "flux", wordings={"밤": "in the dead of night"}).positive
    assert codes(write(cafe(), "none", wordings={})) == []


@pytest.mark.parametrize("family", FAMILIES)
def test_a_prompt_by_hand_is_used_as_it_is(family: str) -> None:
    shot, cast = cafe()
    shot.prompt = "  Rina_v2 woman,\nsmiling  "
    shot.negative_prompt = " hats "
    prompt = write((shot, cast), family)
    assert prompt.by_hand
    assert prompt.positive == "Rina_v2 woman,\nsmiling"
    assert prompt.negative == ("" if family == "flux" else "hats")
    assert codes(prompt) == ["by_hand", *(["negative_unused"] if family == "flux" else [])]
    assert [row.name for row in prompt.loras] == ["rina"]


def test_a_prompt_by_hand_in_korean_is_translated_and_a_forgotten_trigger_told() -> None:
    shot, cast = cafe()
    shot.prompt = "리나가 웃는다"
    assert codes(write((shot, cast), "flux")) == ["by_hand", "trigger_missing", "untranslated"]
    said = write((shot, cast), "flux", wordings={"리나가 웃는다": "Rina_v2 woman smiles."})
    assert (said.positive, codes(said)) == ("Rina_v2 woman smiles.", ["by_hand"])
    assert write((shot, cast), "none").positive == "리나가 웃는다"


def test_a_still_family_tells_the_camera_only_when_the_result_moves() -> None:
    assert "handheld" not in write(alley(), "flux").positive
    assert "The camera is handheld" in write(alley(), "flux", motion=True).positive
    assert "The camera holds still" in write(empty(), "wan").positive


def test_the_scenes_place_stands_in_for_the_shots() -> None:
    from shots.models import Scene as SceneRow

    shot, cast = cafe()
    shot.scene = SceneRow(pk=1, project=shot.project, environment=shot.environment)
    shot.environment = None
    assert "a window seat in a cafe" in write((shot, cast), "flux").positive


def test_an_unknown_family_is_refused_by_name() -> None:
    with pytest.raises(Invalid, match="sd9") as caught:
        write(empty(), "sd9")
    assert list(caught.value.fields) == ["family"]


@pytest.mark.parametrize("family", FAMILIES)
def test_references_of_people_and_places(family: str) -> None:
    shot, cast = cafe()
    person = write_reference(owner=cast[0].character, family=family, wordings=WORDINGS)
    assert "character sheet" in person.positive.casefold()
    assert "grey sweater" in person.positive
    assert "Rina_v2" in person.positive
    assert [row.strength for row in person.loras] == [0.8]
    assert shot.environment is not None
    place = write_reference(owner=shot.environment, family=family, wordings=WORDINGS)
    assert "no people" in place.positive
    assert ("lonely" in place.positive) == (family != "none")
    assert place.loras == ()
    for prompt in (person, place):
        assert "".join(p.text for p in prompt.parts if p.kept and not p.negative) == prompt.positive
        assert bool(prompt.negative) == (family in ("sd", "qwen", "wan", "ltx"))
