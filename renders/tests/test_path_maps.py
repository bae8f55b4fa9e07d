"""Paths as each workstation writes them: the longest map wins, and only staff say how they go."""

from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from aipipeline.history.models import Action
from aipipeline.projects.errors import Conflict, Invalid, NotAllowed
from renders.models import PathMap
from renders.services.path_maps import create_path_map, remove_path_map, update_path_map
from renders.tree.paths import Mapper, inside

pytestmark = pytest.mark.django_db


def written(path: Path) -> dict[str, str]:
    return {form.platform: form.path for form in Mapper.read().forms(path)}


def test_each_platform_writes_it_in_its_own_way(project: Any, admin_user: Any) -> None:
    create_path_map(
        actor=admin_user,
        fields={"windows": "Z:\\", "macos": "/Volumes/films/", "linux": "/mnt/films"},
    )  # fmt: skip
    assert written(project.root / "assets" / "characters" / "CHR_리나") == {
        "windows": "Z:\\TEST\\assets\\characters\\CHR_리나",
        "macos": "/Volumes/films/TEST/assets/characters/CHR_리나",
        "linux": "/mnt/films/TEST/assets/characters/CHR_리나",
    }


def test_the_longest_folder_wins_and_only_whole_names_count(project: Any, admin_user: Any) -> None:
    root = str(project.root.parent)
    create_path_map(actor=admin_user, fields={"server": "/", "linux": "/everything"})
    create_path_map(actor=admin_user, fields={"server": root, "windows": r"\\nas\films"})
    create_path_map(actor=admin_user, fields={"server": f"{root}/TE", "windows": "X:"})
    assert written(project.root / "edit")["windows"] == r"\\nas\films\TEST\edit"
    create_path_map(actor=admin_user, fields={"server": str(project.root), "windows": "T:"})
    assert written(project.root / "edit")["windows"] == "T:\\edit"
    assert written(project.root)["windows"] == "T:"
    assert written(Path("/else/where"))["linux"] == "/everything/else/where"


def test_what_no_map_says_comes_with_what_to_do(project: Any, admin_user: Any) -> None:
    forms = Mapper.read().forms(project.root)
    assert [form.path for form in forms] == ["", "", ""]
    assert all("Path maps" in form.note for form in forms)
    create_path_map(actor=admin_user, fields={"windows": "Z:"})
    by_platform = {form.platform: form for form in Mapper.read().forms(project.root)}
    assert by_platform["windows"].note == ""
    assert "macOS" in by_platform["macos"].note


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("server", "relative"), ("server", "/a/../b"), ("server", "/a\nb"), ("windows", "films"), ("windows", "Z"),
        ("windows", "\\\\nas"), ("windows", "Z:\\a|b"), ("macos", "Volumes"), ("linux", "~/films"),
        ("linux", "/" + "a" * 600),
    ],
)  # fmt: skip
def test_what_is_no_path_is_refused_by_its_field(admin_user: Any, field: str, value: str) -> None:
    with pytest.raises(Invalid) as refused:
        create_path_map(actor=admin_user, fields={"windows": "Z:", field: value})
    assert field in refused.value.fields
    assert not PathMap.objects.exists()


def test_edits_are_seen_in_the_history_and_are_for_staff(project: Any, admin_user: Any, artist: Any) -> None:
    row = create_path_map(actor=admin_user, fields={"windows": "Z:/films/"})
    assert row.windows == "Z:\\films"
    update_path_map(path_map=row, actor=admin_user, fields={"macos": "/Volumes/f"})
    row = PathMap.objects.get()
    assert (row.windows, row.macos) == ("Z:\\films", "/Volumes/f")
    with pytest.raises(Conflict):
        create_path_map(actor=admin_user, fields={"linux": "/x"})
    with pytest.raises(Invalid):
        update_path_map(path_map=row, actor=admin_user, fields={"windows": "", "macos": ""})
    with pytest.raises(Invalid):
        create_path_map(actor=admin_user, fields={"server": "/empty"})
    for refused in (
        lambda: create_path_map(actor=artist, fields={"server": "/b", "linux": "/x"}),
        lambda: update_path_map(path_map=row, actor=artist, fields={"linux": "/x"}),
        lambda: remove_path_map(path_map=row, actor=artist),
    ):
        with pytest.raises(NotAllowed):
            refused()
    remove_path_map(path_map=PathMap.objects.get(), actor=admin_user)
    actions = Action.objects.filter(kind__startswith="pathmap").order_by("created_at")
    kinds = list(actions.values_list("kind", flat=True))
    assert kinds == ["pathmap.create", "pathmap.update", "pathmap.remove"]
    assert not Action.objects.filter(kind__startswith="pathmap", undoable=True).exists()


@pytest.mark.parametrize(
    ("pasted", "wanted"),
    [
        (r"Z:\films\TEST\scenes\SCN_010", "scenes/SCN_010"),
        (r"z:/FILMS/TEST/edit/", "edit"),
        ('"Z:\\films\\TEST\\edit\\a b.mov"', "edit/a b.mov"),
        ("/Volumes/films/TEST/edit", "edit"),
        ("file:///Volumes/films/TEST/edit", "edit"),
        (r"Z:\films\OTHER\edit", None),
        ("/Volumes/films/TESTING/edit", None),
        ("/etc/passwd", None),
        ("TEST/scenes/SCN_010", "scenes/SCN_010"),
        ("scenes/SCN_010", "scenes/SCN_010"),
        ("plain words", None),
    ],
)
def test_a_pasted_path_is_found_below_the_project(
    project: Any, admin_user: Any, pasted: str, wanted: str | None
) -> None:
    create_path_map(actor=admin_user, fields={"windows": r"Z:\films", "macos": "/Volumes/films"})
    assert inside(project, pasted, Mapper.read()) == wanted
    assert inside(project, str(project.root / "edit"), Mapper.read()) == "edit"


def test_the_dialog_is_for_staff(project: Any, client: Client, admin_user: Any, artist: Any) -> None:
    client.force_login(admin_user)
    answer = client.post("/path-maps/", {"server": "", "windows": "Z:", "macos": "", "linux": ""})
    assert answer.status_code == 200
    row = PathMap.objects.get()
    assert "aip:refresh" in answer["HX-Trigger"]
    answer = client.post(f"/path-maps/{row.pk}/", {"windows": "nonsense"}, headers={"HX-Request": "true"})
    assert answer.status_code == 422
    assert client.delete(f"/path-maps/{row.pk}/").status_code == 200
    assert client.delete(f"/path-maps/{row.pk}/").status_code == 404
    client.force_login(artist)
    assert client.get("/path-maps/").status_code == 403
    assert client.post("/path-maps/", {"windows": "Z:"}).status_code == 403
