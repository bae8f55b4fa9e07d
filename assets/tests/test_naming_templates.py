"""The template language: what it makes, what it refuses and where, and that every filesystem takes the result."""

import datetime
from pathlib import Path, PurePosixPath
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assets.naming import (
    DEFAULTS,
    MAX_PART_BYTES,
    NameContext,
    NamingTemplates,
    TemplateError,
    compile_template,
    parse_template,
    path_key,
)
from assets.naming.words import fold
from assets.tests.names import FEW, MANY, WORDS, owners, published, templates, windows_takes

FULL = NameContext(
    project="Prj", scene="SCN_010", shot="SHT_0010", kind="render", version=7, artist="kim", ext="mp4",
    date=datetime.date(2026, 11, 25), comment="first",
)  # fmt: skip
BARE = FULL.but(comment="", artist="")


@pytest.mark.parametrize(
    ("source", "names", "text"),
    [
        ("{project}_{shot}", FULL, "Prj_SHT_0010"),
        ("{project:upper}_{project:lower}_{project}", FULL, "PRJ_prj_Prj"),
        ("{version}-{version:02}-{version:05}-{version:upper}", FULL, "v007-v07-v00007-V007"),
        ("{version}", FULL.but(version=12345), "v12345"),
        ("{date}", FULL, "20261125"),
        ("{date}", FULL.but(date=datetime.date(7, 1, 2)), "00070102"),
        ("{date}", FULL.but(date=datetime.datetime(2026, 1, 2, 3, 4)), "20260102"),
        ("a<_{comment}>b", FULL, "a_firstb"),
        ("a<_{comment}>b", BARE, "ab"),
        ("a<_{comment}<-{artist}>>b", FULL, "a_first-kimb"),
        ("a<_{comment}<-{artist}>>b", BARE.but(artist="kim"), "a_-kimb"),
        ("a<_{comment}<-{artist}>>b", BARE.but(comment="x"), "a_xb"),
        ("a<_{comment}<-{artist}>>b", BARE, "ab"),
        ("<{comment}{artist}>{ext}", BARE, "mp4"),
        ("샷_{shot}_최종", FULL, "샷_SHT_0010_최종"),
        ("7{version}7", FULL, "7v0077"),
        ("{shot}.{ext}", BARE.but(ext=""), "SHT_0010"),
        ("CO{kind}", FULL.but(kind="n"), "_COn"),
    ],
)
def test_what_a_template_makes(source: str, names: NameContext, text: str) -> None:
    assert parse_template(source).format(names) == text


@pytest.mark.parametrize(
    ("code", "padded"),
    [
        ("SHT_0010", "010"), ("SHT_10", "010"), ("7", "007"), ("A-10B", "010B"), ("010A", "010A"),
        ("SHT_0010_alt", "010_alt"), ("SCN_2_SHT_0030", "030"), ("SHT_12345", "12345"), ("0000", "000"),
        ("opening", "opening"),
        ("샷 7번", "007번"), ("１０", "１０"),
    ],
)  # fmt: skip
def test_the_number_in_a_code_is_padded_and_a_code_without_one_stays(code: str, padded: str) -> None:
    assert parse_template("{shot:03}").format(NameContext(shot=code)) == padded


@pytest.mark.parametrize(
    ("name", "source", "place", "says"),
    [
        ("shot", "scenes/{shto}", 7, "{shot}"),
        ("shot", "scenes/{Shot}", 7, "{shot}"),
        ("shot", "{qqqq}", 0, "{project} {scene} {shot}"),
        ("shot", "a{}", 1, "There is no token {}"),
        ("shot", "{character}", 0, "no place here"),
        ("scene", "{scene}/{shot}", 8, "no place here"),
        ("version", "{kind}/{version}.{ext}", 17, "no place here"),
        ("shot", "{shot:3}", 0, ":03"),
        ("shot", "{shot:title}", 0, ":upper"),
        ("shot", "{shot:{scene}}", 0, "not closed"),
        ("file", "{date:03}.{ext}", 0, "nothing after a colon"),
        ("shot", "{shot", 0, "} is missing"),
        ("shot", "shot}", 4, "closes nothing"),
        ("shot", "a/<{shot}", 2, "> is missing"),
        ("shot", "a>{shot}", 1, "closes nothing"),
        ("shot", "<a>{shot}", 0, "needs a token"),
        ("shot", "<<<<{shot}>>>>", 3, "too deep"),
        ("shot", "", None, "empty"),
        ("shot", "  ", None, "empty"),
        ("shot", "x" * 201, 200, "at most 200"),
        ("shot", "{shot}" * 13, None, "at most 12"),
        ("shot", "/etc/{shot}", 0, "first /"),
        ("shot", "C:/x/{shot}", 0, "drive"),
        ("shot", "a\\{shot}", 1, "Write /"),
        ("shot", "../{shot}", 0, "stays in the project"),
        ("shot", "a/../{shot}", 2, "stays in the project"),
        ("shot", "./{shot}", 0, "stays in the project"),
        ("shot", "a//{shot}", 2, "without a name"),
        ("shot", "{shot}/", 6, "without a name"),
        ("shot", "<{scene}>/{shot}", None, "without a name"),
        ("shot", "a\x00{shot}", 1, "U+0000"),
        ("shot", "a\n{shot}", 1, "U+000A"),
        ("shot", "\ud800{shot}", 0, "U+D800"),
        ("shot", "a\u200b{shot}", 1, "U+200B"),
        ("shot", "\u202e{shot}", 0, "U+202E"),
        ("shot", "{shot}\u0301", 6, "hangs on"),
        ("shot", "{shot}?", 6, "Windows refuses ?"),
        ("shot", "a:{shot}", 0, "drive"),
        ("shot", "ab:{shot}", 2, "Windows refuses :"),
        ("shot", "CON/{shot}", 0, "device"),
        ("shot", "com1.x/{shot}", 0, "device"),
        ("shot", ".hidden/{shot}", 0, "hidden"),
        ("shot", " a/{shot}", 0, "hidden"),
        ("shot", "a./{shot}", 0, "loses it on Windows"),
        ("shot", "a /{shot}", 0, "loses it on Windows"),
        ("shot", "{shot}.", None, "loses it on Windows"),
        ("shot", "{shot}<.{scene}>.", None, "loses it on Windows"),
        ("file", "a/{shot}.{ext}", 1, "no folder"),
    ],
)
def test_a_broken_template_is_refused_with_its_place(name: str, source: str, place: int | None, says: str) -> None:
    with pytest.raises(TemplateError) as caught:
        compile_template(name, source)
    assert says in caught.value.message
    assert caught.value.place == place


