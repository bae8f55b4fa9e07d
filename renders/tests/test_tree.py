"""The tree page: what lies on the disk, with what the database knows, page by page."""

import os
import re
import threading
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from aipipeline.media import patience
from aipipeline.media.rooted import Rooted
from aipipeline.projects.errors import Invalid
from renders.models import Version
from renders.services.publishing import publish_files
from renders.tests.tree_world import newest, path_of_shot, production
from renders.tree.joining import Node, branch_of
from renders.tree.listing import list_chain, list_folder
from shots.models import Folder, Shot
from tests.factories import picture

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]


@pytest.fixture
def shots(project: Any, admin_user: Any, tmp_path: Path) -> list[Shot]:
    return production(project, admin_user, tmp_path)


def nodes(project: Any, path: str) -> dict[str, Node]:
    parts = tuple(path.split("/")) if path else ()
    return {node.name: node for node in branch_of(project, [list_folder(Rooted(project.root), parts)]).nodes}


def test_folders_are_joined_with_their_rows(project: Any, shots: list[Shot]) -> None:
    top = nodes(project, "")
    assert {name: node.what for name, node in top.items()} == {
        "assets": "own", "edit": "own", "export": "own", "scenario": "own", "scenes": "own",
        "project_config.json": "made",
    }  # fmt: skip
    path = path_of_shot(shots[0])
    parent, _, name = path.rpartition("/")
    shot = nodes(project, parent)[name]
    assert (shot.what, shot.row, shot.versions) == ("row", shots[0], 3)
    assert shot.picture == newest(shots[0]).pk
    inside = nodes(project, path)
    assert inside["shot_meta.json"].what == "made"
    assert {name: node.what for name, node in inside.items() if node.entry.kind == "folder"} == {
        **dict.fromkeys(
            ["comp", "final", "layout", "mask", "motion", "playblast", "previz", "reference", "render"], "kind"
        ),
        "drop": "drop",
    }  # fmt: skip
    character = next(node for node in nodes(project, "assets/characters").values() if node.row.name == "리나")
    assert character.name == "CHR_리나"


def test_versions_are_known_with_the_latest_and_the_approved(project: Any, shots: list[Shot]) -> None:
    found = nodes(project, f"{path_of_shot(shots[0])}/previz")
    assert {name: (node.latest, node.version and node.version.status) for name, node in found.items()} == {
        "v001": (False, "pending"), "v002": (False, "approved"), "v003": (True, "pending"),
    }  # fmt: skip
    files = nodes(project, newest(shots[0]).path)
    assert {name: node.what for name, node in files.items()} == {
        "TEST_SCN_010_SHT_0010_previz_v003.png": "file",
        "version.json": "made",
    }
    assert found["v003"].size == files["TEST_SCN_010_SHT_0010_previz_v003.png"].size > 0


def test_what_no_row_knows_is_marked(project: Any, shots: list[Shot]) -> None:
    place = project.root / path_of_shot(shots[0])
    (place / "notes.txt").write_text("?")
    (place / "mine").mkdir()
    (place / "previz" / "v099").mkdir()
    (place / "previz" / ".tmp-abc").mkdir()
    (place / "previz" / "v001" / "more.txt").write_text("?")
    (place / "drop" / "take.mov").write_bytes(b"x")
    (place / "drop" / "link").symlink_to("/etc")
    (project.root / "edit" / "anything.txt").write_text("free")
    base = path_of_shot(shots[0])
    found = nodes(project, base) | nodes(project, f"{base}/previz") | nodes(project, f"{base}/drop")
    found |= nodes(project, f"{base}/previz/v001") | nodes(project, "edit")
    what = {
        name: found[name].what for name in ("notes.txt", "mine", "v099", ".tmp-abc", "more.txt", "take.mov", "link")
    }
    assert what == {
        "notes.txt": "unknown", "mine": "unknown", "v099": "unknown", ".tmp-abc": "writing", "more.txt": "unknown",
        "take.mov": "drop", "link": "link",
    }  # fmt: skip
    assert found["anything.txt"].what == ""


def test_names_of_another_form_are_the_same_rows(project: Any, shots: list[Shot]) -> None:
    """macOS writes Hangul in pieces; the folder is still the character's."""
    import unicodedata

    folder = project.root / "assets" / "characters"
    os.rename(folder / "CHR_리나", folder / unicodedata.normalize("NFD", "CHR_리나"))
    node = nodes(project, "assets/characters")["CHR_리나"]
    assert (node.what, node.row.name) == ("row", "리나")


