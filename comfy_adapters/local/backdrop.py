"""Sky, ground and place: what lies behind the figures."""

from comfy_adapters.local import interiors
from comfy_adapters.local.canvas import Canvas
from comfy_adapters.local.palette import Light, mix
from comfy_adapters.local.spec import PanelSpec

_CITY = ("골목", "거리", "도시", "도로", "정류장", "역", "시장", "빌딩", "옥상", "아파트", "서울", "길", "street", "alley", "city",
         "road", "stop", "station", "rooftop", "downtown", "market", "building", "house", "집")  # fmt: skip
_NATURE = (
    "숲",
    "공원",
    "산",
    "언덕",
    "나무",
    "정원",
    "들판",
    "forest",
    "park",
    "hill",
    "mountain",
    "garden",
    "field",
    "wood",
)
_WATER = (
    "바다",
    "강",
    "호수",
    "해변",
    "부두",
    "항구",
    "sea",
    "ocean",
    "beach",
    "river",
    "lake",
    "harbor",
    "pier",
)


def has(text: str, words: tuple[str, ...]) -> bool:
    lowered = text.lower()
    return any(word in lowered for word in words)


def draw_backdrop(canvas: Canvas, spec: PanelSpec, light: Light, horizon: float) -> None:
    """Everything behind the figures; a close framing is out of focus."""
    if spec.angle == "overhead":
        _plan(canvas, spec, light)
    elif spec.inside:
        interiors.draw_room(canvas, spec, light, horizon)
    else:
        _exterior(canvas, spec, light, horizon)
    if spec.size in ("ECU", "CU", "MCU"):
        canvas.blur({"ECU": 26, "CU": 20, "MCU": 11}[spec.size])


def _exterior(canvas: Canvas, spec: PanelSpec, light: Light, horizon: float) -> None:
    canvas.gradient(light.sky_top, light.sky_low, 0, max(horizon, 0.02))
    canvas.gradient(mix(light.ground, light.sky_low, 0.25), mix(light.ground, light.shade, 0.45), horizon, 1)
    _sky(canvas, spec, light, horizon)
    place = f"{spec.location} {spec.text}"
    if has(place, _WATER):
        _water(canvas, light, horizon)
    elif has(spec.location, _NATURE) or (has(spec.text, _NATURE) and not has(spec.location, _CITY)):
        _hills(canvas, light, horizon)
        if has(place, ("도시", "city", "skyline", "전경")):
            _skyline(canvas, light, horizon, low=True)
        _trees(canvas, light, horizon)
    else:
        _skyline(canvas, light, horizon)
        _street(canvas, spec, light, horizon)


def _sky(canvas: Canvas, spec: PanelSpec, light: Light, horizon: float) -> None:
    rng = canvas.rng
    clear = spec.weather in ("", "clear", "wind")
    if spec.time == "night" and clear:
        for _ in range(90):
            y = rng.uniform(0, max(horizon - 0.08, 0.05))
            canvas.circle(
                rng.random(),
                y,
                rng.choice((0.0012, 0.0018, 0.0026)),
                mix(light.sky_top, (226, 232, 244), rng.uniform(0.3, 0.9)),
            )
        x, y = rng.uniform(0.68, 0.86), 0.14
        canvas.glow(x, y, 0.2, (214, 222, 238), 0.32)
        canvas.circle(x, y, 0.042, (226, 230, 236))
    elif spec.time in ("dawn", "dusk", "evening") and horizon > 0.1:
        x = rng.uniform(0.6, 0.8)
        canvas.glow(x, horizon, 0.55, light.accent, 0.55)
        canvas.circle(x, horizon - 0.02, 0.05, mix(light.accent, (255, 250, 235), 0.5))
    elif clear and horizon > 0.2:
        canvas.glow(rng.uniform(0.7, 0.9), 0.08, 0.4, (255, 250, 232), 0.5)
    if spec.weather in ("cloudy", "rain", "storm", "snow", "") and horizon > 0.15:
        for _ in range(3 if spec.weather == "" else 7):
            _cloud(canvas, light, rng.random(), rng.uniform(0.03, horizon * 0.55), rng.uniform(0.08, 0.2))


