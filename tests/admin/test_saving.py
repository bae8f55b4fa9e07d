"""Adds, deletes, bulk deletes, inlines, locks and conflicts in the admin."""

from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.urls import reverse

from aipipeline.history.models import Action
from aipipeline.history.services import undo
from aipipeline.projects.models import Membership, Project, User
from assets.models import Character
from assets.services import save_asset
from renders.models import JobState, RenderJob, Version, Worker
from shots.models import Casting, Scene, Shot, ShotStep
from shots.services.confirm import confirm
from shots.services.editing import update_shots
from tests.admin.pages import address, errors_of, list_address, opened
from timeline.models import Clip, Marker

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]


@pytest.fixture
def boss(client: Any, admin_user: Any) -> Any:
    client.force_login(admin_user)
    return client


def newest() -> Action:
    return Action.objects.order_by("-created_at")[0]


def test_rows_are_added_by_their_services(studio: Any, boss: Any, first_shot: Shot) -> None:
    added = [
        (Project, {"code": "NEW", "title": "둘째"}, "project.create"),
        (Scene, {"project": studio.pk, "heading": "옥상"}, "scene.create"),
        (Shot, {"project": studio.pk, "description": "하늘"}, "shot.create"),
        (Character, {"project": studio.pk, "name": "지우", "outfits": "비옷: 노란색"}, "character.create"),
        (Marker, {"edit": studio.edits.get().pk, "frame": "3"}, "marker.create"),
        (Group, {"name": "Editors"}, "group.create"),
    ]
    for model, fields, kind in added:
        count = model._default_manager.count()
        actions = Action.objects.count()
        form = opened(boss, list_address(model, "add"), model) | {name: [str(v)] for name, v in fields.items()}
        assert errors_of(boss.post(list_address(model, "add"), form)) == ""
        assert model._default_manager.count() == count + 1, kind
        assert newest().kind == kind
        assert Action.objects.count() == actions + 1, kind
    assert Character.objects.get(name="지우").outfits == [{"name": "비옷", "description": "노란색"}]
    shot = Shot.objects.order_by("-position")[0]
    assert shot.code.startswith("SHT_")
    assert shot.steps.count() == len(studio.steps)
    assert Membership.objects.filter(project__code="NEW", role="admin").exists()


def test_an_account_is_made_changed_and_switched_off(studio: Any, boss: Any, admin_user: Any, client: Any) -> None:
    form = opened(boss, list_address(User, "add"), User)
    form |= {"username": ["mina"], "password1": ["moon-over-han-river"], "password2": ["moon-over-han-river"]}
    assert errors_of(boss.post(list_address(User, "add"), form)) == ""
    user = User.objects.get(username="mina")
    assert user.check_password("moon-over-han-river")
    action = newest()
    assert action.kind == "user.create"
    assert "moon" not in str(action.changes)
    assert "pbkdf2" not in str(action.changes)
    url = reverse("admin:auth_user_password_change", args=[user.pk])
    sent = {"password1": "rain-over-han-river", "password2": "rain-over-han-river", "usable_password": "true"}
    assert boss.post(url, sent).status_code == 302
    assert newest().kind == "user.password"
    boss.post(list_address(User), {"action": "deactivate", "_selected_action": [user.pk]})
    user.refresh_from_db()
    assert not user.is_active
    boss.post(list_address(User), {"action": "deactivate", "_selected_action": [admin_user.pk]})
    admin_user.refresh_from_db()
    assert admin_user.is_active, "the last superuser stays"
    form = opened(boss, list_address(User, "add"), User)
    form |= {"username": ["weak"], "password1": ["1234"], "password2": ["1234"]}
    assert "password1" in errors_of(boss.post(list_address(User, "add"), form))


def test_deleting_marks_as_removed_and_undo_brings_it_back(studio: Any, boss: Any, admin_user: Any) -> None:
    shots = list(Shot.objects.filter(project=studio).order_by("position"))
    assert boss.get(address(shots[0], "delete")).status_code == 200
    assert boss.post(address(shots[0], "delete"), {"post": "yes"}).status_code == 302
    shots[0].refresh_from_db()
    assert shots[0].removed_at
    assert newest().kind == "shot.remove"
    boss.post(
        list_address(Shot),
        {"action": "delete_selected", "_selected_action": [s.pk for s in shots[1:3]], "post": "yes"},
    )
    assert Shot.objects.live().filter(project=studio).count() == len(shots) - 3
    action = newest()
    assert (action.kind, len(action.changes), action.actor) == ("shot.remove", 2, admin_user)
    undo(project=studio, actor=admin_user)
    assert Shot.objects.live().filter(project=studio).count() == len(shots) - 1
    boss.post(list_address(Shot) + "?removed=only", {"action": "restore", "_selected_action": [shots[0].pk]})
    shots[0].refresh_from_db()
    assert shots[0].removed_at is None
    character = Character.objects.filter(project=studio)[0]
    boss.post(list_address(Character), {"action": "delete_selected", "_selected_action": [character.pk], "post": "yes"})
    character.refresh_from_db()
    assert character.removed_at
    assert newest().kind == "character.remove"


