"""Search in the tree: words over rows, versions and file names; pasted paths and names as they are read."""

from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import translation

from aipipeline.history.project_services import set_member
from renders.services.path_maps import create_path_map
from renders.tests.tree_world import newest, path_of_shot, production
from renders.tree.search import search
from shots.models import Folder, Shot

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]


@pytest.fixture
def shots(project: Any, admin_user: Any, tmp_path: Path) -> list[Shot]:
    return production(project, admin_user, tmp_path)


def paths(project: Any, text: str) -> list[str]:
    return [hit.path for hit in search(project, text).hits]


def test_rows_are_found_by_code_name_and_words(project: Any, shots: list[Shot]) -> None:
    path = path_of_shot(shots[0])
    assert path in paths(project, shots[0].code)
    assert path in paths(project, shots[0].code.lower())
    assert path in paths(project, " ".join(shots[0].description.split()[:2]))
    assert "assets/characters/CHR_리나" in paths(project, "리나")
    assert Folder.objects.get(scene=shots[0].scene).path in paths(project, "카페")
    assert paths(project, "리나 없는말") == []


def test_versions_are_found_by_kind_number_comment_and_file(project: Any, shots: list[Shot]) -> None:
    base = f"{path_of_shot(shots[0])}/previz"
    everything = {f"{base}/v001", f"{base}/v002", f"{base}/v003"}
    assert everything <= set(paths(project, "previz"))
    assert everything <= set(paths(project, "패널.png")), "a Korean file name in a manifest, on every database"
    assert [p for p in paths(project, f"{shots[0].code} v002") if "/v" in p] == [f"{base}/v002"]
    assert [p for p in paths(project, "v2") if "/v" in p] == [f"{base}/v002"]
    assert [p for p in paths(project, "시도 3") if "/v" in p] == [f"{base}/v003"]
    digest = newest(shots[0]).manifest[0]["sha256"]
    assert paths(project, digest[:12]) == [], "checksums are no names"
    with translation.override("ko"):
        label = newest(shots[0]).get_kind_display()
        assert everything <= set(paths(project, label))


ODD = ["%", "_", "\\", "'", '"', "(", "\x00", "\ud800", "", "   ", "a" * 5000, "v" + "9" * 40]


@pytest.mark.parametrize("text", ODD)
def test_odd_text_finds_nothing_it_should_not(project: Any, shots: list[Shot], text: str) -> None:
    found = search(project, text)
    assert len(found.hits) <= 60
    if text in ("", "   ", "\x00", "\ud800", "%"):
        assert found.hits == []


def test_a_pasted_path_leads_to_its_place(project: Any, shots: list[Shot], admin_user: Any) -> None:
    create_path_map(actor=admin_user, fields={"windows": "Z:\\films"})
    version = newest(shots[0])
    windows = "Z:\\films\\TEST\\" + version.path.replace("/", "\\")
    first = search(project, windows).hits[0]
    assert (first.path, first.version) == (version.path, version)
    first = search(project, f"{windows}\\리나_패널.png").hits[0]
    assert first.path == f"{version.path}/리나_패널.png"
    (project.root / "edit" / "by hand.txt").write_text("x")
    assert paths(project, str(project.root / "edit" / "by hand.txt"))[0] == "edit/by hand.txt"
    assert paths(project, "../../etc/passwd") == []
    assert paths(project, "/etc/passwd") == []


def test_a_file_name_is_read_by_the_naming_templates(project: Any, shots: list[Shot]) -> None:
    shot = shots[0]
    scene = shot.scene
    assert scene is not None
    name = f"{project.code}_{scene.code}_{shot.code}_previz_v002.png"
    assert paths(project, name)[0] == f"{path_of_shot(shot)}/previz/v002"
    assert path_of_shot(shot) in paths(project, f"{shot.code}_comp_v009.mov"), "no such version: its shot"
    found = search(project, "not_a_name_of_ours.xyz")
    assert found.hits == []
    assert found.note


def test_a_search_asks_a_bounded_number_of_times(project: Any, shots: list[Shot]) -> None:
    with CaptureQueriesContext(connection) as queries:
        search(project, "리나 previz")
    assert len(queries) <= 3
    with CaptureQueriesContext(connection) as queries:
        search(project, f"{shots[0].code}_comp_v009.mov")
    assert len(queries) <= 10


def test_the_api_gives_entries_paths_and_results(
    project: Any, shots: list[Shot], client: Client, admin_user: Any, artist: Any
) -> None:
    base = f"/api/v1/projects/{project.code}/tree/"
    client.force_login(artist)
    for url in (base, f"{base}paths/", f"{base}search/?q=x", f"/projects/{project.code}/tree/zip/"):
        assert client.get(url).status_code == 404, "a stranger does not know of it"
    set_member(project=project, actor=admin_user, user=artist, role="guest")
    version = newest(shots[0])
    found = client.get(f"{base}?path={path_of_shot(shots[0])}/previz").json()
    assert (found["total"], found["next"], found["previous"]) == (3, None, None)
    last = found["results"][-1]
    assert (last["name"], last["what"], last["path"]) == ("v003", "version", version.path)
    assert last["version"]["id"] == version.pk
    assert last["version"]["latest"] is True
    assert found["results"][1]["version"]["status"] == "approved"
    row = client.get(f"{base}?path={path_of_shot(shots[0]).rpartition('/')[0]}").json()["results"][0]
    assert row["folder"]["locked"] is True
    assert row["folder"]["versions"] == 3
    create_path_map(actor=admin_user, fields={"linux": "/mnt/films"})
    forms = client.get(f"{base}paths/?path={version.path}").json()
    assert forms["linux"]["path"] == f"/mnt/films/{project.code}/{version.path}"
    assert forms["windows"]["path"] is None
    assert forms["windows"]["note"]
    hits = client.get(f"{base}search/?q=v003").json()["results"]
    assert version.path in [hit["path"] for hit in hits]
    for bad in ("?path=../x", "?path=/x", "?cursor=x", "?path=" + "a/" * 99):
        assert client.get(base + bad).status_code == 422, bad
    assert client.get(f"{base}?path=none").status_code == 404
