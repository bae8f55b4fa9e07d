from collections.abc import Callable, Iterator

import pytest

from tests.doubles.comfyui.process import ComfyDouble, running, start
from tests.doubles.comfyui.schema import VERSIONS


@pytest.fixture
def start_comfy() -> Iterator[Callable[..., ComfyDouble]]:
    """Starts doubles of a version with flags; they stop at the end of the test."""
    started: list[ComfyDouble] = []

    def launch(version: str = "0.33.0", *flags: str) -> ComfyDouble:
        started.append(start(version, *flags))
        return started[-1]

    yield launch
    for double in started:
        double.stop()


@pytest.fixture
def comfy_server(start_comfy: Callable[..., ComfyDouble]) -> ComfyDouble:
    """A ComfyUI server of the newer version in a process of its own."""
    return start_comfy()


@pytest.fixture(params=VERSIONS)
def each_server(request: pytest.FixtureRequest, start_comfy: Callable[..., ComfyDouble]) -> ComfyDouble:
    """The test runs once against each server version."""
    return start_comfy(request.param)


@pytest.fixture(scope="session")
def shared_server() -> Iterator[ComfyDouble]:
    """One server for all tests that neither set switches nor count what it did."""
    with running() as double:
        yield double
