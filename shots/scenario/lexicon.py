"""Words that tell camera, mood, age and clothing, and how long things take, in Korean and English."""

import re
from collections.abc import Sequence

from shots.choices import Angle, Movement, ShotSize

Table = Sequence[tuple[str, re.Pattern[str], re.Pattern[str]]]


def _table(*rows: tuple[str, str, str]) -> Table:
    """Rows of value, Korean pattern, English pattern; English counts as whole words only."""
    return tuple(
        (value, re.compile(ko, re.I), re.compile(rf"(?<![a-z])(?:{en})(?![a-z])", re.I)) for value, ko, en in rows
    )


SIZES = _table(
    (ShotSize.ECU, "익스트림 ?클로즈 ?업", "extreme close[- ]?up|ecu|macro"),
    (ShotSize.MCU, "미디엄 ?클로즈 ?업|바스트 ?샷|바스트", "medium close[- ]?up|mcu|bust shot"),
    (ShotSize.CU, "클로즈 ?업|얼굴 가득|화면 가득", "close[- ]?up|closeup|close on|cu|c\\.u\\."),
    (ShotSize.EWS, "익스트림 ?롱 ?샷|조감|부감 전경", "extreme (?:wide|long)(?: shot)?|ews|els|aerial(?: shot| view)?|drone shot"),
    (ShotSize.MWS, "니 ?샷|무릎 ?샷", "medium (?:wide|long)(?: shot)?|mws|cowboy shot"),
    (ShotSize.WS, "풀 ?샷|롱 ?샷|와이드(?: ?샷)?", "wide(?: shot)|full shot|long shot|establishing(?: shot)?|ws|wide on"),
    (ShotSize.MS, "미디엄 ?샷|웨이스트 ?샷|투 ?샷", "medium shot|two[- ]shot|ms"),
)  # fmt: skip
ANGLES = _table(
    (Angle.OVERHEAD, "버즈 ?아이|직부감|탑 ?뷰|탑 ?샷", "overhead|bird'?s[- ]eye|top[- ]down|top shot"),
    (Angle.OTS, "오버 ?더 ?숄더|어깨 ?너머|O\\.?S\\.? ?샷", "over[- ]the[- ]shoulder|ots"),
    (Angle.POV, "(?:주관적?|의) ?시점|시점 ?샷", "pov|point of view"),
    (Angle.HIGH, "부감|하이 ?앵글|내려다보(?!인)", "high angle|looks? down|looking down"),
    (Angle.LOW, "앙각|로우 ?앵글|올려다보", "low angle|looks? up at|looking up"),
    (Angle.DUTCH, "더치|사각 ?앵글", "dutch|canted"),
)
MOVES = _table(
    (Movement.PUSH_IN, "달리 ?인|줌 ?인|트랙 ?인|푸시 ?인|카메라가? (?:천천히 )?다가", "(?:push|dolly|zoom|track)(?:es|s|ies)? in|pushing in"),
    (Movement.PULL_OUT, "달리 ?아웃|줌 ?아웃|트랙 ?아웃|카메라가? (?:천천히 )?(?:멀어|물러)", "(?:pull|dolly|zoom)(?:s|ies)? (?:out|back)"),
    (Movement.PAN_LEFT, "왼쪽으로 ?(?:팬|패닝)|좌로 ?팬", "pans? (?:to the )?left"),
    (Movement.PAN_RIGHT, "패닝|(?<![가-힣])팬(?![가-힣])|(?<![가-힣])팬(?:하|으로)", "pans?|pans? (?:right|across|to)|panning"),
    (Movement.TILT_UP, "틸트 ?업", "tilts? up"),
    (Movement.TILT_DOWN, "틸트 ?다운", "tilts? down"),
    (Movement.CRANE_UP, "크레인 ?업|붐 ?업", "crane up|cranes up|boom up|rises above"),
    (Movement.CRANE_DOWN, "크레인 ?다운|붐 ?다운", "cranes? down|boom down"),
    (Movement.TRACK_RIGHT, "트래킹|카메라가? 따라", "tracking|tracks with|camera follows"),
    (Movement.HANDHELD, "핸드 ?헬드|몸싸움|추격|비틀거|난투", "hand-?held|struggles?|chase|chases|fights?|brawl|staggers?"),
    (Movement.ORBIT, "카메라가? (?:빙|주위를)|아크 ?샷|360도", "orbits?|circles around|arc shot"),
)  # fmt: skip
TRAVEL = re.compile(
    r"걸어|걷(?:는|고|다|기)|걸음|달려|달린|달리는|뛰어(?!난)|뛰쳐|뛰는|지나간|지나가|향해 간|따라간|따라가|내려온|올라간|들어온|들어서|나간다|나온다|다가온|다가간|떠난|도망|"
    r"\b(?:walks?|walking|runs|running|strides?|hurries|rushes|crosses|approaches|leaves|enters|drives|speeds?|climbs|follows|comes? closer)\b",
    re.I,
)
DETAIL = re.compile(
    r"눈(?:빛|동자|가|시울|을 (?:감|뜨|크게))|손(?:이|을|가락|끝|등|바닥|에|으로)|표정|얼굴|입술|눈물|입가|미소|"
    r"\b(?:eyes?|hands?|fingers?|face|lips|tears?|expression|smiles?)\b",
    re.I,
)
LOOK = re.compile(
    r"바라보|바라본|쳐다보|쳐다본|돌아보|돌아본|응시|멈칫|놀라|놀란|고개를|시선|\b(?:looks?|stares?|glances?|gazes?|watch(?:es)?|notices?|freezes|turns|nods?)\b",
    re.I,
)
FAR = re.compile(
    r"멀리|하늘|도시|거리|바다|산|들판|전경|풍경|언덕|지평선|\b(?:far|distance|sky|skyline|city|sea|street|horizon|landscape|field)\b",
    re.I,
)
_EMOTIONS = _table(
    ("슬픔/sad", "(?<![가-힣])울(?:먹|음(?!소리)|고|며|면서|기|던|컥)|운다|우는|눈물|흐느|슬픈|슬프|슬픔|그리워|그리움|쓸쓸|서럽|훌쩍", "cr(?:y|ies|ying)|tears?|sad(?:ly)?|sobs?|sobbing|weeps?|weeping"),
    ("분노/angry", "화난|화가|화를|분노|소리(?:친|치|지)|고함|버럭|노려|성난|윽박|짜증", "angry|angrily|shout(?:s|ing)?|furious(?:ly)?|yell(?:s|ing)?|snaps|glares?|heated"),
    ("공포/afraid", "두려|공포|겁에|겁먹|비명|무서|소스라", "fear|afraid|screams?|screaming|terrified|scared|horror"),
    ("긴장/tense", "긴장|초조|불안|떨리|떨며|떠는|숨죽|숨을 죽|다급|급히|망설", "tense|nervous(?:ly)?|trembling|trembles|anxious(?:ly)?|urgent(?:ly)?|hesitates?|hesitant"),
    ("기쁨/happy", "웃(?!길)|미소|기쁜|기뻐|기쁨|신난|신나|환하게|즐거|반가", "smil(?:es?|ing)|laugh(?:s|ing)?|grin(?:s|ning)?|happy|happily|joy|cheerful(?:ly)?"),
    ("놀람/surprised", "놀라(?!운)|놀란|깜짝|멈칫|당황|어리둥절|눈이 커", "surprised?|startled|gasps?|shocked|stunned|oh crap"),
    ("피로/weary", "한숨|지친|지쳐|피곤|하품|힘없", "sigh(?:s|ing)?|tired(?:ly)?|weary|wearily|exhausted|yawns?"),
    ("고독/lonely", "혼자|홀로|외로|적막|덩그러니", "alone|lonely|solitary"),
    ("다정/tender", "다정|따뜻|토닥|쓰다듬|껴안|안아|살며시|부드럽", "gentl[ey]|tender(?:ly)?|hugs?|soft(?:ly)?|warmly|kiss(?:es|ing)?"),
    ("진지/earnest", "진지|단호|굳은|어두운 표정|표정이 어둡", "serious(?:ly)?|firm(?:ly)?|grave(?:ly)?|passionate(?:ly)?"),
)  # fmt: skip
_GARMENTS_KO = (
    "재킷|자켓|코트|셔츠|블라우스|원피스|치마|청바지|바지|정장|양복|교복|제복|작업복|유니폼|모자|스카프|목도리|안경|앞치마|운동화|구두|점퍼|패딩|한복|가운|"
    "티셔츠|스웨터|니트|가디건|카디건|후드티?|장갑|우비|잠옷|군복|조끼|넥타이|장화|슬리퍼|트레이닝복|환자복"
)
_GARMENTS_EN = (
    "jackets?|coat|shirt|blouse|dress|skirt|jeans|suit|uniform|hat|cap|scarf|glasses|apron|sneakers|hoodie|sweater|"
    "cardigan|raincoat|gown|vest|boots|gloves|tie|pajamas|overalls"
)
_CLOTHES = re.compile(
    rf"(?P<ko>(?:[가-힣]{{1,8}} ){{0,2}}(?:[가-힣]{{0,4}}(?:{_GARMENTS_KO})))(?![가-힣]{{0,2}}(?:가게|집|걸이))"
    rf"|(?P<en>(?:\b[a-z]{{2,12}}(?:-[a-z]{{2,12}})? ){{0,2}}\b(?:{_GARMENTS_EN})\b)",
    re.I,
)
_NOT_ADJECTIVE_KO = re.compile(r"(?:을|를|이|가|은|는|에|의|에서|로|으로|와|과|도|께|다)$")
_KO_ADJECTIVE = re.compile(
    r"(?:노란|빨간|파란|푸른|까만|누런|낡은|얇은|짧은|젖은|검은|붉은|하얀|흰|입은|맑은|작은|큰|긴|좋은|[가-힣]*색|가죽|청|면|털|헐렁한|두꺼운|밝은|낯은|[가-힣]+[한린진운])$"
)
_EN_DROP = frozenset(
    {
        "in",
        "the",
        "with",
        "his",
        "her",
        "and",
        "wearing",
        "wears",
        "of",
        "their",
        "a",
        "an",
        "puts",
        "on",
        "off",
        "takes",
        "from",
        "under",
        "into",
        "to",
    }
)
_AGE = re.compile(
    r"(\d{1,3}\s*(?:세|살)|\d0대\s*(?:초반|중반|후반)?|\b\d0s\b|\b\d{1,3}\s*years?\s*old\b|\b(?:early|mid|late)[ -]\d0s\b)",
    re.I,
)
_BARE_AGE = re.compile(r"\(\s*(\d{1,2})\s*[,)]")
_HANGUL = re.compile("[가-힣]")
_LATIN_WORD = re.compile(r"[A-Za-z0-9']+")
_OTHER_CJK = re.compile("[\u3040-\u30ff\u4e00-\u9fff]")


