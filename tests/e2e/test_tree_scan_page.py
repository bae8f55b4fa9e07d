"""The comparison with the disk in Chromium: started, shown as it comes, a dropped file taken in by its kind."""

from collections.abc import Iterator
from typing import Any

import pytest

from renders.models import Version
from renders.services import adopting
from shots.models import Folder
from shots.services.confirm import confirm
from tests.factories import applied_project, picture
from tests.harness import processes

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def farm(transactional_db: None, own_storage: None) -> Iterator[dict[str, processes.Process]]:
    """The web, and the worker that waits for the storage."""
    started = {"files": processes.celery("files", "files", slots=2, pool="threads")}
    yield started
    for process in started.values():
        process.stop()


def test_a_dropped_file_is_found_and_taken_in(page: Any, project: Any, admin_user: Any) -> None:
    shot = applied_project(project, admin_user)[0]
    confirm(project=project, actor=admin_user)
    folder = project.root / Folder.objects.get(shot=shot).path
    picture(folder / "drop" / "리나 최종 (진짜 마지막).png")
    (folder / "render" / "v009").mkdir()
    page.goto("/projects/TEST/tree/")
    page.get_by_role("link", name="Compare with the disk").click()
    page.get_by_text("Not compared yet").wait_for()
    page.get_by_role("button", name="Compare now").click()
    dropped = page.locator("#scan-dropped")
    dropped.get_by_text("리나 최종 (진짜 마지막).png").wait_for()
    page.locator("#scan-unknown_version").get_by_text("render/v009").wait_for()
    for width in (1280, 1920):
        page.set_viewport_size({"width": width, "height": 800})
        overflow = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert overflow <= 0, width
        # Its words are read whole.
        assert dropped.get_by_role("combobox").bounding_box()["width"] > 120
    dropped.get_by_role("combobox").select_option("comp")
    dropped.get_by_role("button", name="Take in", exact=True).click()
    page.get_by_text("1 taken in").wait_for(timeout=20_000 + adopting.STILL_SECONDS * 1000)
    dropped.wait_for(state="detached")
    version = Version.objects.get()
    assert (version.kind, version.shot, version.created_by) == ("comp", shot, admin_user)
    assert list((folder / "drop").iterdir()) == []
