"""Scenarios: everything but the text in the metadata file, the text as a file beside it that people can read."""

import hashlib
from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from assets.facts import Form, save_all
from assets.metadata_files import Unreadable, read_text
from assets.naming import safe_name
from assets.rebuilding import Entry, Rebuild, short
from shots.models import Folder, FolderKind, Scenario

SCENARIO = Form(Scenario, names={"author": "username"}, leave=frozenset({"text"}))


def describe_scenarios(rows: list[Any]) -> Mapping[Any, Mapping[str, Any]]:
    """By project: its scenarios in the order in which they came; shots name them by this number, from 1."""
    facts: dict[Any, dict[str, Any]] = {row.pk: {"scenarios": []} for row in rows}
    for scenario in SCENARIO.rows(Scenario.objects.filter(project__in=rows)).order_by("id"):
        told = facts[scenario.project_id]["scenarios"]
        number = len(told) + 1
        text = _bytes(scenario)
        told.append(
            {
                **SCENARIO.facts(scenario),
                "number": number,
                "text_file": text_name(scenario, number),
                "text_sha256": hashlib.sha256(text).hexdigest(),
            }
        )
    return facts


def text_name(scenario: Scenario, number: int) -> str:
    """script_01_<title>.txt"""
    title = safe_name(scenario.title or scenario.source_name.rpartition(".")[0] or "script")
    # Cut to whole characters; a name may hold 255 bytes, and the way to it some more.
    return f"script_{number:02d}_{title.encode()[:80].decode(errors='ignore').rstrip(' .')}.txt"


def _bytes(scenario: Scenario) -> bytes:
    return scenario.text.encode()


def scripts_beside(pairs: list[tuple[Folder, Any]]) -> dict[int, dict[str, bytes]]:
    """The texts, by folder id and file name."""
    mine = {row.pk: folder for folder, row in pairs if folder.kind == FolderKind.SCENARIO}
    found: dict[int, dict[str, bytes]] = {folder.pk: {} for folder in mine.values()}
    numbers: dict[int, int] = {}
    for scenario in Scenario.objects.filter(project__in=mine).order_by("id") if mine else ():
        number = numbers[scenario.project_id] = numbers.get(scenario.project_id, 0) + 1
        found[mine[scenario.project_id].pk][text_name(scenario, number)] = _bytes(scenario)
    return found


def numbers_of(project_id: int) -> dict[int, int]:
    """By scenario id its number in the project; one query."""
    ids = Scenario.objects.filter(project=project_id).order_by("id").values_list("id", flat=True)
    return {pk: number for number, pk in enumerate(ids, 1)}


def scenario_numbered(rebuild: Rebuild, entry: Entry) -> Scenario | None:
    number = entry.facts.get("scenario")
    row: Scenario | None = rebuild.named(Scenario._meta.label_lower, number, f"{entry.where}: scenario")
    return row


def restore_scenarios(rebuild: Rebuild, entries: list[Entry]) -> None:
    rows: dict[Any, Scenario] = {}
    for entry in entries:
        entry.row = rebuild.project
        for where, facts in rebuild.objects(entry.facts, "scenarios", entry.where):
            text = _text(rebuild, entry, where, facts)
            row = SCENARIO.make(rebuild, where, facts, text=text)
            if row is not None and facts.get("number") in rows:
                rebuild.problem(where, _("%(name)s is there twice") % {"name": short(facts["number"])})
            elif row is not None and isinstance(facts.get("number"), int):
                rows[facts["number"]] = row
            elif row is not None:
                rebuild.problem(f"{where}: number", _("a whole number is needed"))
    save_all(rows.values())
    rebuild.keep(rows)


def _text(rebuild: Rebuild, entry: Entry, where: str, facts: Mapping[str, Any]) -> str:
    name = facts.get("text_file")
    if not isinstance(name, str) or not name or name != safe_file(name):
        rebuild.problem(f"{where}: text_file", _("%(name)s is no file name") % {"name": short(name)})
        return ""
    try:
        text, digest = read_text(rebuild.root, f"{entry.path}/{name}")
    except Unreadable as error:
        rebuild.problem(where, str(error))
        return ""
    if digest != facts.get("text_sha256"):
        rebuild.warn(where, _("%(name)s was edited by hand; it is taken as it is now") % {"name": name})
    return text


def safe_file(name: str) -> str:
    """The name when it is a plain one inside its folder, else nothing."""
    bad = "/" in name or "\\" in name or "\x00" in name or name in (".", "..")
    return "" if bad else name
