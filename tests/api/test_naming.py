"""Naming templates over REST, and the naming page."""

import unicodedata
from typing import Any

import pytest

from aipipeline.history.models import Action
from aipipeline.history.services import undo
from aipipeline.projects.models import Project
from assets.naming import DEFAULTS, KINDS
from assets.services import save_asset
from renders.models.version import VersionKind
from shots.models import Folder, Shot
from shots.services.tree.folders import ensure_folder
from tests.factories import applied_project

URL = "/api/v1/projects/TEST/naming/"
pytestmark = pytest.mark.django_db


def put(api: Any, templates: Any, **more: Any) -> Any:
    return api.put(URL, {"templates": templates, **more}, format="json")


def test_templates_are_read_saved_and_undone(caller: Any, project: Any, admin_user: Any) -> None:
    applied_project(project, admin_user)
    api = caller("director")
    read = api.get(URL).json()
    assert {name: found["template"] for name, found in read["templates"].items()} == DEFAULTS
    assert read["templates"]["shot"]["tokens"] == ["project", "scene", "shot"]
    assert read["preview"]["character"][0]["text"].startswith("assets/characters/CHR_")
    assert not read["preview"]["shot"][0]["made_up"]
    kept = put(api, {"shot": "샷/{shot:03}"}, revision=read["revision"])
    assert kept.status_code == 200
    assert kept.json()["templates"]["shot"]["template"] == "샷/{shot:03}"
    assert kept.json()["revision"] > read["revision"]
    stale = put(api, {"shot": "other/{shot}"}, revision=read["revision"])
    assert stale.status_code == 409
    director = Action.objects.get(kind="project.naming").actor
    undo(project=project, actor=director)
    assert api.get(URL).json()["templates"]["shot"]["template"] == DEFAULTS["shot"]


@pytest.mark.parametrize(
    ("name", "template", "says"),
    [
        ("shot", "scenes/{scene}/{shto}", "{shot}"),
        ("shot", "scenes/{scene}", "one folder"),
        ("shot", "../{shot}", "stays in the project"),
        ("shot", "/srv/{shot}", "first /"),
        ("shot", "D:/{shot}", "drive"),
        ("shot", "a\\{shot}", "Write /"),
        ("shot", "{shot}\n", "U+000A"),
        ("shot", "CON/{shot}", "device"),
        ("shot", "{shot}.", "Windows"),
        ("shot", "x" * 150 + "/{shot}/{scene}/" + "y" * 34, "200"),
        ("scene", "edit/{scene}", "belongs to the program"),
        ("version", "{version}", "one folder"),
        ("file", "{shot}_{version}", ".{ext}"),
        ("bogus", "x", "no such template"),
        ("shot", 5, "text"),
        ("shot", ["a"], "text"),
        ("shot", None, "text"),
    ],
)
def test_each_kind_of_error_is_told_and_nothing_is_saved(
    caller: Any, project: Any, admin_user: Any, name: str, template: Any, says: str
) -> None:
    applied_project(project, admin_user)
    answer = put(caller("director"), {"character": "ch/{character}", name: template})
    assert answer.status_code == 422
    assert says in " ".join(answer.json()["fields"][name])
    assert Project.objects.get(pk=project.pk).naming == {}
    tried = caller("artist").post(f"{URL}preview/", {"templates": {name: template}}, format="json")
    assert tried.status_code == 200
    assert says in " ".join(problem["message"] for problem in tried.json()["errors"][name])


def test_a_body_of_another_form_is_refused(caller: Any, project: Any) -> None:
    api = caller("director")
    for body in (
        {},
        {"templates": []},
        {"templates": "x"},
        {"templates": {}, "naming": {}},
        {"templates": {}, "revision": "x"},
    ):
        assert api.put(URL, body, format="json").status_code == 422, body
    assert api.post(f"{URL}read/", {"path": 5}, format="json").status_code == 422
    # A NUL is refused by the parser, as everywhere.
    assert put(api, {"shot": "a\x00{shot}"}).status_code in (400, 422)
    assert Project.objects.get(pk=project.pk).naming == {}


def test_who_may_change_templates(caller: Any, project: Any) -> None:
    assert put(caller("director"), {}).status_code == 200
    assert put(caller("artist"), {}).status_code == 403
    assert put(caller("guest"), {}).status_code == 403
    assert caller("guest").get(URL).status_code == 200
    assert put(caller(""), {}).status_code == 401


