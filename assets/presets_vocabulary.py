"""The words of cinematography that a preset's fields know: cameras, lenses, film stocks, light, filters.

Names and figures are facts of the trade, kept as data: the forms suggest them, `assets.presets_rules` reads them.
A field stays free text: what is not listed here is taken as written and judged by its plain words alone.
"""

from dataclasses import dataclass
from enum import IntEnum


class Frame(IntEnum):
    """Picture sizes in their order: a lens made for one covers all smaller ones."""

    SUPER_8 = 8
    SUPER_16 = 16
    SUPER_35 = 35
    FULL = 43
    LARGE_65 = 65
    IMAX = 70


FRAME_NAMES = {
    Frame.SUPER_8: "Super 8", Frame.SUPER_16: "Super 16", Frame.SUPER_35: "Super 35", Frame.FULL: "full frame",
    Frame.LARGE_65: "65mm", Frame.IMAX: "IMAX",
}  # fmt: skip


@dataclass(frozen=True)
class Camera:
    """`gauge`: the width of the film it takes in mm, None for a digital sensor. `anamorphic`: takes such lenses."""

    name: str
    frame: Frame
    gauge: int | None = None
    anamorphic: bool = True


@dataclass(frozen=True)
class LensSet:
    """`lengths` are the focal lengths of the primes in mm; a zoom has its two ends."""

    name: str
    covers: Frame
    lengths: tuple[float, ...]
    anamorphic: bool = False
    zoom: bool = False


@dataclass(frozen=True)
class Stock:
    """`daylight`: balanced for it (True), for tungsten light (False), None for black and white."""

    name: str
    gauges: tuple[int, ...]
    speed: int
    daylight: bool | None


CAMERAS = (
    Camera("ARRI Alexa 35", Frame.SUPER_35),
    Camera("ARRI Alexa Mini LF", Frame.FULL),
    Camera("ARRI Alexa Mini", Frame.SUPER_35),
    Camera("ARRI Alexa LF", Frame.FULL),
    Camera("ARRI Amira", Frame.SUPER_35),
    Camera("ARRI Alexa 65", Frame.LARGE_65, anamorphic=False),
    Camera("ARRI Alexa 265", Frame.LARGE_65, anamorphic=False),
    Camera("RED V-Raptor [X] 8K VV", Frame.FULL),
    Camera("RED V-Raptor", Frame.FULL),
    Camera("RED Komodo-X", Frame.SUPER_35),
    Camera("RED Komodo 6K", Frame.SUPER_35),
    Camera("RED Monstro 8K VV", Frame.FULL),
    Camera("Sony Venice 2", Frame.FULL),
    Camera("Sony Venice", Frame.FULL),
    Camera("Sony Burano", Frame.FULL),
    Camera("Sony FX9", Frame.FULL),
    Camera("Sony FX6", Frame.FULL),
    Camera("Sony FX3", Frame.FULL),
    Camera("Panavision Millennium DXL2", Frame.FULL),
    Camera("Canon EOS C500 Mark II", Frame.FULL),
    Camera("Canon EOS C70", Frame.SUPER_35),
    Camera("Blackmagic URSA Mini Pro 12K", Frame.SUPER_35),
    Camera("Blackmagic URSA Cine 12K LF", Frame.FULL),
    Camera("Blackmagic URSA Cine 17K 65", Frame.LARGE_65, anamorphic=False),
    Camera("Blackmagic PYXIS 6K", Frame.FULL),
    Camera("DJI Ronin 4D", Frame.FULL),
    Camera("Beaulieu 4008 ZM II (Super 8)", Frame.SUPER_8, gauge=8, anamorphic=False),
    Camera("Bolex H16", Frame.SUPER_16, gauge=16, anamorphic=False),
    Camera("Arriflex 416", Frame.SUPER_16, gauge=16),
    Camera("Arriflex 16SR3", Frame.SUPER_16, gauge=16),
    Camera("Aaton XTR Prod", Frame.SUPER_16, gauge=16),
    Camera("Arricam LT", Frame.SUPER_35, gauge=35),
    Camera("Arricam ST", Frame.SUPER_35, gauge=35),
    Camera("Arriflex 435", Frame.SUPER_35, gauge=35),
    Camera("Arriflex 235", Frame.SUPER_35, gauge=35),
    Camera("Aaton Penelope", Frame.SUPER_35, gauge=35),
    Camera("Moviecam Compact", Frame.SUPER_35, gauge=35),
    Camera("Panavision Millennium XL2", Frame.SUPER_35, gauge=35),
    Camera("Panaflex Platinum", Frame.SUPER_35, gauge=35),
    Camera("Beaumont VistaVision", Frame.FULL, gauge=35),
    Camera("Arriflex 765", Frame.LARGE_65, gauge=65, anamorphic=False),
    Camera("Panavision System 65", Frame.LARGE_65, gauge=65, anamorphic=False),
    Camera("IMAX MSM 9802", Frame.IMAX, gauge=65, anamorphic=False),
)

