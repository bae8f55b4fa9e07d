"""Metadata files of the production tree: which app contributes what, and how a file is written.

Each app registers exporters: functions that get rows of one kind in bulk and return, by row id, the part of
the file that the app knows. Layers above add to the files of layers below without being imported by them.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from aipipeline.media.files import write_atomic

SCHEMA = 1
Exporter = Callable[[list[Any]], Mapping[Any, Mapping[str, Any]]]
_exporters: dict[str, list[Exporter]] = {}


def register_exporter(kind: str, exporter: Exporter) -> None:
    """`kind`: project, scene, shot, character or environment."""
    _exporters.setdefault(kind, []).append(exporter)


def describe(kind: str, rows: Iterable[Any]) -> dict[Any, dict[str, Any]]:
    """Everything that the apps know of these rows, by row id, in a constant number of queries."""
    found = list(rows)
    facts: dict[Any, dict[str, Any]] = {row.pk: {"schema": SCHEMA, "kind": kind} for row in found}
    for exporter in _exporters.get(kind, []):
        for pk, part in exporter(found).items():
            facts[pk].update(part)
    return facts


def write_metadata(path: Path, facts: Mapping[str, Any]) -> bool:
    """Write one metadata file atomically; False (and nothing written) when it says the same already."""
    text = json.dumps(facts, ensure_ascii=False, indent=2, sort_keys=True, default=str) + "\n"
    if path.is_file() and path.read_bytes() == text.encode():
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomic(path, text)
    return True
