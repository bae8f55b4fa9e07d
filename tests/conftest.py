"""Fixtures of the tests that cross packages."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.harness import processes


@pytest.fixture
def farm(transactional_db: None, own_storage: None) -> Iterator[dict[str, processes.Process]]:
    """A CPU worker, the system worker and the scheduler, as processes."""
    started = {
        "cpu": processes.celery("cpu", "cpu"),
        "system": processes.celery("system", "system", slots=4, pool="threads"),
        "beat": processes.beat(),
    }
    yield started
    for process in started.values():
        process.stop()


@pytest.fixture
def site(farm: dict[str, processes.Process]) -> str:
    """The whole studio: the farm and the web; its address."""
    process, url = processes.web()
    farm["web"] = process
    return url


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
