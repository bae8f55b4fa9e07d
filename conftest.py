"""Fixtures that every package's tests share."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

# The browser driver runs an event loop in this thread; the ORM is used from the same thread on purpose.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")


@pytest.fixture(autouse=True)
def own_storage(tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test, with every process that it starts, writes its productions into a folder of its own."""
    settings.STORAGE_ROOT = tmp_path / "projects"
    monkeypatch.setenv("STORAGE_ROOT", str(tmp_path / "projects"))


@pytest.fixture(autouse=True)
def quick_passwords(settings: Any) -> None:
    """A real hash costs half a second on purpose, and most tests make several people."""
    settings.PASSWORD_HASHERS = ["tests.harness.hashers.OneRound", *settings.PASSWORD_HASHERS]


@pytest.fixture(autouse=True)
def empty_cache() -> None:
    """No counter of one test (login attempts) reaches the next."""
    from django.core.cache import cache

    cache.clear()


@pytest.fixture(autouse=True)
def unseen_heartbeat(request: pytest.FixtureRequest, settings: Any) -> None:
    """A test in one open transaction shows its rows to nobody else: the thread that beats for an attempt would find it
    gone and stop it. Such a test is over before the lease is."""
    marker = request.node.get_closest_marker("django_db")
    if marker is None or not marker.kwargs.get("transaction"):
        settings.RENDER_BEAT_SECONDS = 3600.0


@pytest.fixture
def admin_user(db: None) -> Any:
    from aipipeline.projects.models import User

    return User.objects.create_superuser(username="admin", password="pass-for-tests", display_name="감독")


@pytest.fixture
def artist(db: None) -> Any:
    from aipipeline.projects.models import User

    return User.objects.create_user(username="artist", password="pass-for-tests", display_name="아티스트")


@pytest.fixture
def project(admin_user: Any) -> Any:
    from aipipeline.history.project_services import create_project

    return create_project(actor=admin_user, code="TEST", title="시험", width=320, height=180)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """One Chromium for the whole run."""
    import shutil

    from playwright.sync_api import sync_playwright

    flags = (
        "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
        "--disable-component-update --disable-sync"
    )
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=flags.split())
        yield browser
        browser.close()
