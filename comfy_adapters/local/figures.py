"""People: simple, distinct silhouettes with a lit side, that keep their colour and hair from panel to panel."""

import hashlib

from comfy_adapters.local.canvas import Canvas
from comfy_adapters.local.composition import Place
from comfy_adapters.local.palette import Color, Light, hex_color, mix
from comfy_adapters.local.spec import Figure

_SKINS: tuple[Color, ...] = ((236, 204, 176), (226, 188, 158), (214, 172, 140), (240, 212, 190))
_HAIRS: tuple[Color, ...] = ((34, 30, 32), (52, 40, 36), (74, 54, 44), (24, 26, 32))
_LONG = (
    "여",
    "소녀",
    "그녀",
    "딸",
    "엄마",
    "언니",
    "누나",
    "아내",
    "woman",
    "girl",
    "she",
    "her ",
    "mother",
    "긴 머리",
)
_OLD = (
    "할머니",
    "할아버지",
    "노인",
    "백발",
    "old man",
    "old woman",
    "grand",
    "elderly",
    "60",
    "61",
    "65",
    "70",
    "75",
    "80",
)
_HAT = ("모자", "제복", "경찰", "기사", "hat", "cap", "uniform", "driver", "officer")


def draw_figure(canvas: Canvas, figure: Figure, place: Place, light: Light) -> None:
    """One person, from the head down to wherever the frame cuts; seen from behind when `place.back`."""
    look = hashlib.sha256(figure.name.encode()).digest()
    cloth = _lit(mix(hex_color(figure.color), light.shade, 0.12 + 0.38 * light.dark), light, 0.06)
    h, x, y, side = place.head, place.x, place.y, place.facing
    w = h / canvas.aspect
    if place.back:
        _from_behind(canvas, x, y, h, w, mix(cloth, (10, 11, 16), 0.62), mix(_HAIRS[look[2] % 4], (6, 7, 10), 0.5))
        return
    if y + h * 6.6 < 1.2:
        canvas.shadow(x, y + h * 6.6, w * 1.6, h * 0.35)
    long = any(word in figure.traits.lower() for word in _LONG) or (
        look[4] % 3 == 0 and not any(o in figure.traits for o in _OLD)
    )
    hair_tone = mix(_HAIRS[look[2] % 4], light.shade, 0.3 * light.dark)
    if long:
        canvas.ellipse(x - side * w * 0.05, y + h * 0.14, w * 0.54, h * 0.78, mix(hair_tone, light.shade, 0.2))
    skin = mix(_SKINS[look[1] % 4], light.shade, 0.10 + 0.42 * light.dark)
    _body(canvas, x, y, h, w, side, cloth, skin, light, build=0.94 + (look[3] % 5) * 0.03)
    old = any(word in figure.traits for word in _OLD)
    hair = mix((176, 174, 172) if old else _HAIRS[look[2] % 4], light.shade, 0.3 * light.dark)
    hat = any(word in figure.traits.lower() for word in _HAT)
    _head(
        canvas,
        x,
        y,
        h,
        w,
        side,
        skin,
        hair,
        light,
        long=long,
        hat=cloth if hat else None,
        speaking=figure.speaking,
    )


def _lit(color: Color, light: Light, amount: float) -> Color:
    return mix(color, light.key, amount)


def _from_behind(canvas: Canvas, x: float, y: float, h: float, w: float, cloth: Color, hair: Color) -> None:
    canvas.ellipse(x, y, w * 0.46, h * 0.56, hair)
    canvas.rect(x - w * 0.16, y + h * 0.4, x + w * 0.16, y + h * 0.8, hair)
    points = [(x - w * 1.25, y + h * 3.4), (x - w * 1.2, y + h * 1.25), (x - w * 0.75, y + h * 0.82), (x, y + h * 0.62),
              (x + w * 0.75, y + h * 0.82), (x + w * 1.2, y + h * 1.25), (x + w * 1.25, y + h * 3.4)]  # fmt: skip
    canvas.polygon(points, cloth)