def _cloud(canvas: Canvas, light: Light, x: float, y: float, width: float) -> None:
    color = mix(light.sky_low, (250, 250, 250) if light.dark < 0.3 else light.sky_top, 0.35)
    for i in range(5):
        offset = (i - 2) / 2
        canvas.ellipse(
            x + offset * width * 0.5,
            y + 0.008 * abs(i - 2),
            width * 0.32,
            0.02 + 0.012 * (2 - abs(i - 2)),
            color,
        )


def _skyline(canvas: Canvas, light: Light, horizon: float, *, low: bool = False) -> None:
    rng = canvas.rng
    base = max(horizon, 0.06)
    for layer, (tone, tall) in enumerate(((0.25, 0.30), (0.65, 0.22))):
        color = mix(light.far, light.near, tone)
        x = -0.02
        while x < 1.02:
            width = rng.uniform(0.03, 0.09)
            height = rng.uniform(0.3, 1.0) * tall * (0.45 if low else 1) * (1.25 if horizon > 0.7 else 1)
            canvas.rect(x, base - height, x + width, base + 0.005, color)
            if layer and light.dark > 0.3:
                _windows(canvas, light, x, base - height, width, height)
            x += width + rng.uniform(0, 0.012)


def _windows(canvas: Canvas, light: Light, x: float, top: float, width: float, height: float) -> None:
    rng = canvas.rng
    columns, rows = max(1, int(width / 0.014)), max(1, int(height / 0.03))
    for column in range(columns):
        for row in range(rows):
            if rng.random() < 0.28:
                wx, wy = x + 0.004 + column * 0.014, top + 0.012 + row * 0.03
                canvas.rect(wx, wy, wx + 0.006, wy + 0.012, mix(light.accent, light.near, rng.uniform(0.1, 0.6)))


def _street(canvas: Canvas, spec: PanelSpec, light: Light, horizon: float) -> None:
    vanish, floor = (0.52, horizon), 1.02
    road = mix(light.ground, light.shade, 0.35)
    canvas.polygon([vanish, (vanish[0] + 0.01, horizon), (1.15, floor), (-0.15, floor)], road)
    for side, x0, x1 in ((-1, 0.0, 0.40), (1, 1.0, 0.64)):
        near, far = mix(light.near, light.shade, 0.35), mix(light.far, light.near, 0.5)
        top = -0.1 if horizon > 0.3 else horizon - 0.2
        wall = [
            (x0 - 0.05 * side * -1, top),
            (x1, horizon - 0.16),
            (x1, horizon + 0.012),
            (x0, horizon + 0.34),
            (x0, 1.0) if False else (x0, horizon + 0.34),
        ]
        canvas.polygon(wall, near)
        canvas.line([(x1, horizon - 0.16), (x1, horizon + 0.012)], far, 0.004)
        for i in range(3):
            t = 0.25 + 0.25 * i
            wx = x0 + (x1 - x0) * t
            wy = horizon - 0.22 * (1 - t) - 0.06
            lit = light.dark > 0.3 and i != 1
            canvas.rect(
                wx - 0.02,
                wy - 0.05,
                wx + 0.02,
                wy + 0.02,
                mix(light.accent, near, 0.25) if lit else mix(near, light.sky_low, 0.3),
            )
    wet = spec.weather in ("rain", "storm")
    for i in range(5):
        t = (i / 5) ** 1.6
        y = horizon + (1 - horizon) * (0.08 + 0.86 * t)
        canvas.polygon(
            [
                (0.516 - 0.004 - 0.02 * t, y),
                (0.524 + 0.004 + 0.02 * t, y),
                (0.526 + 0.03 * t, y + 0.05 * t + 0.012),
                (0.514 - 0.03 * t, y + 0.05 * t + 0.012),
            ],
            mix(road, light.key, 0.35),
        )
    for x in (0.24, 0.78):
        _lamp(canvas, light, x, horizon, wet=wet)


