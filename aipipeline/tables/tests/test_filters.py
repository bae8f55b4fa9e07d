"""Filters and searches mean the same here and in the browser: both read `filter_cases.json`."""

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from aipipeline.projects.errors import Invalid
from aipipeline.tables.cells import Reader
from aipipeline.tables.columns import Column, ColumnType, Option
from aipipeline.tables.filters import OPS, check_filter, compile_filter, search_test

FIXTURE = json.loads((Path(__file__).parent / "filter_cases.json").read_text(encoding="utf-8"))
COLUMNS = [
    Column(column["name"], column["name"], ColumnType(column["type"]), options=column.get("options", ""))
    for column in FIXTURE["columns"]
]
OPTIONS = {name: [Option(key, label) for key, label in pairs] for name, pairs in FIXTURE["options"].items()}
READER = Reader(OPTIONS, Fraction(FIXTURE["fps"]))


@pytest.mark.parametrize("case", FIXTURE["cases"], ids=lambda case: case["name"])
def test_case(case: dict[str, Any]) -> None:
    if "search" in case:
        test = search_test(case["search"], COLUMNS, READER)
    else:
        test = compile_filter(check_filter(case["filter"], COLUMNS), COLUMNS, READER)
    assert [row["id"] for row in FIXTURE["rows"] if test(row)] == case["ids"]


def test_cases_use_every_operator_of_every_kind_of_operator() -> None:
    used: set[tuple[str, str]] = set()

    def walk(node: Any) -> None:
        for part in (node or {}).get("and", []) + (node or {}).get("or", []):
            walk(part)
        if node and "op" in node:
            used.add((next(str(c.type) for c in COLUMNS if c.name == node["field"]), node["op"]))

    for case in FIXTURE["cases"]:
        walk(case.get("filter"))
    wanted = {op for ops in OPS.values() for op in ops}
    assert wanted == {op for _, op in used}
    assert {str(kind) for kind in OPS} == {kind for kind, _ in used}


@pytest.mark.parametrize(
    "node",
    [
        [],
        {"field": "title"},
        {"field": "title", "op": "lt", "value": 1},
        {"field": "none", "op": "is", "value": 1},
        {"and": [], "or": []},
        {"and": {}},
        {"field": "title", "op": "is", "value": "", "more": 1},
        {"and": [{"and": [{"and": [{"and": [{"and": [{"field": "title", "op": "empty"}]}]}]}]}]},
        {"or": [{"field": "title", "op": "empty"}] * 51},
    ],
)
def test_what_is_not_well_formed_is_refused(node: Any) -> None:
    with pytest.raises(Invalid):
        check_filter(node, COLUMNS)
