"""Rooms: walls in perspective, a window with the light outside, furniture by the kind of place."""

from comfy_adapters.local.canvas import Canvas
from comfy_adapters.local.palette import Light, mix
from comfy_adapters.local.spec import PanelSpec

KINDS: tuple[tuple[str, tuple[str, ...]], ...] = (
    (
        "vehicle",
        (
            "버스",
            "기차",
            "지하철",
            "택시",
            "차 안",
            "비행기",
            "bus",
            "train",
            "subway",
            "car",
            "taxi",
            "plane",
        ),
    ),
    ("bar", ("술집", "바", "포차", "주점", "bar", "pub", "tavern", "club")),
    (
        "cafe",
        (
            "카페",
            "커피",
            "식당",
            "빵집",
            "레스토랑",
            "cafe",
            "café",
            "coffee",
            "diner",
            "restaurant",
            "bakery",
        ),
    ),
    (
        "office",
        ("사무실", "회사", "관측소", "연구", "경찰서", "변호사", "office", "lab", "studio", "station"),
    ),
    ("bed", ("침실", "이불", "방", "호텔", "병실", "병원", "bed", "hotel", "hospital", "ward")),
    ("class", ("교실", "학교", "강의", "class", "school")),
    ("hall", ("복도", "계단", "엘리베이터", "hall", "corridor", "stairs", "elevator")),
)


def kind_of(location: str) -> str:
    lowered = location.lower()
    return next((kind for kind, words in KINDS if any(word in lowered for word in words)), "living")


def draw_room(canvas: Canvas, spec: PanelSpec, light: Light, horizon: float) -> None:
    """Back wall, side walls, floor and ceiling by one vanishing point; then what the place is known by."""
    kind = kind_of(spec.location)
    back_top, back_low = max(0.02, horizon - 0.36), min(0.97, horizon + 0.19)
    left, right = (0.26, 0.74) if kind in ("vehicle", "hall") else (0.14, 0.86)
    wall = light.wall
    canvas.gradient(mix(wall, light.key, 0.08), mix(wall, light.shade, 0.12), 0, 1)
    canvas.polygon([(0, -0.2), (left, back_top), (right, back_top), (1, -0.2)], mix(wall, light.key, 0.16))
    canvas.polygon([(0, -0.2), (left, back_top), (left, back_low), (0, 1.15)], mix(wall, light.shade, 0.34))
    canvas.polygon([(1, -0.2), (right, back_top), (right, back_low), (1, 1.15)], mix(wall, light.shade, 0.22))
    canvas.polygon([(0, 1.15), (left, back_low), (right, back_low), (1, 1.15)], mix(light.ground, light.shade, 0.18))
    _boards(canvas, light, left, right, back_low, horizon)
    if kind == "vehicle":
        _vehicle(canvas, spec, light, horizon, left, right, back_top, back_low)
        return
    if kind == "hall":
        _hall(canvas, light, horizon, left, right, back_top, back_low)
        return
    _window(canvas, spec, light, left + 0.09, back_top + 0.07, left + 0.29, back_low - 0.13)
    _furniture(canvas, light, kind, left, right, back_top, back_low)
    _pendant(canvas, light, 0.5 if kind != "bar" else 0.62, back_top)


def _boards(canvas: Canvas, light: Light, left: float, right: float, low: float, horizon: float) -> None:
    line = mix(light.ground, light.shade, 0.4)
    for i in range(-4, 13):
        x = left + (right - left) * i / 8
        canvas.line([(x, low), (0.5 + (x - 0.5) * 3.2, 1.15)], line, 0.0022)


def _window(canvas: Canvas, spec: PanelSpec, light: Light, x0: float, y0: float, x1: float, y1: float) -> None:
    outside = mix(light.sky_top, light.sky_low, 0.6)
    canvas.rect(x0 - 0.008, y0 - 0.014, x1 + 0.008, y1 + 0.014, mix(light.wall, light.shade, 0.55))
    canvas.rect(x0, y0, x1, y1, outside)
    base = y1
    rng = canvas.rng
    x = x0
    while x < x1 - 0.005:
        width = min(rng.uniform(0.02, 0.045), x1 - x)
        top = y1 - (y1 - y0) * rng.uniform(0.15, 0.55)
        canvas.rect(x, top, x + width, base, mix(outside, light.near, 0.5))
        if light.dark > 0.2:
            canvas.rect(x + width * 0.3, top + 0.02, x + width * 0.55, top + 0.035, light.accent)
        x += width
    middle = (x0 + x1) / 2
    frame = mix(light.wall, light.shade, 0.6)
    canvas.line([(middle, y0), (middle, y1)], frame, 0.008)
    canvas.line([(x0, (y0 + y1) / 2), (x1, (y0 + y1) / 2)], frame, 0.006)
    if spec.weather in ("rain", "storm"):
        for _ in range(26):
            rx, ry = rng.uniform(x0, x1), rng.uniform(y0, y1 - 0.03)
            canvas.line([(rx, ry), (rx - 0.002, ry + 0.03)], mix(outside, (230, 236, 244), 0.5), 0.002)
    if light.dark < 0.3:
        canvas.glow(middle, (y0 + y1) / 2, 0.45, light.key, 0.3)
        canvas.polygon(
            [(x0 + 0.05, 1.1), (x0 + 0.16, y1 + 0.26), (x1 + 0.12, y1 + 0.26), (x1 + 0.2, 1.1)],
            mix(light.ground, light.key, 0.35),
        )


