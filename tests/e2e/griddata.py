"""A project whose shot list has enough of everything for the grid's tests; the web alone serves it."""

from collections.abc import Iterator
from typing import Any

import pytest

from aipipeline.tables.registry import table_of
from aipipeline.tables.services.columns import add_column
from assets.models import Character, Environment
from shots.models import Casting, Scene, Shot, ShotStep
from tests.harness import processes


@pytest.fixture
def web() -> Iterator[dict[str, processes.Process]]:
    running: dict[str, processes.Process] = {}
    yield running
    for process in running.values():
        process.stop()


@pytest.fixture
def site(transactional_db: None, own_storage: None, web: dict[str, processes.Process]) -> str:
    """The web without the farm: nothing is rendered here."""
    web["web"], url = processes.web()
    return url


def shot_rows(project: Any, count: int, scenes: int = 2) -> list[Shot]:
    """`count` shots in `scenes` scenes, written at once."""
    places = [
        Scene.objects.create(project=project, code=f"SCN_{n}0", heading=f"INT. 장소 {n}", position=n * 1000)
        for n in range(1, scenes + 1)
    ]
    rows = [
        Shot(
            project=project, scene=places[n * scenes // count], code=f"C{n + 1:03}0", position=(n + 1) * 1000,
            description=f"설명 {n + 1}", action="", duration_frames=24 + n, size="MS",
        )
        for n in range(count)
    ]  # fmt: skip
    Shot.objects.bulk_create(rows)
    ShotStep.objects.bulk_create([ShotStep(project=project, shot=row, step="first_image") for row in rows])
    return rows


@pytest.fixture
def shots(project: Any) -> list[Shot]:
    """Twelve shots in two scenes; three characters, two environments; the first shot shows 리나."""
    rows = shot_rows(project, 12)
    people = [Character.objects.create(project=project, name=name) for name in ("리나", "민준", "하린")]
    for name in ("카페", "골목"):
        Environment.objects.create(project=project, name=name)
    Casting.objects.create(project=project, shot=rows[0], character=people[0])
    return rows


@pytest.fixture
def own_columns(project: Any, admin_user: Any) -> dict[str, str]:
    """One column of each kind that a project can add: kind -> name."""
    table = table_of("shots")
    names = {}
    for kind in ("text", "number", "tick", "date", "person", "link", "choice"):
        choices = [{"label": "하나", "color": ""}, {"label": "둘", "color": ""}] if kind == "choice" else None
        column = add_column(
            project=project, table=table, actor=admin_user, label=f"Own {kind}", type=kind, choices=choices
        )
        names[kind] = f"custom.{column.key}"
    return names
