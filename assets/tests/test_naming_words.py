"""Single names: every system takes them, and the same one stays the same."""

import unicodedata
from pathlib import Path

import pytest
from hypothesis import given

from assets.naming import MAX_BYTES, NameContext, collision_key, path_key, safe_name
from assets.naming.words import cut, hangs
from assets.tests.names import MANY, WORDS, owners, text, windows_takes


@MANY
@given(text)
def test_a_safe_name_is_taken_everywhere_and_stays_as_it_is(name: str) -> None:
    safe = safe_name(name)
    assert safe_name(safe) == safe
    assert windows_takes(safe)
    assert unicodedata.normalize("NFC", safe) == safe
    assert len(safe.encode()) <= MAX_BYTES
    assert not {unicodedata.category(char) for char in safe} & {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp", "Zs"}
    assert not hangs(safe[0])


def test_every_hostile_name_can_be_a_folder_and_is_listed_as_it_was_made(tmp_path: Path) -> None:
    made = {safe_name(word) for word in WORDS}
    for name in made:
        (tmp_path / name).mkdir()
    assert {found.name for found in tmp_path.iterdir()} == made
    assert all(found.parent == tmp_path for found in tmp_path.rglob("*"))


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("해변의 밤", "해변의_밤"),
        (unicodedata.normalize("NFD", "리나"), "리나"),
        ("CON", "_CON"),
        ("con.txt", "_con.txt"),
        ("COM¹", "_COM¹"),
        ("name. .", "name._"),
        ("name..", "name"),
        ("a/b\\c", "a_b_c"),
        ("../../etc", "_.._etc"),
        ("", "_"),
        ("\u200b", "_"),
        ("li\u200bna", "lina"),
        ("\u202eevil\u202c", "evil"),
        ("\ud800", "_"),
        ("ㅤ", "_"),
        ("👩\u200d🚀", "👩🚀"),
    ],
)
def test_what_becomes_of_a_name(name: str, safe: str) -> None:
    assert safe_name(name) == safe


@pytest.mark.parametrize("sign", ["e\u0301", "각", "👍🏽", "🇰🇷", "가", "x", "z\u0301\u0302\u0303"])
def test_a_long_name_is_cut_between_two_signs(sign: str) -> None:
    sign = unicodedata.normalize("NFC", sign)
    name = safe_name("a" + sign * 300)
    assert name == "a" + sign * ((MAX_BYTES - 1) // len(sign.encode()))
    assert cut("\u0301" * 300, 100) == ""


def test_names_that_look_alike_or_differ_in_case_have_one_key() -> None:
    for one, other in [
        ("Lina", "LINA"),
        ("리나", unicodedata.normalize("NFD", "리나")),
        ("Straße", "STRASSE"),
        ("li\u200bna", "lina"),
        ("a b", "a_b"),
        ("e\u0301", "É"),
    ]:
        assert collision_key(one) == collision_key(other)
    assert collision_key("리나") != collision_key("리노")
    assert path_key("Scenes/SCN_010") == path_key("scenes/scn_010") != path_key("scenes/scn/010")


@MANY
@given(owners())
def test_a_context_holds_safe_parts_and_making_it_again_changes_nothing(names: NameContext) -> None:
    assert NameContext(**names.parts()) == names
    assert names.but() == names


def test_what_is_no_text_is_brought_into_range() -> None:
    names = NameContext(ext=".TAR.gz/../x", version=-3)
    assert (names.ext, names.version) == ("targzx", 0)
    assert NameContext(ext="한글").ext == ""
    assert NameContext(version=10**30).version == 999_999_999
