"""The farm's pages over HTTP: who sees what, filters, refusals, and as many queries for many rows as for few."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from aipipeline.history.models import Action
from aipipeline.history.project_services import create_project, set_member
from aipipeline.projects.models import Project
from renders.farm.filters import filter_from
from renders.models import (
    JobState,
    Pause,
    RenderBatch,
    RenderJob,
    RenderPreset,
    Seam,
    Version,
    Worker,
    WorkerBlock,
    WorkerFit,
    Workflow,
)
from renders.services import many
from renders.services.workflows import sync_workflows
from shots.models import Shot, ShotStep
from tests.factories import applied_project

pytestmark = pytest.mark.django_db

GIB = 2**30


@pytest.fixture
def shots(project: Any, admin_user: Any, artist: Any) -> list[Shot]:
    """A production with an artist in it."""
    set_member(project=project, actor=admin_user, user=artist, role="artist")
    sync_workflows()
    Workflow.objects.filter(key="comfy.flux_t2i").update(slots=["seed", "steps", "cfg", "sampler"])
    return applied_project(project, admin_user)


@pytest.fixture
def site(client: Client, admin_user: Any) -> Client:
    client.force_login(admin_user)
    return client


def make_job(shot: Shot, state: str = JobState.QUEUED, **values: Any) -> RenderJob:
    values.setdefault("workflow", Workflow.objects.get(key="comfy.wan22_i2v"))
    values.setdefault("capability", "gpu.vram24")
    values.setdefault("vram_gb", 24)
    if state in (JobState.SUCCEEDED, JobState.FAILED):
        values.setdefault("finished_at", timezone.now())
    return RenderJob.objects.create(
        project=shot.project, shot=shot, kind="render", step="render", state=state, **values
    )


def held_by(job: RenderJob, worker: Worker) -> None:
    job.attempts.create(worker=worker, state=job.state, lease_until=timezone.now() + timedelta(hours=1))


def gpu(name: str = "gpu-1", **values: Any) -> Worker:
    said = {"gpu": "NVIDIA RTX 4090", "vram_total": 24 * GIB, "vram_free": 6 * GIB}
    facts = {"vram_gb": 24, "backends": ["comfyui"], "endpoint": "http://10.0.0.9:8188", "gpu": said, **values}
    return Worker.objects.create(name=name, **facts)


def stranger_project(admin_user: Any) -> Shot:
    other = create_project(actor=admin_user, code="SECRET", title="남의 작품", width=320, height=180)
    return applied_project(other, admin_user)[0]


def text_of(answer: Any) -> str:
    return str(answer.content.decode())


def part(site: Client, url: str, name: str) -> str:
    """A live part, as the page asks for it itself."""
    answer = site.get(url, headers={"HX-Request": "true", "HX-Target": name})
    assert answer.status_code == 200
    return text_of(answer)


def test_workers_show_what_their_server_said_and_nothing_else(site: Client, project: Any, shots: list[Shot]) -> None:
    busy = gpu()
    running = make_job(shots[0], JobState.RUNNING, progress=0.4, requested_by=None)
    held_by(running, busy)
    gpu("gpu-away", error="10.0.0.9 does not answer. Start ComfyUI there.", gpu=busy.gpu)
    flux = Workflow.objects.get(key="comfy.flux_t2i")
    WorkerBlock.objects.create(worker=busy, workflow=flux, failures=3, reason="CUDA error")
    WorkerFit.objects.create(worker=busy, workflow=flux, fits=False, reasons=["flux1-dev.safetensors is missing."])
    page = part(site, f"/projects/{project.code}/farm/", "farm-state")
    assert "18.0" in page
    assert "24.0" in page
    away = page[page.index("gpu-away") :].split("</article>")[0]
    assert "does not answer" in away
    assert "worker-memory" not in away
    assert f"/farm/jobs/{running.pk}/preview/" in page
    assert "CUDA error" in page
    assert "3 failures" in page
    assert "1 workflow does not fit" in page
    told = text_of(site.get(f"/farm/workers/{busy.pk}/misfits/"))
    assert "flux1-dev.safetensors is missing." in told


def test_the_queue_by_class_counts_and_says_what_is_paused(
    site: Client, project: Any, shots: list[Shot], admin_user: Any
) -> None:
    gpu()
    for n in range(3):
        make_job(shots[n % 2], estimate=60.0)
    make_job(shots[0], JobState.RUNNING, estimate=60.0)
    Pause.objects.create(scope="capability", key="gpu.vram24", reason="새 모델 설치", actor=admin_user)
    gpu("gpu-draining", state="draining")  # it will take none of them
    page = part(site, f"/projects/{project.code}/farm/", "farm-state")
    row = page[page.index('id="class-gpu.vram24"') :].split("</tr>")[0]
    assert [cell.split("<")[0] for cell in row.split('class="num">')[1:]] == ["3", "1", "1", "≈ 4:00"]
    assert "새 모델 설치" in page


def test_filters_narrow_the_list_and_stand_in_the_address(
    site: Client, project: Any, shots: list[Shot], artist: Any
) -> None:
    worker = gpu()
    mine = make_job(
        shots[0], JobState.FAILED, requested_by=artist, error="노드가 없습니다", params={"prompt": "비 오는 골목"}
    )
    held_by(mine, worker)
    other = make_job(shots[1], priority=5)
    batch = RenderBatch.objects.create(project=project, title="밤 장면")
    in_batch = make_job(shots[1], JobState.SUCCEEDED, batch=batch)
    url = f"/projects/{project.code}/farm/"

    def found(query: str) -> set[RenderJob]:
        page = part(site, f"{url}?{query}", "farm-jobs")
        return {job for job in (mine, other, in_batch) if f'id="job-{job.pk}"' in page}

    assert found("") == {mine, other, in_batch}
    assert found("state=failed") == found(f"user={artist.pk}") == found(f"worker={worker.pk}") == {mine}
    assert found("q=골목") == found("q=노드가") == {mine}
    assert found("state=open") == {other}
    assert found(f"batch={batch.pk}") == {in_batch}
    assert found("workflow=comfy.wan22_i2v&capability=gpu.vram24") == {mine, other, in_batch}
    assert found("workflow=comfy.flux_t2i") == found("capability=cpu") == set()
    page = part(site, f"{url}?sort=-priority", "farm-jobs")
    assert page.index(f'id="job-{other.pk}"') < page.index(f'id="job-{mine.pk}"')
    chosen = filter_from({"state": "failed", "q": "골목", "sort": "priority"})
    assert filter_from(dict(pair.split("=") for pair in ["state=failed", "q=골목", "sort=priority"])) == chosen
    assert chosen.query(sort="-created") == "state=failed&q=%EA%B3%A8%EB%AA%A9&"


@pytest.mark.parametrize(
    "query",
    [
        "?state=%00", "?state=x&user=x&worker=%C2%B2&capability=x&sort=x&batch=x&page=x", "?user=" + "9" * 40,
        "?batch=00000000-0000-0000-0000-000000000000", "?q=" + "가" * 900, "?q=%ED%A0%80", "?sort=-", "?page=-1",
        "?worker=-1&user=-1", "?project=%27%3B--&workflow=%25", "?q=%25_%5C",
    ],
)  # fmt: skip
def test_hostile_addresses_are_answered(site: Client, project: Any, shots: list[Shot], query: str) -> None:
    make_job(shots[0])
    for url in ("/farm/", f"/projects/{project.code}/farm/"):
        assert site.get(url + query).status_code < 500


def test_nobody_sees_another_projects_jobs(
    client: Client, project: Any, shots: list[Shot], admin_user: Any, artist: Any
) -> None:
    shot = stranger_project(admin_user)
    worker = gpu()
    batch = RenderBatch.objects.create(project=shot.project, title="비밀 배치")
    secret = make_job(shot, JobState.RUNNING, batch=batch, params={"prompt": "비밀"})
    waiting = make_job(shot, batch=batch)
    held_by(secret, worker)
    client.force_login(artist)
    for url in ("/farm/", f"/projects/{project.code}/farm/", "/farm/indicator/"):
        page = text_of(client.get(url))
        assert str(secret.pk) not in page
        assert "SECRET" not in page
        assert "비밀" not in page
    assert "It works for another project." in text_of(client.get("/farm/"))
    for url in (
        f"/farm/jobs/{secret.pk}/",
        f"/farm/jobs/{secret.pk}/preview/",
        f"/farm/batches/{batch.pk}/",
        "/projects/SECRET/farm/",
    ):
        assert client.get(url).status_code == 404
    assert client.get(f"/farm/?batch={batch.pk}").status_code == 200
    assert client.post("/farm/jobs/bulk/", {"do": "cancel", "ids": str(waiting.pk)}).status_code == 404
    assert client.post(f"/farm/batches/{batch.pk}/cancel/").status_code == 404
    waiting.refresh_from_db()
    assert waiting.state == JobState.QUEUED


def test_only_those_who_may_change_the_farm(
    client: Client, project: Any, shots: list[Shot], admin_user: Any, artist: Any
) -> None:
    worker = gpu()
    block = WorkerBlock.objects.create(worker=worker, workflow=Workflow.objects.get(key="comfy.flux_t2i"), failures=3)
    job = make_job(shots[0])
    pause = {"what": "capability:gpu.vram24", "reason": "x"}
    lift = f"/farm/workers/{worker.pk}/blocks/{block.workflow_id}/lift/"
    client.force_login(artist)
    assert client.post(f"/farm/workers/{worker.pk}/drain/", {"draining": "1"}).status_code == 403
    assert client.post(lift).status_code == client.post("/farm/pauses/", pause).status_code == 403
    assert client.post("/farm/pauses/", {"what": f"project:{project.pk}"}).status_code == 403
    assert client.post("/farm/jobs/bulk/", {"do": "priority", "ids": str(job.pk), "priority": "3"}).status_code == 403
    assert "Drain" not in text_of(client.get(f"/projects/{project.code}/farm/"))
    client.force_login(admin_user)
    assert client.post(f"/farm/workers/{worker.pk}/drain/", {"draining": "1"}).status_code == 204
    assert client.post(lift).status_code == client.post("/farm/pauses/", pause).status_code == 204
    worker.refresh_from_db()
    assert worker.state == "draining"
    assert not worker.blocks.exists()
    row = Pause.objects.get()
    assert (row.key, row.reason, row.actor) == ("gpu.vram24", "x", admin_user)
    assert client.post("/farm/pauses/resume/", {"ids": str(row.pk)}).status_code == 204
    assert not Pause.objects.exists()
    assert client.post("/farm/pauses/", {"what": "capability:x"}).status_code == 422
    assert client.post("/farm/pauses/", {"what": ["capability:cpu", "capability:x"]}).status_code == 422
    assert client.post("/farm/pauses/", {}).status_code == 422
    assert not Pause.objects.exists()


def test_many_jobs_change_in_one_action_and_what_has_ended_is_left_out(site: Client, shots: list[Shot]) -> None:
    first, ended = make_job(shots[0]), make_job(shots[1], JobState.SUCCEEDED)
    later = make_job(shots[1])
    later.after.add(first)
    ids = ",".join(str(job.pk) for job in (first, later, ended))
    answer = site.post("/farm/jobs/bulk/", {"do": "cancel", "ids": ids})
    assert answer.status_code == 204
    states = [RenderJob.objects.get(pk=job.pk).state for job in (first, later, ended)]
    assert states == [JobState.CANCELLED, JobState.CANCELLED, JobState.SUCCEEDED]
    assert first.project.actions.filter(kind="render.cancel").count() == 1
    assert site.post("/farm/jobs/bulk/", {"do": "retry", "ids": ids}).status_code == 204
    assert [RenderJob.objects.get(pk=job.pk).state for job in (first, later)] == [JobState.QUEUED, JobState.QUEUED]
    site.post("/farm/jobs/bulk/", {"do": "priority", "ids": ids, "priority": "7"})
    assert [RenderJob.objects.get(pk=job.pk).priority for job in (first, later, ended)] == [7, 7, 0]
    for body in ({"do": "eat", "ids": ids}, {"do": "cancel", "ids": "x"}, {"do": "cancel", "ids": ""}):
        assert site.post("/farm/jobs/bulk/", body).status_code == 422


def test_who_is_tried_again_is_told_what_came_back_with_it(site: Client, shots: list[Shot]) -> None:
    first, then = make_job(shots[0], JobState.FAILED), make_job(shots[1], JobState.CANCELLED)
    then.after.add(first)

    def told(path: str, **body: str) -> str:
        answer = site.post(path, body)
        assert answer.status_code == 204
        RenderJob.objects.filter(pk=first.pk).update(state=JobState.FAILED)
        RenderJob.objects.filter(pk=then.pk).update(state=JobState.CANCELLED)
        return str(json.loads(answer["HX-Trigger"])["aip:toast"]["message"])

    said = f"1 job queued again. With it 1 of its chain: {shots[1].code}."
    assert told(f"/farm/jobs/{first.pk}/retry/") == said
    assert told("/farm/jobs/bulk/", do="retry", ids=str(first.pk)) == said
    assert told("/farm/jobs/bulk/", do="retry", ids=f"{first.pk},{then.pk}") == "2 jobs queued again."
    batch = RenderBatch.objects.create(project=first.project)
    RenderJob.objects.filter(pk=first.pk).update(batch=batch)
    assert told(f"/farm/batches/{batch.pk}/retry/") == said


def test_many_jobs_are_changed_by_as_many_queries_as_few(admin_user: Any, shots: list[Shot]) -> None:
    more = [
        Shot(project=shots[0].project, scene=shots[0].scene, code=f"M{n}", position=9000 + n, duration_frames=9)
        for n in range(40)
    ]
    Shot.objects.bulk_create(more)
    ShotStep.objects.bulk_create(ShotStep(project=shot.project, shot=shot, step="render") for shot in more)
    jobs = [make_job(shot, JobState.FAILED) for shot in more]
    RenderJob.objects.update(step="render")

    def queries(some: list[RenderJob], priority: int) -> tuple[int, int]:
        with CaptureQueriesContext(connection) as again:
            assert len(many.retry_jobs(jobs=some, actor=admin_user).asked) == len(some)
        with CaptureQueriesContext(connection) as order:
            assert many.set_priorities(jobs=some, actor=admin_user, priority=priority) == len(some)
        return len(again), len(order)

    few = queries(jobs[:5], 3)
    assert queries(jobs[5:], 4) == few
    assert set(ShotStep.objects.filter(shot__in=more).values_list("state", flat=True)) == {"generating"}
    assert set(Shot.objects.filter(code__startswith="M").values_list("status", flat=True)) == {"generating"}
    assert Action.objects.filter(kind="render.retry").count() == 2


def test_a_job_says_why_it_waits(site: Client, shots: list[Shot]) -> None:
    job = make_job(shots[0])

    def told() -> str:
        return text_of(site.get(f"/farm/jobs/{job.pk}/"))

    assert "COMFYUI_URLS" in told()
    worker = gpu(vram_gb=8)
    assert "needs a GPU with 24 GB; the largest one online has 8 GB (NVIDIA RTX 4090). Choose a workflow" in told()
    Worker.objects.filter(pk=worker.pk).update(vram_gb=24)
    assert "waits for a free worker." in told()
    gpu("gpu-small", vram_gb=8)
    page = told()
    assert "waits for a free worker: 1 of 2 can do it." in page
    assert "gpu-small: 8 GB of GPU memory, 24 GB are needed." in page
    Worker.objects.filter(name="gpu-small").delete()
    WorkerFit.objects.create(worker=worker, workflow=job.workflow, fits=False, reasons=["umt5.safetensors is missing."])
    assert "umt5.safetensors is missing." in told()
    Pause.objects.create(scope="project", key=str(job.project_id), reason="검토 중")
    assert "The project is paused. 검토 중" in told()
    first = make_job(shots[1], JobState.RUNNING)
    job.after.add(first)
    page = told()
    assert f"/farm/jobs/{first.pk}/" in page
    assert "rendered" in page


def test_a_chain_shows_its_order_and_the_jump_into_each_shot(
    site: Client, project: Any, shots: list[Shot], admin_user: Any
) -> None:
    batch = RenderBatch.objects.create(project=project, kind="chain", title="이어 찍기")
    versions = []
    for shot in shots[:2]:
        facts = {"manifest": [{"name": "a.mp4", "size": 1, "sha256": ""}], "path": "x", "state": "published"}
        versions.append(Version.objects.create(project=project, shot=shot, kind="render", number=1, **facts))
    make_job(shots[1], JobState.SUCCEEDED, batch=batch, version=versions[1])
    make_job(shots[0], JobState.SUCCEEDED, batch=batch, version=versions[0])
    make_job(shots[2], batch=batch)
    Seam.objects.create(project=project, before=versions[0], after=versions[1], score=0.42)
    page = text_of(site.get(f"/farm/batches/{batch.pk}/"))
    places = [page.index(f">{shot.code}</a>") for shot in shots[:3]]
    assert places == sorted(places)
    second = page[places[0] : places[1]]
    assert "batch-seam bad" in second
    assert "0.42" in second
    assert page.count("batch-seam") == 1
    assert "66%" in page


def _more(project: Project, shots: list[Shot], person: Any, count: int) -> None:
    workflow = Workflow.objects.get(key="comfy.wan22_i2v")
    for n in range(count):
        worker = gpu(f"w{Worker.objects.count()}")
        WorkerFit.objects.create(worker=worker, workflow=workflow, fits=False, reasons=["x"])
        batch = RenderBatch.objects.create(project=project, title=str(n))
        running = make_job(shots[0], JobState.RUNNING, batch=batch, requested_by=person)
        held_by(running, worker)
        waiting = make_job(shots[1], batch=batch)
        waiting.after.add(running)
        make_job(shots[0], JobState.FAILED, batch=batch)
        RenderPreset.objects.create(project=project, name=f"p{worker.pk}", workflow=workflow, author=person)


def test_as_many_queries_for_many_rows_as_for_few(
    site: Client, project: Any, shots: list[Shot], admin_user: Any
) -> None:
    _more(project, shots, admin_user, 2)
    batch, job = RenderBatch.objects.all()[0], RenderJob.objects.filter(state=JobState.QUEUED)[0]
    form = {"ids": ",".join(str(shot.pk) for shot in shots)}
    pages = {
        "/farm/": None, f"/projects/{project.code}/farm/?state=open": None, f"/farm/jobs/{job.pk}/": None,
        f"/farm/batches/{batch.pk}/": None, "/farm/indicator/": None, f"/projects/{project.code}/render-presets/": None,
        f"/projects/{project.code}/render/dialog/": form,
    }  # fmt: skip

    def counts() -> dict[str, int]:
        found = {}
        for url, body in pages.items():
            with CaptureQueriesContext(
                connection,
            ) as queries:
                answer = site.post(url, body) if body else site.get(url)
            assert answer.status_code == 200, url
            found[url] = len(queries)
        return found

    counts()
    few = counts()
    _more(project, shots, admin_user, 6)
    RenderJob.objects.filter(batch__isnull=False).exclude(pk=job.pk).update(batch=batch)
    assert counts() == few
    assert max(few.values()) < 45, few
