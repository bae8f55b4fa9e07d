"""Tables when two people and several steps meet: conflicts that must be told, undo that must not break, ids kept."""

from typing import Any

import pytest

from aipipeline.history.services import redo, undo
from aipipeline.projects.errors import Conflict
from aipipeline.tables.registry import table_of
from aipipeline.tables.services.columns import add_column, settings_of, update_column
from assets.models import Character
from shots.models import Shot
from shots.services import editing, moves, steps

pytestmark = pytest.mark.both_databases
BASE = "/api/v1/projects/TEST"


def step_of(shot: Shot, name: str = "") -> Any:
    shot.refresh_from_db()
    return shot.steps.get(step=name or shot.current_step)


def test_a_plan_that_was_written_on_the_steps_own_page_is_a_conflict(
    project: Any, team: Any, artist_api: Any, shots: list[Shot]
) -> None:
    shot = shots[0]
    shot.refresh_from_db()
    seen = shot.revision
    steps.plan_step(step=step_of(shot), actor=team["director"], fields={"assignee": team["director"]})
    items = [{"id": shot.pk, "revision": seen, "fields": {"assignee": team["artist"].pk}}]
    with pytest.raises(Conflict) as caught:
        editing.update_shots(project=project, actor=team["artist"], items=items)
    assert caught.value.details["current"] == {"assignee": team["director"].pk}
    edit = artist_api.get(f"{BASE}/shots/{shot.pk}/history/").json()["results"][0]
    (cell,) = [cell for cell in edit["cells"] if cell["field"] == "assignee"]
    assert (cell["before"], cell["after"], cell["restorable"]) == (None, team["director"].pk, True)
    answer = artist_api.post(
        f"{BASE}/shots/{shot.pk}/restore/", {"action": edit["action"], "fields": ["assignee"]}, format="json"
    )
    assert answer.status_code == 200, answer.content
    assert step_of(shot).assignee is None


def test_a_plan_is_not_written_into_a_step_that_the_person_did_not_see(
    project: Any, team: Any, shots: list[Shot]
) -> None:
    shot = shots[0]
    first = step_of(shot)
    for to in ("ready", "generating", "review"):
        moves.move_shots_to(project=project, actor=team["director"], ids=[shot.pk], to=to)
    shot.refresh_from_db()
    seen = shot.revision
    moves.move_shots_to(project=project, actor=team["director"], ids=[shot.pk], to="approved")
    assert step_of(shot).step != first.step
    items = [{"id": shot.pk, "revision": seen, "fields": {"assignee": team["artist"].pk}}]
    with pytest.raises(Conflict):
        editing.update_shots(project=project, actor=team["artist"], items=items)
    assert step_of(shot).assignee is None


def test_undo_of_a_move_keeps_status_and_steps_together(project: Any, team: Any, shots: list[Shot]) -> None:
    shot = shots[0]
    first = step_of(shot).step
    for to in ("ready", "generating", "review", "approved"):
        moves.move_shots_to(project=project, actor=team["director"], ids=[shot.pk], to=to)
    # A colleague goes on with the next step; then the approval is taken back.
    moves.move_shots_to(project=project, actor=team["artist"], ids=[shot.pk], to="generating")
    assert undo(project=project, actor=team["director"]).skipped
    assert step_of(shot).step == first
    assert shot.status == step_of(shot).state == "review"
    redo(project=project, actor=team["director"])
    assert shot.current_step != step_of(shot).step
    assert shot.status == step_of(shot).state == "generating"


def test_a_conflict_in_a_wardrobe_is_told_as_the_cell_shows_it(project: Any, artist_api: Any) -> None:
    person = Character.objects.create(project=project, name="하린")
    url = f"{BASE}/characters/batch/"
    items = [{"id": person.pk, "revision": 0, "texts": {"outfits": "코트: 빨간"}}]
    assert artist_api.post(url, {"items": items}, format="json").status_code == 200
    items[0]["texts"] = {"outfits": "교복"}
    answer = artist_api.post(url, {"items": items}, format="json")
    assert answer.status_code == 409
    details = answer.json()["details"]["conflicts"][0]
    assert (details["current"], details["yours"]) == ({"outfits": "코트: 빨간"}, {"outfits": "교복"})


def test_words_for_columns_come_back_after_their_first_use_was_undone(project: Any, team: Any) -> None:
    table = table_of("shots")
    update_column(project=project, table=table, actor=team["director"], name="action", fields={"label": "지문"})
    undo(project=project, actor=team["director"])
    assert settings_of(project, table) is None
    update_column(project=project, table=table, actor=team["director"], name="emotion", fields={"label": "느낌"})
    found = settings_of(project, table)
    assert found is not None
    assert found.labels == {"emotion": "느낌"}


def test_a_new_choice_never_takes_the_id_of_one_that_went(project: Any, team: Any) -> None:
    table, actor = table_of("shots"), team["director"]
    column = add_column(
        project=project,
        table=table,
        actor=actor,
        label="렌즈",
        type="choice",
        choices=[{"label": "광각"}, {"label": "망원"}],
    )
    kept, gone = column.choices
    name = f"custom.{column.key}"
    update_column(project=project, table=table, actor=actor, name=name, fields={"choices": [kept]})
    update_column(project=project, table=table, actor=actor, name=name, fields={"choices": [kept, {"label": "표준"}]})
    column.refresh_from_db()
    assert column.choices[0] == kept
    assert column.choices[1]["id"] not in (kept["id"], gone["id"])


def test_a_client_may_ask_for_lines_of_json(artist_api: Any, shots: list[Shot]) -> None:
    answer = artist_api.get(f"{BASE}/shots/grid/", headers={"Accept": "application/x-ndjson"})
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/x-ndjson")
    wrong = artist_api.get(f"{BASE}/shots/grid/?filter=[", headers={"Accept": "application/x-ndjson"})
    assert wrong.status_code == 422
    assert wrong.content.count(b"\n") == 1


def test_a_views_default_is_its_own_and_all_or_nothing(caller: Any, shots: list[Shot]) -> None:
    artist, director, url = caller("artist"), caller("director"), f"{BASE}/shots/views/"
    one, two = (
        director.post(url, {"name": name, "shared": True, "config": {}}, format="json").json()["id"]
        for name in ("하나", "둘")
    )
    assert director.patch(f"{url}{one}/", {"default": True}, format="json").status_code == 200
    assert director.patch(f"{url}{two}/", {"default": False}, format="json").status_code == 200
    found = {view["id"]: view["default"] for view in director.get(url).json()["results"]}
    assert found == {one: True, two: False}  # another one stays the default
    mine = artist.post(url, {"name": "내 것", "shared": True, "config": {}}, format="json").json()["id"]
    assert artist.patch(f"{url}{mine}/", {"name": "다른", "default": True}, format="json").status_code == 403
    assert artist.get(f"{url}{mine}/").json()["name"] == "내 것"
    assert director.patch(f"{url}{one}/", {"default": False}, format="json").status_code == 200
    assert not any(view["default"] for view in director.get(url).json()["results"])
