"""The tags and filters that pages use to show time, sizes, people and states."""

from fractions import Fraction
from types import SimpleNamespace

import pytest
from django.template import Context, Template
from django.test import RequestFactory
from django.utils import translation

from aipipeline.projects.frames import frames_to_timecode
from aipipeline.ui.templatetags import ui


def render(source: str, **context: object) -> str:
    with translation.override("en"):
        return Template("{% load ui %}" + source).render(Context(context)).strip()


@pytest.mark.parametrize(
    ("frames", "fps", "text"),
    [
        (0, Fraction(24), "00:00:00:00"),
        (23, Fraction(24), "00:00:00:23"),
        (24 * 3600 + 5, Fraction(24), "01:00:00:05"),
        (24, Fraction(24000, 1001), "00:00:01:00"),
        (1800, Fraction(30000, 1001), "00:01:00:00"),
        (-1, Fraction(25), "-00:00:00:01"),
    ],
)
def test_timecode_counts_at_the_rounded_rate(frames: int, fps: Fraction, text: str) -> None:
    assert frames_to_timecode(frames, fps) == text


def test_timecode_adds_the_start_of_the_edit_and_is_empty_without_a_value() -> None:
    assert render('{% timecode 12 "24" 86400 %}') == "01:00:00:12"
    assert render('{% timecode nothing "24" %}', nothing=None) == ""


@pytest.mark.parametrize(
    ("frames", "fps", "text"),
    [(72, "24", "3.0s"), (12, "24", "0.5s"), (24 * 125, "24", "2:05"), (24, "24000/1001", "1.0s")],
)
def test_duration_reads_like_a_length(frames: int, fps: str, text: str) -> None:
    assert ui.duration(frames, fps) == text


@pytest.mark.parametrize(
    ("size", "text"),
    [(0, "0 B"), (999, "999 B"), (1500, "1.5 kB"), (250_000_000, "250 MB"), (3 * 10**12, "3.0 TB")],
)
def test_file_sizes(size: int, text: str) -> None:
    assert ui.filesize(size) == text


@pytest.mark.parametrize(("seconds", "text"), [(0, "0s"), (59.4, "59s"), (125, "2:05"), (3725, "1:02:05"), (None, "")])
def test_elapsed_time(seconds: float | None, text: str) -> None:
    assert ui.elapsed(seconds) == text


@pytest.mark.parametrize(
    ("name", "text"), [("김하린", "김"), ("Ada Kim", "AK"), ("bo", "B"), ("render_bot", "RB"), ("", "?")]
)
def test_initials_of_korean_and_other_names(name: str, text: str) -> None:
    assert ui.initials(name) == text


def test_status_tag_carries_the_state_for_the_style_and_a_word_for_people() -> None:
    html = render('{% status_tag "review" %}')
    assert 'data-status="review"' in html
    assert "In review" in html


def test_names_are_escaped_wherever_they_are_shown() -> None:
    html = render("{% avatar person %}", person="<script>alert(1)</script>")
    assert "<script>" not in html


def test_ring_stays_between_empty_and_full() -> None:
    assert 'stroke-dasharray="100 100"' in ui.ring(1.7)
    assert 'stroke-dasharray="0 100"' in ui.ring(None)


def test_an_address_that_is_not_installed_is_left_out() -> None:
    assert render('{% maybe_url "nobody:nowhere" %}') == ""


def test_project_pages_are_not_offered_without_a_project() -> None:
    context = Context({"request": RequestFactory().get("/")})
    assert ui.nav(context, "project") == []


@pytest.mark.parametrize(("page", "shown"), [("shots:list", False), ("renders:tree", True), ("mirror:targets", True)])
def test_entries_below_another_show_within_its_family(page: str, shown: bool) -> None:
    request = RequestFactory().get("/")
    request.resolver_match = SimpleNamespace(view_name=page)  # type: ignore[assignment]
    entries = {
        row["key"]: row
        for row in ui.nav(Context({"request": request, "project": SimpleNamespace(code="P")}), "project")
    }
    assert [row["key"] for row in entries.values() if row["current"]] == [
        {"shots:list": "shots", "renders:tree": "tree"}.get(page, "mirror")
    ]
    assert entries["naming"]["hidden"] is entries["mirror"]["hidden"] is not shown
    assert entries["naming"]["shortcut"] == "n"  # the keys lead there from everywhere
    assert not entries["tree"]["hidden"]