def test_defaults_lay_the_tree_out_as_documented() -> None:
    naming = NamingTemplates.of()
    assert naming.sources() == DEFAULTS
    assert naming.folder("scene", FULL) == PurePosixPath("scenes/SCN_010")
    assert naming.folder("shot", FULL) == PurePosixPath("scenes/SCN_010/shots/SHT_0010")
    assert naming.folder("shot", FULL.but(scene="")) == PurePosixPath("scenes/SCN_000/shots/SHT_0010")
    assert naming.folder("character", NameContext(character="리나", unique="7")).name == "CHR_리나_7"
    assert naming.folder("environment", NameContext(environment="부두")).name == "ENV_부두"
    assert naming.version(FULL) == PurePosixPath("render/v007")
    assert naming.file(FULL) == "Prj_SCN_010_SHT_0010_render_v007_first.mp4"
    assert naming.file(BARE.but(scene="")) == "Prj_SHT_0010_render_v007.mp4"


@pytest.mark.parametrize(
    "saved", [None, [], "x", {"shot": 5}, {"shot": ""}, {"shot": "../{shot}"}, {"bogus": "x"}, {5: 5}]
)
def test_what_was_saved_broken_falls_back_to_the_default(saved: Any) -> None:
    assert NamingTemplates.of(saved).sources() == DEFAULTS


def test_a_saved_template_stands_beside_the_defaults() -> None:
    naming = NamingTemplates.of({"shot": "shots/{shot:03}", "scene": "{broken"})
    assert naming.folder("shot", FULL) == PurePosixPath("shots/010")
    assert naming.by_name["scene"].source == DEFAULTS["scene"]


_PARTS = st.lists(
    st.one_of(
        st.sampled_from(["scenes", "샷", "a b", "x.y", "COM", "con", "v"]),
        templates("scene", "shot"),
        templates("shot", "project", joins="_-N1."),
    ),
    min_size=1,
    max_size=4,
)


@MANY
@given(
    published(owners()), _PARTS, templates("shot", "character", "environment", "kind", "version", "comment", "artist")
)
def test_every_filesystem_takes_what_a_template_makes(names: NameContext, parts: list[str], file: str) -> None:
    naming = NamingTemplates.of({"shot": "/".join(parts), "file": f"{file}.{{ext}}"})
    for path in (naming.folder("shot", names), PurePosixPath(naming.file(names)), naming.version(names)):
        assert not path.is_absolute()
        for part in path.parts:
            assert windows_takes(part)
            assert part not in (".", "..")
            assert len(part.encode()) <= MAX_PART_BYTES


def test_hostile_rows_are_written_to_disk_and_found_where_they_are_said_to_be(tmp_path: Path) -> None:
    naming = NamingTemplates.of()
    made: dict[str, Path] = {}
    for word in WORDS:
        for names in (NameContext(scene=word, shot=word), NameContext(character=word), NameContext(environment=word)):
            names = names.but(project="PRJ", kind="render", version=1, ext="png", comment=word)
            folder = tmp_path / naming.folder(names.owner, names) / naming.version(names)
            folder.mkdir(parents=True, exist_ok=True)
            (folder / naming.file(names)).write_text(word[:20], encoding="utf-8", errors="replace")
            made[path_key(folder.relative_to(tmp_path))] = folder / naming.file(names)
    assert all(path.is_file() for path in made.values())
    assert {path.resolve() for path in tmp_path.rglob("*") if path.is_file()} >= set(made.values())


@FEW
@given(st.lists(owners(), min_size=2, max_size=6))
def test_rows_whose_names_differ_have_folders_that_differ(rows: list[NameContext]) -> None:
    naming = NamingTemplates.of({"shot": "{project}/{scene}+/{shot}", "character": "c/{character:upper}_x"})
    seen: dict[str, tuple[str, ...]] = {}
    for names in rows:
        identity = (names.owner, fold(names.scene), fold(getattr(names, names.owner)))
        identity = identity if names.scene or names.owner != "shot" else (names.owner, "scn_000", identity[2])
        key = path_key(naming.folder(names.owner, names))
        assert seen.setdefault(key, identity) == identity


def test_names_too_long_for_one_part_are_shortened_and_stay_apart() -> None:
    naming = NamingTemplates.of()
    names = NameContext(project="PRJ", scene="가" * 40, shot="나" * 40, kind="render", version=1, ext="png")
    one, other = naming.file(names), naming.file(names.but(version=2))
    assert one != other
    assert len(one.encode()) <= MAX_PART_BYTES
    assert one.endswith(".png")
    assert one == naming.file(names)
