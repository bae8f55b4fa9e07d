"""Translations stand in the project's file: they belong to texts, wherever these are written."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from aipipeline.projects.models import Project
from assets.facts import Form, save_all
from assets.rebuilding import Entry, Rebuild, short
from shots.models import Translation
from shots.prompts.language import text_hash

# The key of a text follows from the text.
TRANSLATION = Form(Translation, leave=frozenset({"text_hash"}))


def describe_translations(rows: list[Project]) -> Mapping[Any, Mapping[str, Any]]:
    return {row.pk: {"translations": _of(row)} for row in rows}


def _of(project: Project) -> list[dict[str, Any]]:
    rows = TRANSLATION.rows(Translation.objects.filter(project=project)).order_by("id")
    return [TRANSLATION.facts(row) for row in rows]


def restore_translations(rebuild: Rebuild, entries: list[Entry]) -> None:
    for entry in entries:
        rows: dict[tuple[str, str], Translation] = {}
        for where, facts in rebuild.objects(entry.facts, "translations", entry.where):
            row: Translation | None = TRANSLATION.make(rebuild, where, facts)
            if row is None:
                continue
            row.text_hash = text_hash(row.text)
            if (row.target, row.text_hash) in rows:
                rebuild.problem(where, _("%(name)s is there twice") % {"name": short(row.text)})
                continue
            rows[row.target, row.text_hash] = row
        save_all(rows.values())
