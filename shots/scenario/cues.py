"""Which lines are cues, transitions, captions or front matter: the patterns, and what a name may look like.

Every pattern is anchored and free of nested repetition, so that a line of a megabyte costs no more than its length.
"""

import re

TITLE_KEY = re.compile(
    r"^(?:title|credit|authors?|source|draft date|date|contact|copyright|notes?|revision|format|"
    r"제목|작품명|작가|각본|극본|감독|연출|원작|부제|연락처|날짜|저자|글|탈고일)\s*[:：]|^(?:Title|Author)：",
    re.I,
)
COLON = re.compile(r"^(?P<name>[^:：()\[\]\"“”.!?…,]{1,24}?)\s*(?P<paren>\([^)]{0,60}\))?\s*[:：]\s*(?P<text>.*)$")
QUOTED = re.compile(
    r"^(?P<name>[가-힣A-Za-z0-9]{1,10})\s*(?P<paren>\([^)]{0,60}\))?\s*[\"“](?P<text>[^\"“”]{1,2000})[\"”]$"
)
TABBED = re.compile(r"^(?P<name>[가-힣A-Za-z0-9]{1,10})(?:\t+| {2,})(?P<text>\S.*)$")
OWN_LINE = re.compile(r"^(?P<name>[가-힣][가-힣A-Za-z0-9 ]{0,9})\s*(?P<paren>\([^)]{1,40}\))?$")
CJK_LINE = re.compile(
    r"^(?P<name>[\u3040-\u30ff\u4e00-\u9fff가-힣A-Za-z0-9 ・·]{1,12})\s*(?P<paren>[(（][^)）]{1,40}[)）])?$"
)
CUE = re.compile(r"^(?P<name>[^a-z()가-힣]*[A-Z][^a-z()가-힣]*?)\s*(?P<paren>(?:\([^)]*\)\s*)*)\^?$")
CAPTION = re.compile(
    r"^(?:자막|타이틀|TITLE|SUPER(?:IMPOSE)?|CAPTION)\s*(?:[:：]|[-–—])\s*(?P<text>\S.*)$|^[~∼](?P<wave>[^~∼]{1,120})[~∼]$"
)
INSERT = re.compile(r"^(?:INSERT(?:\s+(?:SHOT|CUT))?|인서트|인써트|ins\.)(?![a-z가-힣])\s*(?:[:：.]|[-–—])?\s*", re.I)
DIVIDER = re.compile(r"^(?:={3,}|[-_*~─—=·•]{3,}|[-–—]?\s*\d{1,4}\s*[-–—]?|\*(?:\s*\*){2,})$")
_TRANSITION = re.compile(
    r"^(?:[A-Z][A-Z' ]*\bTO:|TO:|FADE (?:IN|OUT|UP|TO (?:BLACK|WHITE))|CUT TO(?: BLACK)?|SMASH CUT|MATCH CUT|JUMP CUT|DISSOLVE(?: TO)?|"
    r"WIPE TO|IRIS (?:IN|OUT)|INTERCUT(?: WITH)?|BACK TO(?: SCENE)?|BURN TO [A-Z]+|THE END|END|"
    r"(?:페이드|디졸브)\s?-?(?:인|아웃|투(?: ?블랙)?)?|컷\s?투|암전|명전|(?:장면|화면) 전환|와이프|아이리스 (?:인|아웃)|엔딩 크레딧|끝|"
    r"F\.?\s?[IO]\.?|O\.?\s?L\.?|D\.?\s?I\.?S\.?|フェード(?:イン|アウト)|淡[入出]|終|完)$",
)
_EDGES = " \t.。:：<>()[]{}-–—=*"
CAST_HEAD = re.compile(
    r"^[\[<【\s#*]*(?:등장\s?인물|나오는\s?(?:사람|이)(?:들)?|인물\s?소개|주요\s?인물|CAST(?: OF CHARACTERS)?|CHARACTERS)[\]>】\s*:：]*$",
    re.I,
)
SYNOPSIS_HEAD = re.compile(
    r"^[\[<【\s#*]*(?:시놉시스|줄거리|기획\s?의도|작의|로그\s?라인|LOGLINE|SYNOPSIS)[\]>】\s*]*(?:[:：].*)?$", re.I
)
_CAST_ROW = re.compile(
    r"^[-•*·\d.)\s]*(?P<name>[가-힣A-Za-z][가-힣A-Za-z .'’]{0,23}?)\s*(?:\((?P<paren>[^)]{1,80})\))?\s*(?:[:：,，]|\s[-–—]|\t|$)\s*(?P<rest>.*)$"
)
_NO_NAMES = frozenset(
    {
        "제목", "장소", "시간", "시간대", "등장인물", "인물", "배경", "주의", "메모", "작가", "줄거리", "시놉시스", "기획의도", "로그라인",
        "효과음", "자막", "타이틀", "음악", "음향", "인서트", "몽타주", "소품", "의상", "조명", "카메라", "지문", "때", "곳", "무대", "날씨",
        "note", "notes", "cut to", "fade in", "fade out", "insert", "bgm", "sfx", "time", "place", "title", "super", "montage",
        "intercut", "flashback", "the end", "continued", "more",
    }
)  # fmt: skip
_NARRATORS = frozenset(
    {"나레이션", "내레이션", "나레이터", "내레이터", "해설", "narrator", "narration", "announcer (v.o.)"}
)
_DEVICES = re.compile(
    r"^(?:라디오|TV|티비|텔레비전|전화기?|휴대폰|핸드폰|무전기?|스피커|인터폰|(?:안내|차내|기내|교내)? ?방송|뉴스|내비게이션|내비|기계음|"
    r"(?:THE )?(?:RADIO|TELEVISION|PHONE|INTERCOM|LOUDSPEAKER|SPEAKER|P\.?A\.?|COMPUTER|ANSWERING MACHINE))(?:\s.*)?$",
    re.I,
)
_VOICE = frozenset(
    {"n", "na", "nar", "v.o", "vo", "o.s", "os", "o.c", "e", "f", "off", "off screen", "voice over", "pre-lap", "독백", "내레이션", "나레이션",
     "목소리", "소리", "전화", "전화 목소리", "마음의 소리", "속마음", "filtered", "on phone", "on the phone"}
)  # fmt: skip
_CONTINUED = frozenset({"cont'd", "cont’d", "contd", "continued", "계속", "cont"})
MANNER_LEAD = re.compile(r"^[*\[]?[(（](?P<manner>[^)）]{0,300})[)）][*\]]?\s*")
MANNER_INSIDE = re.compile(r"\s*[(（][^)）]{0,300}[)）]\s*")


