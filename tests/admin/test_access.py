"""The admin follows the one table: staff see and edit what their roles allow, and nothing of other projects."""

from pathlib import Path
from typing import Any

import pytest
from django.contrib import admin
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from aipipeline.history.models import Action
from aipipeline.history.project_services import create_project, set_member
from aipipeline.projects.models import Project, User
from shots.models import Scene, Shot
from tests.admin.conftest import fill
from tests.admin.pages import address, errors_of, list_address, opened
from tests.factories import applied_project

pytestmark = pytest.mark.django_db

STUDIO_WIDE = {"renders.Workflow", "renders.Worker"}
SUPERUSERS = {"auth.Group", "celery_workers.Schedule"}


@pytest.fixture
def outsider(studio: Any, admin_user: Any) -> Any:
    """A staff artist of another project."""
    user = User.objects.create_user(username="outsider", password="pass-for-tests", is_staff=True)
    other = create_project(actor=admin_user, code="OTHER", title="남의 것", width=320, height=180)
    applied_project(other, admin_user)
    set_member(project=other, actor=admin_user, user=user, role="artist")
    return user


@pytest.mark.timeout(600)
def test_staff_of_another_project_reach_nothing(studio: Any, outsider: Any, client: Any) -> None:
    client.force_login(outsider)
    for model in admin.site._registry:
        label = model._meta.label
        answer = client.get(list_address(model))
        if label in SUPERUSERS:
            assert answer.status_code == 403, label
            continue
        assert answer.status_code == 200, label
        mine = {"projects.User"} | STUDIO_WIDE
        found = [row for row in answer.context_data["cl"].result_list if label not in mine]
        assert all("TEST" not in str(getattr(row, "project", row)) for row in found), label
        rows = model._default_manager.all()
        for row in rows.filter(**_in(model, studio))[:1]:
            for method, url in (("get", address(row)), ("post", address(row)), ("post", address(row, "delete"))):
                answer = getattr(client, method)(url, {"post": "yes"})
                gone = answer.status_code == 302 and answer["Location"] == reverse("admin:index")
                assert gone or answer.status_code in (403, 404), (method, url, answer.status_code)
    before = Action.objects.count()
    ids = list(Shot.objects.filter(project=studio).values_list("pk", flat=True))
    client.post(list_address(Shot), {"action": "delete_selected", "_selected_action": ids, "post": "yes"})
    assert Shot.objects.live().filter(project=studio).count() == len(ids)
    assert Action.objects.count() == before


def _in(model: Any, project: Project) -> dict[str, Any]:
    paths = {"projects.Project": "pk", "renders.Review": "version__project", "renders.RenderAttempt": "job__project"}
    lookup = paths.get(model._meta.label, "project")
    known = {field.name for field in model._meta.fields}
    if lookup.split("__")[0] not in known and lookup != "pk":
        return {"pk__in": []}
    return {lookup: project.pk}


def test_autocomplete_and_forms_offer_only_ones_own(studio: Any, outsider: Any, admin_user: Any, client: Any) -> None:
    client.force_login(outsider)
    mine = Shot.objects.filter(project__code="OTHER")[0]
    theirs = Scene.objects.filter(project=studio)[0]
    query = {"app_label": "shots", "model_name": "shot", "field_name": "scene"}
    for extra in ({}, {"project": studio.pk}):
        found = client.get(reverse("admin:autocomplete"), {**query, **extra}).json()["results"]
        assert str(theirs.pk) not in [row["id"] for row in found]
    answer = client.post(address(mine), opened(client, address(mine), Shot) | {"scene": [str(theirs.pk)]})
    assert "scene" in errors_of(answer)
    query = {"app_label": "shots", "model_name": "shotstep", "field_name": "assignee"}
    names = [row["text"] for row in client.get(reverse("admin:autocomplete"), query).json()["results"]]
    assert "아티스트" not in names
    add = client.get(list_address(Shot, "add")).content.decode()
    assert "OTHER" in add
    assert "TEST" not in add
    form = opened(client, list_address(Scene, "add"), Scene) | {"project": [str(studio.pk)], "heading": ["x"]}
    assert "project" in errors_of(client.post(list_address(Scene, "add"), form))
    # Also of one's own projects, rows of another one are no choice.
    client.force_login(admin_user)
    answer = client.post(address(mine), opened(client, address(mine), Shot) | {"scene": [str(theirs.pk)]})
    assert "scene" in errors_of(answer)


def test_roles_decide_within_a_project(studio: Any, outsider: Any, admin_user: Any, client: Any) -> None:
    mine = Shot.objects.filter(project__code="OTHER")[0]
    client.force_login(outsider)
    assert errors_of(client.post(address(mine), opened(client, address(mine), Shot) | {"emotion": ["기쁨"]})) == ""
    assert client.post(address(mine, "delete"), {"post": "yes"}).status_code == 403
    assert client.post(address(mine.project), {"title": "x"}).status_code == 403
    set_member(project=mine.project, actor=admin_user, user=outsider, role="guest")
    assert client.get(address(mine)).status_code == 200
    assert client.post(address(mine), {"emotion": "x"}).status_code == 403
    set_member(project=mine.project, actor=admin_user, user=outsider, role="director")
    assert client.post(address(mine, "delete"), {"post": "yes"}).status_code == 302
    mine.refresh_from_db()
    assert mine.removed_at
    grants = reverse("admin:projects_project_permissions", args=[mine.project_id])
    assert client.get(grants).status_code == 403
    assert client.post(address(outsider), {"is_superuser": "on"}).status_code == 403
    User.objects.filter(pk=outsider.pk).update(is_staff=False)
    assert client.get(address(mine)).status_code == 302


@pytest.mark.timeout(600)
def test_lists_ask_the_database_the_same_number_of_questions(
    studio: Any, admin_user: Any, artist: Any, client: Any, tmp_path: Path
) -> None:
    client.force_login(admin_user)

    def count() -> dict[str, int]:
        found = {}
        for model in admin.site._registry:
            with CaptureQueriesContext(connection) as queries:
                assert client.get(list_address(model)).status_code == 200
            found[model._meta.label] = len(queries)
        return found

    count()
    small = count()
    for number in range(2):
        more = create_project(actor=admin_user, code=f"MORE{number}", title="더", width=320, height=180)
        _fill_again(more, admin_user, artist, tmp_path)
    large = count()
    assert {label: (small[label], large[label]) for label in small if large[label] > small[label]} == {}
    assert max(large.values()) < 40, large


def _fill_again(project: Any, actor: Any, other: Any, folder: Path) -> None:
    from renders.models import Worker

    Worker.objects.filter(name="cpu-1").update(name=f"cpu-{project.pk}")
    fill(project, actor, other, folder)
