"""Metadata files of the production tree: which app knows what of each row, and how it is read back.

Each app registers its part of a kind of file: a function that gets rows in bulk and returns, by row id, what it
knows, and one that makes its rows from that again. Layers above add to the files of layers below without being
imported by them. Facts name other rows by their natural keys (codes, names, user names), so that a file is good
for another database too, and hold no time of writing: nothing changed means nothing to write.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

SCHEMA = 2
Describe = Callable[[list[Any]], Mapping[Any, Mapping[str, Any]]]


@dataclass
class Entry:
    """One metadata file that is read back: its folder relative to the project, its facts, and the row once made."""

    path: str
    facts: dict[str, Any]
    row: Any = None


@dataclass
class Rebuild:
    """A project that is made again from its files. `found` maps kinds to rows by natural key (code or name)."""

    project: Any
    actor: Any
    found: dict[str, dict[str, Any]]
    warnings: list[str]


Restore = Callable[[Rebuild, list[Entry]], None]


@dataclass(frozen=True)
class Part:
    """What one app knows of a kind of file."""

    describe: Describe
    restore: Restore | None


_parts: dict[str, list[Part]] = {}


def register_part(kind: str, describe: Describe, restore: Restore | None = None) -> None:
    """`kind`: project, scenario, scene, shot, character, environment or edit.

    The first part of a kind makes the rows (`Entry.row`); parts are read in the order of registration, which is that
    of the layers.
    """
    _parts.setdefault(kind, []).append(Part(describe, restore))


def parts_of(kind: str) -> list[Part]:
    return list(_parts.get(kind, []))


def describe(kind: str, rows: Iterable[Any]) -> dict[Any, dict[str, Any]]:
    """Everything that the apps know of these rows, by row id, in a constant number of queries."""
    found = list(rows)
    facts: dict[Any, dict[str, Any]] = {row.pk: {"schema": SCHEMA, "kind": kind} for row in found}
    for part in _parts.get(kind, []):
        for pk, known in part.describe(found).items():
            facts[pk].update(known)
    return facts


def encode(facts: Mapping[str, Any]) -> bytes:
    """The bytes of a metadata file: UTF-8 JSON, keys in order, so that equal facts give equal files."""
    return (json.dumps(facts, ensure_ascii=False, indent=2, sort_keys=True, default=str) + "\n").encode()
