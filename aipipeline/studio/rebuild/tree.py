"""What a tree holds: its metadata files read and checked, and the folders of its versions."""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _

from assets.metadata import KINDS, META_NAMES, SCHEMA, VERSION_FILE
from assets.metadata_files import Unreadable, read_json
from assets.rebuilding import Entry, short

# What a person calls a row of this kind by.
KEYS = {"scene": "code", "shot": "code", "character": "name", "environment": "name"}
OWN = {"project": "", "scenario": "scenario", "edit": "edit"}
MOST_FILES = 500_000


@dataclass
class Tree:
    """A tree as it was read. `entries` by kind; `versions`: folders with a version.json, relative to the root."""

    root: Path
    entries: dict[str, list[Entry]] = field(default_factory=lambda: {kind: [] for kind in KINDS})
    versions: set[str] = field(default_factory=set)
    warnings: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    @property
    def config(self) -> dict[str, Any]:
        return self.entries["project"][0].facts if self.entries["project"] else {}


def read_tree(root: Path) -> Tree:
    """Every metadata file below the root. What cannot be taken is a problem that names the file and the remedy."""
    tree = Tree(root)
    kinds = {name: kind for kind, name in META_NAMES.items()}
    files = 0
    for path, names in _folders(tree, ""):
        if VERSION_FILE in names:
            tree.versions.add(path)
        for name in sorted(names & kinds.keys()):
            files += 1
            if files > MOST_FILES:
                tree.problems.append(_("The tree holds more than %(n)s metadata files.") % {"n": MOST_FILES})
                return tree
            _read(tree, kinds[name], path, f"{path}/{name}" if path else name)
    for kind, path in OWN.items():
        if not tree.entries[kind]:
            name = f"{path}/{META_NAMES[kind]}" if path else META_NAMES[kind]
            tree.problems.append(
                _("%(name)s is missing: the folder is no production tree, or not a whole one. Put the file back.")
                % {"name": name}
            )
    if tree.entries["project"]:
        _add_loose(tree)
    for kind, key in KEYS.items():
        tree.entries[kind] = _without_copies(tree, tree.entries[kind], key)
    return tree


def _folders(tree: Tree, path: str) -> Iterator[tuple[str, set[str]]]:
    """(folder, names of what is in it) from the top; links, hidden folders and what is inside versions left out."""
    waiting = [path]
    while waiting:
        here = waiting.pop()
        names: set[str] = set()
        below = []
        try:
            with os.scandir(tree.root / here) as found:
                for entry in found:
                    # Names that are no UTF-8 are nobody's of this studio.
                    if entry.name.startswith(".") or not _is_text(entry.name):
                        continue
                    where = f"{here}/{entry.name}" if here else entry.name
                    if entry.is_dir(follow_symlinks=False):
                        below.append(where)
                    else:
                        names.add(entry.name)
                        if entry.is_symlink() and entry.is_dir():
                            tree.warnings.append(_("%(path)s is a link; it is not followed") % {"path": where})
        except OSError as error:
            told = {"path": here or ".", "why": error.strerror}
            tree.problems.append(_("%(path)s cannot be read (%(why)s). Let the studio read it.") % told)
            continue
        yield here, names
        if VERSION_FILE not in names:
            waiting += sorted(below, reverse=True)


def _is_text(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _read(tree: Tree, kind: str, path: str, name: str) -> None:
    if kind in OWN and path != OWN[kind]:
        tree.warnings.append(_("%(name)s: of another project, or a copy; it is left out") % {"name": name})
        return
    try:
        facts, digest = read_json(tree.root, name)
    except Unreadable as error:
        tree.problems.append(str(error))
        return
    schema = facts.get("schema")
    if type(schema) is int and 0 < schema < SCHEMA:
        text = _(
            "%(name)s has schema %(schema)s, which does not tell enough. Confirm the project once more with the "
            "database that it is of; then every file has schema %(wanted)s."
        )
    elif type(schema) is int and schema > SCHEMA:
        text = _("%(name)s has schema %(schema)s; this studio knows %(wanted)s. Rebuild it with the newer studio.")
    elif schema != SCHEMA or type(schema) is not int:
        text = _("%(name)s says no schema (%(schema)s); this studio knows %(wanted)s. Put the file back from a copy.")
    elif facts.get("kind") != kind:
        text = _("%(name)s says that it is of the kind %(kind)s. Put the file back from a copy of the tree.")
    else:
        tree.entries[kind].append(Entry(path=path, facts=facts, where=name, digest=digest))
        return
    told = {"name": name, "schema": short(schema), "wanted": SCHEMA, "kind": short(facts.get("kind"))}
    tree.problems.append(text % told)


def _add_loose(tree: Tree) -> None:
    """Rows that had no folder when the project's file was written."""
    entry = tree.entries["project"][0]
    loose = entry.facts.get("without_folder", {})
    if not isinstance(loose, dict):
        tree.problems.append(_("%(name)s: without_folder: an object is needed.") % {"name": entry.where})
        return
    for kind, rows in loose.items():
        place = f"{entry.where}: without_folder.{kind[:40]}"
        if kind not in KEYS:
            tree.problems.append(_("%(name)s: there is no such kind.") % {"name": place})
        elif not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            tree.problems.append(_("%(name)s: a list of objects is needed.") % {"name": place})
        else:
            tree.entries[kind] += [
                Entry(path=None, facts=row, where=f"{place}[{number}]") for number, row in enumerate(rows)
            ]


def _without_copies(tree: Tree, entries: list[Entry], key: str) -> list[Entry]:
    """One file of each row: the one that lies where it says it does, before a folder that somebody copied."""
    groups: dict[str, list[Entry]] = {}
    for entry in entries:
        groups.setdefault(repr(entry.facts.get(key)), []).append(entry)
    kept = []
    for group in groups.values():
        own = [entry for entry in group if entry.path is not None]
        at_home = [entry for entry in own if _place(entry) == entry.path]
        chosen = at_home if len(at_home) == 1 else own or group
        if len(group) > 1 and len(chosen) == 1:
            for entry in group:
                if entry is not chosen[0] and entry.path is not None:
                    told = {"name": entry.where, "other": chosen[0].where}
                    tree.warnings.append(_("%(name)s: a copy of %(other)s; it is left out") % told)
        kept += chosen
    return kept


def _place(entry: Entry) -> Any:
    place = entry.facts.get("place")
    return place.get("path") if isinstance(place, dict) else None
