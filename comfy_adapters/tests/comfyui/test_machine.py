"""What a worker knows of its ComfyUI machine: what the server says, what a person declares, and nothing else."""

from typing import Any

import pytest
from django.db.models.functions import Now
from django.test import Client

from renders.farm.choices import Fitting
from renders.farm.waiting import unserved
from renders.models import JobState, RenderJob, Worker, Workflow
from renders.services import queue, workers
from renders.services.jobs import render_shots
from renders.services.workers import MachineWatch, nominal_gb, register_worker
from tests.doubles.comfyui.process import ComfyDouble
from tests.factories import applied_project

pytestmark = pytest.mark.django_db
NAME = "gpu@test"


@pytest.fixture
def watch(settings: Any, comfy_server: ComfyDouble) -> MachineWatch:
    settings.AIP_WORKER_ENDPOINT = comfy_server.url
    settings.AIP_WORKER_VRAM = 0
    register_worker(name=NAME)
    return MachineWatch(NAME)


def look(watch: MachineWatch) -> Worker:
    watch._next = 0.0 if watch._next == 0.0 else 0.001
    watch.look()
    return Worker.objects.get(name=NAME)


def test_the_server_tells_its_card(watch: MachineWatch, comfy_server: ComfyDouble) -> None:
    before = Worker.objects.get(name=NAME)
    assert (before.gpu, before.vram_gb) == ({}, 0), "nothing is invented before the server was asked"
    worker = look(watch)
    assert worker.gpu == {
        "gpu": "cuda:0 Test GPU",
        "vram_total": 24 << 30,
        "vram_free": (24 << 30) // 12 * 11,
        "software": "ComfyUI 0.33.0",
    }
    assert (worker.vram_gb, worker.error) == (24, "")
    comfy_server.faults(vram=12 << 30)
    assert look(watch).vram_gb == 12


def test_what_is_declared_wins(watch: MachineWatch, settings: Any) -> None:
    settings.AIP_WORKER_VRAM = 16
    register_worker(name=NAME)
    worker = look(watch)
    assert (worker.vram_gb, worker.gpu["vram_total"]) == (16, 24 << 30)


def test_a_server_on_the_cpu_has_no_vram(watch: MachineWatch, comfy_server: ComfyDouble, settings: Any) -> None:
    comfy_server.faults(device="cpu", vram=64 << 30)
    worker = look(watch)
    assert worker.vram_gb == 0
    assert "vram_total" not in worker.gpu
    assert "AIP_WORKER_VRAM" in worker.error
    settings.AIP_WORKER_VRAM = 8
    register_worker(name=NAME)
    worker = look(watch)
    assert (worker.vram_gb, worker.error) == (8, "")


@pytest.mark.parametrize(
    ("memory", "gigabytes"),
    [
        (25_256_001_536, 24),
        (23_609_475_072, 24),
        (15_835_660_288, 16),
        (8_361_672_704, 8),
        (12 << 30, 12),
        (80 << 30, 80),
    ],
)
def test_cards_report_a_little_less_than_they_are_sold_as(memory: int, gigabytes: int) -> None:
    assert nominal_gb(memory) == gigabytes


def test_a_server_that_is_away_gets_no_job_and_is_said_to_be(
    watch: MachineWatch, comfy_server: ComfyDouble, project: Any, admin_user: Any, client: Client
) -> None:
    type(project).objects.update(engine="comfy")
    project.refresh_from_db()
    render_shots(project=project, actor=admin_user, shots=applied_project(project, admin_user)[:1], step="first_image")
    jobs = RenderJob.objects.all()
    worker = look(watch)
    assert unserved(jobs) == ""
    comfy_server.kill()
    assert look(watch).error == "", "one missed answer is nothing: a model may be loading"
    worker = look(watch)
    assert f"{comfy_server.url} does not answer" in worker.error
    assert (worker.vram_gb, worker.gpu["gpu"]) == (24, "cuda:0 Test GPU")
    assert queue.claim(worker=worker) is None
    assert unserved(jobs) == f"{worker.name}: {worker.error}"
    client.force_login(admin_user)
    row = client.get("/api/v1/workers/").json()["results"][0]
    assert (row["error"], row["gpu"]["gpu"], row["vram_gb"]) == (worker.error, "cuda:0 Test GPU", 24)
    page = client.get("/farm/").content.decode()
    assert "cuda:0 Test GPU" in page
    assert "ComfyUI 0.33.0" in page
    assert "does not answer" in page
    comfy_server.start_again()
    assert watch.look() is True, "the worker looks for work again"
    assert Worker.objects.get(name=NAME).error == ""
    assert queue.claim(worker=worker) is not None


def test_a_card_too_small_and_no_worker_at_all_are_told_apart(
    watch: MachineWatch, comfy_server: ComfyDouble, project: Any, admin_user: Any
) -> None:
    type(project).objects.update(engine="comfy")
    project.refresh_from_db()
    render_shots(project=project, actor=admin_user, shots=applied_project(project, admin_user)[:1], step="first_image")
    comfy_server.faults(vram=8 << 30)
    look(watch)
    told = unserved(RenderJob.objects.all())
    assert "needs a GPU with 16 GB; the largest one online has 8 GB (cuda:0 Test GPU)" in told
    assert "smaller cards" in told
    flux = Workflow.objects.get(key="comfy.flux_t2i")
    assert told in Fitting().choice(flux).waits, "the dialog says it before anything is started"
    Worker.objects.all().delete()
    assert "COMFYUI_URLS" in unserved(RenderJob.objects.all())
    RenderJob.objects.update(state=JobState.SUCCEEDED, finished_at=Now())
    assert unserved(RenderJob.objects.all()) == ""


def test_another_machine_under_the_old_name_starts_empty(watch: MachineWatch, settings: Any) -> None:
    look(watch)
    settings.AIP_WORKER_ENDPOINT = "http://127.0.0.1:9"
    settings.AIP_WORKER_TAGS = ["nvenc", " left rack "]
    worker = register_worker(name=NAME)
    assert (worker.gpu, worker.vram_gb, worker.tags) == ({}, 0, ["nvenc", "left rack"])
    workers.gone(name=NAME)
    assert register_worker(name=NAME).state == "online"
