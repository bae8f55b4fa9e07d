"""Twelve shots and a colleague, for tests of the grid's panels; and what the grid shows."""

import json
from typing import Any

from aipipeline.tables.registry import table_of
from assets.models import Character
from shots.models import Scene, Shot
from tests.e2e.gridpage import grid


def twelve_shots(project: Any, admin_user: Any) -> list[Shot]:
    """Twelve shots in two scenes; lengths 1, 2, 3 s in turn; every third one has two people."""
    scenes = [
        Scene.objects.create(project=project, code=f"SCN_0{n}0", heading=f"SCENE {n}", position=n) for n in (1, 2)
    ]
    people = [Character.objects.create(project=project, name=name) for name in ("리나", "민준")]
    rows = [
        {
            "fields": {
                "scene": scenes[n // 6].pk,
                "description": f"{'창가에 앉은 리나' if n % 2 else '골목을 걷는 민준'} {n}",
                "characters": [person.pk for person in people] if n % 3 == 0 else [people[n % 2].pk],
                "size": ("CU", "WS", "MS")[n % 3],
                "duration_frames": 24 * (n % 3 + 1),
            },
            "before": None,
        }
        for n in range(12)
    ]
    table_of("shots").apply_batch(project=project, actor=admin_user, create=rows)
    return list(Shot.objects.live().filter(project=project).order_by("position"))


def log_in(chromium: Any, site: str, name: str) -> tuple[Any, list[str]]:
    """A page of a person in a browser of their own, and the script errors that it meets."""
    context = chromium.new_context(viewport={"width": 1280, "height": 800}, locale="en", base_url=site)
    page = context.new_page()
    page.set_default_timeout(15_000)
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto("/login/")
    page.fill("input[name=username]", name)
    page.fill("input[name=password]", "pass-for-tests")
    page.press("input[name=password]", "Enter")
    page.wait_for_url("**/")
    return page, errors


def shown(page: Any) -> list[int]:
    """Ids of the rows in the order in which they are shown."""
    found: list[int] = grid(page, "grid.rows.shown.filter((row) => !row.isGroup).map((row) => row.id)")
    return found


def wait_shown(page: Any, ids: list[int]) -> None:
    page.wait_for_function(
        "(ids) => { const { grid } = document.querySelector('[data-grid]'); return grid.loaded"
        " && JSON.stringify(grid.rows.shown.filter((row) => !row.isGroup).map((row) => row.id)) === ids; }",
        arg=json.dumps(ids, separators=(",", ":")),
    )


def pick(page: Any, panel: str, column: str) -> None:
    """Choose a column in the "… by" list of the sort or group panel."""
    page.click(f"[data-panel={panel}]")
    page.select_option(".gp-order:popover-open [data-key=add]", column)
    page.keyboard.press("Escape")