def test_a_locked_shot_says_so_and_keeps_its_structure(studio: Any, boss: Any, admin_user: Any) -> None:
    shot = Shot.objects.filter(project=studio).order_by("position")[0]
    other = Scene.objects.filter(project=studio).exclude(pk=shot.scene_id)[0]
    confirm(project=studio, actor=admin_user)
    form = opened(boss, address(shot), Shot) | {"scene": [str(other.pk)], "description": ["새 설명"]}
    answer = boss.post(address(shot), form)
    assert answer.status_code == 200
    assert "Unlock first" in errors_of(answer)
    assert "새 설명" in answer.content.decode(), "what was typed stays in the form"
    shot.refresh_from_db()
    assert shot.scene_id != other.pk
    assert shot.description != "새 설명", "nothing half-done"
    for url, sent in (
        (address(shot, "delete"), {"post": "yes"}),
        (list_address(Shot), {"action": "delete_selected", "_selected_action": [shot.pk], "post": "yes"}),
        (address(shot.scene, "delete"), {"post": "yes"}),
    ):
        answer = boss.post(url, sent, follow=True)
        assert answer.status_code == 200
        assert "Unlock first" in answer.content.decode(), url
    shot.refresh_from_db()
    assert shot.removed_at is None
    boss.post(list_address(Shot), {"action": "unlock", "_selected_action": [shot.pk]})
    assert errors_of(boss.post(address(shot), opened(boss, address(shot), Shot) | {"scene": [str(other.pk)]})) == ""


def test_what_somebody_else_changed_is_not_overwritten(studio: Any, boss: Any, artist: Any, first_shot: Shot) -> None:
    form = opened(boss, address(first_shot), Shot)
    item = {"id": first_shot.pk, "fields": {"description": "그들의 말", "size": "CU"}}
    update_shots(project=studio, actor=artist, items=[item])
    mine = form | {"description": ["나의 말"], "emotion": ["슬픔"]}
    answer = boss.post(address(first_shot), mine)
    said = errors_of(answer)
    assert "그들의 말" in said
    assert "나의 말" in said
    first_shot.refresh_from_db()
    assert first_shot.description == "그들의 말"
    assert first_shot.emotion != "슬픔", "nothing half-done"
    # Only what both changed is a conflict: the same old form with another field merges.
    assert errors_of(boss.post(address(first_shot), form | {"emotion": ["슬픔"]})) == ""
    first_shot.refresh_from_db()
    assert (first_shot.description, first_shot.size, first_shot.emotion) == ("그들의 말", "CU", "슬픔")
    # The page that showed both values may be saved again, knowingly.
    again = answer.context_data["adminform"].form
    assert errors_of(boss.post(address(first_shot), mine | {"seen_at": [str(again["seen_at"].value())]})) == ""
    first_shot.refresh_from_db()
    assert first_shot.description == "나의 말"
    assert "too old" in errors_of(boss.post(address(first_shot), {**form, "seen_at": ["rubbish"]}))


def test_conflicts_of_rows_without_revisions(studio: Any, boss: Any, artist: Any) -> None:
    form = opened(boss, address(artist), User)
    User.objects.filter(pk=artist.pk).update(display_name="그들")
    assert "그들" in errors_of(boss.post(address(artist), form | {"display_name": ["나"]}))
    assert errors_of(boss.post(address(artist), form | {"email": ["a@studio.kr"]})) == ""
    artist.refresh_from_db()
    assert (artist.display_name, artist.email) == ("그들", "a@studio.kr")


