"""A link of a chain is out of date when the one before was made again, or another one approved; and so on down."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from aipipeline.tables.registry import table_of
from renders.columns import stale_of
from renders.models import Version
from renders.selectors import stale_reasons
from renders.services.reviews import review_version
from shots.models import Shot
from tests.factories import applied_project

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
