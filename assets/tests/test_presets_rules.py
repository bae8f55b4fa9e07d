"""What the rules of cinematic presets warn of, and what they leave alone."""

import re
from pathlib import Path

import pytest

from assets import presets_rules
from assets.presets_rules import FIELDS, Level, check, facts_of
from assets.presets_starters import STARTERS, starters
from assets.presets_vocabulary import CAMERAS, LENSES, STOCKS, suggestions


def rules(**values: str) -> list[str]:
    return [warning.rule for warning in check(values)]


@pytest.mark.parametrize(
    ("values", "wanted"),
    [
        ({"camera": "ARRI Alexa 35", "film_stock": "Kodak Vision3 500T 5219"}, ["digital-stock"]),
        ({"camera": "디지털 카메라", "film_stock": "Kodak Vision3 500T"}, ["digital-stock"]),
        ({"camera": "Sony Venice 2", "film_stock": "Kodak 500T LUT"}, []),
        ({"camera": "Arriflex 416", "film_stock": "Kodak Vision3 500T 5219"}, ["stock-gauge"]),
        ({"camera": "Arriflex 416", "film_stock": "Kodak Vision3 500T 7219"}, []),
        ({"camera": "Arricam LT", "film_stock": "Kodak Vision3 500T, 16mm"}, ["stock-gauge"]),
        ({"camera": "16mm 필름 카메라", "film_stock": "CineStill 800T"}, ["stock-gauge"]),
        ({"camera": "Arriflex 765", "film_stock": "Kodak Tri-X Reversal"}, ["stock-gauge"]),
        ({"camera": "Arricam ST"}, ["no-stock"]),
        ({"camera": "ARRI Alexa 65", "lens": "Cooke Anamorphic/i FF 50mm"}, ["anamorphic-camera"]),
        ({"camera": "ARRI Alexa 65", "lens": "아나모픽"}, ["anamorphic-camera"]),
        ({"camera": "ARRI Alexa 65", "lens": "Panavision Ultra Panatar 50mm"}, []),
        ({"camera": "ARRI Alexa Mini LF", "lens": "Cooke S4/i 32mm"}, ["coverage"]),
        ({"camera": "ARRI Alexa 35", "lens": "ARRI Signature Prime 35mm"}, []),
        ({"lens": "Cooke S4/i 33mm"}, ["focal-length"]),
        ({"lens": "cooke s4/i 25, 32, 50mm"}, []),
        ({"lens": "Cooke S4/i 25, 33, 50 mm"}, ["focal-length"]),
        ({"lens": "Angenieux Optimo 24-290mm"}, []),
        ({"lens": "Fujinon Premista 28-100 at 135mm"}, ["focal-length"]),
        ({"film_stock": "Kodak Vision3 500T", "lighting": "Natural daylight"}, ["tungsten-stock"]),
        ({"film_stock": "Kodak Vision3 500T", "lighting": "창가 자연광"}, ["tungsten-stock"]),
        ({"film_stock": "5219", "lighting": "Natural daylight"}, ["tungsten-stock"]),
        ({"film_stock": "Kodak Vision3 500T", "lighting": "Natural daylight", "filters": "85"}, []),
        ({"film_stock": "Kodak Vision3 250D", "lighting": "텅스텐 조명"}, ["daylight-stock"]),
        ({"film_stock": "Kodak Vision3 250D", "lighting": "Tungsten", "filters": "80A"}, []),
        ({"film_stock": "Kodak Double-X", "filters": "1/2 CTO"}, ["bw-colour"]),
        ({"film_stock": "흑백 필름", "filters": "85"}, ["bw-colour"]),
        ({"film_stock": "Kodak Double-X", "filters": "Wratten 25 red"}, []),
        ({"lighting": "밤, 가로등", "filters": "ND 0.6, ND 0.3"}, ["nd-night"]),
        ({"lighting": "Moonlight", "filters": "ND 0.3"}, []),
        ({"lighting": "Hard sunlight", "filters": "ND 0.6, ND 0.9"}, []),
        ({"lighting": "Hard sunlight", "filters": "ND 0.6, ND 0.9, ND 0.3"}, ["nd-stack"]),
        ({"lighting": "Day for night", "filters": "ND 0.6, ND 0.9"}, []),
        ({"film_stock": "Kodak Vision3 50D", "lighting": "night"}, ["slow-stock"]),
        ({"filters": "1/4 CTO, 1/2 CTB"}, ["opposed-filters"]),
        ({"filters": "Black Pro-Mist 1/4, Glimmerglass 1"}, ["diffusion-stack"]),
        ({"camera": "뭔가 이상한 것", "lens": "???", "film_stock": "", "lighting": "💡", "filters": "x" * 5000}, []),
        ({}, []),
    ],
)  # fmt: skip
def test_a_rule_fires_where_it_should_and_nowhere_else(values: dict[str, str], wanted: list[str]) -> None:
    assert rules(**values) == wanted


def test_every_rule_has_words_for_lists() -> None:
    told = set(re.findall(r'^            "([a-z-]+)", Level', Path(presets_rules.__file__).read_text(), re.MULTILINE))
    assert told == set(presets_rules.LABELS)


def test_the_impossible_comes_first_and_each_names_its_fields_and_a_remedy() -> None:
    found = check({"camera": "ARRI Alexa 35", "film_stock": "Kodak Vision3 500T", "lighting": "Natural daylight"})
    assert [warning.level for warning in found] == [Level.IMPOSSIBLE, Level.ODD]
    for warning in found:
        assert set(warning.fields) <= set(FIELDS)
        assert warning.message
        assert warning.remedy
        assert warning.as_json()["level"] == str(warning.level)


def test_every_name_that_is_suggested_is_understood_alone() -> None:
    words = suggestions()
    assert [facts_of({"camera": name}).camera.name for name in words["camera"]] == [c.name for c in CAMERAS]  # type: ignore[union-attr]
    lenses = [facts_of({"lens": name}) for name in words["lens"]]
    assert {f.lens.name for f in lenses if f.lens} == {lens.name for lens in LENSES}
    assert all(f.lens for f in lenses)
    stocks = [facts_of({"film_stock": name}) for name in words["film_stock"]]
    assert {f.stock.name for f in stocks if f.stock} == {stock.name for stock in STOCKS}
    assert all(f.stock and f.gauge_of_stock for f in stocks)
    assert [
        name for field, names in words.items() for name in names if rules(**{field: name}) not in ([], ["no-stock"])
    ] == []


@pytest.mark.parametrize("language", ["ko", "en"])
def test_starters_are_distinct_and_sound(language: str) -> None:
    rows = starters(language)
    assert len({row["name"] for row in rows}) == len(STARTERS) == 12
    assert {row["name"]: rules(**{name: row[name] for name in FIELDS}) for row in rows} == {
        row["name"]: [] for row in rows
    }
