"""A browser that gets its files from the working tree: the modules are tested without a server."""

import mimetypes
from collections.abc import Callable, Iterator
from pathlib import Path

import django_htmx
import pytest
from django.conf import settings
from playwright.sync_api import Browser, Page, Route

ORIGIN = "http://studio.test"
HTMX = Path(django_htmx.__file__).parent / "static"


@pytest.fixture(scope="session")
def browser(chromium: Browser) -> Browser:
    """The run's one browser: the driver allows one loop per thread."""
    return chromium


OpenPage = Callable[[str, Callable[[Route], None]], Page]


@pytest.fixture
def open_page(browser: Browser) -> Iterator[OpenPage]:
    """`open_page(body, answer)`: a page with this body and our modules; `answer` serves every other address.

    An exception inside a module fails the test.
    """
    context = browser.new_context()
    problems: list[str] = []

    def open_it(body: str, answer: Callable[[Route], None]) -> Page:
        page = context.new_page()
        page.on("pageerror", lambda error: problems.append(str(error)))

        def serve(route: Route) -> None:
            path = route.request.url.removeprefix(ORIGIN).split("?")[0]
            if path == "/":
                route.fulfill(content_type="text/html; charset=utf-8", body=document(body))
            elif path.startswith("/static/"):
                _file(route, path.removeprefix("/static/"))
            else:
                answer(route)

        page.route("**/*", serve)
        return page

    yield open_it
    context.close()
    assert problems == []


def _file(route: Route, name: str) -> None:
    for folder in (Path(settings.BASE_DIR) / "static", HTMX):
        if (folder / name).is_file():
            kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
            route.fulfill(content_type=kind, body=(folder / name).read_bytes())
            return
    route.fulfill(status=404)


def document(body: str) -> str:
    icon = '<svg class="icon"><use href="/static/img/icons.svg#x"/></svg>'
    template = f"{icon}<span></span><button data-toast-close></button>"
    return f"""<!doctype html><html lang="en"><head><meta charset="utf-8">
<meta name="htmx-config" content='{{"allowEval":false,"includeIndicatorStyles":false}}'>
<link rel="stylesheet" href="/static/css/tokens.css"><link rel="stylesheet" href="/static/css/base.css">
<link rel="stylesheet" href="/static/css/table-grid.css"><link rel="stylesheet" href="/static/css/table-cells.css">
<link rel="stylesheet" href="/static/css/table-editor.css">
<script src="/static/django_htmx/htmx-2.min.js" defer></script>
<script src="/static/vendor/idiomorph/idiomorph.min.js" defer></script>
<script type="module" src="/static/js/app.js"></script>
<script src="/static/vendor/sortablejs/Sortable.min.js" defer></script>
<script src="/static/vendor/slickgrid/slick.core.js" defer></script>
<script src="/static/vendor/slickgrid/slick.interactions.js" defer></script>
<script src="/static/vendor/slickgrid/slick.grid.js" defer></script>
<script type="module" src="/static/js/grid/grid.js"></script>
</head><body hx-ext="morph" hx-headers='{{"X-CSRFToken": "t"}}' data-live-socket="/ws/"
 data-project-topic="project:1" data-live-seq="4"><span data-connection><span class="sr"></span></span>{body}
<div id="toasts" popover="manual"></div>
<template id="toast-template"><div class="toast">{template}</div></template></body></html>"""
