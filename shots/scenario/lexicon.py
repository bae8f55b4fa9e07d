"""Words that tell camera, mood, age and clothing, in Korean and English."""

import re
from collections.abc import Sequence

from shots.choices import Angle, Movement, ShotSize

SIZES: Sequence[tuple[str, tuple[str, ...]]] = (
    (ShotSize.ECU, ("익스트림 클로즈업", "extreme close", "ecu")),
    (ShotSize.MCU, ("미디엄 클로즈업", "바스트", "medium close", "mcu")),
    (ShotSize.CU, ("클로즈업", "클로즈 업", "close-up", "close up", "closeup", "얼굴 가득", "cu")),
    (ShotSize.EWS, ("익스트림 롱", "부감 전경", "extreme wide", "extreme long", "skyline", "전경", "aerial")),
    (ShotSize.MWS, ("니샷", "무릎", "medium wide", "cowboy shot")),
    (
        ShotSize.WS,
        ("풀샷", "풀 샷", "롱샷", "롱 샷", "와이드", "wide shot", "full shot", "long shot", "establishing"),
    ),
    (ShotSize.MS, ("미디엄", "웨이스트", "medium shot", "two shot", "투샷")),
)
ANGLES: Sequence[tuple[str, tuple[str, ...]]] = (
    (Angle.OVERHEAD, ("버즈아이", "직부감", "탑뷰", "overhead", "bird's eye", "top-down", "top shot")),
    (Angle.HIGH, ("부감", "내려다보", "하이앵글", "high angle", "looking down", "looks down")),
    (Angle.LOW, ("앙각", "올려다보", "로우앵글", "low angle", "looks up", "looking up")),
    (Angle.DUTCH, ("더치", "기울어진", "dutch", "canted")),
    (Angle.OTS, ("오버 더 숄더", "어깨 너머", "over the shoulder", "over-the-shoulder", "ots")),
    (Angle.POV, ("시점", "pov", "point of view")),
)
MOVES: Sequence[tuple[str, tuple[str, ...]]] = (
    (Movement.PUSH_IN, ("달리 인", "줌 인", "줌인", "다가간다", "다가가는 카메라", "push in", "dolly in", "zoom in", "track in")),
    (Movement.PULL_OUT, ("달리 아웃", "줌 아웃", "줌아웃", "멀어지는 카메라", "pull out", "pull back", "dolly out", "zoom out")),
    (Movement.PAN_LEFT, ("왼쪽으로 팬", "pan left", "pans left")),
    (Movement.PAN_RIGHT, ("팬", "패닝", "pan right", "pans", "pan to", "pan across")),
    (Movement.TILT_UP, ("틸트 업", "틸트업", "tilt up", "tilts up")),
    (Movement.TILT_DOWN, ("틸트 다운", "틸트다운", "tilt down", "tilts down")),
    (Movement.CRANE_UP, ("크레인 업", "떠오르", "crane up", "rises above")),
    (Movement.CRANE_DOWN, ("크레인 다운", "crane down", "descends")),
    (Movement.TRACK_RIGHT, ("트래킹", "따라간다", "걸어간다", "걷는", "달린다", "뛰어", "달려", "tracking", "walks", "walking", "runs", "running", "follows")),
    (Movement.HANDHELD, ("핸드헬드", "몸싸움", "추격", "비틀", "handheld", "struggle", "chase", "fight")),
    (Movement.ORBIT, ("빙글", "돌아간다", "orbit", "circles around", "360")),
)  # fmt: skip
EMOTIONS: Sequence[tuple[str, tuple[str, ...]]] = (
    ("슬픔", ("울", "눈물", "흐느", "슬픈", "슬프", "그리", "쓸쓸", "cry", "tears", "sad", "sob", "weeps")),
    ("분노", ("화난", "화를", "분노", "소리친", "고함", "버럭", "angry", "shout", "furious", "yells")),
    ("긴장", ("긴장", "초조", "불안", "떨리", "숨죽", "tense", "nervous", "trembl", "anxious")),
    ("공포", ("두려", "공포", "겁에", "비명", "fear", "afraid", "scream", "terrified")),
    ("기쁨", ("웃", "미소", "기쁜", "기뻐", "신난", "smile", "laugh", "grin", "happy", "joy")),
    ("놀람", ("놀라", "깜짝", "멈칫", "surprise", "startled", "gasps", "shocked")),
    ("피로", ("한숨", "지친", "피곤", "하품", "sigh", "tired", "weary", "exhausted")),
    ("고독", ("혼자", "홀로", "외로", "적막", "alone", "lonely", "silence")),
)
ENGLISH_EMOTIONS = {
    "슬픔": "sad", "분노": "angry", "긴장": "tense", "공포": "afraid", "기쁨": "happy", "놀람": "surprised",
    "피로": "weary", "고독": "lonely",
}  # fmt: skip
_CLOTHES = re.compile(
    r"(?:[가-힣]+\s){0,2}[가-힣]*(?:재킷|자켓|코트|셔츠|블라우스|원피스|치마|바지|청바지|정장|양복|교복|제복|유니폼|모자|스카프|"
    r"목도리|안경|앞치마|운동화|구두|점퍼|패딩|한복|가운|티셔츠|스웨터|니트|후드)"
    r"|(?:\b[a-z-]+\s){0,2}\b(?:jacket|coat|shirt|blouse|dress|skirt|jeans|suit|uniform|hat|scarf|glasses|apron|"
    r"sneakers|hoodie|sweater|raincoat|gown|vest|boots)\b",
    re.IGNORECASE,
)
_AGE = re.compile(
    r"(\d{1,3}\s*(?:세|살)|\d0대\s*(?:초반|중반|후반)?|\b\d0s\b|\b\d{1,3}\s*years?\s*old\b|\b(?:early|mid|late)[ -]\d0s\b)"
)


