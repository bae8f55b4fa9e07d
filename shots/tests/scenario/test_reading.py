"""Files to text: encodings, line ends, and clear refusals."""

import unicodedata

import pytest

from aipipeline.projects.errors import PipelineError
from shots.scenario import ScenarioError, read_text
from shots.scenario.reading import MAX_BYTES

TEXT = "S#1. 카페 / 낮\n\n리나가 노트북을 연다.\n민준: 미안해, 늦었지?\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp949"])
def test_encodings_give_the_same_text(encoding: str) -> None:
    assert read_text(TEXT.encode(encoding), "a.txt").text == TEXT


def test_big_endian_with_a_mark() -> None:
    assert read_text(b"\xfe\xff" + TEXT.encode("utf-16-be"), "a.fountain").text == TEXT


def test_line_ends_and_composition_are_normalised() -> None:
    decomposed = unicodedata.normalize("NFD", TEXT)
    assert read_text(decomposed.replace("\n", "\r\n").encode(), "a.md").text == TEXT
    assert read_text(TEXT.replace("\n", "\r").encode(), "a.TXT").text == TEXT
    assert read_text("한 줄\u2028두 줄\f세 줄".encode(), "a.txt").text == "한 줄\n두 줄\n세 줄"


def test_a_stray_control_character_is_dropped() -> None:
    data = (TEXT * 30).replace("노트북", "노트\x07북", 1).encode()
    assert read_text(data, "a.txt").text == TEXT * 30


@pytest.mark.parametrize(
    ("data", "name", "tells"),
    [
        (b"", "a.txt", "empty"),
        (b" \n\t\n", "a.txt", "empty"),
        (b"\xef\xbb\xbf", "a.txt", "empty"),
        (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + bytes(range(256)) * 20, "a.txt", "UTF-8"),
        (bytes(range(1, 256)) * 20, "a.fountain", "UTF-8"),
        (b"\xff\xfe\x00", "a.txt", "UTF-8"),
        (b"x" * (MAX_BYTES + 1), "a.txt", "2 MB"),
        (b"%PDF-1.4", "a.pdf", ".txt or .fountain"),
        (b"text", "scenario", ".txt or .fountain"),
    ],
)
def test_refusals_say_what_to_do(data: bytes, name: str, tells: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        read_text(data, name)
    assert isinstance(caught.value, PipelineError)
    assert caught.value.status == 422
    assert tells in str(caught.value.message)


def test_a_refusal_names_the_file_without_its_folder() -> None:
    with pytest.raises(ScenarioError) as caught:
        read_text(b"\x00\x01\x02\x03", "folder/대본.txt")
    assert "대본.txt" in str(caught.value)
    assert "folder" not in str(caught.value)
