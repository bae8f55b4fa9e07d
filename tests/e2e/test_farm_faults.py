"""Real rendering survives whatever dies: at every edge of an attempt something is killed with -9, and nothing is lost,
nothing is rendered twice, nothing is left behind.

The edges of a job on a ComfyUI server are held at the same moment by one worker each (tests/harness/gpu_farm.py):
leased, prompt id saved, prompt pending, sampling, downloading, results aside, results in place but not yet marked.
A full disk under a download: comfy_adapters/tests/comfyui/test_full_disk.py.
"""

import os
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis as redis_client
from django.utils import timezone

from comfy_adapters.tests.comfyui.helpers import filled
from renders.models import Cause, JobState, RenderAttempt, RenderJob, Worker
from renders.services import queue
from renders.services.jobs import render_shots
from renders.tasks import attempt as attempt_task
from shots.models import Shot
from tests.doubles.comfyui.process import ComfyDouble, start
from tests.factories import applied_project
from tests.harness import environment, processes
from tests.harness.gpu_farm import EDGES, HeldFarm, Reader, all_ended, problems, state_of_things, wait

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True), pytest.mark.timeout(300)]

SCRIPT = "\n\n".join(f"S#{n}. 카페 {n} — 낮\n\n리나가 창가에 앉는다." for n in range(1, len(EDGES) + 1))


class Studio:
    """The scheduler, the system worker, the web and a ComfyUI server; workers are the test's."""

    def __init__(self, project: Any, admin: Any, folder: Path) -> None:
        self.project = project
        self.shots = applied_project(project, admin, SCRIPT)
        self.double = start("0.33.0", "--step-seconds", "0.01")
        self.parts = {
            "system": processes.celery("system", "system", slots=4, pool="threads"),
            "beat": processes.beat(),
        }
        self.parts["web"], self.site = processes.web()
        self.farm = HeldFarm(self.double, folder)
        self.reader = Reader(admin)

    def render(self, shots: list[Shot]) -> list[RenderJob]:
        return render_shots(project=self.project, actor=None, shots=shots, step="first_image", params={"steps": 2})

    def all_is_well(self, jobs: list[RenderJob], what: str) -> None:
        """Every job ends and succeeds; nothing is left anywhere; the pages say so."""
        wait(lambda: all_ended(jobs), seconds=60, what=lambda: f"{what}: {self.farm.told()}")
        rows = RenderJob.objects.filter(pk__in=[job.pk for job in jobs])
        assert [row.state for row in rows] == [JobState.SUCCEEDED] * len(jobs), f"{what}: {state_of_things()}"
        assert problems(self.project, [self.double]) == [], what
        assert self.reader.shows(self.site, self.project, jobs) == [], what

    def close(self) -> None:
        for process in [*self.farm.workers.values(), *self.parts.values()]:
            process.kill()
        self.double.stop()


@pytest.fixture
def studio(
    transactional_db: None, own_storage: None, project: Any, admin_user: Any, tmp_path: Path
) -> Iterator[Studio]:
    type(project).objects.filter(pk=project.pk).update(engine="comfy")
    project.refresh_from_db()
    held = Studio(project, admin_user, tmp_path)
    yield held
    held.close()


@pytest.fixture
def comfy() -> Iterator[ComfyDouble]:
    double = start()
    yield double
    double.stop()


def rendered_once(double: ComfyDouble) -> None:
    """No prompt ran twice, and there are no more prompts than jobs."""
    executed = double.stats()["executed"]
    assert set(executed.values()) == {1}, executed
    assert len(executed) == RenderJob.objects.count()


def test_what_the_workers_need_dies_at_every_edge(studio: Studio) -> None:
    farm, double = studio.farm, studio.double
    farm.start()

    def web() -> None:
        studio.parts["web"].kill()
        studio.parts["web"], studio.site = processes.web()

    def flush() -> None:
        redis_client.Redis(unix_socket_path=str(environment.redis_socket)).flushall()

    def comfyui() -> None:
        double.kill()
        time.sleep(0.2)
        double.start_again()

    for dies in (web, environment.restart_redis, flush, comfyui):
        jobs = farm.hold_one_at_each_edge(studio.project, studio.shots)
        dies()
        assert studio.reader.shows(studio.site, studio.project, jobs) == [], dies.__name__
        farm.release()
        studio.all_is_well(jobs, dies.__name__)
        if dies is flush:
            rendered_once(double)


def test_the_worker_dies_at_every_edge(studio: Studio) -> None:
    studio.farm.start()
    jobs = studio.farm.hold_one_at_each_edge(studio.project, studio.shots)
    studio.farm.kill()
    studio.farm.release()
    for name in ("next", "other"):
        studio.farm.add(name)
    studio.all_is_well(jobs, "worker")
    rendered_once(studio.double)
    assert RenderAttempt.objects.filter(state=JobState.FAILED).count() == len(EDGES)