def first_match(text: str, table: Sequence[tuple[str, tuple[str, ...]]]) -> str:
    """The first entry of the table with a word in the text; short Latin words count only as whole words."""
    lowered = text.lower()
    for value, words in table:
        for word in words:
            if word.isascii():
                if re.search(rf"(?<![a-z]){re.escape(word)}", lowered):
                    return str(value)
            elif word in lowered:
                return str(value)
    return ""


def emotion_of(text: str, *, korean: bool) -> str:
    """One word for the feeling of a text, in the text's language, or ""."""
    found = first_match(text, EMOTIONS)
    return found if korean else ENGLISH_EMOTIONS.get(found, "")


def clothing_of(text: str) -> list[str]:
    """Garments that a description names."""
    return list(dict.fromkeys(m.group(0).strip() for m in _CLOTHES.finditer(text[:2000])))[:6]


def age_of(text: str) -> str:
    match = _AGE.search(text[:2000]) or re.search(r"\((\d{1,3})\)", text[:2000])
    return match.group(1).strip() if match else ""


def names_in(name: str, text: str) -> bool:
    """Is this character named in the text? Latin names in any case, as whole words."""
    if not name.isascii():
        return name in text
    return bool(re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text, re.IGNORECASE))


def has_hangul(text: str) -> bool:
    return bool(re.search("[가-힣]", text))


def spoken_seconds(text: str) -> float:
    """How long a line takes to say: 4.5 Hangul syllables or 2.6 words a second, and a breath."""
    syllables = len(re.findall("[가-힣]", text))
    words = len(re.findall(r"[A-Za-z0-9']+", text))
    other = len(re.findall(r"[\u3040-\u30ff\u4e00-\u9fff]", text))
    return syllables / 4.5 + words / 2.6 + other / 5.0 + 0.6


def acted_seconds(text: str) -> float:
    """How long a described action wants on screen."""
    syllables = len(re.findall("[가-힣]", text))
    words = len(re.findall(r"[A-Za-z0-9']+", text))
    other = len(re.findall(r"[\u3040-\u30ff\u4e00-\u9fff]", text))
    return 1.6 + syllables / 14 + words / 6 + other / 12