LENSES = (
    LensSet("Zeiss Supreme Prime", Frame.FULL, (15, 18, 21, 25, 29, 35, 40, 50, 65, 85, 100, 135, 150, 200)),
    LensSet("Zeiss Super Speed MK III", Frame.SUPER_35, (18, 25, 35, 50, 65, 85)),
    LensSet("Zeiss Ultra Prime", Frame.SUPER_35, (8, 10, 12, 14, 16, 20, 24, 28, 32, 40, 50, 65, 85, 100, 135, 180)),
    LensSet("ARRI/Zeiss Master Prime", Frame.SUPER_35, (12, 14, 16, 18, 21, 25, 27, 32, 35, 40, 50, 65, 75, 100, 135,
                                                       150)),
    LensSet("ARRI Signature Prime", Frame.FULL, (12, 15, 18, 21, 25, 29, 35, 40, 47, 58, 75, 95, 125, 150, 200, 280)),
    LensSet("Cooke S4/i", Frame.SUPER_35, (12, 14, 16, 18, 21, 25, 27, 32, 35, 40, 50, 65, 75, 100, 135, 150, 180,
                                          300)),
    LensSet("Cooke S7/i", Frame.FULL, (16, 18, 21, 25, 27, 32, 40, 50, 65, 75, 100, 135, 180)),
    LensSet("Cooke Panchro/i Classic", Frame.SUPER_35, (18, 21, 25, 27, 32, 40, 50, 65, 75, 100, 135, 152)),
    LensSet("Leitz Summilux-C", Frame.SUPER_35, (16, 18, 21, 25, 29, 35, 40, 50, 65, 75, 100, 135)),
    LensSet("Leitz Prime", Frame.FULL, (18, 21, 25, 29, 35, 40, 50, 65, 75, 100, 135, 180)),
    LensSet("Canon K35", Frame.FULL, (18, 24, 35, 55, 85)),
    LensSet("Canon Sumire Prime", Frame.FULL, (14, 20, 24, 35, 50, 85, 135)),
    LensSet("Panavision Primo", Frame.SUPER_35, (10, 14.5, 17.5, 21, 27, 35, 40, 50, 75, 100, 150)),
    LensSet("Panavision Primo 70", Frame.FULL, (24, 27, 35, 40, 50, 65, 80, 100, 125, 150, 200, 250)),
    LensSet("ARRI Prime 65", Frame.LARGE_65, (24, 28, 35, 50, 80, 100, 150, 300)),
    LensSet("ARRI Prime DNA", Frame.LARGE_65, (21, 25, 28, 35, 45, 55, 60, 65, 70, 80, 110, 150, 200)),
    LensSet("Panavision System 65 lenses", Frame.LARGE_65, (24, 28, 35, 40, 50, 75, 100, 150, 300)),
    LensSet("Hasselblad for IMAX", Frame.IMAX, (40, 50, 80, 100, 110, 150, 250)),
    LensSet("ARRI/Zeiss Ultra 16", Frame.SUPER_16, (6, 8, 9.5, 12, 14, 18, 25, 35, 50)),
    LensSet("Zeiss Super Speed S16", Frame.SUPER_16, (9.5, 12, 16, 25, 50)),
    LensSet("Cooke SK4", Frame.SUPER_16, (6, 9.5, 12)),
    LensSet("ARRI/Zeiss Master Anamorphic", Frame.SUPER_35, (28, 35, 40, 50, 60, 75, 100, 135, 180), True),
    LensSet("Cooke Anamorphic/i", Frame.SUPER_35, (25, 32, 40, 50, 65, 75, 100, 135, 180, 300), True),
    LensSet("Cooke Anamorphic/i FF", Frame.FULL, (32, 40, 50, 75, 85, 100, 135, 180), True),
    LensSet("Panavision C-Series", Frame.SUPER_35, (30, 35, 40, 50, 60, 75, 100, 150, 180), True),
    LensSet("Panavision T-Series", Frame.FULL, (28, 35, 40, 50, 60, 75, 100, 135, 150, 180), True),
    LensSet("Panavision Ultra Panatar", Frame.LARGE_65, (35, 40, 50, 60, 75, 100, 150, 180), True),
    LensSet("Atlas Orion", Frame.SUPER_35, (18, 21, 25, 28, 32, 40, 50, 65, 80, 100, 135, 200), True),
    LensSet("Atlas Mercury", Frame.FULL, (28, 36, 42, 54, 72, 95, 138), True),
    LensSet("Hawk V-Lite", Frame.SUPER_35, (28, 35, 45, 55, 65, 80, 110, 140), True),
    LensSet("Kowa Prominar Anamorphic", Frame.SUPER_35, (40, 50, 75, 100), True),
    LensSet("Angénieux Optimo 24-290", Frame.SUPER_35, (24, 290), zoom=True),
    LensSet("Angénieux Optimo Ultra 12x FF", Frame.FULL, (36, 435), zoom=True),
    LensSet("Angénieux EZ-1 30-90", Frame.SUPER_35, (30, 90), zoom=True),
    LensSet("Fujinon Premista 28-100", Frame.FULL, (28, 100), zoom=True),
    LensSet("Fujinon Premista 80-250", Frame.FULL, (80, 250), zoom=True),
    LensSet("ARRI Alura 18-80", Frame.SUPER_35, (18, 80), zoom=True),
    LensSet("Cooke Varotal/i FF 30-95", Frame.FULL, (30, 95), zoom=True),
    LensSet("Canon CN7x17 Cine-Servo 17-120", Frame.SUPER_35, (17, 120), zoom=True),
    LensSet("Canon CN20x50 Cine-Servo 50-1000", Frame.SUPER_35, (50, 1000), zoom=True),
    LensSet("Zeiss Vario-Sonnar 11-110", Frame.SUPER_16, (11, 110), zoom=True),
)  # fmt: skip