def test_a_path_is_read_back_to_its_row(caller: Any, project: Any, admin_user: Any) -> None:
    shots = applied_project(project, admin_user)
    api = caller("guest")
    shot = Shot.objects.get(pk=shots[0].pk)

    def read(path: str) -> Any:
        return api.post(f"{URL}read/", {"path": path}, format="json")

    folder = ensure_folder(shot).path
    for path in (
        f"{folder}/render/v003/TEST_SCN_010_{shot.code}_render_v003.mp4",
        f"TEST_SCN_010_{shot.code}_render_v003.mp4",
        f"P:\\Shows\\TEST\\{folder}\\render\\v003\\x.mp4".replace("/", "\\"),
        f"/Volumes/nas/test/{folder}/render/v003",
    ):
        found = read(path).json()
        assert (found["shot_id"], found["kind"], found["version"]) == (shot.pk, "render", 3), path
        assert found["owner"] == {"kind": "shot", "id": shot.pk, "name": shot.code}
    character = read(unicodedata.normalize("NFD", "assets/characters/CHR_리나/reference/v001")).json()
    assert (character["character"], character["owner"]["kind"], character["shot_id"]) == ("리나", "character", None)
    new = read("scenes/SCN_010/shots/SHT_9990").json()
    assert (new["shot"], new["owner"], new["shot_id"]) == ("SHT_9990", None, None)
    for path in ("", "/etc/passwd", "a\nb", "../x", "x" * 300, "_" * 5000, "hello.png", "a" * 999_999):
        answer = read(path)
        assert answer.status_code == 422, path
        assert answer.json()["fields"]["path"]


def test_a_folder_is_read_where_it_is_whatever_the_templates_say_now(
    caller: Any, project: Any, admin_user: Any
) -> None:
    shots = applied_project(project, admin_user)
    Folder.objects.create(project=project, kind="shot", shot=shots[0], path="old/Place", key="old/place")
    assert put(caller("director"), {"shot": "new/{shot}"}).status_code == 200
    found = caller("guest").post(f"{URL}read/", {"path": "OLD/place/comp/v002"}, format="json").json()
    assert (found["shot_id"], found["kind"], found["version"]) == (shots[0].pk, "comp", 2)


def test_a_name_of_several_things_is_told_with_all_of_them(caller: Any, project: Any, admin_user: Any) -> None:
    from assets.models import Character, Environment

    for model in (Character, Environment):
        save_asset(model=model, project=project, actor=admin_user, fields={"name": "부두"}, tab="")
    answer = caller("guest").post(f"{URL}read/", {"path": "TEST_부두_reference_v001.png"}, format="json")
    assert answer.status_code == 422
    readings = answer.json()["details"]["readings"]
    assert {(names["character"], names["environment"]) for names in readings} == {("부두", ""), ("", "부두")}


def test_the_page_shows_saves_and_refuses(caller: Any, project: Any, admin_user: Any) -> None:
    applied_project(project, admin_user)
    lead, guest = caller("director"), caller("guest")
    page = lead.get("/projects/TEST/naming/").content.decode()
    assert "scenes/SCN_010/shots/" in page
    assert 'id="naming-save"' in page
    assert 'id="naming-save"' not in guest.get("/projects/TEST/naming/").content.decode()
    form = {"shot": "샷/{shot}", "scene": "scenes/{scene}"}
    told = guest.post("/projects/TEST/naming/preview/", form).content.decode()
    assert "샷/SHT_0010" in told
    assert told.count('hx-swap-oob="true"') == len(DEFAULTS)
    assert Project.objects.get(pk=project.pk).naming == {}
    assert guest.post("/projects/TEST/naming/save/", form).status_code == 403
    refused = lead.post("/projects/TEST/naming/save/", {"shot": "{sho}"}, headers={"HX-Request": "true"})
    assert refused.status_code == 422
    assert "Shot folder" in refused.content.decode()  # as the page calls it
    assert Project.objects.get(pk=project.pk).naming == {}
    kept = lead.post("/projects/TEST/naming/save/", form, headers={"HX-Request": "true"})
    assert kept.status_code == 200
    assert Project.objects.get(pk=project.pk).naming == {"shot": "샷/{shot}"}
    said = guest.post("/projects/TEST/naming/read/", {"path": "샷/SHT_0010/render/v002"}).content.decode()
    assert "SHT_0010" in said
    assert "render" in said
    shot = Shot.objects.get(project=project, code="SHT_0010")
    assert f'href="/projects/TEST/shots/{shot.pk}/"' in said
    assert "notice warn" in guest.post("/projects/TEST/naming/read/", {"path": "<b>x"}).content.decode()


def test_every_kind_of_version_can_be_read_back() -> None:
    assert set(VersionKind.values) <= set(KINDS)
