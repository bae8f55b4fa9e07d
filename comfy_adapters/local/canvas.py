"""A small drawing surface in fractions of the frame, drawn at twice the size for smooth edges."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field

from PIL import Image, ImageDraw, ImageFilter

from comfy_adapters.local.palette import Color

SCALE = 2
Point = tuple[float, float]


@dataclass
class Canvas:
    """`width` and `height` in output pixels; all drawing takes fractions of the frame's width and height."""

    width: int
    height: int
    seed: int
    image: Image.Image = field(init=False)
    draw: ImageDraw.ImageDraw = field(init=False)
    rng: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self.image = Image.new("RGB", (self.width * SCALE, self.height * SCALE))
        self.draw = ImageDraw.Draw(self.image)
        self.rng = random.Random(self.seed)

    @property
    def aspect(self) -> float:
        return self.width / self.height

    def point(self, x: float, y: float) -> tuple[int, int]:
        return round(x * self.image.width), round(y * self.image.height)

    def polygon(self, points: Sequence[Point], fill: Color) -> None:
        self.draw.polygon([self.point(x, y) for x, y in points], fill=fill)

    def rect(self, x0: float, y0: float, x1: float, y1: float, fill: Color) -> None:
        self.draw.rectangle([self.point(min(x0, x1), min(y0, y1)), self.point(max(x0, x1), max(y0, y1))], fill=fill)

    def ellipse(self, x: float, y: float, rx: float, ry: float, fill: Color) -> None:
        self.draw.ellipse([self.point(x - rx, y - ry), self.point(x + rx, y + ry)], fill=fill)

    def circle(self, x: float, y: float, r: float, fill: Color) -> None:
        """`r` is a fraction of the frame's height."""
        self.ellipse(x, y, r / self.aspect, r, fill)

    def line(self, points: Sequence[Point], fill: Color, thickness: float = 0.003) -> None:
        """`thickness` is a fraction of the frame's height."""
        wide = max(1, round(thickness * self.image.height))
        self.draw.line([self.point(x, y) for x, y in points], fill=fill, width=wide, joint="curve")

    def gradient(self, top: Color, low: Color, y0: float, y1: float) -> None:
        """A vertical blend over the whole width."""
        first, last = self.point(0, y0)[1], self.point(0, y1)[1]
        if last <= first:
            return
        size = (self.image.width, last - first)
        ramp = Image.linear_gradient("L").resize(size, Image.Resampling.BILINEAR)
        band = Image.composite(Image.new("RGB", size, low), Image.new("RGB", size, top), ramp)
        self.image.paste(band, (0, first))

    def glow(self, x: float, y: float, radius: float, color: Color, strength: float = 0.6) -> None:
        """Light around a lamp, a window or the moon; `radius` a fraction of the frame's height."""
        r = max(4, round(radius * self.image.height))
        spot = Image.radial_gradient("L").resize((2 * r, 2 * r), Image.Resampling.BILINEAR)
        mask = spot.point([max(0, round((255 - v * 1.42) * strength)) for v in range(256)])
        cx, cy = self.point(x, y)
        self.image.paste(color, (cx - r, cy - r), mask)

    def haze(self, color: Color, y0: float, y1: float, strength: float) -> None:
        """A soft band of fog or rain light."""
        first, last = self.point(0, y0)[1], self.point(0, y1)[1]
        size = (self.image.width, max(1, last - first))
        ramp = Image.linear_gradient("L").resize(size, Image.Resampling.BILINEAR)
        mask = ramp.point([round(255 * strength * (1 - abs(v - 128) / 128)) for v in range(256)])
        self.image.paste(color, (0, first), mask)

    def shadow(self, x: float, y: float, rx: float, ry: float, strength: float = 0.35) -> None:
        """A soft shadow on the ground."""
        w, h = max(4, round(rx * 2 * self.image.width)), max(4, round(ry * 2 * self.image.height))
        spot = Image.radial_gradient("L").resize((w, h), Image.Resampling.BILINEAR)
        mask = spot.point([max(0, round((255 - v * 1.42) * strength)) for v in range(256)])
        cx, cy = self.point(x, y)
        self.image.paste((8, 9, 14), (cx - w // 2, cy - h // 2), mask)

    def finished(self) -> Image.Image:
        """The frame at its own size."""
        return self.image.reduce(SCALE)

    def blur(self, radius: float) -> None:
        """Put everything drawn so far out of focus (shallow depth behind a close-up)."""
        # Blurring a quarter-size copy looks the same and costs a sixteenth.
        small = self.image.reduce(4).filter(ImageFilter.GaussianBlur(radius / 4))
        self.image.paste(small.resize(self.image.size, Image.Resampling.BILINEAR))
        self.draw = ImageDraw.Draw(self.image)
