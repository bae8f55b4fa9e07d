"""The history of one row over REST: every cell's edits as people read them, and putting a cell back."""

from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from aipipeline.history.models import Action
from aipipeline.history.services import recording, undo
from assets.models import Character
from shots.models import Shot
from shots.services import castings, editing, locks
from shots.services.scenes import create_scene
from shots.services.steps import move_step

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]
BASE = "/api/v1/projects/TEST/shots/"


def edit(project: Any, actor: Any, shot: Any, **fields: Any) -> None:
    editing.update_shots(project=project, actor=actor, items=[{"id": shot.pk, "fields": fields}])


def history(api: Any, shot: Any, query: str = "") -> dict[str, Any]:
    answer = api.get(f"{BASE}{shot.pk}/history/{query}")
    assert answer.status_code == 200, answer.content
    return answer.json()


def restore(api: Any, shot: Any, action: str, *fields: str) -> Any:
    return api.post(f"{BASE}{shot.pk}/restore/", {"action": action, "fields": list(fields)}, format="json")


def test_cells_are_told_by_name_newest_first(artist_api: Any, team: Any, project: Any, shots: list[Shot]) -> None:
    scene = create_scene(project=project, actor=team["director"], fields={"heading": "실내. 카페 - 낮"})
    first, second = (Character.objects.create(project=project, name=name) for name in ("하린", "민수"))
    edit(project, team["artist"], shots[0], size="CU", duration_frames=96)
    edit(project, team["director"], shots[0], scene=scene.pk, characters=[first.pk, second.pk])
    edit(project, team["artist"], shots[1], size="ECU")
    Character.objects.filter(pk=second.pk).update(removed_at="2026-01-01T00:00:00Z")
    cast, made, new = history(artist_api, shots[0])["results"]
    assert (cast["actor"]["name"], cast["kind"], cast["state"]) == ("the-director", "shot.update", "done")
    by_field = {cell["field"]: cell for cell in cast["cells"]}
    assert (by_field["scene"]["before_text"], by_field["scene"]["after_text"]) == ("", scene.code)
    assert by_field["characters"]["after"] == [first.pk, second.pk]
    assert by_field["characters"]["after_text"] == "하린, 민수", "also a name that is not in the list any more"
    assert by_field["characters"]["restorable"]
    size, length = sorted(made["cells"], key=lambda cell: cell["field"], reverse=True)
    assert (size["field"], size["before"], size["after"], size["after_text"]) == ("size", "MS", "CU", "Close-up")
    assert (length["before_text"], length["after_text"]) == ("00:00:02:00", "00:00:04:00")
    assert new["kind"] == "shot.create"
    assert "added" in [cell["label"] for cell in new["cells"]]


def test_what_belongs_to_the_row_is_part_of_its_history(
    artist_api: Any, team: Any, project: Any, shots: list[Shot]
) -> None:
    who = Character.objects.create(project=project, name="하린")
    row = castings.add_casting(shot=shots[0], actor=team["artist"], character=who)
    castings.update_casting(casting=row, actor=team["artist"], fields={"outfit": "코트"})
    move_step(shot=shots[0], step=shots[0].current_step, to="ready", actor=team["artist"])
    moved, dressed, cast, _new = history(artist_api, shots[0])["results"]
    assert [(c["before_text"], c["after_text"]) for c in moved["cells"] if c["field"] == "status"] == [
        ("Draft", "Ready")
    ]
    assert [cell["after_text"] for cell in dressed["cells"]] == ["코트"]
    assert "하린" in dressed["cells"][0]["label"]
    assert not dressed["cells"][0]["restorable"]
    assert next(cell for cell in cast["cells"] if cell["field"] == "characters")["after_text"] == "하린"
    assert history(artist_api, shots[1])["results"][0]["kind"] == "shot.create", "another shot's stay out"


def test_pages_and_queries_stay_the_same_however_much_happened(
    artist_api: Any, team: Any, project: Any, shots: list[Shot]
) -> None:
    counts = []
    for rounds in (3, 20):
        for number in range(rounds):
            edit(project, team["artist"], shots[0], emotion=f"{rounds}-{number}", size="CU" if number % 2 else "WS")
        with CaptureQueriesContext(connection) as caught:
            history(artist_api, shots[0])
        counts.append(len(caught))
    assert counts[0] == counts[1]
    seen: list[int] = []
    page = history(artist_api, shots[0], "?page_size=10")
    while True:
        seen += [row["sequence"] for row in page["results"]]
        if page["next"] is None:
            break
        assert len(page["results"]) == 10
        page = artist_api.get(page["next"]).json()
    assert len(seen) == 24
    assert seen == sorted(seen, reverse=True)
    assert len(set(seen)) == 24
    assert len(history(artist_api, shots[0], "?page_size=5000")["results"]) == 24


