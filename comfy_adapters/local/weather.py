"""Weather in front of everything, and the grain and vignette that make it one picture."""

from PIL import Image, ImageChops, ImageFilter

from comfy_adapters.local.canvas import Canvas
from comfy_adapters.local.palette import Light, mix
from comfy_adapters.local.spec import PanelSpec


def draw_weather(canvas: Canvas, spec: PanelSpec, light: Light) -> None:
    """Rain, snow, fog, wind or lightning, outside only."""
    if spec.inside:
        return
    rng = canvas.rng
    if spec.weather in ("rain", "storm"):
        heavy = 340 if spec.weather == "storm" else 210
        for _ in range(heavy):
            x, y, length = rng.uniform(-0.05, 1.05), rng.uniform(-0.05, 1.0), rng.uniform(0.03, 0.085)
            canvas.line(
                [(x, y), (x - length * 0.16, y + length)],
                mix(light.sky_low, (222, 230, 240), rng.uniform(0.2, 0.6)),
                0.0014,
            )
        for _ in range(26):
            x, y = rng.random(), rng.uniform(0.74, 0.99)
            canvas.ellipse(x, y, rng.uniform(0.008, 0.022), 0.004, mix(light.ground, (210, 220, 232), 0.35))
    elif spec.weather == "snow":
        for _ in range(230):
            canvas.circle(
                rng.random(),
                rng.random(),
                rng.choice((0.002, 0.003, 0.0045, 0.006)),
                mix(light.sky_low, (250, 252, 255), 0.8),
            )
    elif spec.weather == "fog":
        for y in (0.28, 0.44, 0.6, 0.74):
            canvas.haze(mix(light.sky_low, (226, 228, 230), 0.4), y - 0.14, y + 0.16, 0.5)
    elif spec.weather == "wind":
        for _ in range(26):
            x, y = rng.random(), rng.uniform(0.1, 0.9)
            canvas.line(
                [(x, y), (x + rng.uniform(0.05, 0.12), y - 0.008)],
                mix(light.sky_low, (255, 255, 255), 0.35),
                0.0016,
            )


def finish(image: Image.Image, seed: int, *, dark: float) -> Image.Image:
    """Paper grain and a soft vignette."""
    grain = _grain(seed)
    sheet = Image.new("L", image.size)
    for x in range(0, image.width, 256):
        for y in range(0, image.height, 256):
            sheet.paste(grain, (x, y))
    textured = ImageChops.soft_light(image, Image.merge("RGB", (sheet, sheet, sheet)))
    image = Image.blend(image, textured, 0.5)
    spot = Image.radial_gradient("L").resize(image.size, Image.Resampling.BILINEAR)
    mask = spot.point([round(max(0, v - 110) * (0.75 + 0.35 * dark)) for v in range(256)])
    image.paste((6, 7, 10), (0, 0), mask)
    return image


_TILE: dict[int, Image.Image] = {}


def _grain(seed: int) -> Image.Image:
    """One noise tile per process, the same in every process: Pillow's own noise is not seeded.

    Softened: grain of single pixels doubles the bytes of every frame and takes the encoder a third longer.
    """
    if not _TILE:
        import random

        noise = random.Random(7)
        sharp = Image.frombytes(
            "L", (256, 256), bytes(max(0, min(255, round(noise.gauss(128, 30)))) for _ in range(256 * 256))
        )
        _TILE[0] = sharp.filter(ImageFilter.GaussianBlur(0.9))
    turned = _TILE[0].rotate(90 * (seed % 4))
    return turned
