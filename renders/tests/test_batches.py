"""Batches: one action makes them, one query tells them, one action cancels, orders or tries them again."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.core.cache import cache
from django.db import close_old_connections, connection
from django.test.utils import CaptureQueriesContext

from aipipeline.history.models import Action
from aipipeline.projects.errors import Conflict, Invalid
from assets.models import Character
from renders import tasks
from renders.models import BatchKind, JobState, MachineSchema, RenderBatch, RenderJob, Worker, Workflow
from renders.runner import Reporter
from renders.services import batches, many, nudges, queue
from renders.services.jobs import start_renders
from renders.tests.chain_world import end, worker
from renders.tests.farm_world import begun
from shots.models import Shot, ShotState
from tests.factories import applied_project
from tests.harness.processes import wait_until

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]


@pytest.fixture
def shots(project: Any, admin_user: Any) -> list[Shot]:
    return applied_project(project, admin_user)


def start(project: Any, actor: Any, shots: list[Shot], **more: Any) -> RenderBatch:
    started = start_renders(project=project, actor=actor, shots=shots, **{"workflow": "local.panel", **more})
    assert started.batch is not None
    return started.batch


def states(batch: RenderBatch) -> list[str]:
    return list(RenderJob.objects.filter(batch=batch).order_by("created_at").values_list("state", flat=True))


def test_one_start_is_one_batch_and_one_action(project: Any, admin_user: Any, shots: list[Shot]) -> None:
    batch = start(project, admin_user, shots)
    assert (batch.kind, batch.project, batch.actor) == (BatchKind.SELECTION, project, admin_user)
    assert batch.title == f"{len(shots)} shots · Storyboard panel (local draft)"
    action = Action.objects.get(kind="render.start")
    assert action.params == {"batch": str(batch.pk), "label": batch.title, "jobs": len(shots)}
    assert batches.batch_progress(batch) == batches.Progress(total=len(shots), queued=len(shots))
    again = start_renders(project=project, actor=admin_user, shots=shots, workflow="local.panel")
    assert (again.batch, again.jobs) == (None, [])
    assert Action.objects.filter(kind="render.start").count() == 1


def test_progress_counts_what_ended_and_how_far_the_rest_is(project: Any, admin_user: Any, shots: list[Shot]) -> None:
    batch = start(project, admin_user, shots)
    jobs = list(batch.jobs.order_by("created_at"))
    RenderJob.objects.filter(batch=batch).update(estimate=10.0)
    for job, values in zip(
        jobs,
        ({"state": "failed"}, {"state": "running", "progress": 0.5}, {"state": "queued"}),
        strict=True,
    ):
        RenderJob.objects.filter(pk=job.pk).update(**values)
    with CaptureQueriesContext(connection) as asked:
        found = batches.batch_progress(batch)
    assert len(asked) == 1
    assert (found.total, found.queued, found.running, found.succeeded, found.failed) == (3, 1, 1, 0, 1)
    assert found.fraction == pytest.approx(1.5 / 3)
    assert found.eta_seconds == pytest.approx(15.0)
    RenderJob.objects.filter(pk=jobs[2].pk).update(estimate=None)
    assert batches.batch_progress(batch).eta_seconds == pytest.approx(15.0)
    RenderJob.objects.filter(batch=batch).update(estimate=None)
    assert batches.batch_progress(batch).eta_seconds is None


def test_a_batch_is_cancelled_whole_and_what_runs_is_told(project: Any, admin_user: Any, shots: list[Shot]) -> None:
    batch = start(project, admin_user, shots[:3])
    running, *_rest = batch.jobs.order_by("created_at")
    RenderJob.objects.filter(pk=running.pk).update(state=JobState.RUNNING)
    assert batches.cancel_batch(batch=batch, actor=admin_user) == 3
    assert states(batch) == [JobState.RUNNING, JobState.CANCELLED, JobState.CANCELLED]
    running.refresh_from_db()
    assert running.cancel_requested
    shots[1].refresh_from_db()
    assert shots[1].status == ShotState.READY
    assert Action.objects.get(kind="batch.cancel").actor == admin_user
    RenderJob.objects.filter(pk=running.pk).update(state=JobState.CANCELLED)
    with pytest.raises(Conflict):
        batches.cancel_batch(batch=batch, actor=admin_user)


@pytest.mark.parametrize("chained", [True, False])
def test_a_batch_ends_in_portions_of_which_none_holds_the_whole(
    project: Any, admin_user: Any, shots: list[Shot], monkeypatch: pytest.MonkeyPatch, chained: bool
) -> None:
    batch = start(project, admin_user, shots, chain=chained)
    running = batch.jobs.order_by("created_at")[0]
    RenderJob.objects.filter(pk=running.pk).update(state=JobState.RUNNING)
    monkeypatch.setattr(many, "PORTION", 1)
    inside = list[tuple[str, ...]]()
    end_job = queue.end_job

    def count(job: RenderJob, *args: Any, **kwargs: Any) -> None:
        inside.append(tuple(connection.savepoint_ids))
        assert RenderJob.objects.get(pk=running.pk).cancel_requested, "what runs is told first"
        end_job(job, *args, **kwargs)

    monkeypatch.setattr(queue, "end_job", count)
    assert batches.cancel_batch(batch=batch, actor=admin_user) == len(shots)
    assert len(inside) == len(set(inside)) == len(shots) - 1, "each portion is a transaction of its own"
    assert set(batch.jobs.exclude(pk=running.pk).values_list("cancel_requested", "state", "error")) == {
        (True, "cancelled", "")
    }


def test_what_a_death_left_cancelled_and_waiting_the_reaper_ends(
    project: Any, admin_user: Any, shots: list[Shot], monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = start(project, admin_user, shots[:3])

    def die(*_args: Any) -> None:
        raise SystemExit

    with monkeypatch.context() as patched:
        patched.setattr(queue, "end_job", die)
        with pytest.raises(SystemExit):
            many.cancel_jobs(jobs=list(batch.jobs.all()[:2]), actor=admin_user)
    assert states(batch) == [JobState.QUEUED] * 3
    assert batch.jobs.filter(cancel_requested=True).count() == 2
    tasks.reap()
    assert sorted(states(batch)) == [JobState.CANCELLED, JobState.CANCELLED, JobState.QUEUED]
    assert Action.objects.get(kind="render.cancel").params == {"jobs": 2}


def test_what_failed_is_tried_again_and_nothing_else(project: Any, admin_user: Any, shots: list[Shot]) -> None:
    batch = start(project, admin_user, shots[:3])
    first, second, _third = batch.jobs.order_by("created_at")
    with pytest.raises(Conflict):
        batches.retry_failed(batch=batch, actor=admin_user)
    end(first, JobState.FAILED, error="no")
    queue.cancel(job=second)
    assert [job.pk for job in batches.retry_failed(batch=batch, actor=admin_user).jobs] == [first.pk]
    assert states(batch) == [JobState.QUEUED, JobState.CANCELLED, JobState.QUEUED]
    first.refresh_from_db()
    assert (first.error, first.attempts_made < first.max_attempts) == ("", True)
    shots[0].refresh_from_db()
    assert shots[0].status == ShotState.GENERATING


def test_the_whole_batch_goes_first(project: Any, admin_user: Any, shots: list[Shot]) -> None:
    batch = start(project, admin_user, shots[:3])
    done = batch.jobs.order_by("created_at")[0]
    RenderJob.objects.filter(pk=done.pk).update(state=JobState.SUCCEEDED)
    assert batches.set_batch_priority(batch=batch, actor=admin_user, priority=7) == 2
    assert sorted(batch.jobs.values_list("priority", flat=True)) == [0, 7, 7]
    changes = Action.objects.get(kind="batch.priority").changes
    assert [entry["fields"]["priority"] for entry in changes] == [[0, 7], [0, 7]]
    with pytest.raises(Invalid):
        batches.set_batch_priority(batch=batch, actor=admin_user, priority=101)


def test_progress_of_many_batches_is_one_query(project: Any, admin_user: Any, shots: list[Shot]) -> None:
    rows = [start(project, admin_user, [shot]) for shot in shots]
    with CaptureQueriesContext(connection) as asked:
        found = batches.progress_of(rows)
    assert len(asked) == 1
    assert {row.pk for row in rows} == set(found)


def test_a_typing_error_queues_nothing_and_is_named(project: Any, admin_user: Any, shots: list[Shot]) -> None:
    for params, field in (
        ({"sead": 7}, "params.sead"),
        ({"seed": "seven"}, "params.seed"),
        ({"width": 1}, "params.width"),
        ({"fps": "24/0"}, "params.fps"),
        ({"loras": [{"file": "a", "weight": 1}]}, "params.loras"),
        ({"prompt": ["a"]}, "params.prompt"),
    ):
        with pytest.raises(Invalid) as refused:
            start(project, admin_user, shots, params=params)
        assert list(refused.value.fields) == [field]
    assert not RenderJob.objects.exists()
    assert not RenderBatch.objects.exists()
    batch = start(project, admin_user, shots[:1], params={"fps": "48", "seed": 3, "prompt": "비"})
    job = batch.jobs.get()
    assert (job.params["fps"], job.params["seed"], job.params["prompt"]) == ("48", 3, "비")


def test_slots_of_the_workflow_are_its_parameters(project: Any, admin_user: Any, shots: list[Shot]) -> None:
    Workflow.objects.filter(key="local.panel").update(slots=["steps", "cfg", "filename_prefix", "use_it"])
    batch = start(project, admin_user, shots[:1], params={"steps": 4, "cfg": 3.5, "use_it": True})
    assert batch.jobs.get().params["steps"] == 4
    for wrong in ({"filename_prefix": "../x"}, {"steps": 0}, {"cfg": "much"}, {"use_it": []}):
        with pytest.raises(Invalid):
            start(project, admin_user, shots[1:2], params=wrong)


def test_what_no_server_can_do_is_refused_before_it_is_queued(
    project: Any, admin_user: Any, shots: list[Shot], monkeypatch: pytest.MonkeyPatch
) -> None:
    from renders import backends

    schema = MachineSchema.objects.create(
        sha256="0" * 64, body=b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\xab\xae\x05\x00C\xbf\xa6\xa3\x02\x00\x00\x00"
    )
    Worker.objects.create(name="old", backends=["local"], schema=schema)
    monkeypatch.setitem(backends._checks, "local", lambda _wanted, _schema: ["The node Panel is missing."])
    with pytest.raises(Invalid) as refused:
        start(project, admin_user, shots)
    assert refused.value.fields == {"workflow": ["The node Panel is missing."]}
    assert not RenderJob.objects.exists()


def test_words_paint_a_character_with_a_workflow_for_first_images(project: Any, admin_user: Any) -> None:
    workflow = Workflow.objects.create(
        key="comfy.test_t2i", title="T", backend="comfyui", output_kind="previz", step="first_image", family="flux",
        vram_gb=16,
    )  # fmt: skip
    who = Character.objects.create(project=project, name="Rina", description="A woman in a brown coat")
    started = start_renders(project=project, actor=admin_user, references=[who], workflow=workflow.key)
    (job,) = started.jobs
    assert (job.kind, job.step, job.character, job.shot) == ("reference", "", who, None)
    assert "brown coat" in job.params["prompt"]
    with pytest.raises(Invalid):
        start_renders(project=project, actor=admin_user, references=[who], workflow="local.panel")


def test_making_many_jobs_asks_as_often_as_making_few(project: Any, admin_user: Any, shots: list[Shot]) -> None:
    def asked(chosen: list[Shot]) -> list[str]:
        rows = Shot.objects.filter(pk__in=[shot.pk for shot in chosen])
        found = list(rows.select_related("project", "scene__environment", "environment", "preset"))
        with CaptureQueriesContext(connection) as queries:
            start(project, admin_user, found, workflow="", step="first_image")
        return [query["sql"].split(" WHERE ")[0][:90] for query in queries]

    few, many = Counter(asked(shots[:1])), Counter(asked(shots[1:]))
    # The steps are moved one by one, as ever, each with its shot and the mark on its file.
    steps = ("shots_shot", "shots_stalemark", "SAVEPOINT")
    more = {sql: n for sql, n in (many - few).items() if not any(name in sql for name in steps)}
    assert not more


@pytest.mark.django_db(transaction=True)
def test_two_who_start_the_same_at_once_make_it_once(project: Any, admin_user: Any) -> None:
    shots = applied_project(project, admin_user)

    def begin(_n: int) -> int:
        try:
            rows = list(Shot.objects.filter(project=project).select_related("project").order_by("position"))
            return len(start_renders(project=project, actor=admin_user, shots=rows, workflow="local.panel").jobs)
        finally:
            close_old_connections()
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(begin, range(4)))
    assert sorted(made) == [0, 0, 0, len(shots)]
    assert RenderJob.objects.count() == len(shots)
    assert RenderBatch.objects.count() == 1


def test_a_batch_is_told_once_for_many_jobs_and_always_at_an_end(
    project: Any, admin_user: Any, shots: list[Shot], monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[tuple[str, list[str]]] = []

    def hear(topic: str, kind: str, **facts: Any) -> None:
        if kind == "batch.changed":
            told.append((topic, facts["ids"]))

    monkeypatch.setattr(nudges, "publish", hear)
    batch = start(project, admin_user, shots)
    mine = (f"project:{project.pk}", [str(batch.pk)])
    assert told == [mine]
    jobs = list(batch.jobs.all())
    for job in jobs:
        job.state = JobState.RUNNING
        nudges.announce_jobs([job])
    assert told == [mine, mine]  # the others came in the same moment
    for job in jobs:
        job.state = JobState.FAILED
        nudges.announce_jobs([job])
    assert len(told) == 2 + len(jobs)


def test_a_batch_moves_with_what_runs_once_a_second_in_one_query(
    project: Any, admin_user: Any, shots: list[Shot], monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[tuple[str, str, dict[str, Any]]] = []
    monkeypatch.setattr(batches, "publish_progress", lambda topic, kind, **facts: told.append((topic, kind, facts)))
    batch = start(project, admin_user, shots)
    RenderJob.objects.filter(batch=batch).update(state=JobState.RUNNING, progress=0.5)
    jobs = list(batch.jobs.select_related("batch"))
    assert len(jobs) > 1
    with CaptureQueriesContext(connection) as queries:
        for job in jobs:
            batches.announce_progress(job)
    assert len(queries) == 1
    facts = {"batch": str(batch.pk), "progress": 0.5}
    assert told == [(topic, "batch.progress", facts) for topic in (f"project:{project.pk}", "farm")]
    cache.clear()  # a second later
    RenderJob.objects.filter(batch=batch).update(state=JobState.SUCCEEDED)
    batches.announce_progress(jobs[0])
    assert len(told) == 2  # of its end `batch.changed` tells
    cache.clear()
    RenderJob.objects.filter(batch=batch).update(state=JobState.RUNNING)
    running = RenderJob.objects.get(pk=jobs[0].pk)
    batch.delete()
    batches.announce_progress(running)
    assert len(told) == 2


@pytest.mark.django_db(transaction=True)
def test_a_running_job_tells_how_far_its_batch_is(
    project: Any, admin_user: Any, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.RENDER_BEAT_SECONDS = 0.05
    told: list[float] = []
    monkeypatch.setattr(batches, "publish_progress", lambda _topic, _kind, **facts: told.append(facts["progress"]))
    shots = applied_project(project, admin_user)
    start(project, admin_user, shots)
    reporter = Reporter(begun(worker()))
    reporter.progress(0.5)
    with reporter:
        wait_until(lambda: told, seconds=10)
    assert told == [round(0.5 / len(shots), 4)] * 2  # the project's pages and the farm's
