"""Names in one cell: written and read without loss, whatever signs they hold."""

import time

import pytest

from aipipeline.tables.cells import joined_names, split_names

NAMES = ["리나", "Kim, Jr.", 'the "Boss"', '"Ace"', "a;b", "셋、넷", "x，y", "두\n줄", '",', '""']


def test_names_come_back_as_they_were() -> None:
    assert split_names(joined_names(NAMES)) == NAMES
    for name in NAMES:
        assert split_names(joined_names([name])) == [name]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("리나, 민준;하린、소라，유리\n도윤", ["리나", "민준", "하린", "소라", "유리", "도윤"]),
        (' "Kim, Jr." , 리나', ["Kim, Jr.", "리나"]),
        ('the "Boss", 리나', ['the "Boss"', "리나"]),
        ('"Boss" Kim, 리나', ['"Boss" Kim', "리나"]),
        ('"open, 리나', ['"open', "리나"]),
        (", ,;", []),
        ("", []),
    ],
)
def test_names_are_split_as_people_write_them(text: str, names: list[str]) -> None:
    assert split_names(text) == names


def test_the_longest_cell_is_split_at_once() -> None:
    start = time.monotonic()
    for sign in (",", "\n", '"', '",', " ", '"\n'):
        split_names(sign * (32_000 // len(sign)))
    assert time.monotonic() - start < 2
