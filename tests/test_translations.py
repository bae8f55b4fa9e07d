"""Everything that the code says is there in Korean, with the same placeholders, and nothing is left over."""

import ast
import re

import pytest

from aipipeline.studio.catalogs import KEYWORDS, PACKAGES, ROOT, messages, read_catalog

PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|%[sd]|\{\w+\}")
DOMAINS = ("django", "djangojs")


def texts(string: str | tuple[str, ...]) -> list[str]:
    return list(string) if isinstance(string, tuple) else [string]


@pytest.mark.parametrize("domain", DOMAINS)
def test_every_message_is_translated(domain: str) -> None:
    catalog = read_catalog("ko", domain)
    missing = []
    for entry in messages(domain):
        known = catalog.get(entry.singular, entry.context or None)
        if known is None or not all(texts(known.string)):
            missing.append(f"{entry.place}: {entry.singular}")
    assert missing == [], "translate these in locale/ko (./aip manage catalogs adds them)"


@pytest.mark.parametrize("domain", DOMAINS)
def test_placeholders_survive_translation(domain: str) -> None:
    for message in read_catalog("ko", domain):
        if not message.id:
            continue
        wanted = set(PLACEHOLDER.findall(" ".join(texts(message.id))))
        for text in texts(message.string):
            assert set(PLACEHOLDER.findall(text)) <= wanted, message.id
            # A Korean text may leave out a number that its words tell, never a name.
            assert {p for p in wanted if "name" in p} <= set(PLACEHOLDER.findall(text)), message.id


@pytest.mark.parametrize("domain", DOMAINS)
def test_no_translation_is_left_over(domain: str) -> None:
    said = {(entry.singular, entry.context or None) for entry in messages(domain)}
    for message in read_catalog("ko", domain):
        if message.id:
            assert (texts(message.id)[0], message.context) in said, message.id


def test_no_message_hides_in_an_f_string() -> None:
    """Python 3.11 reads an f-string as one token: what is said inside of it would never reach the catalogues."""
    hidden = []
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            for text in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                calls = ast.walk(text) if isinstance(text, ast.JoinedStr) else ()
                named = [
                    call.func.id for call in calls if isinstance(call, ast.Call) and isinstance(call.func, ast.Name)
                ]
                hidden += [f"{path.relative_to(ROOT)}:{text.lineno}" for name in named if name in KEYWORDS]
    assert hidden == [], "say the message outside of the f-string"