def _pendant(canvas: Canvas, light: Light, x: float, top: float) -> None:
    canvas.line([(x, -0.02), (x, top + 0.05)], light.shade, 0.003)
    canvas.polygon(
        [
            (x - 0.028, top + 0.085),
            (x + 0.028, top + 0.085),
            (x + 0.012, top + 0.05),
            (x - 0.012, top + 0.05),
        ],
        mix(light.near, light.shade, 0.3),
    )
    if light.dark > 0.15:
        canvas.glow(x, top + 0.10, 0.42, light.accent, 0.5)
        canvas.ellipse(x, top + 0.088, 0.02, 0.008, (255, 246, 220))


def _table(canvas: Canvas, light: Light, x: float, y: float, width: float) -> None:
    wood = mix((120, 84, 56), light.shade, 0.25 + 0.4 * light.dark)
    canvas.shadow(x, y + 0.17, width * 0.8, 0.05)
    canvas.line([(x, y), (x, y + 0.17)], mix(wood, light.shade, 0.5), 0.012)
    canvas.ellipse(x, y + 0.014, width, 0.034, mix(wood, light.shade, 0.4))
    canvas.ellipse(x, y, width, 0.034, wood)
    canvas.ellipse(x + width * 0.3, y - 0.008, 0.010, 0.014, mix(light.key, wood, 0.2))


def _furniture(canvas: Canvas, light: Light, kind: str, left: float, right: float, top: float, low: float) -> None:
    dark = mix(light.near, light.shade, 0.35)
    if kind == "bar":
        for row in range(3):
            y = top + 0.10 + 0.085 * row
            canvas.rect(0.52, y, right - 0.02, y + 0.008, dark)
            for i in range(11):
                x = 0.535 + i * 0.025
                tone = ((110, 140, 90), (160, 96, 60), (90, 110, 150), (170, 150, 90))[(i + row) % 4]
                canvas.rect(x, y - 0.05 + 0.01 * (i % 3), x + 0.011, y, mix(tone, light.shade, 0.3))
        canvas.rect(0.48, low - 0.09, right + 0.02, low + 0.08, mix((104, 68, 44), light.shade, 0.3))
        canvas.rect(0.47, low - 0.10, right + 0.03, low - 0.08, mix((150, 104, 66), light.shade, 0.15))
        _table(canvas, light, 0.24, low + 0.16, 0.10)
    elif kind in ("cafe", "class"):
        if kind == "class":
            canvas.rect(0.46, top + 0.08, right - 0.05, top + 0.26, mix((46, 84, 66), light.shade, 0.2))
        for x, y, w in ((0.70, low + 0.03, 0.06), (0.48, low + 0.10, 0.085), (0.84, low + 0.18, 0.11)):
            _table(canvas, light, x, y, w)
    elif kind == "office":
        canvas.rect(0.58, low - 0.12, right - 0.02, low - 0.10, mix((140, 120, 96), light.shade, 0.3))
        canvas.rect(0.60, low - 0.10, 0.615, low + 0.06, dark)
        canvas.rect(right - 0.05, low - 0.10, right - 0.035, low + 0.06, dark)
        canvas.rect(0.66, low - 0.24, 0.76, low - 0.125, dark)
        canvas.rect(0.666, low - 0.23, 0.754, low - 0.14, mix((120, 170, 200), light.near, 0.25))
        for i in range(4):
            canvas.rect(0.50, top + 0.08 + 0.07 * i, 0.57, top + 0.086 + 0.07 * i, dark)
    elif kind == "bed":
        cloth = mix((206, 200, 190), light.shade, 0.2 + 0.4 * light.dark)
        canvas.rect(0.52, low - 0.16, 0.545, low + 0.09, dark)
        canvas.polygon(
            [(0.54, low - 0.04), (right + 0.02, low - 0.04), (right + 0.08, low + 0.12), (0.54, low + 0.12)],
            cloth,
        )
        canvas.polygon(
            [(0.55, low - 0.08), (0.63, low - 0.08), (0.64, low - 0.02), (0.55, low - 0.02)],
            mix(cloth, (255, 255, 255), 0.3),
        )
    else:
        sofa = mix((96, 104, 112), light.shade, 0.2 + 0.3 * light.dark)
        canvas.shadow(0.66, low + 0.12, 0.2, 0.04)
        canvas.rect(0.52, low - 0.15, right - 0.04, low + 0.02, sofa)
        canvas.rect(0.505, low - 0.07, right - 0.025, low + 0.10, mix(sofa, light.key, 0.1))
        canvas.rect(0.62, top + 0.08, 0.74, top + 0.2, mix(light.wall, light.shade, 0.5))
        canvas.rect(0.627, top + 0.093, 0.733, top + 0.187, mix(light.sky_low, light.far, 0.4))
        _table(canvas, light, 0.44, low + 0.14, 0.09)


