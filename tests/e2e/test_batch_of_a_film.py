"""A whole production of forty shots rendered in one action on ComfyUI servers, watched in the browser."""

import time
from collections.abc import Iterator
from typing import Any

import pytest

from aipipeline.media.probe import probe
from renders.models import RenderBatch, RenderJob, Version, Worker
from shots.models import Shot
from tests.doubles.comfyui.process import ComfyDouble, start
from tests.factories import applied_project
from tests.harness import processes
from tests.harness.gpu_farm import problems, state_of_things

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]

SHOTS = 40
SCRIPT = "\n\n".join(f"S#{n}. 옥상 {n} — 아침\n\n리나가 하늘을 본다." for n in range(1, SHOTS + 1))

# Keeps what the page shows from moment to moment; gone if the page is ever loaded again.
WATCH = """() => {
  window.seen = {}; window.done = new Set();
  setInterval(() => {
    for (const line of document.querySelectorAll("[data-job-progress]")) {
      const bar = line.querySelector("progress");
      if (bar) (window.seen[line.dataset.jobProgress] ??= new Set()).add(bar.value);
    }
    window.done.add(document.querySelectorAll("#farm [id^='job-'] .tag[data-status=succeeded]").length);
  }, 15);
}"""

START = """async ([url, shots]) => {
  const token = document.cookie.match(/csrftoken=([^;]+)/)[1];
  const answer = await fetch(url, {
    method: "POST", headers: {"Content-Type": "application/json", "X-CSRFToken": token},
    body: JSON.stringify({shots, step: "first_image", params: {steps: 6}}),
  });
  return [answer.status, await answer.json()];
}"""


@pytest.fixture
def servers(site: str, project: Any, admin_user: Any) -> Iterator[list[ComfyDouble]]:
    """Two ComfyUI servers, one of each version, with a worker each; and the production."""
    type(project).objects.filter(pk=project.pk).update(engine="comfy")
    project.refresh_from_db()
    applied_project(project, admin_user, SCRIPT)
    started = [start("0.33.0", "--step-seconds", "0.05"), start("0.3.64", "--step-seconds", "0.05")]
    workers = [processes.comfy_worker(f"gpu{n}", double.url) for n, double in enumerate(started)]
    rows = Worker.objects.exclude(endpoint="").exclude(gpu={})
    processes.wait_until(lambda: rows.count() == len(started), seconds=60, what=state_of_things)
    yield started
    for worker in workers:
        worker.kill()
    for double in started:
        double.stop()


def test_forty_shots_in_one_batch(page: Any, project: Any, servers: list[ComfyDouble]) -> None:
    page.goto(f"/projects/{project.code}/farm/")
    page.wait_for_selector("[data-connection][data-state=open]")
    page.evaluate(WATCH)
    shots = list(Shot.objects.live().filter(project=project).order_by("position").values_list("pk", flat=True))
    status, answer = page.evaluate(START, [f"/api/v1/projects/{project.code}/renders/", shots])
    assert status == 201, answer
    assert len(answer["jobs"]) == len(shots) == SHOTS
    batch = RenderBatch.objects.get()
    began = time.monotonic()
    jobs = RenderJob.objects.filter(batch=batch)
    assert jobs.count() == SHOTS
    told: list[dict[str, Any]] = []

    def finished() -> bool:
        told.append(page.evaluate(f"async () => (await fetch('/api/v1/batches/{batch.pk}/')).json()"))
        return not jobs.exclude(state="succeeded").exists()

    processes.wait_until(finished, seconds=120, what=state_of_things)
    assert time.monotonic() - began < 120

    # Every shot has its version, of the shot's own size, and each was rendered once, by both servers.
    for version in Version.objects.filter(project=project).select_related("project"):
        facts = probe(version.file())
        assert (facts.kind, facts.width, facts.height) == ("image", project.width, project.height)
    assert problems(project, servers) == []
    executed = [double.stats()["executed"] for double in servers]
    assert all(executed), "both took part"
    assert sorted(count for server in executed for count in server.values()) == [1] * SHOTS

    # The page went along by itself: bars moved, rows became done, a few at a time.
    page.wait_for_function("() => document.querySelector('#farm [data-job-progress]') === null", timeout=15_000)
    moved = page.evaluate("Object.values(window.seen).map((s) => [...s].filter((v) => v > 0 && v < 100).length)")
    assert sum(count >= 2 for count in moved) >= 10, moved
    done = sorted(page.evaluate("[...window.done]"))
    assert len(done) >= 8, done
    assert done[0] == 0

    # So did the batch, as the API tells it.
    fractions = [one["progress"]["fraction"] for one in told]
    assert fractions == sorted(fractions)
    assert len({round(value, 3) for value in fractions}) >= 8
