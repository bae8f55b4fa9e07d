"""Rules that are read off the tree: file sizes, layers of foreign keys, templates without inline script."""

import re
import subprocess
from pathlib import Path

import pytest
from django.apps import apps

ROOT = Path(__file__).resolve().parents[1]
LAYERS = {
    "events": 0, "projects": 1, "history": 2, "media": 2, "notes": 2, "llm": 2, "ui": 2, "tables": 3,
    "celery_workers": 4, "assets": 5, "shots": 6, "renders": 7, "timeline": 8, "mirror": 8, "comfy_adapters": 8,
    "blender_bridge": 8, "studio": 9,
}  # fmt: skip


def tracked(*patterns: str) -> list[Path]:
    done = subprocess.run(["git", "ls-files", *patterns], cwd=ROOT, capture_output=True, text=True, check=True)
    return [ROOT / line for line in done.stdout.splitlines() if (ROOT / line).is_file()]


def test_no_file_is_longer_than_400_lines() -> None:
    files = [p for p in tracked("*.py", "*.js", "*.css", "*.html") if "migrations" not in p.parts]
    assert files
    assert [p.name for p in files if len(p.read_text(encoding="utf-8").splitlines()) > 400] == []


def test_foreign_keys_point_downwards() -> None:
    for model in apps.get_models():
        label = model._meta.app_label
        if label not in LAYERS:
            continue
        for field in model._meta.get_fields():
            target = getattr(field, "related_model", None)
            if field.concrete and target is not None and target._meta.app_label in LAYERS:
                assert LAYERS[target._meta.app_label] <= LAYERS[label], f"{model.__name__}.{field.name}"


@pytest.mark.parametrize("pattern", [r"<script(?![^>]*\bsrc=)", r"\son[a-z]+=\"", r"\sstyle=\"", r"hx-on", r"//cdn\."])
def test_templates_hold_no_inline_script_or_style(pattern: str) -> None:
    bad = [p.name for p in tracked("templates/**/*.html", "templates/*.html") if re.search(pattern, p.read_text())]
    assert bad == []


def test_nothing_prints() -> None:
    code = [p for p in tracked("*.py") if "tests" not in p.parts and "benchmarks" not in p.parts]
    assert [p.name for p in code if re.search(r"^\s*print\(", p.read_text(), re.MULTILINE)] == []


def test_paths_named_in_the_docs_exist() -> None:
    for page in tracked("docs/*.md", "docs/**/*.md", "README.md"):
        for name in re.findall(r"`([a-z_]+(?:/[a-zA-Z0-9_.-]+)+)`", page.read_text(encoding="utf-8")):
            if not name.startswith(("data/", "static/vendor")):
                assert (ROOT / name).exists(), f"{page.name}: {name}"
