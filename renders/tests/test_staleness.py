"""A link of a chain is out of date when the one before was made again, or another one approved; and so on down."""

from importlib import import_module
from typing import Any

import pytest
from django.apps import apps
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from aipipeline.tables.registry import table_of
from renders.columns import stale_of
from renders.models import Version
from renders.selectors import stale_reasons
from renders.services.publishing import mark_published, publish_files
from renders.services.reviews import review_version
from shots.models import Shot
from tests.factories import applied_project
from tests.factories import picture as a_picture

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]


@pytest.fixture
def shots(project: Any, admin_user: Any) -> list[Shot]:
    return applied_project(project, admin_user)


def render(shot: Shot, made_from: Version | None = None, **more: Any) -> Version:
    number = Version.objects.filter(shot=shot, kind="render").count() + 1
    return Version.objects.create(
        project=shot.project, shot=shot, kind="render", number=number, state="published", path=f"x/{shot}/{number}",
        manifest=[{"name": "a.mp4", "size": 1, "sha256": ""}], frames=48,
        follows=made_from, **more,
    )  # fmt: skip


def links(shots: list[Shot]) -> list[Version]:
    made: list[Version] = []
    for shot in shots:
        made.append(render(shot, made[-1] if made else None))
    return made


def test_a_new_version_makes_all_that_follows_stale(project: Any, shots: list[Shot]) -> None:
    a, b, c = links(shots)
    assert stale_reasons([a, b, c]) == {}
    again = render(shots[0])
    reasons = stale_reasons([a, b, c, again])
    assert reasons.keys() == {b.pk, c.pk}
    assert shots[0].code in reasons[b.pk]
    assert "v001" in reasons[b.pk]
    assert "v002" in reasons[b.pk]
    assert shots[1].code in reasons[c.pk]
    newer = render(shots[1], again)
    assert stale_reasons([newer]) == {}
    assert shots[1].code in stale_reasons([c])[c.pk]


def test_the_approved_one_counts_whatever_came_later(project: Any, admin_user: Any, shots: list[Shot]) -> None:
    a, b, c = links(shots)
    again = render(shots[0])
    review_version(version=a, actor=admin_user, verdict="approve")
    assert stale_reasons([b, c]) == {}
    review_version(version=again, actor=admin_user, verdict="approve")
    assert stale_reasons([b, c]).keys() == {b.pk, c.pk}
    review_version(version=again, actor=admin_user, verdict="reject", text="no")
    assert stale_reasons([b, c]) == {}
    review_version(version=a, actor=admin_user, verdict="reject", text="no")
    assert stale_reasons([b]).keys() == {b.pk}


def test_an_upload_in_between_is_a_new_version_too(project: Any, shots: list[Shot]) -> None:
    a, b, _c = links(shots)
    Version.objects.create(
        project=project, shot=shots[0], kind="render", number=9, state="published", path="y",
        provenance={"engine": "upload"},
    )  # fmt: skip
    Version.objects.create(project=project, shot=shots[0], kind="render", number=10, state="reserved", path="z")
    assert "v009" in stale_reasons([a, b])[b.pk]


def test_the_shot_list_tells_it_in_as_many_queries_for_many_as_for_few(project: Any, shots: list[Shot]) -> None:
    links(shots)
    render(shots[0])
    ids = [shot.pk for shot in shots]
    assert table_of("shots").column("stale") is not None
    with CaptureQueriesContext(connection) as few:
        assert stale_of(project, ids[:2]).keys() == {ids[1]}
    more = [
        Shot.objects.create(project=project, scene=shots[0].scene, code=f"X{n}", position=10_000 + n, duration_frames=9)
        for n in range(20)
    ]
    made = links([shots[2], *more])
    render(shots[2])
    with CaptureQueriesContext(connection) as many:
        found = stale_of(project, [*ids, *(shot.pk for shot in more)])
    assert found.keys() == {ids[1], *(shot.pk for shot in more)}
    assert len(many) == len(few) <= 4
    assert len(stale_reasons(made)) == 20


def still(shot: Shot, number: int, **more: Any) -> Version:
    return Version.objects.create(
        project=shot.project, shot=shot, kind="previz", number=number, state="published", path=f"s/{shot}/{number}",
        **more,
    )  # fmt: skip


def test_a_newer_first_image_counts_once_it_is_approved(project: Any, admin_user: Any, shots: list[Shot]) -> None:
    first = still(shots[0], 2)
    a = render(shots[0], first)
    b = render(shots[1], a)
    other = render(shots[2], still(shots[2], 1))
    newer = still(shots[0], 3)
    assert stale_reasons([a, b, other]) == {}
    review_version(version=still(shots[0], 1), actor=admin_user, verdict="approve")
    assert stale_reasons([a, b]) == {}  # an older one is no news
    review_version(version=newer, actor=admin_user, verdict="approve")
    with CaptureQueriesContext(connection) as queries:
        reasons = stale_reasons([a, b, other])
    assert len(queries) == 2
    assert reasons.keys() == {a.pk, b.pk}
    assert all(word in reasons[a.pk] for word in ("v002", "v003", shots[0].code))
    assert stale_reasons([b]) == {b.pk: reasons[b.pk]}  # asked for by itself, the beginning of its chain is seen too
    assert stale_of(project, [shot.pk for shot in shots]) == {
        shots[0].pk: reasons[a.pk],
        shots[1].pk: reasons[b.pk],
    }
    assert stale_reasons([render(shots[0], newer)]) == {}


def test_a_render_tells_what_its_first_image_was(
    project: Any, admin_user: Any, shots: list[Shot], tmp_path: Any
) -> None:
    picture = publish_files(
        owner=shots[0], kind="previz", files={"a.png": a_picture(tmp_path / "a.png")}, actor=admin_user
    )
    Version.objects.filter(pk=picture.pk).update(number=1)
    facts = {"files": [], "provenance": {"inputs": {"first_image": picture.pk, "mask": 77}}}
    made = Version.objects.create(project=project, shot=shots[0], kind="render", number=1, path="x/1")
    foreign = Version.objects.create(project=project, shot=shots[1], kind="render", number=1, path="x/2")
    assert mark_published(made, facts, job=None)
    assert mark_published(foreign, {"files": [], "provenance": {"inputs": {"first_image": 10**9}}}, job=None)
    assert (made.follows_id, foreign.follows_id) == (picture.pk, None)
    review_version(version=still(shots[0], 2), actor=admin_user, verdict="approve")
    api = APIClient()
    api.force_authenticate(admin_user)
    told = api.get(f"/api/v1/versions/{made.pk}/").json()["stale"]
    assert "v002" in told
    # What was published before is given its first image from what it tells.
    Version.objects.filter(pk=made.pk).update(follows=None)
    module = import_module("renders.migrations.0009_first_image_of")
    module.fill(apps, None)
    assert Version.objects.get(pk=made.pk).follows_id == picture.pk
    assert Version.objects.get(pk=foreign.pk).follows_id is None
