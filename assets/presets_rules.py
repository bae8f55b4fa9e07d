"""Rules that warn of combinations which a cinematic preset cannot have, or should not have without a reason.

Pure: five texts in, warnings out. Known names are read by `assets.presets_vocabulary`, plain words (16mm,
anamorphic, night) where no name is known. Text that says nothing of the kind raises no warning.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Any, TypeVar

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from assets.conditions import TimeOfDay, time_of_day
from assets.presets_vocabulary import (
    CAMERAS,
    FRAME_NAMES,
    LENSES,
    STOCK_NUMBERS,
    STOCKS,
    Camera,
    Frame,
    LensSet,
    Stock,
)

FIELDS = ("camera", "lens", "film_stock", "lighting", "filters")


class Level(StrEnum):
    """How bad it is: it cannot be shot so, or it can but hardly anybody means it."""

    IMPOSSIBLE = "impossible"
    ODD = "odd"


@dataclass(frozen=True)
class Warning:
    """`rule` is stable, `fields` are those at odds with one another; message and remedy are for people."""

    rule: str
    level: Level
    fields: tuple[str, ...]
    message: str
    remedy: str

    def as_json(self) -> dict[str, Any]:
        return {
            "rule": self.rule, "level": str(self.level), "fields": list(self.fields), "message": self.message,
            "remedy": self.remedy,
        }  # fmt: skip


@dataclass(frozen=True)
class Facts:
    """What the five texts say, as far as it is known; texts are folded."""

    camera: Camera | None
    lens: LensSet | None
    stock: Stock | None
    camera_text: str
    lens_text: str
    stock_text: str
    lighting: str
    filters: str
    lengths: tuple[float, ...]
    gauge_of_stock: tuple[int, ...]

    @property
    def digital(self) -> bool:
        if self.camera:
            return self.camera.gauge is None
        return bool(re.search(r"\bdigital\b|디지털", self.camera_text)) and "필름" not in self.camera_text

    @property
    def gauge(self) -> int | None:
        """The width of the film that the camera takes, in mm."""
        if self.camera:
            return self.camera.gauge
        found = re.search(r"\b(8|16|35|65) ?(?:mm|밀리)|\b(65|16)\b", self.camera_text)
        return int(found.group(1) or found.group(2)) if found and not self.digital else None

    @property
    def anamorphic(self) -> bool:
        if self.lens:
            return self.lens.anamorphic
        return bool(re.search(r"anamorphic|아나모픽|애너모픽", self.lens_text))

    @property
    def daylight(self) -> bool:
        return bool(_DAYLIGHT.search(self.lighting)) and not self.tungsten and not self.night

    @property
    def tungsten(self) -> bool:
        return bool(_TUNGSTEN.search(self.lighting))

    @property
    def night(self) -> bool:
        if re.search(r"day for night|낮 ?촬영", self.lighting):
            return False
        return bool(re.search(r"moonlight|달빛|월광", self.lighting)) or time_of_day(self.lighting) == TimeOfDay.NIGHT

    @property
    def densities(self) -> tuple[float, ...]:
        """Each neutral-density filter, graduated ones aside; 0 when no figure is given."""
        whole = re.sub(r"grad\w* nd[ .\d]*", "", self.filters)
        return tuple(float(m.group(1) or 0) for m in re.finditer(r"\b(?:ir)?nd ?\.?(\d+(?:\.\d+)?)?", whole))

    def filter(self, pattern: str) -> bool:
        return bool(re.search(pattern, self.filters))


_DAYLIGHT = re.compile(
    r"daylight|sunlight|\bsun\b|window light|overcast|\bhmi\b|\bnoon\b|주광|햇빛|햇살|자연광|창가 빛|대낮|흐린 날"
)
_TUNGSTEN = re.compile(r"tungsten|candle|firelight|incandescent|텅스텐|촛불|백열|모닥불|화롯불")
_WARMING = r"\b85[abc]?\b|\b81ef\b|\bcto\b"
_COOLING = r"\b80[abcd]?\b|\bctb\b"
_COLOUR = rf"{_WARMING}|{_COOLING}|\b8[12][abcde]?\b|\bcoral\b|\bchocolate\b|\bsuede\b|색온도|앰버|코랄"
_DIFFUSION = (
    r"pro-?mist|glimmerglass|black magic|classic soft|black satin|pearlescent|low contrast|double fog|프로 ?미스트"
)
# A look put onto the picture afterwards is no film in the camera.
_LOOK = re.compile(r"\blut\b|emulation|\blook\b|에뮬레이션|룩\b|느낌")


def check(values: Mapping[str, Any]) -> list[Warning]:
    """The warnings of a preset's five fields, the impossible ones first. Fields that are missing are empty."""
    facts = facts_of(values)
    found = [warning for rule in RULES for warning in rule(facts)]
    return sorted(found, key=lambda warning: warning.level != Level.IMPOSSIBLE)


