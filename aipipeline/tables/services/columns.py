"""A project's own columns, and its own words for the built-in ones."""

import secrets
from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from aipipeline.history.rows import create_row, remove_rows, update_row
from aipipeline.history.services import lock, recording
from aipipeline.projects.errors import Invalid, NotFound
from aipipeline.projects.models import Project
from aipipeline.tables.columns import CUSTOM, ColumnType
from aipipeline.tables.models import CUSTOM_TYPES, CustomColumn, TableSettings
from aipipeline.tables.registry import Table

MAX_COLUMNS = 60
MAX_CHOICES = 200
MAX_LABEL = 80


def add_column(
    *,
    project: Project,
    table: Table,
    actor: Any,
    label: str,
    type: str,
    choices: Any = None,
    after: str = "",
    tab: str = "",
) -> CustomColumn:
    """A new column of a project, after another of its own or at the end. One undo step. Invalid by field."""
    if type not in CUSTOM_TYPES:
        raise Invalid(
            _("A column's type is one of %(names)s.") % {"names": ", ".join(CUSTOM_TYPES)},
            fields={"type": [_("unknown")]},
        )
    rows = list(CustomColumn.objects.filter(project=project, table=table.key).order_by("position", "id"))
    if sum(row.removed_at is None for row in rows) >= MAX_COLUMNS:
        raise Invalid(_("A table has at most %(n)s columns of a project's own.") % {"n": MAX_COLUMNS})
    previous = next((row for row in rows if after == f"{CUSTOM}{row.key}"), rows[-1] if rows else None)
    # Keys count all columns that ever were: a cell of a removed one must not appear in a new one.
    numbers = [int(row.key[1:]) for row in rows if row.key[1:].isdigit()]
    column = CustomColumn(
        project=project,
        table=table.key,
        key=f"c{max(numbers, default=0) + 1}",
        label=_label(label),
        type=type,
        choices=clean_choices(choices, []) if type == ColumnType.CHOICE else [],
        position=previous.position + 1 if previous else 0,
    )
    return create_row(row=column, actor=actor, tab=tab)


def update_column(
    *, project: Project, table: Table, actor: Any, name: str, fields: Mapping[str, Any], tab: str = ""
) -> None:
    """Rename a column (a built-in one project-wide, "" for its own name), or change the choices of an own one."""
    if not name.startswith(CUSTOM):
        _rename(project, table, actor, name, fields, tab)
        return
    column = _column(project, table, name)
    if unknown := set(fields) - {"label", "choices"}:
        raise Invalid(
            _("Unknown or read-only fields: %(names)s.") % {"names": ", ".join(sorted(unknown))},
            fields={field: [_("unknown or read-only")] for field in unknown},
        )
    values = dict(fields)
    if "label" in values:
        values["label"] = _label(values["label"])
    if "choices" in values:
        if column.type != ColumnType.CHOICE:
            raise Invalid(_("Only a choice has choices."), fields={"choices": [_("not a choice")]})
        values["choices"] = clean_choices(values["choices"], column.choices)
    update_row(row=column, actor=actor, fields=values, known=("label", "choices"), tab=tab)


def remove_column(*, project: Project, table: Table, actor: Any, name: str, tab: str = "") -> None:
    """Take an own column away; its cells stay, and undo brings it back with them."""
    remove_rows(rows=[_column(project, table, name)], actor=actor, tab=tab)


def clean_choices(choices: Any, held: Any) -> list[dict[str, str]]:
    """[{"id"?, "label", "color"?}] with ids for new ones; Invalid when it is anything else."""
    wrong = Invalid(
        _("Choices are a list of at most %(n)s objects with a label.") % {"n": MAX_CHOICES},
        fields={"choices": [_("not a list of choices")]},
    )
    if not isinstance(choices, list) or len(choices) > MAX_CHOICES:
        raise wrong
    known = {choice["id"] for choice in held if isinstance(choice, dict)}
    found: list[dict[str, str]] = []
    for choice in choices:
        if not isinstance(choice, dict) or set(choice) - {"id", "label", "color", "hint"}:
            raise wrong
        label, color = choice.get("label"), choice.get("color", "")
        if not isinstance(label, str) or not label.strip() or len(label) > MAX_LABEL:
            raise wrong
        if not isinstance(color, str) or len(color) > 20:
            raise wrong
        key = choice.get("id")
        if not isinstance(key, str) or key not in known:
            # Never one that was: cells and the history may still hold the id of a choice that went.
            key = f"o{secrets.token_hex(5)}"
        found.append({"id": str(key), "label": label.strip(), "color": color})
    labels = [choice["label"] for choice in found]
    if len(set(labels)) != len(labels) or len({choice["id"] for choice in found}) != len(found):
        raise Invalid(_("Two choices have the same name."), fields={"choices": [_("doubled")]})
    return found


def clean_labels(table: Table, labels: Any) -> dict[str, str]:
    """A project's own words by built-in column; Invalid for unknown columns and for what are no names."""
    if not isinstance(labels, dict) or (unknown := set(labels) - {column.name for column in table.columns}):
        names = ", ".join(sorted(unknown)) if isinstance(labels, dict) else ""
        raise Invalid(
            _("Labels are an object of names by column. Unknown: %(names)s.") % {"names": names[:100]},
            fields={"labels": [_("unknown or read-only")]},
        )
    return {name: _label(label) for name, label in labels.items() if label}


def settings_of(project: Project, table: Table) -> TableSettings | None:
    found: TableSettings | None = TableSettings.objects.live().filter(project=project, table=table.key).first()
    return found


def write_settings(*, project: Project, table: Table, actor: Any, tab: str, **fields: Any) -> None:
    """Set the project's words for columns or its default view, making the row at its first use. One undo step."""
    with recording(project=project, actor=actor, kind="tablesettings.update", tab=tab) as recorder:
        row = lock(TableSettings.objects.filter(project=project, table=table.key)).first()
        if row is None:
            row = recorder.create(TableSettings(project=project, table=table.key))
        elif row.removed_at is not None:
            recorder.restore([row])  # its first use was undone
        recorder.update(row, **fields)


def _rename(project: Project, table: Table, actor: Any, name: str, fields: Mapping[str, Any], tab: str) -> None:
    if table.column(name) is None:
        raise NotFound(_("There is no such column."))
    if set(fields) != {"label"}:
        raise Invalid(_("A built-in column can only be renamed."), fields={"label": [_("required")]})
    label = fields["label"]
    if label not in ("", None):
        label = _label(label)
    row = settings_of(project, table)
    labels = {key: value for key, value in (row.labels if row else {}).items() if key != name}
    write_settings(
        project=project, table=table, actor=actor, tab=tab, labels={**labels, name: label} if label else labels
    )


def _column(project: Project, table: Table, name: str) -> CustomColumn:
    key = name.removeprefix(CUSTOM)
    found: CustomColumn | None = CustomColumn.objects.live().filter(project=project, table=table.key, key=key).first()
    if found is None:
        raise NotFound(_("There is no such column."))
    return found


def _label(label: Any) -> str:
    if not isinstance(label, str) or not label.strip() or len(label) > MAX_LABEL or "\x00" in label:
        raise Invalid(
            _("A column needs a name of at most %(n)s characters.") % {"n": MAX_LABEL},
            fields={"label": [_("required")]},
        )
    return label.strip()
