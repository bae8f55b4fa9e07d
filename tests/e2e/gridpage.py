"""The shot list's grid in a test's browser: loaded, its cells, and waiting for what it saves."""

import time
from typing import Any

from playwright.sync_api import TimeoutError

from tests.harness import processes


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
    try:
        page.wait_for_function("() => document.querySelector('[data-grid]').grid.saving.state === 'saved'")
    except TimeoutError as error:
        told = grid(page, "[grid.saving.state, grid.saving.all(), [...grid.saving.refused]]")
        raise AssertionError(f"not saved: {told}") from error


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


def put_clipboard(page: Any, **kinds: str) -> None:
    """Paste what another program would have on the clipboard: `text` and `html`."""
    names = {"text": "text/plain", "html": "text/html"}
    page.evaluate(
        """(kinds) => {
          const data = new DataTransfer();
          for (const [kind, text] of Object.entries(kinds)) data.setData(kind, text);
          const event = new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true });
          document.activeElement.dispatchEvent(event);
        }""",
        {names[kind]: text for kind, text in kinds.items()},
    )


def count_requests(page: Any, ending: str) -> list[Any]:
    """The bodies of the POST requests to addresses with this ending, from now on."""
    seen: list[Any] = []

    def look(request: Any) -> None:
        if request.method == "POST" and request.url.endswith(ending):
            seen.append(request.post_data_json)

    page.on("request", look)
    return seen


def _box(element: Any) -> Any:
    """Where an element is and stays; rows that are drawn anew (an answer came in) are nowhere for a moment, then they
    may be elsewhere."""
    found: list[Any] = []

    def look() -> bool:
        element.wait_for()
        before = element.bounding_box()
        time.sleep(0.15)
        found[:] = [element.bounding_box()]
        return found[0] is not None and found[0] == before

    processes.wait_until(look)
    return found[0]


def drag(page: Any, start: Any, end: Any, *, at: tuple[float, float] = (0.5, 0.5), to: tuple[float, float]) -> None:
    """Drag with the mouse from inside one element to inside another; places as shares of their boxes."""
    first, last = _box(start), _box(end)
    page.mouse.move(first["x"] + first["width"] * at[0], first["y"] + first["height"] * at[1])
    page.mouse.down()
    x, y = last["x"] + last["width"] * to[0], last["y"] + last["height"] * to[1]
    page.mouse.move(first["x"] + first["width"] * at[0] + 6, first["y"] + first["height"] * at[1] + 6, steps=2)
    page.mouse.move(x, y, steps=6)
    page.mouse.up()
