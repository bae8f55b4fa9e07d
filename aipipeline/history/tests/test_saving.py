"""The bulk write leaves in the database what the instances hold, whatever the columns' types."""

from datetime import UTC, date, datetime
from typing import Any

import pytest
from django.db import DataError, connection

from aipipeline.history.saving import save_columns, save_rows
from assets.models import Character
from shots.models import Casting, Shot, ShotStep
from tests.factories import applied_project

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]


def test_every_type_of_column_comes_back(project: Any, admin_user: Any) -> None:
    shots = applied_project(project, admin_user)
    first, second = shots[0], shots[1]
    first.description, second.description = "긴 글 ' \" % %s \\ 🎬\n" * 400, ""
    first.seed, second.seed = 2**53 - 1, None
    first.environment, first.preset = None, None
    first.source_span, second.source_span = {"from": [1, None], "글": "%s '"}, None
    first.custom, second.custom = {"렌즈": ["35mm", 1.5, True]}, {}
    first.locked, first.cut_out, second.cut_out = True, 40, None
    first.code = "C" * 40
    columns = ["description", "seed", "environment", "preset", "source_span", "custom", "locked", "cut_out", "code"]
    save_columns([second, first], columns)
    for row in (first, second):
        held = Shot.objects.get(pk=row.pk)
        assert {name: getattr(held, name) for name in columns} == {name: getattr(row, name) for name in columns}
    third = Shot.objects.get(pk=shots[2].pk)
    assert third.description == shots[2].description, "other rows stay"


def test_dates_floats_and_unknown_ticks(project: Any, admin_user: Any) -> None:
    applied_project(project, admin_user)
    casts, steps = list(Casting.objects.filter(project=project)), list(ShotStep.objects.filter(project=project))
    for number, cast in enumerate(casts):
        cast.strength, cast.use_lora = (None, None) if number % 2 == 0 else (0.125, True)
    for number, step in enumerate(steps):
        step.due_date = None if number % 2 == 0 else date(2026, 2, 28)
        step.removed_at = datetime(2026, 2, 28, 12, 30, 15, 250000, tzinfo=UTC) if number % 3 == 0 else None
    save_columns(casts, ["strength", "use_lora"])
    save_columns(steps, ["due_date", "removed_at"])
    held = {row.pk: (row.strength, row.use_lora) for row in Casting.objects.all()}
    assert held == {row.pk: (row.strength, row.use_lora) for row in casts}
    dates = {row.pk: (row.due_date, row.removed_at) for row in ShotStep.objects.all()}
    assert dates == {row.pk: (row.due_date, row.removed_at) for row in steps}


def test_many_rows_in_few_statements_and_the_time_is_kept(
    project: Any, admin_user: Any, django_assert_max_num_queries: Any
) -> None:
    people = Character.objects.bulk_create(Character(project=project, name=f"사람 {n}") for n in range(1200))
    before = people[0].updated_at
    for row in people:
        row.age = row.name
        row.touch(["age"])
    with django_assert_max_num_queries(12):
        save_rows(people, ["age"])
    held = list(Character.objects.filter(project=project))
    assert all(row.age == row.name and row.field_revisions == {"age": 1} for row in held)
    assert {row.updated_at for row in held} == {people[0].updated_at}
    assert people[0].updated_at > before


def test_a_text_that_is_too_long_is_refused_not_cut(project: Any, admin_user: Any) -> None:
    shot = applied_project(project, admin_user)[0]
    shot.code = "C" * 41
    if connection.vendor == "postgresql":
        with pytest.raises(DataError):
            save_columns([shot], ["code"])
    else:
        save_columns([shot], ["code"])
        assert Shot.objects.get(pk=shot.pk).code == "C" * 41