def test_a_cell_goes_back_to_what_it_was_as_a_new_edit(
    artist_api: Any, team: Any, project: Any, shots: list[Shot]
) -> None:
    first = Character.objects.create(project=project, name="하린")
    edit(project, team["director"], shots[0], size="CU", emotion="기쁨", characters=[first.pk])
    target = history(artist_api, shots[0])["results"][0]["action"]
    for word in ("a", "b", "c"):
        edit(project, team["artist"], shots[0], emotion=word, size="WS", characters=[])
    answer = restore(artist_api, shots[0], target, "emotion", "characters")
    assert answer.status_code == 200, answer.content
    assert answer.json()["results"][0]["emotion"] == ""
    shots[0].refresh_from_db()
    assert (shots[0].emotion, shots[0].size) == ("", "WS"), "only what was chosen"
    newest = Action.objects.filter(project=project).order_by("-sequence")[0]
    assert (newest.kind, newest.actor) == ("shot.update", team["artist"])
    undo(project=project, actor=team["artist"])
    shots[0].refresh_from_db()
    assert shots[0].emotion == "c"


def test_what_cannot_be_put_back_is_refused_in_words(
    artist_api: Any, caller: Any, team: Any, project: Any, shots: list[Shot]
) -> None:
    edit(project, team["director"], shots[0], size="CU")
    scene = create_scene(project=project, actor=team["director"], fields={"heading": "골목"})
    edit(project, team["director"], shots[0], scene=scene.pk)
    moved, sized, made = (row["action"] for row in history(artist_api, shots[0])["results"])
    refused = restore(artist_api, shots[0], sized, "emotion", "size")
    assert refused.status_code == 422
    assert list(refused.json()["fields"]) == ["emotion"]
    assert restore(artist_api, shots[0], made, "removed_at").status_code == 422
    assert restore(artist_api, shots[1], sized, "size").status_code == 404, "another row's edit"
    assert restore(artist_api, shots[0], str(uuid4()), "size").status_code == 404
    assert restore(artist_api, shots[0], "x", "size").status_code == 422
    assert restore(artist_api, shots[0], sized).status_code == 422
    with recording(project=project, actor=None, kind="project.confirm") as recorder:
        locks.lock_shots(recorder, [shots[0]])
    locked = restore(artist_api, shots[0], moved, "scene")
    assert (locked.status_code, locked.json()["type"]) == (409, "locked")
    assert restore(caller("guest"), shots[0], sized, "size").status_code == 403
    assert restore(caller("stranger"), shots[0], sized, "size").status_code == 404
    assert caller("stranger").get(f"{BASE}{shots[0].pk}/history/").status_code == 404
    assert caller("guest").get(f"{BASE}{shots[0].pk}/history/").status_code == 200
    assert artist_api.get(f"{BASE}999999/history/").status_code == 404
    shots[0].refresh_from_db()
    assert (shots[0].size, shots[0].scene_id) == ("CU", scene.pk)


def test_own_columns_and_assets_have_histories_too(artist_api: Any, director_api: Any, team: Any, project: Any) -> None:
    base = "/api/v1/projects/TEST/characters/"
    choices = [{"label": "낮음", "color": "#112233"}, {"label": "높음", "color": "#445566"}]
    made = director_api.post(
        f"{base}columns/", {"label": "난이도", "type": "choice", "choices": choices}, format="json"
    )
    assert made.status_code == 201, made.content
    name, keys = made.json()["name"], [choice["id"] for choice in made.json()["choices"]]
    body = {"create": [{"fields": {"name": "하린"}, "texts": {"outfits": "코트: 붉은"}}]}
    who = artist_api.post(f"{base}batch/", body, format="json").json()["created"][0]
    for fields in ({name: keys[0], "role": "주인공"}, {name: keys[1]}):
        item = {"id": who, "fields": fields}
        assert artist_api.post(f"{base}batch/", {"items": [item]}, format="json").status_code == 200
    item = {"id": who, "texts": {"outfits": "셔츠"}}
    assert artist_api.post(f"{base}batch/", {"items": [item]}, format="json").status_code == 200
    rows = artist_api.get(f"{base}{who}/history/").json()["results"]
    dressed, chosen = rows[0], rows[1]
    assert [(c["label"], c["before_text"], c["after_text"]) for c in chosen["cells"]] == [("난이도", "낮음", "높음")]
    assert dressed["cells"][0]["before_text"] == "코트: 붉은"
    for action, field in ((chosen["action"], name), (dressed["action"], "outfits")):
        answer = artist_api.post(f"{base}{who}/restore/", {"action": action, "fields": [field]}, format="json")
        assert answer.status_code == 200, answer.content
    person = Character.objects.get(pk=who)
    assert person.custom == {name.partition(".")[2]: keys[0]}
    assert person.outfits == [{"name": "코트", "description": "붉은"}]
