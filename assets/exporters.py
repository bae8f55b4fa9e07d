"""What the library and the layers below it know of each row, for the metadata files of the production tree.

The project, its people, its own columns and notes belong to layers that cannot import the registry: the lowest app
that can tells of them.
"""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from aipipeline.projects.models import Membership, Project
from aipipeline.tables.models import CustomColumn, SheetMapping
from assets.cells import CellReader, cells_told
from assets.facts import Form, in_order, save_all
from assets.metadata import register_part
from assets.models import Character, CinematicPreset, Environment, LoRA
from assets.rebuilding import Entry, Rebuild, short
from assets.remarks import restore_notes, rows_with_notes

Facts = Mapping[Any, Mapping[str, Any]]
# Where the tree lies is no fact of the tree: it may have been moved to another machine.
PROJECT = Form(Project, leave=frozenset({"storage_root", "code"}))
MEMBER = Form(Membership, names={"user": "username"})
COLUMN = Form(CustomColumn)
MAPPING = Form(SheetMapping)
LORA = Form(LoRA)
PRESET = Form(CinematicPreset, leave=frozenset({"custom"}))
CHARACTER = Form(Character, names={"lora": "name"}, leave=frozenset({"custom"}))
ENVIRONMENT = Form(Environment, leave=frozenset({"custom"}))


def register() -> None:
    register_part("project", _projects, _restore_projects)
    register_part("character", _characters, _restore_characters)
    register_part("environment", _environments, _restore_environments)


def _projects(rows: list[Project]) -> Facts:
    return {row.pk: _project(row) for row in rows}


def _project(project: Project) -> dict[str, Any]:
    mine = {"project": project}
    members = MEMBER.rows(Membership.objects.filter(**mine)).order_by("user__username")
    presets = list(CinematicPreset.objects.filter(**mine).order_by("id"))
    cells = cells_told(project.pk, "presets", presets)
    return {
        **PROJECT.facts(Project.objects.get(pk=project.pk)),
        "code": project.code,
        "members": [{**MEMBER.facts(row), "display_name": row.user.display_name} for row in members],
        "columns": [COLUMN.facts(row) for row in CustomColumn.objects.filter(**mine).order_by("id")],
        "sheet_mappings": [MAPPING.facts(row) for row in SheetMapping.objects.filter(**mine).order_by("id")],
        "loras": [LORA.facts(row) for row in LoRA.objects.filter(**mine).order_by("id")],
        "presets": [{**PRESET.facts(row), **cells[row.pk]} for row in presets],
    }


def _restore_projects(rebuild: Rebuild, entries: list[Entry]) -> None:
    for entry in entries:
        made = PROJECT.make(rebuild, entry.where, entry.facts, code=rebuild.code, storage_root=rebuild.storage_root)
        if made is None:
            return
        (entry.row,) = save_all([made])
        rebuild.project = entry.row
        _restore_members(rebuild, entry)
        for name, form in (("columns", COLUMN), ("sheet_mappings", MAPPING)):
            rows = [
                form.make(rebuild, where, facts) for where, facts in rebuild.objects(entry.facts, name, entry.where)
            ]
            save_all(_once(rebuild, entry, name, rows))
        _restore_named(rebuild, entry, "loras", LORA)
        _restore_named(rebuild, entry, "presets", PRESET, "presets")


def _restore_members(rebuild: Rebuild, entry: Entry) -> None:
    members = list(rebuild.objects(entry.facts, "members", entry.where))
    for _where, facts in members:
        if isinstance(facts.get("user"), str) and isinstance(facts.get("display_name"), str):
            rebuild.names[facts["user"]] = facts["display_name"][:80]
    rows: dict[int, Membership] = {}
    for where, facts in members:
        row = MEMBER.make(rebuild, where, facts)
        if row is not None and row.user_id in rows:
            rebuild.problem(where, _("%(name)s is there twice") % {"name": short(facts["user"])})
        elif row is not None:
            rows[row.user_id] = row
    save_all(rows.values())


def _once(rebuild: Rebuild, entry: Entry, name: str, rows: list[Any]) -> list[Any]:
    """Without the ones that could not be read, and without a second column of one key."""
    found: dict[Any, Any] = {}
    for number, row in enumerate(rows):
        key = (row.table, row.key) if isinstance(row, CustomColumn) else number
        if row is not None and key in found:
            rebuild.problem(f"{entry.where}: {name}[{number}]", _("%(name)s is there twice") % {"name": key})
        elif row is not None:
            found[key] = row
    return list(found.values())


def _restore_named(rebuild: Rebuild, entry: Entry, name: str, form: Form, table: str = "") -> None:
    """Rows that are known by their names, inside the project's file."""
    reader = CellReader(rebuild, table) if table else None
    rows: dict[str, Any] = {}
    for where, facts in rebuild.objects(entry.facts, name, entry.where):
        row = form.make(rebuild, where, facts)
        if row is None:
            continue
        if reader is not None:
            row.custom = reader.read(facts, where)
        if row.name in rows:
            rebuild.problem(where, _("%(name)s is there twice") % {"name": short(row.name)})
        rows[row.name] = row
    save_all(rows.values())
    rebuild.keep(rows)


def _characters(rows: list[Character]) -> Facts:
    full = CHARACTER.rows(Character.objects.filter(pk__in=[row.pk for row in rows]))
    return _library(Character, CHARACTER, list(full), "characters")


def _environments(rows: list[Environment]) -> Facts:
    full = Environment.objects.filter(pk__in=[row.pk for row in rows])
    return _library(Environment, ENVIRONMENT, list(full), "environments")


def _library(model: type[Any], form: Form, rows: list[Any], table: str) -> Facts:
    cells = cells_told(rows[0].project_id, table, rows) if rows else {}
    notes = rows_with_notes(model, rows)
    return {row.pk: {**form.facts(row), **cells[row.pk], **notes[row.pk]} for row in rows}


def _restore_characters(rebuild: Rebuild, entries: list[Entry]) -> None:
    restore_rows(rebuild, entries, CHARACTER, "name", "characters")


def _restore_environments(rebuild: Rebuild, entries: list[Entry]) -> None:
    restore_rows(rebuild, entries, ENVIRONMENT, "name", "environments")


def restore_rows(rebuild: Rebuild, entries: list[Entry], form: Form, key: str, table: str = "", **given: Any) -> None:
    """Rows that have a file each, known by their name or code, with their cells and notes."""
    reader = CellReader(rebuild, table) if table else None
    rows: dict[str, Any] = {}
    places: dict[str, str] = {}
    for entry in in_order(entries):
        row = form.make(rebuild, entry.where, entry.facts, **given)
        if row is None:
            continue
        if reader is not None:
            row.custom = reader.read(entry.facts, entry.where)
        name = getattr(row, key)
        if name in rows:
            what = {"name": short(name), "other": places[name]}
            rebuild.problem(
                entry.where,
                _("%(name)s is in %(other)s too; a copied folder? Take one of the two out of the tree") % what,
            )
            continue
        rows[name], places[name], entry.row = row, entry.where, row
    save_all(rows.values())
    rebuild.keep(rows)
    restore_notes(rebuild, [(entry.where, entry.row, entry.facts) for entry in entries if entry.row is not None])
