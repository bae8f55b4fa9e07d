"""Rows that tests begin with."""

from pathlib import Path
from typing import Any

from aipipeline.projects.models import Project
from shots.models import Shot
from shots.services import scenarios

SCRIPT = """S#1. 카페 — 낮

리나가 창가에 앉아 노트북을 연다. 밖에는 비가 내린다.

리나: 여기서 처음 쓰는 이야기야.

민준: (웃으며) 미안해, 늦었지?

S#2. 골목 — 밤

민준이 우산 없이 걷는다.
"""


def applied_project(project: Project, actor: Any = None, text: str = SCRIPT) -> list[Shot]:
    """The project with a scenario broken down and applied."""
    kept = scenarios.add_scenario(project=project, actor=actor, data=text.encode(), filename="t.txt")
    kept = scenarios.analyse_scenario(scenario=kept, actor=actor)
    return scenarios.apply_scenario(scenario=kept, actor=actor)


def picture(path: Path, width: int = 320, height: int = 180, color: tuple[int, int, int] = (90, 120, 160)) -> Path:
    """A plain PNG."""
    from PIL import Image

    Image.new("RGB", (width, height), color).save(path)
    return path