def _body(
    canvas: Canvas,
    x: float,
    y: float,
    h: float,
    w: float,
    side: int,
    cloth: Color,
    skin: Color,
    light: Light,
    *,
    build: float,
) -> None:
    """Neck, shoulders, torso, arms and legs in head heights: shoulders 1.2, hips 3.4, feet 6.6 below the eyes."""
    shade, bright = mix(cloth, light.shade, 0.45), mix(cloth, light.key, 0.22)
    trousers = mix(shade, (40, 44, 56), 0.55)
    s = build
    feet = y + h * 6.5
    if y + h * 3.2 < 1.05:
        for leg in (-1, 1):
            canvas.polygon(
                [
                    (x + leg * w * 0.06, y + h * 3.2),
                    (x + leg * w * 0.62 * s, y + h * 3.2),
                    (x + leg * w * 0.46, feet),
                    (x + leg * w * 0.14, feet),
                ],
                trousers,
            )
            canvas.ellipse(
                x + leg * w * 0.3 + side * w * 0.12,
                feet,
                w * 0.28,
                h * 0.10,
                mix(trousers, (14, 14, 18), 0.5),
            )
    canvas.rect(x - w * 0.17, y + h * 0.36, x + w * 0.17, y + h * 0.85, mix(skin, light.shade, 0.22))
    torso = [(x - w * 0.62 * s, y + h * 3.4), (x - w * 0.95 * s, y + h * 1.12), (x - w * 0.62 * s, y + h * 0.80), (x, y + h * 0.70),
             (x + w * 0.62 * s, y + h * 0.80), (x + w * 0.95 * s, y + h * 1.12), (x + w * 0.62 * s, y + h * 3.4)]  # fmt: skip
    canvas.polygon(torso, cloth)
    canvas.polygon(
        [torso[0], torso[1], torso[2], (x - w * 0.28, y + h * 0.76), (x - w * 0.2, y + h * 3.4)]
        if side > 0
        else [torso[6], torso[5], torso[4], (x + w * 0.28, y + h * 0.76), (x + w * 0.2, y + h * 3.4)],
        shade,
    )
    for arm in (-1, 1):
        tone = shade if arm == -side else bright
        bend = 0.22 if arm == side else 0.02
        canvas.polygon(
            [
                (x + arm * w * 0.74 * s, y + h * 0.92),
                (x + arm * w * 1.02 * s, y + h * 1.2),
                (x + arm * w * 1.06 * s, y + h * 2.3),
                (x + arm * w * (0.80 - bend) * s, y + h * 3.2),
                (x + arm * w * (0.62 - bend) * s, y + h * 3.1),
                (x + arm * w * 0.78 * s, y + h * 2.2),
            ],
            tone,
        )
    collar = mix(bright, (240, 240, 240), 0.35)
    canvas.polygon(
        [(x - w * 0.2, y + h * 0.74), (x + w * 0.2, y + h * 0.74), (x + side * w * 0.05, y + h * 1.2)], collar
    )


def _head(
    canvas: Canvas, x: float, y: float, h: float, w: float, side: int, skin: Color, hair: Color, light: Light, *,
    long: bool, hat: Color | None, speaking: bool,
) -> None:  # fmt: skip
    shade = mix(skin, light.shade, 0.38)
    if long:
        lock = [
            (x - side * w * 0.44, y - h * 0.2),
            (x - side * w * 0.5, y + h * 0.5),
            (x - side * w * 0.42, y + h * 0.95),
            (x - side * w * 0.2, y + h * 0.86),
            (x - side * w * 0.24, y + h * 0.2),
        ]
        canvas.polygon(lock, hair)
    canvas.ellipse(x, y - h * 0.02, w * 0.40, h * 0.52, shade)
    canvas.ellipse(x + side * w * 0.055, y - h * 0.01, w * 0.345, h * 0.50, skin)
    canvas.ellipse(x - side * w * 0.34, y + h * 0.03, w * 0.07, h * 0.1, shade)
    top = [(x - w * 0.43, y + h * 0.02), (x - w * 0.44, y - h * 0.28), (x - w * 0.26, y - h * 0.56), (x + w * 0.05, y - h * 0.63),
           (x + w * 0.31, y - h * 0.5), (x + w * 0.43, y - h * 0.2), (x + w * 0.40, y - h * 0.08)]  # fmt: skip
    fringe = [
        (x + side * w * 0.34, y - h * 0.18),
        (x + side * w * 0.05, y - h * 0.26),
        (x - side * w * 0.28, y - h * 0.10),
    ]
    canvas.polygon([*top, *(fringe if side > 0 else fringe[::-1])], hair)
    if hat is not None:
        canvas.polygon(
            [
                (x - w * 0.46, y - h * 0.26),
                (x - w * 0.36, y - h * 0.66),
                (x + w * 0.36, y - h * 0.66),
                (x + w * 0.46, y - h * 0.26),
            ],
            mix(hat, (16, 18, 26), 0.4),
        )
        canvas.ellipse(x + side * w * 0.2, y - h * 0.26, w * 0.46, h * 0.06, mix(hat, (8, 9, 14), 0.65))
    if h < 0.07:
        return
    ink = mix(hair, (20, 16, 18), 0.4)
    for offset in (-0.15, 0.19):
        ex = x + side * w * (0.05 + offset * 0.95)
        canvas.ellipse(ex, y + h * 0.02, w * 0.045, h * 0.034, ink)
        canvas.line([(ex - w * 0.09, y - h * 0.10), (ex + w * 0.09, y - h * 0.105)], ink, h * 0.028)
        if h > 0.3:
            canvas.circle(ex + side * w * 0.015, y + h * 0.01, h * 0.012, (246, 246, 246))
    nose = x + side * w * 0.15
    canvas.line(
        [
            (nose - side * w * 0.03, y + h * 0.04),
            (nose + side * w * 0.03, y + h * 0.17),
            (nose - side * w * 0.03, y + h * 0.19),
        ],
        mix(shade, ink, 0.25),
        h * 0.016,
    )
    mouth = x + side * w * 0.09
    if speaking:
        canvas.ellipse(mouth, y + h * 0.30, w * 0.085, h * 0.05, mix((122, 52, 52), light.shade, 0.3))
    else:
        canvas.line(
            [(mouth - w * 0.09, y + h * 0.30), (mouth + w * 0.09, y + h * 0.295)],
            mix(shade, (120, 50, 50), 0.5),
            h * 0.022,
        )
    rim = mix(skin, light.accent if light.dark > 0.3 else light.key, 0.6)
    canvas.line(
        [
            (x + side * w * 0.385, y - h * 0.1),
            (x + side * w * 0.395, y + h * 0.1),
            (x + side * w * 0.33, y + h * 0.3),
        ],
        rim,
        h * 0.02,
    )
