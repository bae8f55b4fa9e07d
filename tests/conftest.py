"""Fixtures of the tests that cross packages."""

from collections.abc import Iterator

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
