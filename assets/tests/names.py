"""Hypothesis strategies for names: Korean, mixed and hostile text, contexts, and templates of every shape."""

import re
from typing import Any

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st

from assets.naming import KINDS, NameContext

# A fixed run: the same examples every time, in a few seconds; a failing one is shown as it was found.
FEW = settings(
    max_examples=120, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.generate], report_multiple_bugs=False,
)  # fmt: skip
MANY = settings(FEW, max_examples=300)

WORDS = (
    "리나", "부두", "해변의 밤", "한글 이름_2", "Lina Park", "lina", "SHT_0010", "SHT_0010A", "A-10B", "010A", "10",
    "_", "__", "v001", "v1000", "render", "render_v001", "comp.final", "CON", "con.txt", "COM1", "COM¹", "LPT9.tar.gz",
    "aux ", "..", "../../etc/passwd", "C:\\temp", "/root", "a\x00b", "line\nbreak", "tab\t", "x" * 300, "가" * 300,
    "e\u0301" * 100, "z\u0301\u0302", "\u0301start", "\u1100\u1161\u11a8", "\u11a8",
    "\u200bzero\u200dwidth\ufeff", "\u202eright\u202c", "👩\u200d🚀", "👍🏽", "🇰🇷" * 40, "\ud800", "ﬁ", "ß", "SS", "İ",
    "ı", "\u212a", "trailing. .", " .lead",
    "\uf022", "\ufffe", "\u3164", "\u2800", "%s{}", "<b>", "a|b?*", "~1", "$x",
)  # fmt: skip
_CHARS = st.sampled_from([*"aAbB019_-. ~가각나리ㄱéßſ", *"\u0301\u11a8\u200b\u200d👍🏽/\x00", "\ud83d"])

text = st.one_of(st.sampled_from(WORDS), st.text(_CHARS, max_size=12), st.text(max_size=30))
some = text.filter(bool)
codes = st.one_of(some, st.from_regex(r"[A-Z]{2,3}_[0-9]{3,4}[A-C]?", fullmatch=True))


def shots() -> st.SearchStrategy[NameContext]:
    return st.builds(NameContext, project=st.just("PRJ"), scene=st.one_of(st.just(""), codes), shot=codes)


def owners() -> st.SearchStrategy[NameContext]:
    """A row with a folder of its own: a shot, a character or an environment."""
    return st.one_of(
        shots(),
        st.builds(NameContext, project=st.just("PRJ"), character=some),
        st.builds(NameContext, project=st.just("PRJ"), environment=some),
    )


def published(names: st.SearchStrategy[NameContext]) -> st.SearchStrategy[NameContext]:
    """The same with what a published file adds."""
    more = st.fixed_dictionaries(
        {"kind": st.sampled_from(KINDS), "version": st.integers(1, 12000), "ext": st.sampled_from(["png", "7z"])},
        optional={"comment": text, "artist": some, "date": st.dates()},
    )  # fmt: skip
    return st.builds(lambda names, more: names.but(**more), names, more)


def _joined(tokens: list[str], joins: list[str], optional: list[bool]) -> str:
    parts = [tokens[0]]
    for token, join, hidden in zip(tokens[1:], joins, optional, strict=False):
        parts.append(f"<{join}{token}>" if hidden else f"{join}{token}")
    return "".join(parts)


def templates(*names: str, joins: str = "_-.가x7") -> st.SearchStrategy[str]:
    """A template of one part that says each of the tokens once, in any order, some of them optional."""
    specs = {"version": ["", ":02", ":05", ":upper"], "kind": ["", ":upper"]}
    spelt = st.permutations(names).flatmap(
        lambda order: st.tuples(*(st.sampled_from(specs.get(n, [""])).map(lambda s, n=n: f"{{{n}{s}}}") for n in order))
    )
    size = len(names)
    return st.builds(
        lambda tokens, found, hidden: _joined(list(tokens), found, hidden),
        spelt,
        st.lists(st.text(st.sampled_from(joins), min_size=1, max_size=2), min_size=size, max_size=size),
        st.lists(st.booleans(), min_size=size, max_size=size),
    )


def windows_takes(part: str) -> bool:
    """Windows' own rules for a name, written down apart from the code that keeps them."""
    if not part or part[-1] in ". " or re.search(r'[<>:"/\\|?*\x00-\x1f]', part):
        return False
    stem = part.split(".")[0].strip()
    device = re.fullmatch(r"(?i)con|prn|aux|nul|conin\$|conout\$|clock\$|(com|lpt)[0-9¹²³]", stem)
    return device is None and len(part.encode("utf-16-le")) // 2 <= 255


def parts_said(names: NameContext, tokens: set[str]) -> dict[str, Any]:
    """The parts of a context that a template with these tokens says."""
    return {name: value for name, value in names.parts().items() if name in tokens}
