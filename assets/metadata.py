"""Metadata files of the production tree: which app knows what of each row, and how it is read back.

Each app registers its part of a kind of file: a function that gets rows in bulk and returns, by row id, what it
knows, and one that makes its rows from that again. Layers above add to the files of layers below without being
imported by them. Facts name other rows by their natural keys (codes, names, user names), so that a file is good
for another database too, and hold no time of writing: nothing changed means nothing to write.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from assets.rebuilding import Entry, Rebuild

SCHEMA = 2
# Rows are made in this order, so that whatever a kind names is there already.
KINDS = ("project", "environment", "character", "scenario", "scene", "shot", "edit")
META_NAMES = {
    "project": "project_config.json",
    "scenario": "scenario_meta.json",
    "edit": "timeline_state.json",
    "scene": "scene_meta.json",
    "shot": "shot_meta.json",
    "character": "character_meta.json",
    "environment": "environment_meta.json",
}
# What says that a folder is a version, sealed with its files.
VERSION_FILE = "version.json"
Describe = Callable[[list[Any]], Mapping[Any, Mapping[str, Any]]]
Restore = Callable[[Rebuild, list[Entry]], None]


@dataclass(frozen=True)
class Part:
    """What one app knows of a kind of file."""

    describe: Describe
    restore: Restore | None
    last: bool = False


_ENCODER = json.JSONEncoder(ensure_ascii=False, sort_keys=True, default=str)
_parts: dict[str, list[Part]] = {}


def register_part(kind: str, describe: Describe, restore: Restore | None = None, *, last: bool = False) -> None:
    """`kind`: project, scenario, scene, shot, character, environment or edit.

    The first part of a kind makes the rows (`Entry.row`); parts are read in the order of registration, which is that
    of the layers. `last`: restored after all kinds, for what names rows of kinds that come later.
    """
    _parts.setdefault(kind, []).append(Part(describe, restore, last))


def describe(kind: str, rows: Iterable[Any]) -> dict[Any, dict[str, Any]]:
    """Everything that the apps know of these rows, by row id, in a constant number of queries."""
    found = list(rows)
    facts: dict[Any, dict[str, Any]] = {row.pk: {"schema": SCHEMA, "kind": kind} for row in found}
    if found:
        for part in _parts.get(kind, []):
            for pk, known in part.describe(found).items():
                facts[pk].update(known)
    return facts


def restore(rebuild: Rebuild, entries: Mapping[str, list[Entry]]) -> None:
    """Make the rows of these files, by kind; what is wrong with them is in `rebuild.problems` then."""
    for last in (False, True):
        for kind in KINDS:
            for part in _parts.get(kind, []):
                if part.restore is not None and part.last == last:
                    part.restore(rebuild, entries.get(kind, []))
                    if rebuild.project is None:
                        return


@lru_cache(maxsize=1000)
def _key(name: str) -> str:
    """A thousand files have the same few keys."""
    return _ENCODER.encode(name)


def encode(facts: Mapping[str, Any]) -> bytes:
    """The bytes of a metadata file: UTF-8 JSON, keys in order, so that equal facts give equal files.

    A line for each key, and for each object of a list: people read it, and tools show what changed. (The indenting of
    `json` itself is done in Python, and takes five times as long for a thousand files.)
    """
    lines = []
    for key in sorted(facts):
        value = facts[key]
        if isinstance(value, list) and value and isinstance(value[0], dict):
            value = "[\n    " + ",\n    ".join(map(_ENCODER.encode, value)) + "\n  ]"
        else:
            value = "null" if value is None else _ENCODER.encode(value)
        lines.append(f"  {_key(key)}: {value}")
    return ("{\n" + ",\n".join(lines) + "\n}\n").encode()
