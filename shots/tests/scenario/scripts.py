"""The scripts that these tests read: the project's own samples and fixtures, and AIP_SAMPLES when it is set."""

import os
from pathlib import Path

from shots.scenario import Breakdown, analyse, read_text

ROOT = Path(__file__).parents[3]
OWN = sorted(
    [
        *(Path(__file__).parent / "fixtures").glob("*.*"),
        *(ROOT / "aipipeline" / "studio" / "samples").glob("night_bus.*"),
        *(ROOT / "benchmarks" / "scenarios").glob("*.txt"),
    ]
)
SHARED = sorted(
    path
    for path in (Path(os.environ["AIP_SAMPLES"]).rglob("*") if os.environ.get("AIP_SAMPLES") else ())
    if path.suffix in (".txt", ".fountain")
)


def broken_down(text: str, name: str = "a.txt") -> Breakdown:
    return analyse(read_text(text.encode(), name))
