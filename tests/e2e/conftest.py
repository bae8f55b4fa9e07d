"""A browser that is logged in."""

from collections.abc import Iterator
from typing import Any

import pytest


def outside(url: str, site: str) -> bool:
    """A closed network must be enough."""
    return not url.startswith((site, site.replace("http", "ws", 1), "data:", "blob:"))


@pytest.fixture
def page(chromium: Any, site: str, admin_user: Any) -> Iterator[Any]:
    """A page that is logged in; a script error, or a request to any other host, fails the test."""
    context = chromium.new_context(
        viewport={"width": 1280, "height": 800}, locale="en", accept_downloads=True, base_url=site
    )
    page = context.new_page()
    page.set_default_timeout(20_000)
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on(
        "request", lambda request: outside(request.url, site) and errors.append(f"asks another host: {request.url}")
    )
    page.goto("/login/")
    page.fill("input[name=username]", "admin")
    page.fill("input[name=password]", "pass-for-tests")
    page.press("input[name=password]", "Enter")
    page.wait_for_url("**/")
    yield page
    context.close()
    assert errors == []
