"""What a person sees while work runs: bars that move, pages that follow, also without the socket."""

from typing import Any

import pytest

from renders.models import JobState, RenderJob, Version
from renders.services.jobs import render_shots
from shots.models import Shot
from shots.services.editing import update_shots
from tests.e2e.gridpage import cell, cell_selector, open_grid, wait_loaded, wait_text
from tests.factories import applied_project
from tests.harness import processes

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]

# Keeps every number that a progress bar of the page shows, from the first paint on.
WATCH = """() => {
  window.seen = {}; window.stayed = true;
  setInterval(() => {
    for (const line of document.querySelectorAll("[data-job-progress]")) {
      const bar = line.querySelector("progress");
      if (bar) (window.seen[line.dataset.jobProgress] ??= new Set()).add(bar.value);
    }
  }, 15);
}"""


@pytest.fixture
def first_images(project: Any, admin_user: Any, site: str) -> list[Shot]:
    """Two long shots with their first images made: their videos take some seconds each."""
    project.width, project.height = 640, 360
    project.save(update_fields=["width", "height"])
    applied_project(project, admin_user)
    Shot.objects.filter(project=project).update(duration_frames=480)
    shots = start(project, "first_image")
    processes.wait_until(lambda: Version.objects.live().filter(kind="previz").count() == len(shots), seconds=60)
    return shots


def start(project: Any, step: str) -> list[Shot]:
    rows = Shot.objects.live().filter(project=project).select_related("project", "scene", "environment", "preset")
    shots = list(rows.order_by("position")[:2])
    render_shots(project=project, actor=None, shots=shots, step=step, auto_approve=True)
    return shots


def videos_done(count: int) -> bool:
    return RenderJob.objects.filter(kind="render", state=JobState.SUCCEEDED).count() == count


def test_bars_move_while_jobs_run_and_the_page_follows(page: Any, project: Any, first_images: list[Shot]) -> None:
    base = f"/projects/{project.code}"
    page.goto(f"{base}/farm/")
    page.wait_for_selector("[data-connection][data-state=open]")
    page.evaluate(WATCH)
    start(project, "render")
    # No reload: the rows come by themselves, move, and end as done.
    page.wait_for_selector("[data-job-progress] progress")
    processes.wait_until(lambda: videos_done(len(first_images)), seconds=90)
    page.wait_for_function(
        f"() => document.querySelectorAll('#farm td .tag[data-status=succeeded]').length >= {len(first_images)}"
    )
    assert page.evaluate("window.stayed") is True
    between = page.evaluate("Object.values(window.seen).map((s) => [...s].filter((v) => v > 0 && v < 100).length)")
    assert max(between) >= 3, between
    page.wait_for_function("() => document.querySelector('[data-job-progress]') === null")


def test_a_colleagues_edit_appears_without_a_reload(
    page: Any, project: Any, artist: Any, first_images: list[Shot]
) -> None:
    open_grid(page, project)
    page.evaluate("() => { window.stayed = true; }")
    shot = first_images[1]
    update_shots(project=project, actor=artist, items=[{"id": shot.pk, "fields": {"description": "다른 사람이 고침"}}])
    wait_text(page, shot.pk, "description", "다른 사람이 고침")
    assert page.evaluate("window.stayed") is True


def test_a_picture_being_made_shows_its_progress_in_the_shot_list(
    page: Any, project: Any, first_images: list[Shot]
) -> None:
    open_grid(page, project)
    shot = first_images[0]
    page.wait_for_selector(f"{cell_selector(shot.pk, 'thumbnail')} img")
    page.evaluate("""() => {
      window.stayed = true; window.shares = new Set();
      const look = () => {
        const texts = document.querySelectorAll(".tg-ring [data-progress-text]");
        for (const text of texts) window.shares.add(text.textContent);
        requestAnimationFrame(look);
      };
      look();
    }""")
    start(project, "render")
    page.wait_for_selector(f"{cell_selector(shot.pk, 'thumbnail')} .tg-ring")
    processes.wait_until(lambda: videos_done(len(first_images)), seconds=90)
    page.wait_for_selector(".tg-ring", state="detached")
    shares = {int(text.rstrip("%")) for text in page.evaluate("[...window.shares]")}
    assert len([share for share in shares if 0 < share < 100]) >= 3, shares
    assert page.evaluate("window.stayed") is True


def test_a_page_without_a_socket_asks_by_itself(page: Any, project: Any, artist: Any, first_images: list[Shot]) -> None:
    page.route_web_socket("**/ws/", lambda socket: socket.close(code=1011))
    page.goto(f"/projects/{project.code}/shots/")
    page.wait_for_selector("[data-connection][data-state=polling]")
    wait_loaded(page)
    page.evaluate("() => { window.stayed = true; }")
    shot = first_images[0]
    update_shots(project=project, actor=artist, items=[{"id": shot.pk, "fields": {"description": "소켓 없이"}}])
    wait_text(page, shot.pk, "description", "소켓 없이")
    assert page.evaluate("window.stayed") is True


def test_a_page_catches_up_after_the_site_was_away(
    page: Any, project: Any, artist: Any, farm: dict[str, processes.Process], first_images: list[Shot]
) -> None:
    open_grid(page, project)
    farm["web"].kill()
    page.wait_for_function("() => document.querySelector('[data-connection]').dataset.state !== 'open'")
    shot = first_images[0]
    update_shots(project=project, actor=artist, items=[{"id": shot.pk, "fields": {"description": "자리를 비운 사이"}}])
    farm["web"], _url = processes.web(port=int(page.url.split(":")[2].split("/")[0]))
    wait_text(page, shot.pk, "description", "자리를 비운 사이", timeout=40_000)


def test_an_edit_made_while_the_site_is_away_is_sent_when_it_is_back(
    page: Any, project: Any, farm: dict[str, processes.Process], first_images: list[Shot]
) -> None:
    open_grid(page, project)
    farm["web"].kill()
    shot = first_images[0]
    written = cell(page, shot.pk, "description")
    written.dblclick()
    page.keyboard.press("Control+A")
    page.keyboard.type("끊긴 사이에 쓴 글")
    page.keyboard.press("Enter")
    page.wait_for_selector(f"{cell_selector(shot.pk, 'description')}.is-unsent")
    assert written.inner_text() == "끊긴 사이에 쓴 글"
    farm["web"], _url = processes.web(port=int(page.url.split(":")[2].split("/")[0]))
    processes.wait_until(lambda: Shot.objects.get(pk=shot.pk).description == "끊긴 사이에 쓴 글", seconds=30)
    page.wait_for_selector(f"{cell_selector(shot.pk, 'description')}.is-unsent", state="detached")
    assert written.inner_text() == "끊긴 사이에 쓴 글"
