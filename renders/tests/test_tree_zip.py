"""A folder as a zip: whole, stored, with Korean names, streamed, and never a lie."""

import io
import subprocess
import tracemalloc
import zipfile
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from aipipeline.media.rooted import Rooted
from aipipeline.projects.errors import Invalid, NotFound
from renders.tests.tree_world import newest, path_of_shot, production
from renders.tree import archive
from renders.tree.archive import ChangedMeanwhile, TooMany, pack, zip_pieces
from shots.models import Shot


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "TEST"
    (root / "장면" / "빈 폴더").mkdir(parents=True)
    (root / "장면" / "리나.txt").write_text("한글")
    (root / "장면" / "empty.bin").touch()
    (root / "장면" / "big.bin").write_bytes(bytes(range(256)) * 4096)
    (root / "장면" / "link").symlink_to("/etc/passwd")
    (root / "장면" / ".tmp-1").mkdir()
    (root / "장면" / ".tmp-1" / "half.png").write_bytes(b"half")
    return root


def packed(root: Path) -> archive.Packed:
    return pack(Rooted(root), ("장면",), "TEST_장면")


def test_the_zip_is_whole_and_stored(root: Path, tmp_path: Path) -> None:
    found = packed(root)
    data = b"".join(zip_pieces(found))
    assert len(data) == found.length
    with zipfile.ZipFile(io.BytesIO(data)) as read:
        assert read.testzip() is None
        assert sorted(read.namelist()) == ["TEST_장면/big.bin", "TEST_장면/empty.bin", "TEST_장면/리나.txt"]
        assert read.read("TEST_장면/리나.txt").decode() == "한글"
        for info in read.infolist():
            assert info.compress_type == zipfile.ZIP_STORED
            assert info.date_time[0] >= 2020
        assert read.getinfo("TEST_장면/리나.txt").flag_bits & 0x800, "the name says that it is UTF-8"
    file = tmp_path / "t.zip"
    file.write_bytes(data)
    done = subprocess.run(["unzip", "-t", str(file)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_large_folder_is_not_held_in_memory(root: Path) -> None:
    with open(root / "장면" / "movie.mov", "wb") as file:
        file.truncate(200_000_000)
    tracemalloc.start()
    try:
        size = sum(map(len, zip_pieces(packed(root))))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert size > 200_000_000
    assert peak < 4_000_000


def test_more_than_four_gigabytes_have_their_64_bit_records(root: Path) -> None:
    """A sparse file: its head says 64 bits, as readers need it, though only the first pieces are read here."""
    with open(root / "장면" / "huge.mov", "wb") as file:
        file.truncate(5 * 2**30)
    found = packed(root)
    assert found.length is None
    pieces = zip_pieces(found)
    head = next(pieces)
    while b"huge.mov" not in head:
        head += next(pieces)
    at = head.index(b"TEST_", head.index(b"huge.mov") - 40) - 30
    assert head[at : at + 4] == b"PK\x03\x04"
    assert int.from_bytes(head[at + 4 : at + 6], "little") == zipfile.ZIP64_VERSION
    pieces.close()


def test_a_zip_that_cannot_be_whole_is_broken_off(root: Path) -> None:
    found = packed(root)
    (root / "장면" / "big.bin").write_bytes(b"short")
    with pytest.raises(ChangedMeanwhile):
        b"".join(zip_pieces(found))
    (root / "장면" / "big.bin").unlink()
    (root / "장면" / "big.bin").symlink_to("/etc/passwd")
    with pytest.raises(NotFound):
        b"".join(zip_pieces(found))


def test_a_file_that_grows_is_cut_where_it_was(root: Path) -> None:
    found = packed(root)
    with open(root / "장면" / "리나.txt", "a") as file:
        file.write(" 더")
    with zipfile.ZipFile(io.BytesIO(b"".join(zip_pieces(found)))) as read:
        assert read.read("TEST_장면/리나.txt").decode() == "한글"


def test_a_reader_that_leaves_closes_the_file(root: Path) -> None:
    import os

    before = len(os.listdir("/proc/self/fd"))
    pieces = zip_pieces(packed(root))
    next(pieces)
    assert len(os.listdir("/proc/self/fd")) > before
    pieces.close()
    assert len(os.listdir("/proc/self/fd")) == before


def test_too_many_files_and_none_are_told(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "MOST_FILES", 2)
    with pytest.raises(TooMany, match="subfolders"):
        packed(root)
    with pytest.raises(Invalid, match="no file"):
        pack(Rooted(root), ("장면", "빈 폴더"), "x")


@pytest.mark.django_db
class TestOverHttp:
    @pytest.fixture
    def shots(self, project: Any, admin_user: Any, tmp_path: Path) -> list[Shot]:
        return production(project, admin_user, tmp_path, versions=2)

    def test_a_version_and_a_folder_come_as_zips(
        self, project: Any, shots: list[Shot], client: Client, admin_user: Any
    ) -> None:
        client.force_login(admin_user)
        version = newest(shots[0])
        answer = client.get(f"/projects/{project.code}/tree/zip/?path={version.path}")
        data = b"".join(answer)  # type: ignore[call-overload]
        assert answer["Content-Length"] == str(len(data))
        assert ".zip" in answer["Content-Disposition"]
        with zipfile.ZipFile(io.BytesIO(data)) as read:
            (picture,) = [name for name in read.namelist() if name.endswith("리나_패널.png")]
            assert read.read(picture) == (version.folder / "리나_패널.png").read_bytes()
        answer = client.get(f"/projects/{project.code}/tree/zip/?path={path_of_shot(shots[0])}")
        with zipfile.ZipFile(io.BytesIO(b"".join(answer))) as read:  # type: ignore[call-overload]
            assert len([name for name in read.namelist() if name.endswith(".png")]) == 4
        assert client.get(f"/projects/{project.code}/tree/zip/?path=none").status_code == 404

    async def test_under_asgi_pieces_come_one_by_one(self, settings: Any, tmp_path: Path) -> None:
        """What Django would collect to its end first is an asynchronous body here."""
        from django.core.handlers.asgi import ASGIRequest
        from django.http import StreamingHttpResponse

        from aipipeline.media.serving import pieces_for, serve_file

        scope = {"type": "http", "method": "GET", "path": "/", "query_string": b"", "headers": []}
        request = ASGIRequest(scope, io.BytesIO())
        (tmp_path / "f.bin").write_bytes(b"x" * 600_000)
        response = serve_file(request, tmp_path / "f.bin")
        assert isinstance(response, StreamingHttpResponse)
        assert response.is_async
        sizes = [len(piece) async for piece in response.streaming_content]  # type: ignore[union-attr]
        assert sum(sizes) == 600_000
        assert len(sizes) == 3
        closed: list[bool] = []
        body = StreamingHttpResponse(pieces_for(request, iter([b"a", b"b"]), lambda: closed.append(True)))
        body.close()
        assert closed == [True]
