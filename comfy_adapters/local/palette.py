"""Light by time and weather: the colours that everything in a panel is drawn with."""

from dataclasses import dataclass

Color = tuple[int, int, int]


@dataclass(frozen=True)
class Light:
    """`key` lights faces, `shade` falls into shadow, `accent` is lamps and windows; `dark` 0..1."""

    sky_top: Color
    sky_low: Color
    ground: Color
    wall: Color
    far: Color
    near: Color
    key: Color
    shade: Color
    accent: Color
    dark: float


_LIGHTS: dict[str, Light] = {
    "day": Light((142, 178, 204), (222, 228, 220), (150, 148, 136), (196, 190, 176), (150, 166, 172), (92, 102, 104),
                 (246, 232, 208), (86, 92, 100), (255, 246, 220), 0.0),
    "morning": Light((158, 188, 206), (246, 226, 196), (158, 150, 132), (206, 196, 176), (168, 174, 168), (100, 104, 98),
                     (252, 232, 198), (94, 92, 96), (255, 240, 200), 0.05),
    "afternoon": Light((150, 176, 190), (240, 216, 176), (156, 144, 122), (204, 188, 160), (162, 160, 150), (98, 94, 88),
                       (252, 226, 184), (90, 84, 84), (255, 234, 188), 0.08),
    "dawn": Light((52, 70, 104), (214, 168, 152), (70, 78, 96), (98, 102, 122), (84, 94, 122), (44, 54, 78),
                  (222, 186, 170), (38, 44, 66), (255, 206, 158), 0.45),
    "evening": Light((66, 62, 98), (226, 140, 96), (84, 70, 76), (122, 98, 92), (104, 84, 96), (54, 46, 62),
                     (240, 176, 128), (46, 38, 56), (255, 196, 120), 0.4),
    "dusk": Light((58, 58, 100), (232, 128, 84), (78, 64, 76), (114, 90, 92), (98, 78, 98), (48, 42, 62),
                  (242, 166, 116), (42, 36, 56), (255, 190, 112), 0.45),
    "night": Light((14, 20, 36), (40, 54, 80), (30, 36, 50), (52, 56, 70), (30, 38, 58), (16, 20, 34),
                   (160, 172, 196), (14, 17, 28), (255, 204, 122), 0.85),
}  # fmt: skip


def mix(a: Color, b: Color, t: float) -> Color:
    """From a (t=0) to b (t=1)."""
    return (
        round(a[0] + (b[0] - a[0]) * t),
        round(a[1] + (b[1] - a[1]) * t),
        round(a[2] + (b[2] - a[2]) * t),
    )


def hex_color(text: str) -> Color:
    """#rrggbb to a colour; grey for anything else."""
    value = text.lstrip("#")
    if len(value) != 6 or any(c not in "0123456789abcdefABCDEF" for c in value):
        return (150, 150, 150)
    return (int(value[0:2], 16), int(value[2:4], 16), int(value[4:6], 16))


def light_for(time: str, weather: str, *, inside: bool) -> Light:
    """The light of a panel; grey weather takes colour away, rooms at night are lit warm."""
    light = _LIGHTS.get(time or "day", _LIGHTS["day"])
    if weather in ("rain", "storm", "cloudy", "fog", "snow"):
        grey: Color = (206, 210, 216) if weather in ("snow", "fog") else (112, 120, 132)
        amount = {"storm": 0.55, "fog": 0.5, "snow": 0.45, "rain": 0.4, "cloudy": 0.35}[weather] * (
            1 - light.dark * 0.6
        )
        light = _graded(light, grey, amount)
    if inside and light.dark > 0.3:
        light = Light(
            light.sky_top, light.sky_low, mix(light.ground, (120, 88, 60), 0.35), mix(light.wall, (150, 112, 78), 0.42),
            light.far, mix(light.near, (60, 44, 36), 0.4), (244, 206, 158), mix(light.shade, (40, 28, 24), 0.4),
            light.accent, light.dark * 0.6,
        )  # fmt: skip
    return light


def _graded(light: Light, grey: Color, amount: float) -> Light:
    return Light(
        mix(light.sky_top, grey, amount), mix(light.sky_low, grey, amount), mix(light.ground, grey, amount * 0.6),
        mix(light.wall, grey, amount * 0.4), mix(light.far, grey, amount * 0.7), mix(light.near, grey, amount * 0.25),
        mix(light.key, grey, amount * 0.4), light.shade, light.accent, min(1.0, light.dark + 0.1 * amount),
    )  # fmt: skip