def _lamp(canvas: Canvas, light: Light, x: float, horizon: float, *, wet: bool) -> None:
    top, foot = horizon - 0.30, horizon + 0.16
    canvas.line([(x, foot), (x, top)], light.shade, 0.008)
    arm = x + (0.03 if x < 0.5 else -0.03)
    canvas.line([(x, top), (arm, top - 0.01)], light.shade, 0.006)
    if light.dark > 0.3:
        canvas.glow(arm, top + 0.005, 0.26, light.accent, 0.55)
        canvas.circle(arm, top, 0.012, mix(light.accent, (255, 255, 255), 0.5))
        canvas.glow(arm, foot + 0.1, 0.22, light.accent, 0.3 if not wet else 0.45)


def _hills(canvas: Canvas, light: Light, horizon: float) -> None:
    rng = canvas.rng
    for layer, tone in enumerate((0.1, 0.4, 0.75)):
        base = horizon + 0.03 * layer
        points = [(-0.02, 1.0)]
        height = 0.16 - 0.05 * layer
        for i in range(13):
            points.append((i / 12, base - height * rng.uniform(0.2, 1.0) + 0.02))
        points.append((1.02, 1.0))
        canvas.polygon(points, mix(light.far, light.near, tone))
    canvas.gradient(mix(light.ground, light.near, 0.4), mix(light.ground, light.shade, 0.55), horizon + 0.12, 1)


def _trees(canvas: Canvas, light: Light, horizon: float) -> None:
    rng = canvas.rng
    for x in (0.06, 0.16, 0.88, 0.97):
        height = rng.uniform(0.35, 0.55)
        foot = horizon + rng.uniform(0.14, 0.24)
        canvas.line([(x, foot), (x + rng.uniform(-0.01, 0.01), foot - height * 0.7)], light.shade, 0.016)
        leaf = mix(light.near, (58, 92, 60), 0.35 * (1 - light.dark))
        for _ in range(9):
            canvas.circle(
                x + rng.uniform(-0.05, 0.05),
                foot - height * rng.uniform(0.55, 1.05),
                rng.uniform(0.05, 0.09),
                mix(leaf, light.key, rng.uniform(0, 0.12)),
            )


def _water(canvas: Canvas, light: Light, horizon: float) -> None:
    canvas.gradient(mix(light.sky_low, light.far, 0.4), mix(light.near, light.sky_top, 0.3), horizon, 1)
    rng = canvas.rng
    for _ in range(70):
        t = rng.random() ** 1.7
        y, x = horizon + (1 - horizon) * t, rng.random()
        canvas.line(
            [(x, y), (x + 0.02 + 0.06 * t, y)],
            mix(light.sky_low, light.key, rng.uniform(0.1, 0.5)),
            0.0018 + 0.002 * t,
        )


def _plan(canvas: Canvas, spec: PanelSpec, light: Light) -> None:
    """Seen from above: floor with its grid, furniture or road markings as plain shapes."""
    floor = mix(light.wall, light.ground, 0.5) if spec.inside else light.ground
    canvas.gradient(mix(floor, light.key, 0.1), mix(floor, light.shade, 0.3), 0, 1)
    lines = mix(floor, light.shade, 0.22)
    for i in range(9):
        canvas.line([(i / 8, 0), (i / 8, 1)], lines, 0.002)
        canvas.line([(0, i / 8 * 1.2), (1, i / 8 * 1.2)], lines, 0.002)
    table = mix(light.near, (110, 78, 52), 0.4)
    canvas.shadow(0.51, 0.55, 0.18, 0.22, 0.4)
    canvas.circle(0.5, 0.52, 0.17, table)
    canvas.circle(0.5, 0.52, 0.15, mix(table, light.key, 0.15))
