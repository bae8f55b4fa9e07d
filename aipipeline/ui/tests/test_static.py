"""What the pages are made of holds the rules that keep them safe and self-contained."""

import re
from pathlib import Path

import pytest
from django.conf import settings

BASE = Path(settings.BASE_DIR)
TEMPLATES = sorted(path for path in BASE.glob("templates/**/*.html"))
MODULES = sorted(BASE.glob("static/js/*.js"))
STYLES = sorted(BASE.glob("static/css/*.css"))
SPRITE = set(re.findall(r'<symbol id="([\w-]+)"', (BASE / "static/img/icons.svg").read_text()))


def name_of(path: Path) -> str:
    return str(path.relative_to(BASE))


@pytest.mark.parametrize("path", TEMPLATES, ids=name_of)
def test_templates_need_no_exception_from_the_content_policy(path: Path) -> None:
    text = path.read_text()
    tags = re.sub(r"{#.*?#}|{% comment %}.*?{% endcomment %}", "", text, flags=re.DOTALL)
    assert not re.search(r"<style\b", tags)
    assert not re.search(r"<[^>]*\sstyle\s*=", tags)
    assert not re.search(r"<[^>]*\son\w+\s*=", tags)
    assert not re.search(r"hx-on|hx-vals=.js:|hx-trigger=\"[^\"]*\[", tags)
    for script in re.findall(r"<script\b[^>]*>", tags):
        assert "src=" in script or 'type="application/json"' in script
    assert not re.search(r"(src|href)=\"https?://", tags)


@pytest.mark.parametrize("path", TEMPLATES, ids=name_of)
def test_every_icon_that_a_template_names_is_drawn(path: Path) -> None:
    names = set(re.findall(r"{%\s*icon\s+\"([\w-]+)\"", path.read_text()))
    assert names <= SPRITE


@pytest.mark.parametrize("path", [*TEMPLATES, *MODULES, *STYLES], ids=name_of)
def test_files_stay_readable(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 400


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_modules_import_only_what_exists_and_never_evaluate_text(path: Path) -> None:
    text = path.read_text()
    for target in re.findall(r"from \"(\./[\w-]+\.js)\"", text):
        assert (path.parent / target).is_file()
    assert not re.search(r"\beval\(|new Function|innerHTML\s*=|document\.write", text)


def test_every_style_sheet_is_linked_and_layered() -> None:
    linked = (BASE / "templates/ui/_styles.html").read_text()
    admin = [style(None) for style in settings.UNFOLD["STYLES"]]
    for path in STYLES:
        if any(address.endswith(f"css/{path.name}") for address in admin):
            continue  # the admin has a theme and layers of its own
        assert f"css/{path.name}" in linked
        assert "@layer" in path.read_text()
