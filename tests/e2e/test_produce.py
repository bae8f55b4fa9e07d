"""The main job: a scenario file becomes a film, and again after a kill; and what it refuses."""

import io
import json
from pathlib import Path
from typing import Any

import openpyxl
import pycmx
import pytest
from django.core.management import call_command

from aipipeline.media.probe import probe
from tests.factories import SCRIPT
from tests.harness import processes

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]


def produce(script: Path, out: Path, *more: str) -> dict[str, Any]:
    stdout = io.StringIO()
    call_command(
        "produce",
        str(script),
        "--out",
        str(out),
        "--size",
        "320x180",
        "--json",
        *more,
        stdout=stdout,
        stderr=io.StringIO(),
    )
    found: dict[str, Any] = json.loads(stdout.getvalue().splitlines()[-1])
    return found


@pytest.mark.parametrize("fps", ["24", "30000/1001"])
def test_frames_of_the_film_are_frames_of_the_edit(
    farm: dict[str, processes.Process], tmp_path: Path, fps: str
) -> None:
    script = tmp_path / "마지막 편지.txt"
    script.write_text(SCRIPT, encoding="utf-8")
    made = produce(script, tmp_path / "out", "--fps", fps)
    film = probe(tmp_path / "out" / "film.mp4")
    assert made["frames"]["film"] == made["frames"]["proxy"] == made["frames"]["shots"] == film.frames
    assert (film.codec, film.width, film.height, str(film.fps)) == ("h264", 320, 180, fps)
    events = list(pycmx.parse_cmx3600(io.StringIO((tmp_path / "out" / "edit.edl").read_text())).events)
    sheet = openpyxl.load_workbook(tmp_path / "out" / "shotlist.xlsx").worksheets[0]
    assert len(events) == made["counts"]["shots"] == sheet.max_row - 1
    assert (tmp_path / "out" / "edit.xml").is_file()
    assert (tmp_path / "out" / "edit.otio").is_file()
    again = produce(script, tmp_path / "out", "--fps", fps)
    assert again["counts"] == made["counts"]
    assert sum(again["seconds"].values()) < sum(made["seconds"].values())


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.txt", b""),
        ("a.txt", b"\x00\x01binary"),
        ("a.docx", b"x"),
        ("a.txt", b"x" * 50_000_000),
        ("a.txt", b"Title: only\n"),
    ],
)
def test_bad_input_ends_with_code_2_and_leaves_nothing(db: None, tmp_path: Path, name: str, data: bytes) -> None:
    from aipipeline.projects.models import Project
    from shots.models import Shot

    script = tmp_path / name
    script.write_bytes(data)
    with pytest.raises(SystemExit) as caught:
        produce(script, tmp_path / "out")
    assert caught.value.code == 2
    assert not (tmp_path / "out").exists()
    assert not Shot.objects.exists()
    assert not Project.objects.exists()


def test_another_text_under_the_same_code_is_refused(db: None, tmp_path: Path) -> None:
    first, second = tmp_path / "a.txt", tmp_path / "b.txt"
    first.write_text(SCRIPT)
    second.write_text(SCRIPT + "\n\n끝없는 길.")
    produce(first, tmp_path / "o", "--project", "ONE", "--until", "confirm")
    with pytest.raises(SystemExit) as caught:
        produce(second, tmp_path / "o", "--project", "ONE", "--until", "confirm")
    assert caught.value.code == 2
