"""The shot list's grid in a test's browser: loaded, its cells, and waiting for what it saves."""

from typing import Any


def open_grid(page: Any, project: Any, query: str = "") -> None:
    """The page with every row in the browser and the live socket open."""
    page.goto(f"/projects/{project.code}/shots/{query}")
    wait_loaded(page)
    page.wait_for_selector("[data-connection][data-state=open]")


def wait_loaded(page: Any) -> None:
    page.wait_for_selector("[data-grid][data-loaded=true]")


def cell_selector(shot_id: int, field: str) -> str:
    return f".slick-row[data-id='{shot_id}'] .slick-cell[data-field='{field}']"


def cell(page: Any, shot_id: int, field: str) -> Any:
    return page.locator(cell_selector(shot_id, field))


def wait_saved(page: Any) -> None:
    """Nothing is on its way to the server, and nothing was refused."""
    page.wait_for_function("() => document.querySelector('[data-grid]').grid.saving.state === 'saved'")


def wait_text(page: Any, shot_id: int, field: str, text: str, timeout: int = 20_000) -> None:
    page.wait_for_function(
        "([selector, text]) => document.querySelector(selector)?.textContent.includes(text)",
        arg=[cell_selector(shot_id, field), text],
        timeout=timeout,
    )


def grid(page: Any, expression: str, *values: Any) -> Any:
    """A value of the grid object: `grid` and `args` are named in the expression."""
    call = f"(args) => {{ const grid = document.querySelector('[data-grid]').grid; return {expression}; }}"
    return page.evaluate(call, list(values))