def test_inlines_join_the_form_s_action(studio: Any, boss: Any, artist: Any, first_shot: Shot) -> None:
    casting = Casting.objects.live().filter(shot=first_shot)[0]
    extra = save_asset(model=Character, project=studio, actor=artist, fields={"name": "손님"})
    form = opened(boss, address(first_shot), Shot)
    count, rows = Action.objects.count(), int(form["castings-TOTAL_FORMS"][0])
    form |= {
        "description": ["둘이 만난다"],
        "castings-0-outfit": ["코트"],
        "castings-TOTAL_FORMS": [str(rows + 1)],
        f"castings-{rows}-character": [str(extra.pk)],
        f"castings-{rows}-outfit": ["앞치마"],
        f"castings-{rows}-order": ["5"],
        f"castings-{rows}-shot": [str(first_shot.pk)],
        "steps-0-assignee": [str(artist.pk)],
        "steps-0-due_date": ["2031-05-06"],
        "steps-0-state": ["ready"],
    }
    assert errors_of(boss.post(address(first_shot), form)) == ""
    casting.refresh_from_db()
    first_shot.refresh_from_db()
    step = ShotStep.objects.filter(shot=first_shot).order_by("id")[0]
    assert casting.outfit == "코트"
    assert Casting.objects.live().get(shot=first_shot, character=extra).outfit == "앞치마"
    assert (step.assignee, str(step.due_date), step.state) == (artist, "2031-05-06", "ready")
    assert first_shot.status == "ready"
    assert Action.objects.count() == count + 1
    action = newest()
    assert action.kind == "shot.update"
    assert {e["model"] for e in action.changes} >= {"shots.shot", "shots.casting", "shots.shotstep"}
    undo(project=studio, actor=action.actor)
    casting.refresh_from_db()
    step.refresh_from_db()
    assert casting.outfit == ""
    assert step.state == "draft"
    form = opened(boss, address(first_shot), Shot) | {"castings-0-DELETE": ["on"]}
    assert errors_of(boss.post(address(first_shot), form)) == ""
    casting.refresh_from_db()
    assert casting.removed_at
    # A step goes only where its table lets it go, and a refusal in an inline takes the whole form back.
    form = opened(boss, address(first_shot), Shot) | {"steps-0-state": ["final"], "description": ["x"]}
    assert errors_of(boss.post(address(first_shot), form)) != ""
    first_shot.refresh_from_db()
    assert first_shot.description != "x"


def test_members_change_in_the_project_form(studio: Any, boss: Any, artist: Any, admin_user: Any) -> None:
    form = opened(boss, address(studio), Project)
    mine = next(i for i in range(2) if form[f"memberships-{i}-role"] == ["artist"])
    assert errors_of(boss.post(address(studio), form | {f"memberships-{mine}-role": ["director"]})) == ""
    assert Membership.objects.get(project=studio, user=artist).role == "director"
    entry = next(e for e in newest().changes if e["model"] == "projects.membership")
    assert entry["fields"]["role"] == ["artist", "director"]
    form = opened(boss, address(studio), Project)
    last = next(i for i in range(2) if form[f"memberships-{i}-role"] == ["admin"])
    answer = boss.post(address(studio), form | {f"memberships-{last}-DELETE": ["on"]})
    assert "at least one administrator" in errors_of(answer)


def test_farm_and_reviews_are_worked_by_actions(studio: Any, boss: Any, admin_user: Any, first_shot: Shot) -> None:
    job = RenderJob.objects.get()
    boss.post(list_address(RenderJob), {"action": "cancel", "_selected_action": [job.pk]})
    job.refresh_from_db()
    assert job.state == JobState.CANCELLED
    assert (newest().kind, newest().actor) == ("render.cancel", admin_user)
    form = opened(boss, address(job), RenderJob)
    assert "priority" not in form
    boss.post(list_address(RenderJob), {"action": "retry", "_selected_action": [job.pk]})
    job.refresh_from_db()
    assert job.state == JobState.QUEUED
    assert (newest().kind, newest().actor) == ("render.retry", admin_user)
    worker = Worker.objects.get()
    boss.post(list_address(Worker), {"action": "drain", "_selected_action": [worker.pk]})
    worker.refresh_from_db()
    assert worker.state == "draining"
    assert newest().changes[0]["fields"]["state"] == ["online", "draining"]
    version = Version.objects.get()
    boss.post(list_address(Version), {"action": "approve", "_selected_action": [version.pk]})
    version.refresh_from_db()
    assert version.status == "approved"
    assert newest().kind == "version.approve"
    assert ShotStep.objects.get(shot=first_shot, step="first_image").state == "approved"


def test_the_cut_s_own_clips_stay(studio: Any, boss: Any) -> None:
    clip = Clip.objects.filter(project=studio)[0]
    answer = boss.post(address(clip, "delete"), {"post": "yes"}, follow=True)
    assert "goes with the shot" in answer.content.decode()
    answer = boss.post(address(clip), opened(boss, address(clip), Clip) | {"duration_frames": ["4"]})
    assert "follow" in errors_of(answer)
    clip.refresh_from_db()
    assert (clip.removed_at, clip.duration_frames) == (None, None)


def test_grants_beyond_roles_are_given_and_recorded(studio: Any, boss: Any, artist: Any) -> None:
    url = reverse("admin:projects_project_permissions_manage_user", args=[studio.pk, artist.pk])
    page = boss.get(url).content.decode()
    assert "may_shots_approve" in page
    assert "add_project" not in page
    assert boss.post(url, {"permissions": ["may_shots_approve"]}).status_code == 302
    assert artist.has_perm("projects.may_shots_approve", studio)
    assert newest().kind == "project.grants"
    assert newest().params["granted"] == ["may_shots_approve"]
