"""What the import page says of a sheet's texts."""

from fractions import Fraction

import pytest

from aipipeline.tables.columns import Column, ColumnType, Option
from aipipeline.tables.sheets.shown import Words

COLUMNS = (
    Column("scene", "Scene", ColumnType.REFERENCE, options="scenes"),
    Column("size", "Size", ColumnType.CHOICE, options="sizes"),
    Column("length", "Length", ColumnType.DURATION),
    Column("description", "Description", ColumnType.LONG_TEXT),
    Column("custom.take", "Take", ColumnType.CHOICE, options="takes"),
)
OPTIONS = {
    "scenes": [Option(7, "SCN_010", "INT. 카페 - 낮"), Option(8, "SCN_020")],
    "sizes": [Option("CU", "클로즈업", "CU")],
    "takes": [Option("a1", "CU")],
}


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("scene", "SCN_010", "SCN_010 · INT. 카페 - 낮"),
        ("scene", "SCN_020", "SCN_020"),
        ("scene", "SCN_990", "SCN_990"),
        ("size", "CU", "클로즈업"),
        ("size", "가까이", "가까이"),
        ("length", "168", "00:00:07:00"),
        ("length", "7s", "7s"),
        ("length", "", ""),
        ("description", "CU", "CU"),
        ("custom.take", "CU", "CU"),
        ("unknown", "168", "168"),
    ],
)
def test_texts_are_said_as_the_grid_says_them(name: str, text: str, said: str) -> None:
    assert Words(COLUMNS, OPTIONS, Fraction(24)).say(name, text) == said
