"""Where things stand: the horizon by the angle, the scale and place of figures by the size."""

from dataclasses import dataclass

from comfy_adapters.local.spec import PanelSpec

# Head height as a part of the frame's height: a close-up's head fills half of it, an extreme wide's is a dot.
HEAD_OF: dict[str, float] = {
    "ECU": 1.05, "CU": 0.54, "MCU": 0.36, "MS": 0.24, "MWS": 0.165, "WS": 0.084, "EWS": 0.042, "INSERT": 0.0,
}  # fmt: skip
# Height of the eyes in the frame, from the top: in wide framings the feet (6.5 heads below) stand above the caption.
EYES_OF: dict[str, float] = {
    "ECU": 0.44, "CU": 0.40, "MCU": 0.36, "MS": 0.34, "MWS": 0.32, "WS": 0.28, "EWS": 0.50, "INSERT": 0.4,
}  # fmt: skip
HORIZON_OF: dict[str, float] = {
    "eye": 0.52, "low": 0.82, "high": 0.16, "overhead": -0.4, "dutch": 0.52, "ots": 0.50, "pov": 0.52,
}  # fmt: skip


@dataclass(frozen=True)
class Place:
    """Centre of the head (fractions of the frame), head height (fraction of the frame's height), facing -1 or 1."""

    x: float
    y: float
    head: float
    facing: int
    back: bool = False


def horizon(spec: PanelSpec) -> float:
    """The horizon's height from the top, as a fraction; close framings see less of the ground."""
    base = HORIZON_OF.get(spec.angle, 0.52)
    return base + 0.1 if spec.size in ("ECU", "CU") and spec.angle == "eye" else base


def places(spec: PanelSpec) -> list[Place]:
    """A place for each figure: facing each other in talk, staggered in groups, a shoulder in front for OTS."""
    count = len(spec.figures)
    head = HEAD_OF.get(spec.size, 0.24)
    eyes = EYES_OF.get(spec.size, 0.34)
    if not count or spec.size == "INSERT":
        return []
    if spec.angle == "low":
        eyes, head = eyes - 0.06, head * 1.12
    elif spec.angle == "high":
        eyes, head = eyes + 0.10, head * 0.88
    elif spec.angle == "overhead":
        return [
            Place(x, 0.5 + 0.12 * (i % 2), min(head, 0.16) * 0.9, 1 if i % 2 == 0 else -1)
            for i, x in enumerate(_spread(count, 0.6))
        ]
    if spec.angle == "ots" and count >= 2:
        front = Place(0.20, eyes + 0.12, head * 1.5, 1, back=True)
        return [Place(0.63, eyes, head, -1), front, *(_group(count - 2, 0.8, eyes - 0.02, head * 0.8))]
    if spec.angle == "pov":
        return _group(count, 0.5, eyes, head)
    if count == 1:
        x = 0.42 if spec.size in ("CU", "MCU", "ECU") else 0.38
        return [Place(x, eyes, head, 1)]
    if spec.size in ("CU", "ECU"):
        speaker = next((i for i, f in enumerate(spec.figures) if f.speaking), 0)
        found = [Place(0.9 + 0.2 * i, eyes + 0.05, head * 0.9, -1, back=True) for i in range(count)]
        found[speaker] = Place(0.40, eyes, head, 1)
        return found
    if count == 2:
        gap = 0.20 if head > 0.2 else 0.13
        return [Place(0.5 - gap, eyes, head, 1), Place(0.5 + gap, eyes + 0.015, head * 0.97, -1)]
    return _group(count, 0.5, eyes, head * (0.9 if count > 3 else 1.0))


def _group(count: int, centre: float, eyes: float, head: float) -> list[Place]:
    width = min(0.8, 0.16 * count + head * 0.5)
    return [
        Place(
            centre + (x - 0.5) * width / 0.8,
            eyes + 0.03 * (i % 2),
            head * (0.92 if i % 2 else 1.0),
            1 if x < 0.5 else -1,
        )
        for i, x in enumerate(_spread(count, 0.8))
    ]


def _spread(count: int, width: float) -> list[float]:
    if count <= 1:
        return [0.5] * count
    return [0.5 - width / 2 + width * i / (count - 1) for i in range(count)]
