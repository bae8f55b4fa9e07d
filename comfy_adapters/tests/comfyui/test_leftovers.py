"""Work whose attempt died: stopped on the server once nobody wants it, and only then."""

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.db.models.functions import Now

from comfy_adapters.comfyui.client import ComfyClient
from comfy_adapters.tests.comfyui.helpers import filled
from comfy_adapters.tests.comfyui.test_faults import occupy, until
from renders.models import JobState, RenderAttempt, RenderJob, Worker
from renders.services import leftovers, queue, workers
from renders.tests import farm_world as world
from tests.doubles.comfyui.process import ComfyDouble
from tests.factories import applied_project

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]


@pytest.fixture
def gpu(db: None, comfy_server: ComfyDouble) -> Worker:
    comfy_server.faults(step_seconds=0.2)
    return world.worker("gpu", endpoint=comfy_server.url)


@pytest.fixture
def job(project: Any, admin_user: Any, db: None) -> RenderJob:
    shot = applied_project(project, admin_user)[0]
    return world.job(shot, world.workflow("comfy.test", vram=8), max_attempts=2)


def dies(gpu: Worker, client: ComfyClient) -> str:
    """An attempt that sends its prompt and is never heard of again, taken back; the prompt's id."""
    workers.beat(name=gpu.name)
    world.again_now()
    attempt = world.begun(gpu)
    prompt_id = str(uuid.uuid4())
    queue.save_state(
        attempt_id=attempt.pk,
        state={"prompt_id": prompt_id, "client_id": "c", "endpoint": client.public, "stopped": False},
    )
    client.submit(filled(steps=100), prompt_id=prompt_id, client_id="c")
    return prompt_id


def reap() -> None:
    RenderAttempt.objects.update(lease_until=Now() - timedelta(seconds=1))
    queue.reap()


def there(client: ComfyClient) -> set[str]:
    found = client.queue()
    return {*found.running, *found.pending}


@pytest.mark.parametrize("how", ["cancelled while it ran", "cancelled while it waited", "its last try"])
def test_what_a_dead_worker_left_is_stopped_after_the_jobs_end(gpu: Worker, job: RenderJob, how: str) -> None:
    client = ComfyClient(gpu.endpoint)
    neighbour = occupy_behind(client, mine := dies(gpu, client))
    if how == "cancelled while it ran":
        queue.cancel(job=job)
        reap()
    elif how == "cancelled while it waited":
        reap()
        assert leftovers.stop_left_of(name="gpu") == 0
        assert there(client) == {mine, neighbour}, "the next try will follow it"
        queue.cancel(job=job)
    else:
        RenderJob.objects.update(max_attempts=1)
        reap()
    job.refresh_from_db()
    assert job.state == (JobState.FAILED if how == "its last try" else JobState.CANCELLED)
    until(lambda: leftovers.stop_left_of(name="gpu") == 1)
    assert there(client) == {neighbour}, "nobody else's work is touched"
    posted = client.history(mine)
    assert posted is None or posted["status"]["status_str"] == "error"
    assert leftovers.stop_left_of(name="gpu") == 0, "seen gone, it is not asked for again"


def occupy_behind(client: ComfyClient, first: str) -> str:
    until(lambda: first in client.queue().running)
    prompt_id = str(uuid.uuid4())
    client.submit(filled(steps=100, seed=3), prompt_id=prompt_id, client_id="neighbour")
    return prompt_id


def test_of_an_open_job_only_what_nobody_follows_is_stopped(gpu: Worker, job: RenderJob) -> None:
    """The second try made something else; what the first one left is not taken up by anybody."""
    client = ComfyClient(gpu.endpoint)
    first = dies(gpu, client)
    reap()
    second = dies(gpu, client)
    until(lambda: leftovers.stop_left_of(name="gpu") == 1)
    assert there(client) == {second}
    assert RenderAttempt.objects.get(number=1).saved["stopped"] is True
    assert first != second


def test_a_server_that_is_away_is_asked_when_it_is_back(gpu: Worker, job: RenderJob, comfy_server: ComfyDouble) -> None:
    mine = occupy(comfy_server)
    attempt = world.begun(gpu)
    state = {"prompt_id": mine, "endpoint": comfy_server.url}
    queue.save_state(attempt_id=attempt.pk, state=state)
    queue.cancel(job=job)
    reap()
    Worker.objects.update(endpoint="http://127.0.0.1:9")
    leftovers.look("gpu")
    assert RenderAttempt.objects.get().saved == state
    Worker.objects.update(endpoint=comfy_server.url)
    leftovers.look("gpu")
    until(lambda: not there(ComfyClient(comfy_server.url)))


@pytest.mark.parametrize("how", ["deleted", "another address", "spelled anew"])
def test_what_a_worker_left_is_stopped_when_it_drives_that_machine_no_more(
    gpu: Worker, job: RenderJob, comfy_server: ComfyDouble, how: str
) -> None:
    client = ComfyClient(gpu.endpoint)
    neighbour = occupy_behind(client, dies(gpu, client))
    queue.cancel(job=job)
    reap()
    Worker.objects.filter(pk=gpu.pk).update(endpoint="http://127.0.0.1:9")
    if how == "deleted":
        Worker.objects.get(pk=gpu.pk).delete()
    other = world.worker("other", backend="local", vram=0)  # it need not drive a machine itself
    if how == "spelled anew":
        Worker.objects.filter(pk=other.pk).update(endpoint=f"{client.public}/", backends=["comfyui"])
        until(lambda: leftovers.stop_left_of(name="other") == 1)
    else:
        until(lambda: leftovers.stop_orphans(name="other") == 1)
    assert there(client) == {neighbour}
    assert leftovers.stop_orphans(name="other") == 0
    assert "may still be" not in RenderAttempt.objects.get().log


def test_what_cannot_be_asked_any_more_is_said_once(gpu: Worker, job: RenderJob, comfy_server: ComfyDouble) -> None:
    client = ComfyClient(gpu.endpoint)
    dies(gpu, client)
    queue.cancel(job=job)
    reap()
    Worker.objects.filter(pk=gpu.pk).update(state="offline")
    others = [world.worker(f"other{n}", endpoint=f"http://127.0.0.1:{n + 1}") for n in range(leftovers.MOST_PLACES)]
    for other in others:  # what the machines have that are driven is not looked through
        RenderAttempt.objects.create(
            job=job, number=other.pk + 10, state="failed", lease_until=Now(), finished_at=Now(),
            saved={"prompt_id": other.name, "endpoint": other.endpoint},
        )  # fmt: skip
    comfy_server.kill()
    for _look in range(2):
        leftovers.look_around("other1")
        cache.clear()
        told = RenderAttempt.objects.get(worker=gpu)
        assert told.log.count(f"What was sent to {client.public} may still be in its queue") == 1
        assert told.saved["stopped"] is False
    assert set(RenderAttempt.objects.exclude(pk=told.pk).values_list("log", flat=True)) == {""}
    comfy_server.start_again()
    leftovers.look_around("other1")
    assert RenderAttempt.objects.get(worker=gpu).saved["stopped"] is True
