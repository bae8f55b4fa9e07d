"""A storyboard panel from a shot's own data."""

from PIL import Image

from comfy_adapters.local import composition
from comfy_adapters.local.backdrop import draw_backdrop
from comfy_adapters.local.canvas import Canvas
from comfy_adapters.local.caption import draw_caption
from comfy_adapters.local.figures import draw_figure
from comfy_adapters.local.palette import Light, hex_color, light_for, mix
from comfy_adapters.local.spec import PanelSpec
from comfy_adapters.local.weather import draw_weather, finish


def draw_clean(spec: PanelSpec, width: int, height: int, seed: int) -> Image.Image:
    """The picture alone, exactly width × height: what a camera move runs over."""
    canvas = Canvas(width, height, seed)
    light = light_for(spec.time, spec.weather, inside=spec.inside)
    draw_backdrop(canvas, spec, light, composition.horizon(spec))
    placed = list(zip(spec.figures, composition.places(spec), strict=False))
    for figure, place in sorted(placed, key=lambda pair: (pair[1].back, pair[1].y + pair[1].head)):
        draw_figure(canvas, figure, place, light)
    if spec.size == "INSERT":
        _insert(canvas, spec, light)
    draw_weather(canvas, spec, light)
    image = canvas.finished()
    if spec.angle == "dutch":
        grown = image.rotate(7, Image.Resampling.BICUBIC, expand=False)
        mx, my = round(width * 0.09), round(height * 0.11)
        image = grown.resize((width, height), Image.Resampling.BICUBIC, box=(mx, my, width - mx, height - my))
    return finish(image, seed, dark=light.dark)


def draw_panel(spec: PanelSpec, width: int, height: int, seed: int) -> tuple[Image.Image, Image.Image]:
    """The panel with its caption, and the clean picture; both exactly width × height. Same input, same bytes."""
    clean = draw_clean(spec, width, height, seed)
    return draw_caption(clean.copy(), spec, composition.places(spec)), clean


def _insert(canvas: Canvas, spec: PanelSpec, light: Light) -> None:
    """A detail held into the light: a hand and the thing itself."""
    canvas.blur(22)
    skin = mix((228, 190, 160), light.shade, 0.15 + 0.4 * light.dark)
    color = hex_color(spec.figures[0].color) if spec.figures else (120, 130, 150)
    sleeve = mix(color, light.shade, 0.4)
    canvas.glow(0.5, 0.42, 0.6, light.key, 0.35)
    canvas.polygon([(0.62, 1.1), (0.98, 1.1), (0.80, 0.72), (0.62, 0.66)], sleeve)
    canvas.polygon([(0.58, 0.74), (0.74, 0.80), (0.72, 0.58), (0.56, 0.50), (0.50, 0.60)], skin)
    thing = mix((236, 228, 208), light.shade, 0.12 + 0.3 * light.dark)
    canvas.shadow(0.47, 0.72, 0.2, 0.08, 0.5)
    canvas.polygon([(0.30, 0.34), (0.60, 0.28), (0.64, 0.60), (0.33, 0.66)], mix(thing, light.shade, 0.4))
    canvas.polygon([(0.29, 0.33), (0.59, 0.27), (0.63, 0.59), (0.32, 0.65)], thing)
    ink = mix(thing, (30, 30, 40), 0.55)
    for i in range(4):
        t = 0.09 + 0.06 * i
        canvas.line(
            [(0.33 + 0.007 * i, 0.36 + t - 0.03), (0.55 + 0.006 * i - 0.05 * (i == 3), 0.315 + t - 0.03)],
            ink,
            0.006,
        )
    for i in range(4):
        canvas.ellipse(0.575 + 0.022 * i, 0.50 + 0.045 * i, 0.03, 0.026, mix(skin, light.key, 0.12))