def first_match(text: str, table: Table) -> str:
    """The first entry of the table with a word in the text, or ""."""
    hangul, latin = has_hangul(text), bool(_LATIN_WORD.search(text))
    for value, korean, english in table:
        if (hangul and korean.search(text)) or (latin and english.search(text)):
            return str(value)
    return ""


def emotion_of(text: str, *, korean: bool) -> str:
    """One word for the feeling of a text, in the text's language, or ""."""
    found = first_match(text, _EMOTIONS)
    return found.split("/")[0 if korean else 1] if found else ""


def clothing_of(text: str) -> list[str]:
    """Garments that a description names, with their adjectives."""
    found: dict[str, None] = {}
    for match in _CLOTHES.finditer(text[:2000]):
        words = match.group(0).split()
        if match.group("ko"):
            kept = words[-1:]
            for word in reversed(words[:-1]):
                if not _KO_ADJECTIVE.search(word) or (
                    _NOT_ADJECTIVE_KO.search(word) and not _KO_ADJECTIVE.search(word)
                ):
                    break
                kept.insert(0, word)
            found.setdefault(" ".join(w for w in kept if w != "입은"))
        else:
            while len(words) > 1 and words[0].lower() in _EN_DROP:
                words.pop(0)
            if len(words) == 3 and words[1].lower() in _EN_DROP:
                words = words[2:]
            found.setdefault(" ".join(words))
    return list(found)[:6]


def age_of(text: str) -> str:
    """An age as the text writes it ("28세", "50대 초반", "late 30s", "(28)"), or ""."""
    match = _AGE.search(text[:2000]) or _BARE_AGE.search(text[:2000])
    return match.group(1).strip() if match else ""


def has_hangul(text: str) -> bool:
    return bool(_HANGUL.search(text))


def mostly_korean(text: str) -> bool:
    """Is the script written in Korean? Names of stations and shot sizes in Latin do not make it English."""
    sample = text[:200_000]
    return len(_HANGUL.findall(sample)) * 2 > len(_LATIN_WORD.findall(sample))


def spoken_seconds(text: str) -> float:
    """How long a line takes to say: 4.5 Hangul syllables or 2.6 words a second, and a breath."""
    return _weight(text, syllables=4.5, words=2.6, other=5.0) + 0.6


def acted_seconds(text: str) -> float:
    """How long a described action wants on screen."""
    return 1.6 + _weight(text, syllables=14, words=6, other=12)


def _weight(text: str, *, syllables: float, words: float, other: float) -> float:
    return (
        len(_HANGUL.findall(text)) / syllables
        + len(_LATIN_WORD.findall(text)) / words
        + len(_OTHER_CJK.findall(text)) / other
    )