def _vehicle(
    canvas: Canvas,
    spec: PanelSpec,
    light: Light,
    horizon: float,
    left: float,
    right: float,
    top: float,
    low: float,
) -> None:
    outside = mix(light.sky_top, light.sky_low, 0.5)
    for side in (0, 1):
        x0, x1 = (0.0, left) if side == 0 else (1.0, right)
        for i in range(3):
            a, b = i / 3 + 0.03, (i + 1) / 3 - 0.03
            xa, xb = x0 + (x1 - x0) * a, x0 + (x1 - x0) * b
            ya, yb = top * a - 0.02 * (1 - a) + 0.08, top * b + 0.08
            canvas.polygon([(xa, ya), (xb, yb), (xb, horizon + 0.02), (xa, horizon + 0.12 * (1 - a))], outside)
            if light.dark > 0.2:
                for _ in range(3):
                    t = canvas.rng.random()
                    canvas.circle(
                        xa + (xb - xa) * t,
                        horizon - 0.12 * canvas.rng.random(),
                        0.012,
                        mix(light.accent, outside, canvas.rng.uniform(0, 0.5)),
                    )
    canvas.rect(left + 0.05, top + 0.06, right - 0.05, horizon + 0.02, outside)
    seat = mix((58, 82, 110), light.shade, 0.3)
    for row in range(4):
        t = (row + 1) / 4
        y = low + (1.0 - low) * (t**1.5) * 0.75
        for side in (-1, 1):
            x = 0.5 + side * (0.11 + 0.27 * t)
            w, h = 0.05 + 0.09 * t, 0.07 + 0.16 * t
            canvas.rect(x - w, y - h, x + w, y + 0.04 * t, mix(seat, light.shade, 0.35 * (1 - t)))
            canvas.ellipse(x, y - h, w, 0.02 + 0.02 * t, mix(seat, light.key, 0.12))
    for x in (0.42, 0.58):
        canvas.line([(x, top + 0.02), (0.5 + (x - 0.5) * 2.4, -0.1)], mix(light.key, light.wall, 0.4), 0.006)


def _hall(canvas: Canvas, light: Light, horizon: float, left: float, right: float, top: float, low: float) -> None:
    door = mix(light.near, (110, 88, 66), 0.3)
    canvas.rect(0.43, top + 0.12, 0.57, low, mix(door, light.key, 0.1))
    for i in range(3):
        t = 0.2 + 0.27 * i
        for side, edge in ((0.0, left), (1.0, right)):
            x0 = side + (edge - side) * t
            x1 = side + (edge - side) * (t + 0.14)
            canvas.polygon(
                [
                    (x0, 0.12 + top * t),
                    (x1, 0.12 + top * (t + 0.14)),
                    (x1, 1.1 - (1.1 - low) * (t + 0.14)),
                    (x0, 1.1 - (1.1 - low) * t),
                ],
                door,
            )
    for i in range(3):
        y = top * (0.3 + 0.25 * i) - 0.03
        canvas.rect(
            0.46 - 0.04 * (2 - i),
            y,
            0.54 + 0.04 * (2 - i),
            y + 0.012,
            mix(light.accent, (255, 255, 255), 0.5),
        )
    canvas.glow(0.5, top + 0.05, 0.5, light.accent, 0.25)
