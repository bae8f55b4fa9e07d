"""Every model that the admin registers is edited through its page, and leaves revision, action and event."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib import admin

from aipipeline.events import publishing
from aipipeline.history.models import Action
from aipipeline.projects.tracked import Tracked
from renders.models import JobState, Pause, RenderBatch, RenderJob, WorkerBlock
from tests.admin.pages import address, errors_of, list_address, opened

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]

# By model: a field of its page, the value to send, the value to find; and the topic that hears of it ("" for none).
EDITS: dict[str, tuple[str, str, Any, str]] = {
    "projects.Project": ("title", "새 제목", "새 제목", "project"),
    "projects.Membership": ("role", "guest", "guest", "project"),
    "projects.User": ("display_name", "박 감독", "박 감독", "user"),
    "auth.Group": ("name", "Layout", "Layout", ""),
    "shots.Scenario": ("title", "두 번째 판", "두 번째 판", "project"),
    "shots.Scene": ("heading", "카페 — 밤", "카페 — 밤", "project"),
    "shots.Shot": ("description", "창밖의 비", "창밖의 비", "project"),
    "shots.Casting": ("outfit", "빨간 코트", "빨간 코트", "project"),
    "shots.ShotStep": ("due_date", "2030-01-02", "2030-01-02", "project"),
    "assets.Character": ("description", "스무 살", "스무 살", "project"),
    "assets.Environment": ("mood", "쓸쓸한", "쓸쓸한", "project"),
    "assets.CinematicPreset": ("lens", "35mm", "35mm", "project"),
    "assets.LoRA": ("trigger_words", "rina_v2", "rina_v2", "project"),
    "tables.CustomColumn": ("label", "렌즈", "렌즈", "project"),
    "tables.SavedView": ("name", "감독용", "감독용", "project"),
    "tables.TableSettings": ("labels", '{"size": "크기"}', {"size": "크기"}, "project"),
    "tables.SheetMapping": ("name", "외주 양식", "외주 양식", "project"),
    "renders.Workflow": ("enabled", "", False, "farm"),
    "renders.RenderPreset": ("name", "Draft 2", "Draft 2", "project"),
    "renders.PathMap": ("macos", "/Volumes/films", "/Volumes/films", ""),
    "renders.RenderJob": ("priority", "7", 7, "project"),
    "renders.Pause": ("reason", "검토 중", "검토 중", "farm"),
    "timeline.Edit": ("name", "Cut 2", "Cut 2", "project"),
    "timeline.Track": ("name", "Main", "Main", "project"),
    "timeline.Clip": ("source_in", "3", 3, "project"),
    "timeline.Marker": ("comment", "여기", "여기", "project"),
    "notes.Note": ("text", "다시 확인", "다시 확인", "project"),
    "mirror.MirrorTarget": ("limit_mb", "12.5", 12.5, "project"),
    "celery_workers.Schedule": ("every_seconds", "30.0", 30.0, ""),
}
READ_ONLY = {
    "renders.Version", "renders.Review", "renders.RenderAttempt", "renders.Worker", "renders.RenderBatch",
    "renders.Seam", "renders.Experience", "renders.WorkerFit", "renders.WorkerBlock", "renders.WorkflowGraph",
    "timeline.Movie",
    "celery_workers.LedgerTask", "tables.SheetImport", "history.Action", "notes.Notification",
}  # fmt: skip
REGISTERED = sorted(model._meta.label for model in admin.site._registry)


class Heard(list[tuple[str, str]]):
    """The events that were sent, as (topic, type)."""


@pytest.fixture
def heard(monkeypatch: pytest.MonkeyPatch) -> Heard:
    """Events as they leave on commit; they still go out."""
    events, send = Heard(), publishing._send

    def listen(topic: str, event: dict[str, Any]) -> None:
        events.append((topic, event["type"]))
        send(topic, event)

    monkeypatch.setattr(publishing, "_send", listen)
    return events


def test_no_model_is_forgotten() -> None:
    """Whoever registers a model says here how it is edited, or that it is not."""
    assert set(REGISTERED) == set(EDITS) | READ_ONLY
    assert len(REGISTERED) == 44


def row_of(label: str) -> Any:
    from django.apps import apps

    model = apps.get_model(label)
    rows = model._default_manager.order_by("pk")
    if label == "projects.User":
        rows = rows.filter(username="artist")
    if label == "projects.Membership":
        rows = rows.filter(role="artist")
    if label == "renders.Workflow":
        rows = rows.filter(key="local.panel")
    found = rows.first()
    assert found is not None, f"the fixture makes no {label}"
    return found


# One studio serves a whole walk over the models: each is edited once, and the failures are told together.


def walk(labels: Any, check: Callable[[str], None]) -> None:
    failed = []
    for label in sorted(labels):
        try:
            check(label)
        except AssertionError as error:
            failed.append(f"{label}: {error}")
    assert not failed, "\n".join(failed)


@pytest.mark.timeout(600)
def test_an_edit_leaves_revision_action_and_event(
    studio: Any, admin_user: Any, client: Any, heard: Heard, django_capture_on_commit_callbacks: Any
) -> None:
    client.force_login(admin_user)

    def edit(label: str) -> None:
        row = row_of(label)
        name, sent, wanted, topic = EDITS[label]
        form = opened(client, address(row), type(row))
        before, newest = getattr(row, "revision", None), set(Action.objects.values_list("pk", flat=True))
        form[name] = [sent] if sent else []
        heard.clear()
        with django_capture_on_commit_callbacks(execute=True):
            answer = client.post(address(row), form)
        assert errors_of(answer) == ""
        row = type(row)._default_manager.get(pk=row.pk)
        held = getattr(row, name)
        assert (held.isoformat() if hasattr(held, "isoformat") else held) == wanted
        actions = Action.objects.exclude(pk__in=newest)
        assert [a.actor for a in actions] == [admin_user], "one save is one action of the person"
        action = actions[0]
        entry = next(
            e for e in action.changes if e["model"] == row._meta.label_lower and e["id"] in (row.pk, str(row.pk))
        )
        assert entry["fields"][name][1] == wanted
        assert entry["fields"][name][0] != wanted
        assert action.kind.split(".")[0] == row._meta.model_name
        if isinstance(row, Tracked):
            assert row.revision > (before or 0)
            assert before < row.field_revisions[name] <= row.revision
            assert action.undoable
            assert action.project == studio
        else:
            assert not action.undoable
        if topic:
            assert any(t.split(":")[0] == topic for t, _type in heard), heard

    walk(EDITS, edit)


@pytest.mark.timeout(600)
def test_a_form_sent_back_unchanged_changes_nothing(studio: Any, admin_user: Any, client: Any) -> None:
    client.force_login(admin_user)

    def send_back(label: str) -> None:
        row = row_of(label)
        count = Action.objects.count()
        assert errors_of(client.post(address(row), opened(client, address(row), type(row)))) == ""
        assert Action.objects.count() == count, Action.objects.order_by("-created_at")[0].changes
        if isinstance(row, Tracked):
            assert type(row)._default_manager.get(pk=row.pk).revision == row.revision

    walk(EDITS, send_back)


def test_what_hangs_on_the_farm_is_changed_by_its_services(studio: Any, admin_user: Any, client: Any) -> None:
    """Jobs of a batch together, a block that is lifted, a pause that ends: each one action in the history."""
    client.force_login(admin_user)

    def do(model: Any, action: str) -> set[str]:
        rows = [str(pk) for pk in model.objects.values_list("pk", flat=True)]
        body = {"action": action, "_selected_action": rows, "post": "yes"}
        before = set(Action.objects.values_list("pk", flat=True))
        assert client.post(list_address(model), body).status_code == 302
        made = Action.objects.exclude(pk__in=before)
        return {action.kind for action in made if action.actor == admin_user}

    job = RenderJob.objects.get(batch__isnull=False)
    assert do(RenderBatch, "cancel") == {"batch.cancel"}
    job.refresh_from_db()
    assert job.state == JobState.CANCELLED
    RenderJob.objects.filter(pk=job.pk).update(state=JobState.FAILED)
    assert do(RenderBatch, "retry") == {"batch.retry"}
    job.refresh_from_db()
    assert job.state == JobState.QUEUED
    assert do(WorkerBlock, "lift") == {"worker.unblock"}
    assert not WorkerBlock.objects.exists()
    assert do(Pause, "delete_selected") == {"pause.remove"}
    assert not Pause.objects.exists()


def test_facts_refuse_every_change(studio: Any, admin_user: Any, client: Any) -> None:
    client.force_login(admin_user)

    def refuse(label: str) -> None:
        row = row_of(label)
        assert client.get(address(row)).status_code == 200
        assert client.post(address(row), {"text": "x", "state": "failed"}).status_code == 403
        assert client.post(list_address(type(row), "add"), {}).status_code == 403
        assert client.post(address(row, "delete"), {"post": "yes"}).status_code == 403
        chosen = {"action": "delete_selected", "_selected_action": [row.pk], "post": "yes"}
        client.post(list_address(type(row)), chosen)
        assert type(row)._default_manager.filter(pk=row.pk).exists()

    walk(READ_ONLY, refuse)


@pytest.mark.timeout(600)
def test_lists_search_sort_and_open(studio: Any, admin_user: Any, client: Any) -> None:
    client.force_login(admin_user)

    def look(label: str) -> None:
        row = row_of(label)
        for query in ("", "?q=x&o=1"):
            assert client.get(list_address(type(row)) + query).status_code == 200, query
        assert client.get(address(row)).status_code == 200

    walk(REGISTERED, look)
