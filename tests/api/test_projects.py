"""Projects and members over REST."""

from typing import Any

from aipipeline.history.models import Action
from aipipeline.projects.models import Membership, Project

URL = "/api/v1/projects/"


def test_who_may_makes_a_project_and_administers_it(caller: Any) -> None:
    body = {"code": "SEOUL", "title": "서울의 밤", "fps": "24000/1001", "width": 1920, "height": 1080}
    made = caller("admin").post(URL, body, format="json")
    assert made.status_code == 201
    assert made.json()["fps"] == "24000/1001"
    assert Membership.objects.get(project__code="SEOUL").role == "admin"
    assert Action.objects.filter(project__code="SEOUL", kind="project.create").count() == 1
    assert caller("director").post(URL, {**body, "code": "B"}, format="json").status_code == 403


def test_a_code_is_never_used_twice(caller: Any, project: Any) -> None:
    api = caller("admin")
    again = api.post(URL, {"code": "test", "title": "x"}, format="json")
    assert again.status_code == 409
    assert "code" in again.json()["fields"]
    assert api.delete(f"{URL}TEST/").status_code == 204
    assert api.get(f"{URL}TEST/").status_code == 404
    assert api.post(URL, {"code": "TEST", "title": "x"}, format="json").status_code == 409
    assert Project.objects.get(code="TEST").removed_at


def test_wrong_values_are_named(caller: Any) -> None:
    api = caller("admin")
    cases = {
        "fps": "23",
        "width": 12,
        "height": "high",
        "title": ["a"],
        "steps": ["cooking"],
        "storage_root": "/etc",
        "actor": 1,
        "code": "no spaces",
    }
    for name, value in cases.items():
        answer = api.post(URL, {"code": "NEW", "title": "x", name: value}, format="json")
        assert answer.status_code == 422, (name, answer.json())
        assert name in answer.json()["fields"], (name, answer.json())
    assert not Project.objects.filter(code="NEW").exists()


def test_two_people_edit_settings(caller: Any, project: Any) -> None:
    seen = caller("director").get(f"{URL}TEST/").json()["revision"]
    first = caller("director").patch(f"{URL}TEST/", {"title": "하나", "revision": seen}, format="json")
    assert first.json()["title"] == "하나"
    other = caller("admin").patch(f"{URL}TEST/", {"description": "merged", "revision": seen}, format="json")
    assert other.status_code == 200
    stale = caller("admin").patch(f"{URL}TEST/", {"title": "둘", "revision": seen}, format="json")
    assert stale.status_code == 409
    assert stale.json()["details"]["current"] == {"title": "하나"}
    assert stale.json()["details"]["yours"] == {"title": "둘"}


def test_what_the_caller_may_do_is_told(caller: Any) -> None:
    guest = caller("guest").get(f"{URL}TEST/").json()
    assert guest["role"] == "guest"
    assert "shots.edit" not in guest["operations"]
    assert "shots.confirm" in caller("director").get(f"{URL}TEST/").json()["operations"]


def test_members_come_change_and_go(caller: Any) -> None:
    api = caller("admin")
    members = f"{URL}TEST/members/"
    assert caller("stranger").get(f"{URL}TEST/").status_code == 404
    made = api.post(members, {"username": "the-stranger", "role": "guest"}, format="json")
    assert made.status_code == 201
    assert caller("stranger").get(f"{URL}TEST/").status_code == 200
    assert {m["username"] for m in api.get(members).json()["results"]} >= {"the-stranger", "admin"}
    assert api.delete(f"{members}the-stranger/").status_code == 204
    assert caller("stranger").get(f"{URL}TEST/").status_code == 404
    assert caller("director").post(members, {"username": "admin", "role": "guest"}, format="json").status_code == 403
    assert api.post(members, {"username": "nobody", "role": "guest"}, format="json").status_code == 422
    assert api.post(members, {"username": "the-guest", "role": "king"}, format="json").status_code == 422


def test_the_last_administrator_stays(caller: Any) -> None:
    api = caller("admin")
    assert api.delete(f"{URL}TEST/members/admin/").status_code == 409
    down = api.post(f"{URL}TEST/members/", {"username": "admin", "role": "artist"}, format="json")
    assert down.status_code == 409
    assert Membership.objects.get(project__code="TEST", user__username="admin").role == "admin"


def test_pages_of_a_list(caller: Any) -> None:
    api = caller("admin")
    for number in range(5):
        assert api.post(URL, {"code": f"P{number}", "title": "x"}, format="json").status_code == 201
    found, url = [], f"{URL}?page_size=2"
    while url:
        page = api.get(url).json()
        assert len(page["results"]) <= 2
        found += [row["code"] for row in page["results"]]
        url = page["next"]
    assert sorted(found) == ["P0", "P1", "P2", "P3", "P4", "TEST"]
    assert api.get(f"{URL}?cursor=nonsense").status_code == 404