def test_the_state_of_a_folder_is_told(project: Any, shots: list[Shot], client: Client, admin_user: Any) -> None:
    folder = Folder.objects.get(shot=shots[0])
    Folder.objects.filter(pk=folder.pk).update(state="left", problem="")
    Folder.objects.create(
        project=project, kind="shot", shot=shots[0], path="moved/SHT", key="moved/sht", problem="읽기 전용"
    )  # fmt: skip
    Folder.objects.filter(shot=shots[1]).update(state="retired")
    parent, _, name = folder.path.rpartition("/")
    assert nodes(project, parent)[name].moved_to == "moved/SHT"
    client.force_login(admin_user)
    page = client.get(f"/projects/{project.code}/tree/?path={folder.path}").content.decode()
    for text in ("moved/SHT", "읽기 전용", path_of_shot(shots[1])):
        assert text in page


def test_the_page_asks_the_database_as_often_for_many_as_for_few(
    project: Any, shots: list[Shot], client: Client, admin_user: Any, tmp_path: Path
) -> None:
    client.force_login(admin_user)
    base = f"/projects/{project.code}/tree/"
    path = path_of_shot(shots[0])
    urls = [f"{base}?path={path}/previz/v001", f"{base}folder/?path={path}/previz", f"{base}details/?path={path}"]
    urls += [f"{base}search/?q=previz", f"/api/v1/projects/{project.code}/tree/?path={path}/previz"]
    (project.root / path / "previz" / "by-hand").mkdir()

    def counts() -> list[int]:
        found = []
        for url in urls:
            client.get(url)
            with CaptureQueriesContext(connection) as queries:
                assert client.get(url).status_code == 200, url
            found.append(len(queries))
        return found

    few = counts()
    for number in range(12):
        (project.root / path / "previz" / f"by-hand-{number}").mkdir()
        publish_files(owner=shots[0], kind="previz", files={"a.png": picture(tmp_path / "a.png")}, actor=admin_user)
        (project.root / path / f"extra-{number}").mkdir()
    assert counts() == few
    assert max(few) < 30


def test_a_folder_of_ten_thousand_is_paged(project: Any, shots: list[Shot], client: Client, admin_user: Any) -> None:
    client.force_login(admin_user)
    folder = project.root / "export" / "dailies"
    for number in range(10_000):
        (folder / f"f{number}.exr").touch()
    seen: list[str] = []
    url: str | None = f"/api/v1/projects/{project.code}/tree/?path=export/dailies&page_size=500"
    pages = 0
    while url:
        answer = client.get(url).json()
        seen += [entry["name"] for entry in answer["results"]]
        url, pages = answer["next"], pages + 1
        if pages == 2:
            (folder / "f3.exr").unlink()  # what changes meanwhile neither repeats nor hides another one
            (folder / "f0.5.exr").touch()
            before = client.get(answer["previous"]).json()["results"]
            assert before[-1]["name"] == seen[499]
    assert seen == [f"f{number}.exr" for number in range(10_000)], "counted as people count, each once"
    assert pages == 20
    page = client.get(f"/projects/{project.code}/tree/?path=export/dailies/f9321.exr").content.decode()
    assert page.count('role="treeitem"') < 300
    assert re.search(
        r'aria-posinset="932[0-9]"[^>]*aria-selected="true"[^>]*data-path="export/dailies/f9321.exr"', page
    )
    assert "before/f/f9" in page
    assert "after/f/f9" in page


def test_a_cursor_of_nowhere_is_refused(project: Any, shots: list[Shot]) -> None:
    for bad in ("garbage", "after/x/y", "after/d/", "before/d/a/b"):
        with pytest.raises(Invalid):
            list_folder(Rooted(project.root), (), cursor=bad)


def test_before_the_first_confirm_the_page_says_what_to_do(project: Any, client: Client, admin_user: Any) -> None:
    client.force_login(admin_user)
    answer = client.get(f"/projects/{project.code}/tree/")
    assert answer.status_code == 200
    assert f'href="/projects/{project.code}/shots/"' in answer.content.decode()
    assert 'id="tree"' not in answer.content.decode()
    assert client.get(f"/api/v1/projects/{project.code}/tree/").json()["results"] == []


def test_a_storage_that_is_away_is_said_on_the_page(
    project: Any, shots: list[Shot], client: Client, admin_user: Any, settings: Any
) -> None:
    client.force_login(admin_user)
    os.rename(project.root, project.root.with_name("unmounted"))
    answer = client.get(f"/projects/{project.code}/tree/?path=scenes")
    assert answer.status_code == 503
    assert str(project.root) in answer.content.decode()
    answer = client.get(f"/api/v1/projects/{project.code}/tree/")
    assert (answer.status_code, answer.json()["type"]) == (503, "storage_away")
    search = client.get(f"/api/v1/projects/{project.code}/tree/search/?q=previz")
    assert search.status_code == 200, "what only the database knows is found all the same"
    assert search.json()["results"]


