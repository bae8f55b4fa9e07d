"""Reference pictures without a model: a card of a character, an empty plate of an environment."""

from collections.abc import Mapping
from typing import Any

from PIL import Image, ImageDraw

from comfy_adapters.local.canvas import Canvas
from comfy_adapters.local.caption import LABEL, fitted, font, strip_height, wrapped
from comfy_adapters.local.composition import Place
from comfy_adapters.local.figures import draw_figure
from comfy_adapters.local.palette import hex_color, light_for, mix
from comfy_adapters.local.panel import draw_clean
from comfy_adapters.local.spec import Figure, PanelSpec, color_for

_PAPER = (226, 224, 218)
_INK = (32, 34, 42)
_DIM = (98, 102, 114)


def draw_reference(subject: Mapping[str, Any], width: int, height: int, seed: int) -> Image.Image:
    """The card or the plate that `subject` (shots.prompts.references) asks for, exactly width × height."""
    if subject.get("of") == "environment":
        return draw_plate(subject, width, height, seed)
    return draw_card(subject, width, height, seed)


def draw_card(subject: Mapping[str, Any], width: int, height: int, seed: int) -> Image.Image:
    """A character from two sides, whole and close, beside name, role, age, description and clothing."""
    name = _text(subject, "name")
    color = _text(subject, "color") or color_for(name)
    traits = f"{_text(subject, 'description')} {_text(subject, 'default_clothing')} {_text(subject, 'age')}"
    figure = Figure(name=name, color=color, traits=traits)
    light = light_for("day", "", inside=False)
    canvas = Canvas(width, height, seed)
    canvas.gradient(mix(_PAPER, (255, 255, 255), 0.35), mix(_PAPER, _DIM, 0.18), 0.0, 1.0)
    canvas.rect(0.0, 0.86, 0.66, 1.0, mix(_PAPER, _DIM, 0.3))
    for x, head, y, side in ((0.12, 0.108, 0.17, 1), (0.28, 0.108, 0.17, -1), (0.49, 0.27, 0.36, 1)):
        draw_figure(canvas, figure, Place(x, y, head, side), light)
    canvas.rect(0.66, 0.0, 1.0, 1.0, mix(_PAPER, (255, 255, 255), 0.55))
    canvas.rect(0.66, 0.0, 0.672, 1.0, hex_color(color))
    image = canvas.finished()
    _facts(image, subject, name)
    return image


def _facts(image: Image.Image, subject: Mapping[str, Any], name: str) -> None:
    draw = ImageDraw.Draw(image, "RGBA")
    unit = image.height / 720
    left, room = round(image.width * 0.69), image.width * 0.29
    big, small = font(max(11, round(40 * unit)), "Bold"), font(max(9, round(20 * unit)))
    y = 36 * unit
    draw.text((left, y), fitted(name or "-", big, room), font=big, fill=_INK)
    y += 60 * unit
    line = " · ".join(part for part in (_text(subject, "role"), _text(subject, "age")) if part)
    for text, color, most in (
        (line, _DIM, 2),
        (_text(subject, "description"), _INK, 8),
        (_text(subject, "default_clothing"), _DIM, 6),
        (_text(subject, "relations"), _DIM, 3),
    ):
        for part in wrapped(text, small, room, most):
            draw.text((left, y), part, font=small, fill=color)
            y += 28 * unit
        y += 14 * unit if text else 0
    label = font(max(8, round(13 * unit)), "SemiBold")
    place = (image.width - label.getlength(LABEL) - 14 * unit, image.height - 26 * unit)
    draw.text(place, LABEL, font=label, fill=(168, 112, 30))


def draw_plate(subject: Mapping[str, Any], width: int, height: int, seed: int) -> Image.Image:
    """The empty place in its light and weather, with its name and conditions on a strip."""
    place = {"size": "EWS", **subject, "location": _text(subject, "location") or _text(subject, "name")}
    image = draw_clean(PanelSpec.from_subject(place), width, height, seed)
    draw = ImageDraw.Draw(image, "RGBA")
    unit = image.height / 720
    high = strip_height(image.height)
    top, pad = image.height - high, round(14 * unit)
    draw.rectangle([0, top, image.width, image.height], fill=(12, 13, 17, 226))
    label = font(max(8, round(13 * unit)), "SemiBold")
    room = image.width - 3 * pad - label.getlength(LABEL)
    head, small = font(max(10, round(25 * unit)), "Bold"), font(max(9, round(19 * unit)))
    draw.text((pad, top + round(9 * unit)), fitted(_text(subject, "name") or "-", head, room), font=head, fill="white")
    inside = {True: "INT", False: "EXT"}.get(subject.get("interior"), "")  # type: ignore[arg-type]
    names = ("location", "time_of_day", "weather", "mood", "description")
    facts = "  ·  ".join(part for part in (inside, *(_text(subject, name) for name in names)) if part)
    for number, text in enumerate(wrapped(facts, small, image.width - 2 * pad, 2)):
        draw.text((pad, top + round((42 + 23 * number) * unit)), text, font=small, fill=(226, 228, 234))
    place_of_label = (image.width - pad - label.getlength(LABEL), top + round(14 * unit))
    draw.text(place_of_label, LABEL, font=label, fill=(214, 170, 92))
    return image


def _text(subject: Mapping[str, Any], name: str) -> str:
    return " ".join(str(subject.get(name) or "").split())
