"""Shots that tests write prompts of. Nothing is saved: the engine reads rows, not the database."""

from typing import Any

from aipipeline.projects.models import Project
from assets.models import Character, CinematicPreset, Environment, LoRA
from shots.models import Casting, Shot

Scene = tuple[Shot, list[Casting]]
PROJECT = Project(pk=1, code="TEST", title="시험")
WORDINGS = {
    "리나": "Rina",
    "리나가 창가에 앉아 노트북을 연다.": "Rina sits by the window and opens her laptop.",
    "쓸쓸함": "lonely",
    "카페 창가": "a window seat in a cafe",
}


def cast(shot: Shot, *people: tuple[Character, dict[str, Any]]) -> list[Casting]:
    return [Casting(pk=20 + n, project=PROJECT, shot=shot, character=c, **more) for n, (c, more) in enumerate(people)]


def cafe() -> Scene:
    """Everything is filled in, half of it in Korean; the casting's outfit and strength are another than her own."""
    lora = LoRA(
        pk=5, project=PROJECT, name="rina", path="faces\\rina.safetensors", trigger_words="rina_v2, woman", strength=0.8
    )
    rina = Character(
        pk=10, project=PROJECT, name="리나", description="short black hair, round glasses", age="20 years old",
        default_clothing="grey sweater", use_lora=True, lora=lora, trigger_words="Rina_v2",
        outfits=[{"name": "코트", "description": "a long brown coat"}],
    )  # fmt: skip
    minjun = Character(pk=11, project=PROJECT, name="Minjun", default_clothing="navy suit")
    place = Environment(
        pk=2, project=PROJECT, name="카페", location="카페 창가", time_of_day="밤", weather="비", mood="쓸쓸함",
        description="wet neon reflections on the glass", interior=True,
    )  # fmt: skip
    look = CinematicPreset(
        pk=3, project=PROJECT, name="심야", camera="ARRI Alexa 35", lens="35mm", film_stock="Kodak Vision3 500T",
        lighting="soft key from the left", filters="1/4 black pro-mist",
    )  # fmt: skip
    shot = Shot(
        pk=4, project=PROJECT, code="SHT_0010", size="MS", angle="eye", movement="push_in", environment=place,
        preset=look, description="리나가 창가에 앉아 노트북을 연다.", action="Looks up at the door as it opens.",
        dialogue="왔어?", emotion="hopeful",
    )  # fmt: skip
    return shot, cast(shot, (rina, {"outfit": "코트", "strength": 0.5, "speaks": True}), (minjun, {}))


def alley() -> Scene:
    """Somebody walks; nothing but the shot's own words, and negative words of a person's."""
    shot = Shot(
        pk=6, project=PROJECT, code="SHT_0020", size="EWS", angle="low", movement="handheld",
        action="A man walks down the alley without an umbrella.", negative_prompt="crowd, cars",
    )  # fmt: skip
    return shot, []


def empty() -> Scene:
    return Shot(pk=7, project=PROJECT, code="SHT_0030"), []


SCENES = {"cafe": cafe, "alley": alley, "empty": empty}