def test_a_storage_that_hangs_does_not_hang_the_page(
    project: Any, shots: list[Shot], client: Client, admin_user: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.force_login(admin_user)
    free = threading.Event()
    monkeypatch.setattr(patience, "SECONDS", 0.1)
    monkeypatch.setattr(Rooted, "names", lambda *_args: free.wait(20))  # as a mount that is gone does
    try:
        answer = client.get(f"/projects/{project.code}/tree/")
        assert answer.status_code == 503
        assert "does not answer" in answer.content.decode()
    finally:
        free.set()


def test_a_path_that_is_gone_opens_the_nearest_folder(
    project: Any, shots: list[Shot], client: Client, admin_user: Any
) -> None:
    client.force_login(admin_user)
    page = client.get(f"/projects/{project.code}/tree/?path=scenes/SCN_X/none.png").content.decode()
    assert "scenes/SCN_X/none.png is not there any more" in page
    assert 'aria-selected="true" aria-expanded="true" data-path="scenes"' in page


def test_the_pane_shows_a_version_and_how_it_was_made(
    project: Any, shots: list[Shot], client: Client, admin_user: Any
) -> None:
    client.force_login(admin_user)
    version = newest(shots[0])
    Version.objects.filter(pk=version.pk).update(
        provenance={"engine": "comfyui", "workflow": "sdxl.t2i", "seed": 77, "seconds": 3.21, "draft": True,
                    "prompt": "비 내리는 창가", "models": [{"name": "sdxl.safetensors"}], "filled_graph": {"1": {}}}
    )  # fmt: skip
    pane = client.get(f"/projects/{project.code}/tree/details/?path={version.path}").content.decode()
    for text in ("sdxl.t2i", "77", "3.2 s", "비 내리는 창가", "sdxl.safetensors", "시도 3",
                 "TEST_SCN_010_SHT_0010_previz_v003.png",
                 f"/projects/{project.code}/shots/{shots[0].pk}/?version={version.pk}"):  # fmt: skip
        assert text in pane, text
    pane = client.get(f"/projects/{project.code}/tree/details/?path={path_of_shot(shots[0])}").content.decode()
    assert pane.count("data-copy-path") == 4
    pane = client.get(f"/projects/{project.code}/tree/details/?path={path_of_shot(shots[0])}/shot_meta.json")
    assert "tree-text" in pane.content.decode()
    totals = client.get(f"/projects/{project.code}/tree/totals/?path={path_of_shot(shots[0])}/previz")
    assert "6 files" in totals.content.decode()


def test_a_file_is_served_in_ranges_and_never_runs(
    project: Any, shots: list[Shot], client: Client, admin_user: Any, tmp_path: Path
) -> None:
    client.force_login(admin_user)
    base = f"/projects/{project.code}/tree/file/?path="
    version = newest(shots[0])
    whole = (version.folder / "TEST_SCN_010_SHT_0010_previz_v003.png").read_bytes()
    answer = client.get(f"{base}{version.path}/TEST_SCN_010_SHT_0010_previz_v003.png", headers={"range": "bytes=8-15"})
    assert (answer.status_code, b"".join(answer)) == (206, whole[8:16])  # type: ignore[call-overload]
    answer = client.get(f"{base}{version.path}/TEST_SCN_010_SHT_0010_previz_v003.png&download=1")
    assert "filename*=UTF-8''TEST_SCN_010_SHT_0010_previz_v003.png" in answer["Content-Disposition"]
    assert b"".join(answer) == whole  # type: ignore[call-overload]
    for name in ("page.html", "drawing.svg", "script.js"):
        (project.root / "edit" / name).write_text("<script>alert(1)</script>")
        assert client.get(f"{base}edit/{name}")["Content-Disposition"].startswith("attachment")
    (project.root / "out").symlink_to(tmp_path)
    (tmp_path / "secret.txt").write_text("x")
    for path in ("out/secret.txt", "out", "scenes", "none.txt", ""):
        assert client.get(base + path).status_code == 404, path
    for path in ("../secret.txt", "/etc/passwd", "%00"):
        assert client.get(base + path).status_code == 422, path


def test_the_chain_goes_down_to_a_file(project: Any, shots: list[Shot]) -> None:
    version = newest(shots[0])
    levels = list_chain(Rooted(project.root), (*version.path.split("/"), "version.json"))
    assert [level.path for level in levels][-1] == version.path
    assert [entry.name for entry in levels[-1].entries] == ["TEST_SCN_010_SHT_0010_previz_v003.png", "version.json"]
