"""What is written on a panel: the caption strip, names, movement arrows, and the honest label."""

from functools import cache

from PIL import Image, ImageDraw, ImageFont

from aipipeline.media.fonts import font_path
from comfy_adapters.local.composition import Place
from comfy_adapters.local.spec import PanelSpec

_MOVES = {
    "pan_left": "PAN ←", "pan_right": "PAN →", "tilt_up": "TILT ↑", "tilt_down": "TILT ↓", "push_in": "PUSH IN",
    "pull_out": "PULL OUT", "track_left": "TRACK ←", "track_right": "TRACK →", "crane_up": "CRANE ↑",
    "crane_down": "CRANE ↓", "handheld": "HANDHELD", "orbit": "ORBIT", "static": "STATIC",
}  # fmt: skip
_ARROWS = {
    "pan_left": (-1, 0), "track_left": (-1, 0), "pan_right": (1, 0), "track_right": (1, 0), "tilt_up": (0, -1),
    "crane_up": (0, -1), "tilt_down": (0, 1), "crane_down": (0, 1), "orbit": (1, 0),
}  # fmt: skip
LABEL = "LOCAL DRAFT"


@cache
def font(size: int, weight: str = "Regular") -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(font_path(weight)), size)


def strip_height(height: int) -> int:
    """Height of the caption strip in pixels."""
    return max(22, round(height * 0.125))


def draw_caption(image: Image.Image, spec: PanelSpec, places: list[Place]) -> Image.Image:
    """The panel with its caption, in place; the picture above the strip stays whole."""
    draw = ImageDraw.Draw(image, "RGBA")
    unit = image.height / 720
    _names(draw, image, spec, places, unit)
    _arrow(draw, image, spec, unit)
    high = strip_height(image.height)
    top = image.height - high
    draw.rectangle([0, top, image.width, image.height], fill=(12, 13, 17, 226))
    pad, small, big = round(14 * unit), max(9, round(19 * unit)), max(10, round(25 * unit))
    head = font(big, "Bold")
    draw.text((pad, top + round(9 * unit)), spec.code or "-", font=head, fill=(255, 255, 255))
    x = pad + round(head.getlength(spec.code or "-")) + pad
    facts = "  ·  ".join(
        part
        for part in (spec.scene, spec.size, spec.angle.upper(), _MOVES.get(spec.movement, ""), _length(spec))
        if part
    )
    facts_font = font(small)
    room = image.width - x - pad - round(110 * unit)
    draw.text((x, top + round(14 * unit)), fitted(facts, facts_font, room), font=facts_font, fill=(150, 178, 220))
    line = " — ".join(part for part in (" ".join(spec.text.split()), " / ".join(spec.dialogue.split("\n"))) if part)
    for number, text in enumerate(wrapped(line, facts_font, image.width - 2 * pad, 2)):
        draw.text((pad, top + round((42 + 23 * number) * unit)), text, font=facts_font, fill=(226, 228, 234))
    label = font(max(8, round(13 * unit)), "SemiBold")
    width = label.getlength(LABEL)
    draw.text((image.width - pad - width, top + round(14 * unit)), LABEL, font=label, fill=(214, 170, 92))
    return image


def _length(spec: PanelSpec) -> str:
    from fractions import Fraction

    if not spec.frames:
        return ""
    seconds = Fraction(spec.frames) / Fraction(spec.fps)
    return f"{spec.frames}f  {float(seconds):.1f}s"


def fitted(text: str, face: ImageFont.FreeTypeFont, room: float) -> str:
    """The text, cut with an ellipsis where it would leave the room (pixels)."""
    if face.getlength(text) <= room:
        return text
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        if face.getlength(text[:middle].rstrip() + "…") <= room:
            low = middle
        else:
            high = middle - 1
    return text[:low].rstrip() + "…"


def wrapped(text: str, face: ImageFont.FreeTypeFont, room: float, lines: int) -> list[str]:
    """At most `lines` lines within the room; Korean may break anywhere, the last line is cut with an ellipsis."""
    text = text[:600]
    found: list[str] = []
    while text and len(found) < lines - 1:
        if face.getlength(text) <= room:
            break
        low, high = 1, len(text)
        while low < high:
            middle = (low + high + 1) // 2
            low, high = (middle, high) if face.getlength(text[:middle]) <= room else (low, middle - 1)
        space = text.rfind(" ", 0, low + 1)
        cut = space if space > low * 0.6 else low
        found.append(text[:cut].rstrip())
        text = text[cut:].lstrip()
    return [*found, fitted(text, face, room)] if text else found


def _names(draw: ImageDraw.ImageDraw, image: Image.Image, spec: PanelSpec, places: list[Place], unit: float) -> None:
    face = font(max(9, round(17 * unit)), "SemiBold")
    for figure, place in zip(spec.figures, places, strict=False):
        if not figure.name or place.back or not 0 < place.x < 1:
            continue
        width = face.getlength(figure.name)
        x = min(max(place.x * image.width - width / 2, 8 * unit), image.width - width - 8 * unit)
        y = max((place.y - place.head * 0.72) * image.height - 30 * unit, 8 * unit)
        box = [x - 7 * unit, y - 3 * unit, x + width + 7 * unit, y + 22 * unit]
        draw.rounded_rectangle(box, radius=5 * unit, fill=(12, 13, 17, 170))
        draw.text((x, y), figure.name, font=face, fill=(255, 255, 255) if figure.speaking else (206, 210, 220))


def _arrow(draw: ImageDraw.ImageDraw, image: Image.Image, spec: PanelSpec, unit: float) -> None:
    """Storyboard arrows: a long one for pans and tracks, four at the corners for push in and pull out."""
    w, h = image.width, image.height - strip_height(image.height)
    color = (255, 214, 130, 230)
    thick = max(2, round(5 * unit))
    if spec.movement in _ARROWS:
        dx, dy = _ARROWS[spec.movement]
        long = 0.16 * (w if dx else h)
        cx, cy = (w / 2, h - 34 * unit) if dx else (w - 40 * unit, h / 2)
        _line_with_head(draw, (cx - dx * long, cy - dy * long), (cx + dx * long, cy + dy * long), color, thick)
    elif spec.movement in ("push_in", "pull_out"):
        for sx in (-1, 1):
            for sy in (-1, 1):
                outer = (w / 2 + sx * w * 0.47, h / 2 + sy * h * 0.45)
                inner = (w / 2 + sx * w * 0.40, h / 2 + sy * h * 0.36)
                start, end = (outer, inner) if spec.movement == "push_in" else (inner, outer)
                _line_with_head(draw, start, end, color, thick)


def _line_with_head(
    draw: ImageDraw.ImageDraw,
    start: tuple[float, float],
    end: tuple[float, float],
    color: tuple[int, int, int, int],
    thick: int,
) -> None:
    draw.line([start, end], fill=color, width=thick)
    dx, dy = end[0] - start[0], end[1] - start[1]
    length = max((dx * dx + dy * dy) ** 0.5, 1)
    ux, uy = dx / length, dy / length
    size = thick * 3.2
    tip = (end[0] + ux * size, end[1] + uy * size)
    draw.polygon(
        [
            tip,
            (end[0] - uy * size * 0.7, end[1] + ux * size * 0.7),
            (end[0] + uy * size * 0.7, end[1] - ux * size * 0.7),
        ],
        fill=color,
    )
