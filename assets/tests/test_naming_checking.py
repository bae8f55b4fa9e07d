"""Templates are checked against the project before they are saved: the row that would be hit is named."""

import time

import pytest

from assets.naming import DEFAULTS, NameContext, check_templates


def shot(code: str, scene: str = "SCN_010", **more: str) -> NameContext:
    return NameContext(project="PRJ", scene=scene, shot=code, **more)


ROWS = [
    NameContext(project="PRJ", scene="SCN_010"),
    shot("SHT_0010"),
    shot("SHT_0020"),
    shot("010A", ""),
    NameContext(project="PRJ", character="리나"),
    NameContext(project="PRJ", environment="부두"),
]


def refused(name: str, source: str, rows: list[NameContext] | None = None) -> str:
    checked = check_templates({name: source}, ROWS if rows is None else rows)
    assert list(checked.fields) == [name]
    assert checked.templates.by_name[name].source
    return " ".join(checked.fields[name])


@pytest.mark.parametrize("rows", [[], ROWS])
def test_the_defaults_are_fine_for_an_empty_and_a_full_project(rows: list[NameContext]) -> None:
    checked = check_templates({}, rows)
    assert not checked.fields
    assert not checked.warnings
    assert set(checked.preview) == set(DEFAULTS)
    assert all(1 <= len(found) <= 5 for found in checked.preview.values())
    assert {example.made_up for example in checked.preview["shot"]} == {not rows}


def test_the_place_and_the_nearest_token_are_told() -> None:
    message = refused("shot", "scenes/{scene}/{shto}")
    assert "16" in message
    assert "{shto}" in message
    assert "{shot}" in message


@pytest.mark.parametrize(
    ("name", "source", "rows", "says"),
    [
        ("shot", "scenes/{scene}", ROWS, ("SCN_010", "SHT_0010", "scenes/SCN_010")),
        ("shot", "scenes/{scene}/all", [], ("SHT_0010", "SHT_0020")),
        ("shot", "s/{shot:03}", [shot("A_010"), shot("B_010")], ("A_010", "B_010", "s/010")),
        ("character", "assets/characters/CHR", [], ("Lina", "리나")),
        ("character", "assets/environments/ENV_{character}", [
            NameContext(project="PRJ", character="부두"), NameContext(project="PRJ", environment="부두")], ("부두",)),
        ("version", "{version}", ROWS, ("render v001", "previz v001")),
        ("version", "{kind}", ROWS, ("render v001", "render v002")),
        ("scene", "scenes", ROWS, ("scenes",)),
        ("scene", "assets/{scene}/..", ROWS, ("stays",)),
        ("scene", "edit/{scene}", ROWS, ("edit", "belongs to the program")),
        ("environment", "Export/{environment}", ROWS, ("Export",)),
        ("character", "scenes/SCN_010/{character}", ROWS, ("리나", "inside", "SCN_010")),
        ("environment", "scenes/SCN_010/shots/SHT_0010/{environment}", ROWS, ("부두", "inside", "SCN_010")),
        ("shot", "scenes/SCN_010/{shot}", [*ROWS, shot("SHT_0030", "SCN_020")], ("010A", "inside", "SCN_010")),
        ("shot", "s/" + "{shot}/" * 3 + "x", [shot("x" * 60)], ("200",)),
        ("shot", "s/{shot}{shot}{shot}", [shot("가" * 40)], ("360", "255")),
        ("file", "{kind}_{shot}_{version}", ROWS, (".{ext}",)),
        ("file", "{ext}_{shot}", ROWS, (".{ext}",)),
    ],
)  # fmt: skip
def test_what_would_break_is_refused(name: str, source: str, rows: list[NameContext], says: tuple[str, ...]) -> None:
    message = refused(name, source, rows)
    assert [word for word in says if word not in message] == []


def test_only_what_is_no_template_or_no_text_is_refused_by_name() -> None:
    checked = check_templates({"bogus": "x", "shot": 5, "scene": None, "file": "  "}, ROWS)  # type: ignore[dict-item]
    assert set(checked.fields) == {"bogus", "shot", "scene"}
    assert checked.templates.sources() == DEFAULTS


def test_rows_that_are_one_by_name_are_told_apart_by_the_program_not_by_the_template() -> None:
    rows = [shot("SHT_0010"), shot("sht_0010"), NameContext(character="Lina"), NameContext(character="LINA")]
    assert not check_templates({}, rows).fields


def test_a_project_with_very_long_names_is_warned_but_can_save_its_defaults() -> None:
    checked = check_templates({"version": "{kind}/{version:04}"}, [shot("나" * 40, "가" * 40)])
    assert not checked.fields
    assert any("255" in message for message in checked.warnings["file"])


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("{shot}_{version}.{ext}", "{character} {environment} {kind}"),
        (DEFAULTS["file"].replace("<_{comment}>", "<_{artist}><_{comment}>"), "several ways"),
    ],
)
def test_a_file_name_that_cannot_be_read_back_is_only_warned_of(source: str, says: str) -> None:
    checked = check_templates({"file": source}, ROWS)
    assert not checked.fields
    assert says in " ".join(checked.warnings["file"])


def test_the_preview_shows_the_projects_own_rows_as_the_templates_say() -> None:
    checked = check_templates(
        {"shot": "샷/{shot:03}", "file": "{project}-{shot}<{character}><{environment}>-{kind}-{version}.{ext}"}, ROWS
    )
    assert [(example.of, example.text) for example in checked.preview["shot"]] == [
        ("SHT_0010", "샷/010"),
        ("SHT_0020", "샷/020"),
        ("010A", "샷/010A"),
    ]
    assert checked.preview["file"][0].text == "PRJ-SHT_0010-render-v001.mp4"


def test_ten_thousand_shots_are_checked_within_seconds() -> None:
    rows = [shot(f"SHT_{i * 10:06}", f"SCN_{i // 10:04}") for i in range(10_000)]
    began = time.perf_counter()
    checked = check_templates({"shot": "{scene}/{shot:06}"}, rows)
    assert time.perf_counter() - began < 5
    assert not checked.fields