STOCKS = (
    Stock("Kodak Vision3 50D", (8, 16, 35, 65), 50, True),
    Stock("Kodak Vision3 250D", (16, 35, 65), 250, True),
    Stock("Kodak Vision3 200T", (8, 16, 35, 65), 200, False),
    Stock("Kodak Vision3 500T", (8, 16, 35, 65), 500, False),
    Stock("Kodak Ektachrome 100D", (8, 16, 35), 100, True),
    Stock("Kodak Double-X", (16, 35, 65), 250, None),
    Stock("Kodak Tri-X Reversal", (8, 16), 200, None),
    Stock("Kodak Plus-X", (16, 35), 80, None),
    Stock("ORWO UN54", (16, 35), 100, None),
    Stock("ORWO Wolfen NC500", (16, 35), 400, False),
    Stock("Fujifilm Eterna 500T", (16, 35), 500, False),
    Stock("Fujifilm Eterna Vivid 160T", (16, 35), 160, False),
    Stock("Fujifilm Eterna 250D", (16, 35), 250, True),
    Stock("Fujifilm Reala 500D", (16, 35), 500, True),
    Stock("CineStill 800T", (35,), 800, False),
    Stock("CineStill 50D", (35,), 50, True),
)

# The manufacturer's numbers say the gauge: 52xx is 35 mm and 65 mm, 72xx is 8 mm and 16 mm.
STOCK_NUMBERS = {
    "03": "Kodak Vision3 50D", "07": "Kodak Vision3 250D", "13": "Kodak Vision3 200T", "19": "Kodak Vision3 500T",
    "22": "Kodak Double-X", "66": "Kodak Tri-X Reversal", "94": "Kodak Ektachrome 100D",
}  # fmt: skip

LIGHTING = (
    "Three-point lighting", "High key", "Low key", "Rembrandt", "Butterfly (Paramount)", "Split light", "Loop light",
    "Chiaroscuro", "Silhouette", "Rim light", "Soft window light", "Hard sunlight", "Natural daylight",
    "Overcast daylight", "Golden hour", "Blue hour", "Moonlight", "Day for night", "Practical lamps (tungsten)",
    "Tungsten", "Candlelight", "Firelight", "Neon", "Sodium vapour street light", "Fluorescent, green spike",
    "HMI through diffusion", "Bounced soft light", "Book light", "Top light", "Motivated light, volumetric haze",
    "Negative fill",
)  # fmt: skip

FILTERS = (
    "Black Pro-Mist 1/8", "Black Pro-Mist 1/4", "Black Pro-Mist 1/2", "Pro-Mist 1/4", "Glimmerglass 1",
    "Hollywood Black Magic 1/4", "Classic Soft 1/2", "Black Satin 1", "Pearlescent 1/4", "Low Contrast 1/2",
    "Ultra Contrast 1", "Double Fog 1/4", "Streak 1 mm blue", "85", "85B", "80A", "81EF", "1/4 CTO", "1/2 CTO",
    "Full CTO", "1/4 CTB", "1/2 CTB", "Full CTB", "Coral 1/4", "Chocolate 1", "Antique Suede 1", "ND 0.3", "ND 0.6",
    "ND 0.9", "ND 1.2", "ND 1.8", "ND 2.1", "Graduated ND 0.6", "Circular polariser", "Wratten 25 red",
    "Wratten 8 yellow", "UV", "IRND 0.9", "Split diopter +2",
)  # fmt: skip


def suggestions() -> dict[str, list[str]]:
    """By field of a preset: the words that a form offers, lenses with each of their focal lengths."""
    lenses: list[str] = []
    for lens in LENSES:
        if lens.zoom:
            lenses.append(lens.name if lens.name.endswith("x FF") else f"{lens.name}mm")
        else:
            lenses += [f"{lens.name} {length:g}mm" for length in lens.lengths]
    stocks: list[str] = []
    for stock in STOCKS:
        numbers = [tail for tail, name in STOCK_NUMBERS.items() if name == stock.name]
        wide, narrow = bool({35, 65} & set(stock.gauges)), bool({8, 16} & set(stock.gauges))
        if numbers:
            stocks += [f"{stock.name} 52{numbers[0]}"] * wide + [f"{stock.name} 72{numbers[0]}"] * narrow
        else:
            stocks.append(stock.name)
    return {
        "camera": [camera.name for camera in CAMERAS],
        "lens": lenses,
        "film_stock": stocks,
        "lighting": list(LIGHTING),
        "filters": list(FILTERS),
    }