def is_transition(line: str) -> bool:
    """CUT TO:, 페이드 아웃, F.O.: how one scene gives way to the next; nothing to film."""
    if len(line) > 60:
        return False
    text = line.strip()
    return bool(_TRANSITION.match(text.strip(_EDGES)) or re.match(r"^[A-Z][A-Z' ]*\bTO:$|^TO:$", text))


def is_name(text: str) -> bool:
    """Could this be a character's name? Short, no sentence, not one of the words that head other lines."""
    name = text.strip()
    if not name or name.lower() in _NO_NAMES or len(name) > 20 or len(name.split()) > 3:
        return False
    if re.search("[가-힣]", name):
        return len(name) <= 12 and not name.endswith(("다", "요", "까", "에서", "에는"))
    if re.search("[\u3040-\u30ff\u4e00-\u9fff]", name):
        return True
    return bool(re.match(r"^[A-Z]", name))


def is_device(name: str) -> bool:
    """라디오(E), TV, PHONE: something that speaks and is nobody."""
    return bool(_DEVICES.match(name.strip()))


def narrates(name: str) -> bool:
    return name.strip().lower() in _NARRATORS


def extension(parts: list[str]) -> tuple[bool, str]:
    """The parentheses behind a name: is it heard only (V.O., N, O.S., 전화), and what else they tell."""
    voice = False
    told: list[str] = []
    for part in parts:
        for piece in (part,) if part.lower().strip(" .") in _VOICE else re.split(r"(?<=[.N])\s*/\s*", part):
            word = piece.lower().strip(" .")
            if word in _VOICE:
                voice = True
            elif word and word not in _CONTINUED:
                told.append(piece.strip())
    return voice, ", ".join(told)


def cast_row(line: str) -> tuple[str, str, str] | None:
    """Name, parenthesis and description of a line of a cast list, or None."""
    match = _CAST_ROW.match(line) if len(line) <= 400 else None
    if match is None or not is_name(match.group("name")):
        return None
    return match.group("name").strip(), match.group("paren") or "", match.group("rest").strip()


def without_comments(text: str) -> str:
    """Boneyard and notes blanked out, line by line, so that line numbers stay."""
    for opener, closer in (("/*", "*/"), ("[[", "]]")):
        parts: list[str] = []
        at = 0
        while (start := text.find(opener, at)) >= 0 and (end := text.find(closer, start + 2)) >= 0:
            parts += [text[at:start], "\n" * text.count("\n", start, end)]
            at = end + 2
        text = "".join([*parts, text[at:]])
    return text


def without_marks(text: str) -> str:
    """Fountain's and Markdown's emphasis taken off."""
    return (
        re.sub(r"(?<![\w*])[*_]{1,3}(?=\S)|(?<=[^\s*_])[*_]{1,3}(?!\w)", "", text)
        if "*" in text or "_" in text
        else text
    )
