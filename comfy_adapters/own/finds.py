"""What detection found, piece by piece: a slot's target, how sure it is, and why."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Sure(StrEnum):
    """How far a find can be trusted: a person wrote it, it follows from the wiring, or it is likely."""

    TOLD = "told"
    TRACED = "traced"
    LIKELY = "likely"


@dataclass(frozen=True)
class Find:
    """One target of a slot. `why` is a sentence for people."""

    slot: str
    node: str
    input: str
    sure: Sure
    why: str
    upload: bool = False
    scale: float = 1.0
    offset: int = 0

    def as_target(self) -> dict[str, Any]:
        """As a slots file has it."""
        target: dict[str, Any] = {"node": self.node, "input": self.input}
        if self.upload:
            target["upload"] = True
        if self.scale != 1.0:
            target["scale"] = self.scale
        if self.offset:
            target["offset"] = self.offset
        return target


@dataclass
class Finds:
    """Finds by slot in the order of their discovery; an input serves one slot, the first that claims it."""

    rows: list[Find] = field(default_factory=list)
    _taken: set[tuple[str, str]] = field(default_factory=set)

    def add(self, find: Find) -> bool:
        """False when the input belongs to another slot already."""
        place = (find.node, find.input)
        if place in self._taken:
            return False
        self._taken.add(place)
        self.rows.append(find)
        return True

    def has(self, slot: str) -> bool:
        return any(find.slot == slot for find in self.rows)

    def of(self, slot: str) -> list[Find]:
        return [find for find in self.rows if find.slot == slot]

    def taken(self, node: str, name: str) -> bool:
        return (node, name) in self._taken

    def by_slot(self) -> dict[str, list[Find]]:
        found: dict[str, list[Find]] = {}
        for find in self.rows:
            found.setdefault(find.slot, []).append(find)
        return found
