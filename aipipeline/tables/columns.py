"""A column of a table: what its cells hold, how wide it is, who may write it. Declared once, used everywhere."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

CUSTOM = "custom."


class ColumnType(StrEnum):
    """What a cell holds, as JSON: see `Column`."""

    TEXT = "text"
    LONG_TEXT = "long_text"
    LINK = "link"
    NUMBER = "number"
    DURATION = "duration"
    CHOICE = "choice"
    STATUS = "status"
    TICK = "tick"
    DATE = "date"
    PERSON = "person"
    REFERENCE = "reference"
    REFERENCES = "references"
    IMAGE = "image"
    CODE = "code"


TEXTS = frozenset({ColumnType.TEXT, ColumnType.LONG_TEXT, ColumnType.LINK, ColumnType.CODE})
NUMBERS = frozenset({ColumnType.NUMBER, ColumnType.DURATION})
ONE_OF = frozenset({ColumnType.CHOICE, ColumnType.STATUS, ColumnType.PERSON, ColumnType.REFERENCE})


@dataclass(frozen=True)
class Column:
    """One column. Cells are JSON: texts are strings ("" when empty), numbers numbers or null, durations whole frames,
    choices and statuses keys, ticks true, false or null, dates "2026-11-25" or null, persons and references ids or
    null, references a list of ids, images an address or null.

    `options` names the list that the cell's keys or ids come from. `source` is the model's column that holds the value;
    "" when a provider of the table reads it. `aliases` are words by which foreign sheets call it.
    """

    name: str
    label: Any
    type: ColumnType
    width: int = 120
    editable: bool = True
    options: str = ""
    source: str | None = None
    required: bool = False
    nullable: bool = True
    max_length: int | None = None
    minimum: float | None = None
    maximum: float | None = None
    whole: bool = True
    hidden: bool = False
    help: Any = ""
    aliases: Sequence[str] = field(default_factory=tuple)

    @property
    def custom(self) -> bool:
        """True for a column that a project added."""
        return self.name.startswith(CUSTOM)

    @property
    def path(self) -> str:
        """The model's column that holds the value; "" when a provider reads it."""
        if self.source is not None:
            return self.source
        return f"{self.name}_id" if self.type in (ColumnType.REFERENCE, ColumnType.PERSON) else self.name

    @property
    def empty(self) -> Any:
        """The value of a cell that holds nothing."""
        return [] if self.type == ColumnType.REFERENCES else "" if self.type in TEXTS else None

    def as_json(self, own_label: str = "") -> dict[str, Any]:
        """What the browser needs to show and edit it."""
        return {
            "name": self.name,
            "label": str(self.label),
            "own_label": own_label or None,
            "type": str(self.type),
            "width": self.width,
            "editable": self.editable,
            "options": self.options,
            "required": self.required,
            "nullable": self.nullable,
            "max_length": self.max_length,
            "minimum": self.minimum,
            "maximum": self.maximum,
            "hidden": self.hidden,
            "custom": self.custom,
            "help": str(self.help),
        }


@dataclass(frozen=True)
class Option:
    """One of the values that a choice or reference may take. `id` is the key or the row's id."""

    id: Any
    label: str
    hint: str = ""
    color: str = ""

    def as_json(self) -> dict[str, Any]:
        return {"id": self.id, "label": self.label, "hint": self.hint, "color": self.color}


Options = dict[str, list[Option]]
