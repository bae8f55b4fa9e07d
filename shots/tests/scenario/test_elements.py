"""Lines to elements in each dialect."""

from pathlib import Path

import pytest
from screenplay_tools.fountain.parser import Parser
from screenplay_tools.screenplay import ElementType

from shots.scenario.elements import Element, detect_dialect, read_elements

FIXTURES = Path(__file__).parent / "fixtures"


def read(text: str, name: str = "a.txt") -> list[Element]:
    return read_elements(text, detect_dialect(text, name))


def speeches(text: str, name: str = "a.txt") -> list[tuple[str, str]]:
    return [(e.character, e.text) for e in read(text, name) if e.kind == "speech"]


@pytest.mark.parametrize(
    ("text", "name", "dialect"),
    [
        ("INT. HOUSE - DAY\n\nA cat.", "a.fountain", "fountain"),
        (".카페\n\n@리나\n안녕.", "a.fountain", "fountain"),
        ("S#1. 카페 / 낮\n\n리나: 안녕.", "a.fountain", "korean"),
        ("S#1. 카페 / 낮\n\n리나: 안녕.", "a.txt", "korean"),
        ("[씬 1. 카페 / 낮]\n리나: 안녕.", "a.md", "korean"),
        ("EXT. 골목 - 낮\n\n리나가 걷는다.", "a.txt", "korean"),
        ("INT. HOUSE - DAY\n\nBOB\nHello.", "a.txt", "english"),
        ("It was late. Nobody came.", "a.txt", "prose"),
        ("비가 내리는 밤이었다.", "a.txt", "prose"),
    ],
)
def test_dialect(text: str, name: str, dialect: str) -> None:
    assert detect_dialect(text, name) == dialect


@pytest.mark.parametrize("path", sorted(FIXTURES.glob("*.fountain")), ids=lambda p: p.name)
def test_fountain_agrees_with_an_independent_reader(path: Path) -> None:
    """Headings, cues and speeches as the screenplay-tools library reads the same file."""
    text = path.read_text(encoding="utf-8")
    parser = Parser()
    parser.add_text(text)
    theirs = [e for e in parser.script.elements if e.type != ElementType.ACTION]
    ours = read(text, path.name)
    headings = [e.text for e in theirs if e.type == ElementType.HEADING and "FADE" not in e.text]
    assert [h.text.split(" #")[0] for h in ours if h.kind == "heading"] == headings
    cues = [e.name for e in theirs if e.type == ElementType.CHARACTER]
    assert [e.character for e in ours if e.kind == "speech"] == cues


def test_fountain_marks() -> None:
    text = (FIXTURES / "marks.fountain").read_text(encoding="utf-8")
    kinds = [(e.kind, e.text) for e in read(text, "marks.fountain")]
    assert kinds[0][0] == "title"
    assert ("section", "Act One") in kinds
    assert ("synopsis", "They meet.") in kinds
    assert ("transition", "Burn to white.") in kinds
    assert ("caption", "TEN YEARS LATER") in kinds
    assert ("action", "BANG BANG") in kinds
    assert not any("never seen" in text for _kind, text in kinds)


def test_korean_speech_forms() -> None:
    text = """S#1 술집 / 밤

리나 : 야, 그냥 잊어.
민준: (한숨 쉬며) 그럴 기분 아니야.
할머니(75세, 밝은 성격):
그러게.

“대사”가 아닌 지문이 이어진다.

리나 “정말이야?”

민준
(자리에 앉으며)
미안해, 늦었지?

민준(N) : 그날 이후로 전화는 오지 않았다.
"""
    assert speeches(text) == [
        ("리나", "야, 그냥 잊어."),
        ("민준", "그럴 기분 아니야."),
        ("할머니", "그러게."),
        ("리나", "정말이야?"),
        ("민준", "미안해, 늦었지?"),
        ("민준", "그날 이후로 전화는 오지 않았다."),
    ]
    found = [e for e in read(text) if e.kind == "speech"]
    assert found[1].manner == "한숨 쉬며"
    assert found[2].detail == "75세, 밝은 성격"
    assert [e.voice_over for e in found] == [False] * 5 + [True]
    assert (found[4].first, found[4].last) == (12, 14)


def test_tabbed_plays() -> None:
    assert speeches("S#1 방 / 낮\n\n리나\t어디 가?\n민준\t\t집에.\n리나\t같이 가.\n민준\t그래.\n") == [
        ("리나", "어디 가?"),
        ("민준", "집에."),
        ("리나", "같이 가."),
        ("민준", "그래."),
    ]


def test_a_place_on_a_line_of_its_own_is_no_cue() -> None:
    text = "S#1 카페 / 낮\n\n창가\n리나가 노트북을 연다.\n\n빈 복도\n멀리서 발소리가 들린다.\n"
    assert speeches(text) == []


def test_english_plain_text() -> None:
    text = "INT. HALL - NIGHT\n\nBob waits.\n\nBOB (V.O.)\nNobody came.\n\n"
    text += "Anna: (softly) I did.\n\nANNA (CONT'D)\nHere I am.\n"
    assert speeches(text) == [("BOB", "Nobody came."), ("Anna", "I did."), ("ANNA", "Here I am.")]
    found = [e for e in read(text) if e.kind == "speech"]
    assert [e.voice_over for e in found] == [True, False, False]


@pytest.mark.parametrize(
    "line",
    [
        "CUT TO:",
        "SMASH CUT TO:",
        "FADE TO BLACK.",
        "FADE IN:",
        "DISSOLVE TO:",
        "> Burn to white.",
        "페이드 아웃.",
        "페이드 인",
        "암전",
        "컷 투",
        "F.O.",
        "(암전)",
        "- 끝 -",
        "디졸브",
    ],
)
def test_transitions_are_not_filmed(line: str) -> None:
    text = f"S#1 방 / 낮\n\n리나가 앉는다.\n\n{line}\n"
    assert [e.kind for e in read(text)] == ["heading", "action", "transition"]


def test_inserts_and_captions() -> None:
    text = "S#1 방 / 낮\n\nINSERT - 휴대폰 화면\n\n인서트: 낡은 사진\n\n자막: 10년 뒤\n\n~여름~\n"
    assert [(e.kind, e.text) for e in read(text)][1:] == [
        ("insert", "휴대폰 화면"),
        ("insert", "낡은 사진"),
        ("caption", "10년 뒤"),
        ("caption", "여름"),
    ]


def test_front_matter_is_told_apart() -> None:
    text = "제목: 편지\n\n[등장인물]\n리나(20세) - 대학생\n민준: 25세, 리나의 오빠\n\n"
    text += "기획의도\n서로를 찾는 이야기.\n\nS#1 방 / 낮\n\n리나가 앉는다.\n"
    assert [e.kind for e in read(text)] == ["title", "cast", "synopsis", "heading", "action"]


def test_prose_quotations_have_speakers() -> None:
    text = '“어디 가?” 민준이 물었다. 리나는 대답하지 않았다.\n\n"Come back," said Anna. She closed the door.\n'
    assert speeches(text) == [("민준", "어디 가?"), ("Anna", "Come back")]