def facts_of(values: Mapping[str, Any]) -> Facts:
    camera, lens, stock, lighting, filters = (_fold(str(values.get(name) or "")[:400]) for name in FIELDS)
    found_lens = _named(lens, LENSES)
    lengths = lens.replace(_fold(found_lens.name), " ") if found_lens else lens
    # "18, 25, 32mm" names three.
    lists = re.findall(r"((?:\d+(?:\.\d+)?(?: ?mm)?(?:, ?|/|, and | and |·))*\d+(?:\.\d+)?) ?mm\b", lengths)
    numbers = [float(number) for text in lists for number in re.findall(r"\d+(?:\.\d+)?", text)]
    kind = _named(stock, STOCKS) or _numbered(stock)
    return Facts(
        camera=_named(camera, CAMERAS), lens=found_lens, stock=kind, camera_text=camera, lens_text=lens,
        stock_text=stock, lighting=lighting, filters=filters, lengths=tuple(numbers),
        gauge_of_stock=_gauges(stock, kind),
    )  # fmt: skip


@cache
def _fold(text: str) -> str:
    """Letters without case or accents, single blanks; Hangul stays composed."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", text) if unicodedata.category(c) != "Mn")
    return " ".join(unicodedata.normalize("NFC", plain).casefold().split())


Named = TypeVar("Named", Camera, LensSet, Stock)


def _named(text: str, known: tuple[Named, ...]) -> Named | None:
    """The longest name that stands in the text, at the borders of words."""
    found = [row for row in known if re.search(rf"(?<!\w){re.escape(_fold(row.name))}(?!\w)", text)]
    # "Sony Venice 28mm" is no Venice 2, and "24-290mm" is the zoom's own name.
    if not found:
        found = [row for row in known if isinstance(row, LensSet) and row.zoom and _fold(row.name) in text]
    return max(found, key=lambda row: len(row.name), default=None)


def _numbered(text: str) -> Stock | None:
    number = re.search(r"\b[57]2(\d\d)\b", text)
    name = STOCK_NUMBERS.get(number.group(1)) if number else None
    return next((stock for stock in STOCKS if stock.name == name), None)


def _gauges(text: str, stock: Stock | None) -> tuple[int, ...]:
    """The gauges that a stock, as it is written, can be had in."""
    made = stock.gauges if stock else ()
    if told := re.search(r"\b(8|16|35|65) ?(?:mm|밀리)", text):
        return (int(told.group(1)),)
    if number := re.search(r"\b([57])2\d\d\b", text):
        series = (35, 65) if number.group(1) == "5" else (8, 16)
        return tuple(gauge for gauge in made or series if gauge in series)
    return made


def _digital_with_stock(f: Facts) -> Iterator[Warning]:
    if f.digital and f.stock_text and not _LOOK.search(f.stock_text):
        yield Warning(
            "digital-stock", Level.IMPOSSIBLE, ("camera", "film_stock"),
            _("A digital camera takes no film stock."),
            _("Clear the film stock, write it as a look (for example “Kodak 500T LUT”), or choose a film camera."),
        )  # fmt: skip


def _stock_gauge(f: Facts) -> Iterator[Warning]:
    if f.gauge and f.gauge_of_stock and f.gauge not in f.gauge_of_stock:
        yield Warning(
            "stock-gauge", Level.IMPOSSIBLE, ("camera", "film_stock"),
            _("The camera takes %(camera)s mm film; this stock is %(stock)s mm.")
            % {"camera": f.gauge, "stock": ", ".join(map(str, f.gauge_of_stock))},
            _("Choose the stock in the camera's gauge, or a camera for %(stock)s mm film.")
            % {"stock": f.gauge_of_stock[-1]},
        )  # fmt: skip


def _film_without_stock(f: Facts) -> Iterator[Warning]:
    if f.camera and f.camera.gauge and not f.stock_text:
        yield Warning(
            "no-stock", Level.ODD, ("camera", "film_stock"),
            _("A film camera without a film stock."),
            _("Choose a stock for %(gauge)s mm film.") % {"gauge": f.camera.gauge},
        )  # fmt: skip


def _anamorphic(f: Facts) -> Iterator[Warning]:
    spherical_only = f.camera is not None and not f.camera.anamorphic
    fits = bool(f.lens and f.camera and f.camera.frame == Frame.LARGE_65 and f.lens.covers >= Frame.LARGE_65)
    if f.anamorphic and (spherical_only or (f.camera is None and f.gauge == 65)) and not fits:
        yield Warning(
            "anamorphic-camera", Level.IMPOSSIBLE, ("camera", "lens"),
            _("This camera works with spherical lenses only."),
            _("Choose a spherical set, or a camera that takes anamorphic lenses."),
        )  # fmt: skip


def _coverage(f: Facts) -> Iterator[Warning]:
    if f.camera and f.lens and f.lens.covers < f.camera.frame and not (f.anamorphic and not f.camera.anamorphic):
        yield Warning(
            "coverage", Level.IMPOSSIBLE, ("camera", "lens"),
            _("The lens covers %(lens)s, the camera's picture is %(camera)s: the corners stay dark.")
            % {"lens": FRAME_NAMES[f.lens.covers], "camera": FRAME_NAMES[f.camera.frame]},
            _("Choose a set that covers %(camera)s, or a camera with a %(lens)s picture.")
            % {"lens": FRAME_NAMES[f.lens.covers], "camera": FRAME_NAMES[f.camera.frame]},
        )  # fmt: skip


def _lengths(f: Facts) -> Iterator[Warning]:
    if f.lens is None:
        return
    if f.lens.zoom:
        low, high = f.lens.lengths
        outside = [n for n in f.lengths if not low <= n <= high]
        made = f"{low:g}–{high:g}"
    else:
        outside = [n for n in f.lengths if n not in f.lens.lengths]
        made = ", ".join(f"{n:g}" for n in f.lens.lengths)
    if outside:
        yield Warning(
            "focal-length", Level.IMPOSSIBLE, ("lens",),
            _("%(lens)s has no %(length)s mm.")
            % {"lens": f.lens.name, "length": ", ".join(f"{n:g}" for n in outside)},
            _("It is made in %(lengths)s mm.") % {"lengths": made},
        )  # fmt: skip


def _balance(f: Facts) -> Iterator[Warning]:
    if f.stock is None or f.stock.daylight is None:
        return
    if not f.stock.daylight and f.daylight and not f.filter(_WARMING):
        yield Warning(
            "tungsten-stock", Level.ODD, ("film_stock", "lighting", "filters"),
            _("Tungsten stock in daylight turns blue."),
            _("Add an 85 filter, or choose a daylight stock (50D, 250D)."),
        )  # fmt: skip
    if f.stock.daylight and f.tungsten and not f.filter(_COOLING):
        yield Warning(
            "daylight-stock", Level.ODD, ("film_stock", "lighting", "filters"),
            _("Daylight stock in tungsten light turns orange."),
            _("Add an 80A filter, or choose a tungsten stock (200T, 500T)."),
        )  # fmt: skip


def _colour_on_black_and_white(f: Facts) -> Iterator[Warning]:
    black_and_white = (f.stock and f.stock.daylight is None) or re.search(
        r"black[ -]and[ -]white|\bb&w\b|흑백", f.stock_text
    )
    if black_and_white and f.filter(_COLOUR):
        yield Warning(
            "bw-colour", Level.ODD, ("film_stock", "filters"),
            _("A colour-temperature filter on black-and-white stock only takes light away."),
            _("Remove it, or use a contrast filter (yellow 8, red 25)."),
        )  # fmt: skip


def _density(f: Facts) -> Iterator[Warning]:
    if f.night and (len(f.densities) > 1 or sum(f.densities) >= 0.9):
        yield Warning(
            "nd-night", Level.ODD, ("lighting", "filters"),
            _("So much neutral density at night leaves nothing to see."),
            _("Remove the ND filters, or light it as day for night."),
        )  # fmt: skip
    elif len(f.densities) > 2:
        yield Warning(
            "nd-stack", Level.ODD, ("filters",),
            _("Three or more ND filters on one lens shift the colour and reflect."),
            _("Use one filter of their sum."),
        )  # fmt: skip


def _speed(f: Facts) -> Iterator[Warning]:
    if f.night and f.stock and f.stock.speed <= 100:
        yield Warning(
            "slow-stock", Level.ODD, ("film_stock", "lighting"),
            _("A stock of ISO %(speed)s is too slow for night.") % {"speed": f.stock.speed},
            _("Choose a fast one (500T), or light it as day for night."),
        )  # fmt: skip


def _opposed(f: Facts) -> Iterator[Warning]:
    if f.filter(_WARMING) and f.filter(_COOLING):
        yield Warning(
            "opposed-filters", Level.ODD, ("filters",),
            _("A warming and a cooling filter cancel each other out."), _("Keep one of the two."),
        )  # fmt: skip
    if len(re.findall(_DIFFUSION, f.filters)) > 1:
        yield Warning(
            "diffusion-stack", Level.ODD, ("filters",),
            _("Several diffusion filters on one lens wash the picture out."), _("Keep the strongest one."),
        )  # fmt: skip


RULES: tuple[Callable[[Facts], Iterator[Warning]], ...] = (
    _digital_with_stock, _stock_gauge, _anamorphic, _coverage, _lengths, _film_without_stock, _balance,
    _colour_on_black_and_white, _density, _speed, _opposed,
)  # fmt: skip

# What a list shows of a warning, in a few words; new rules come last.
LABELS: dict[str, Any] = {
    "digital-stock": gettext_lazy("film in a digital camera"),
    "stock-gauge": gettext_lazy("wrong film gauge"),
    "anamorphic-camera": gettext_lazy("spherical lenses only"),
    "coverage": gettext_lazy("lens does not cover"),
    "focal-length": gettext_lazy("no such focal length"),
    "no-stock": gettext_lazy("no film stock"),
    "tungsten-stock": gettext_lazy("tungsten stock in daylight"),
    "daylight-stock": gettext_lazy("daylight stock in tungsten light"),
    "bw-colour": gettext_lazy("colour filter on black and white"),
    "nd-night": gettext_lazy("ND at night"),
    "nd-stack": gettext_lazy("stacked ND"),
    "slow-stock": gettext_lazy("slow stock at night"),
    "opposed-filters": gettext_lazy("opposed filters"),
    "diffusion-stack": gettext_lazy("stacked diffusion"),
}
