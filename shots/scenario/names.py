"""Who is named in a text: cues matched to mentions, Korean particles and pronouns included."""

import re
from collections.abc import Iterable, Sequence

_TOKEN = re.compile(r"[가-힣]+|[A-Za-z0-9][\w.]*(?:['’]\w+)?")
_PARTICLE = re.compile(
    r"(?:네|들|씨|군|양|님)?이?"
    r"(?:가|는|은|을|를|과|와|의|에게서?|한테서?|께서?|까지|부터|랑|하고|야|아|여|에|로|으로|쪽으로|보다|처럼|마저|조차|라고|라는|다)?"
    r"(?:는|도|만)?"
)
_SURNAMES = frozenset(
    "김이박최정강조윤장임한오서신권황안송류전홍고문양손배백허유남심노하곽성차주우구민진나지엄채원천방공현함변염여추도소석선설마길연위표명기반왕금옥육인맹제모탁국어은편용"
)
_SINGULAR = re.compile(r"(?<![가-힣])(?:그(?:가|는|를|의)|그녀)(?![가-힣]{3})|\b(?:he|she|him)\b", re.I)
_PLURAL = re.compile(
    r"(?<![가-힣])(?:[두세네] (?:사람|남녀|친구|남자|여자|아이|노인|형제|자매)|둘[이은의]|그들|모두|서로|일행)|"
    r"\b(?:they|them|both|the two|the men|the women|everyone|each other)\b",
    re.I,
)
_OBJECT = re.compile(
    r"(?<![가-힣])(?:그를|그녀를|그에게|그녀에게)(?![가-힣])|\bhim\b|\bher(?=[.,;]|$| (?:in|with|and|from|through)\b)",
    re.I,
)
_POSSESSIVE = re.compile(r"['’]s?$")
_GENERIC_LEAD = re.compile(r"(?:the|a|an|his|her|their|another|that|this)$", re.I)


class CastIndex:
    """Finds the cast's names in running text in time linear in the text, however many names there are."""

    def __init__(self, names: Iterable[str]) -> None:
        self._by_first: dict[str, list[tuple[list[str], str]]] = {}
        self._plain: list[str] = []
        known = list(dict.fromkeys(names))
        given: dict[str, list[str]] = {}
        for name in known:
            tokens = _TOKEN.findall(name.lower())
            if not tokens:
                self._plain.append(name)  # a script without spaces between words
                continue
            self._by_first.setdefault(tokens[0], []).append((tokens, name))
            if re.fullmatch(r"[가-힣]{3}", name) and name[0] in _SURNAMES:
                given.setdefault(name[1:], []).append(name)
        for short, owners in given.items():
            if len(owners) == 1 and short not in self._by_first:
                self._by_first[short] = [([short], owners[0])]
        for options in self._by_first.values():
            options.sort(key=lambda option: -len(option[0]))

    def mentions(self, text: str) -> list[str]:
        """The names in the order in which the text speaks of them, each once."""
        found: dict[str, None] = {}
        tokens = _TOKEN.findall(text)
        for at, token in enumerate(tokens):
            name = self._at(tokens, at, token)
            if name is not None:
                found.setdefault(name)
        for name in self._plain[:50]:
            if name in text:
                found.setdefault(name)
        return list(found)

    def _at(self, tokens: list[str], at: int, token: str) -> str | None:
        if token[0] < "가":
            return self._latin(tokens, at, token)
        for start in (0, 1) if len(token) > 2 and token[0] in _SURNAMES else (0,):
            for end in range(min(len(token), start + 8), start, -1):
                for parts, name in self._by_first.get(token[start:end], ()):
                    if start and (end - start < 2 or name != token[start:end]):
                        continue
                    if len(parts) == 1 and _PARTICLE.fullmatch(token, end):
                        return name
                    if len(parts) > 1 and end == len(token) and self._rest(tokens, at, parts):
                        return name
        return None

    def _latin(self, tokens: list[str], at: int, token: str) -> str | None:
        word = token.lower().rstrip(".")
        word = _POSSESSIVE.sub("", word) if "'" in word or "’" in word else word
        for parts, name in self._by_first.get(word, ()):
            capital = token[0].isupper() or token[0].isdigit()
            if not capital and not (at and _GENERIC_LEAD.match(tokens[at - 1])):
                continue
            if len(parts) == 1 or self._rest(tokens, at, parts):
                return name
        return None

    @staticmethod
    def _rest(tokens: list[str], at: int, parts: list[str]) -> bool:
        following = [t.lower() for t in tokens[at + 1 : at + len(parts)]]
        if len(following) < len(parts) - 1 or following[:-1] != parts[1:-1]:
            return False
        last, want = following[-1], parts[-1]
        if last.startswith(want) and last[0] >= "가":
            return bool(_PARTICLE.fullmatch(last, len(want)))
        return _POSSESSIVE.sub("", last) == want


def pronoun_cast(text: str, recent: Sequence[str]) -> list[str]:
    """Whom "she" or "두 사람" means: the ones of `recent` (newest first) who were last spoken of."""
    if match := _PLURAL.search(text):
        return list(recent[: {"세": 3, "네": 4, "모": 6, "일": 6}.get(match.group(0)[0], 2)])
    return list(recent[:1]) if _SINGULAR.search(text) else []


def acted_upon(text: str) -> bool:
    """Does something happen to a person named by a pronoun: "Steel smacks him", "그를 바라본다"?"""
    return bool(_OBJECT.search(text))


def speaks_of_people(text: str) -> bool:
    """Is anybody in the picture, named or not?"""
    return bool(
        _PLURAL.search(text)
        or _SINGULAR.search(text)
        or re.search(
            r"사람|남자|여자|아이|소년|소녀|노인|할머니|할아버지|손님|승객|군중|관객|학생|경찰|기사|주인", text
        )
        or re.search(
            r"\b(?:man|woman|men|women|boy|girl|child|children|people|crowd|passengers?|police|somebody)\b", text, re.I
        )
    )


def with_particle(name: str, pair: str) -> str:
    """The name with a Korean particle, `pair` "이/가", "과/와", "은/는", "을/를" by its last sound."""
    closed, opened = pair.split("/")
    last = name[-1:] if name else ""
    if "가" <= last <= "힣":
        return name + (closed if (ord(last) - 0xAC00) % 28 else opened)
    return name + (closed if last.lower() in "bcdgklmnpqrt" and last else opened)