def test_workers_sleep_over_their_leases_and_come_back(studio: Studio) -> None:
    """Others have done the work by then; what the sleepers still do reaches nobody."""
    studio.farm.start()
    jobs = studio.farm.hold_one_at_each_edge(studio.project, studio.shots)
    sleepers = studio.farm.sleep()
    studio.farm.release()
    for name in ("next", "other"):
        studio.farm.add(name)
    studio.all_is_well(jobs, "asleep")
    for process in sleepers:
        os.killpg(process.pid, signal.SIGCONT)
    rows = Worker.objects.filter(name__in=[f"{edge}@{socket.gethostname()}" for edge in EDGES])
    woken = timezone.now()
    wait(lambda: rows.filter(heartbeat_at__gt=woken).count() == len(EDGES), seconds=30, what=studio.farm.told)
    more = studio.render(studio.shots)
    studio.all_is_well(more, "awake again")
    rendered_once(studio.double)


def test_messages_that_come_twice_and_workers_that_race(studio: Studio) -> None:
    """Every attempt's message is sent to the other workers too, and everybody is woken again and again."""
    names = ("one", "two", "three")
    for name in names:
        studio.farm.add(name)
    rows = Worker.objects.filter(endpoint=studio.double.url).exclude(gpu={})
    processes.wait_until(lambda: rows.count() == len(names), seconds=60, what=studio.farm.told)
    studio.double.faults(step_seconds=0.05)
    jobs = studio.render(studio.shots)
    told: set[Any] = set()

    def done() -> bool:
        for attempt in RenderAttempt.objects.exclude(pk__in=told):
            told.add(attempt.pk)
            for worker in rows:
                attempt_task.apply_async(args=(str(attempt.pk),), queue=worker.queue, retry=False)
        return all_ended(jobs)

    wait(done, seconds=60)
    studio.all_is_well(jobs, "twice")
    rendered_once(studio.double)
    assert RenderAttempt.objects.count() == len(jobs), "nobody claimed what somebody had"
    assert queue.reap() == 0


def test_a_silent_websocket_and_one_that_breaks(studio: Studio) -> None:
    studio.farm.add("one")
    studio.double.faults(silent=True)
    jobs = studio.render(studio.shots[:1])
    studio.all_is_well(jobs, "silent")
    studio.double.faults(silent=False, hold="KSampler")
    jobs = studio.render(studio.shots[1:2])
    wait(lambda: bool(studio.double.get("/queue")["queue_running"]), seconds=30)
    studio.double.faults(drop_sockets=True, hold="")
    studio.all_is_well(jobs, "broken")
    rendered_once(studio.double)


def test_a_worker_that_claims_while_redis_is_away(studio: Studio) -> None:
    """It cannot even tell itself what it claimed: the job goes back, as often as it takes, and loses no try by that."""
    studio.farm.add("one")
    first = studio.render(studio.shots[:1])
    studio.all_is_well(first, "before")
    environment.kill_redis()
    try:
        jobs = studio.render(studio.shots[1:2])
        given_back = RenderAttempt.objects.filter(job__in=jobs, cause=Cause.AWAY)
        processes.wait_until(lambda: given_back.count() >= 2, seconds=40, what=studio.farm.told)
    finally:
        environment.restart_redis()
    studio.all_is_well(jobs, "redis away")
    assert not RenderAttempt.objects.filter(job__in=jobs, cause=Cause.LOST).exists()
    rendered_once(studio.double)


def test_clocks_that_are_an_hour_wrong(studio: Studio) -> None:
    """Leases are of the database's clock, and a worker whose own clock is wrong neither starves nor loses its job."""
    for name, hours, shots in (("late", -1, studio.shots[:2]), ("early", 1, studio.shots[2:4])):
        studio.farm.add(name, clock=hours * 3600)
        # One after the other: a worker that starts looks by itself, later ones only reach it by messages.
        jobs = []
        for shot in shots:
            jobs += studio.render([shot])
            studio.all_is_well(jobs, f"{name} {shot}")
        for attempt in RenderAttempt.objects.filter(job__in=jobs).select_related("worker"):
            assert attempt.number == 1
            assert attempt.worker.name.startswith(f"{name}@")
            assert abs((timezone.now() - attempt.started_at).total_seconds()) < 120
        studio.farm.workers.pop(name).kill()
    rendered_once(studio.double)


def test_the_looks_of_these_tests_see_what_is_wrong(project: Any, admin_user: Any, comfy: ComfyDouble) -> None:
    shot = applied_project(project, admin_user, SCRIPT)[0]
    (job,) = render_shots(project=project, actor=None, shots=[shot], step="first_image")
    aside = project.root / "x" / ".tmp-left"
    for folder in (aside, project.root / "x" / "v001"):
        folder.mkdir(parents=True)
    (project.root / "x" / "half.part").touch()
    comfy.faults(hold="KSampler")
    comfy.post("/prompt", prompt=filled(), prompt_id="left")
    told = "\n".join(problems(project, [comfy]))
    assert f"job {job.pk} is queued" in told
    for name in (".tmp-left", "v001", "half.part"):
        assert f"orphan x/{name}" in told
    assert "the server still works on ['left']" in told
    RenderJob.objects.update(state=JobState.SUCCEEDED)
    told = "\n".join(problems(project, []))
    assert f"job {job.pk} succeeded without a published version" in told
    assert "0 versions for 1 jobs" in told
