"""Folders page by page, in the order in which people count: SHT_0020 before SHT_0100, folders before files."""

import re
import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from django.utils.translation import gettext as _

from aipipeline.media.patience import within
from aipipeline.media.rooted import Entry, Rooted, RootGone
from aipipeline.projects.errors import Invalid, NotFound
from aipipeline.projects.models import Project

T = TypeVar("T")
PAGE = 200
MOST_PAGE = 500
# More names than this in one folder are not looked at: no production makes them, and memory stays bounded.
MOST_NAMES = 50_000
_DIGITS = re.compile(r"(\d+)", re.ASCII)
Key = tuple[int, tuple[tuple[int, int, str], ...], str]


@dataclass(frozen=True)
class Listed:
    """One page of a folder. `start`: how many come before it; `cut`: the folder holds more names than are looked at."""

    parts: tuple[str, ...]
    entries: list[Entry]
    start: int
    total: int
    cut: bool = False

    @property
    def path(self) -> str:
        return "/".join(self.parts)

    @property
    def end(self) -> int:
        """How many come before the next page."""
        return min(self.total, self.start + len(self.entries))

    @property
    def before(self) -> str:
        """The cursor of the page before, "" when this is the first."""
        return f"before/{cursor_of(self.entries[0])}" if self.start and self.entries else ""

    @property
    def after(self) -> str:
        """The cursor of the page after, "" when this is the last."""
        return f"after/{cursor_of(self.entries[-1])}" if self.entries and self.end < self.total else ""


def on_disk(project: Project, work: Callable[[], T], seconds: float | None = None) -> T:
    """Look at the disk without hanging (`within`). NotFound while the production has no folder, before its confirm."""
    try:
        return within(project.root, work, seconds)
    except RootGone as error:
        if project.confirmed_at is not None:
            raise
        raise NotFound(_("There is no production tree yet")) from error


def cursor_of(entry: Entry) -> str:
    return f"{'d' if entry.kind == 'folder' else 'f'}/{entry.name}"


def sort_key(entry: Entry) -> Key:
    return _key(entry.kind == "folder", entry.name)


def _key(folder: bool, name: str) -> Key:
    text = unicodedata.normalize("NFC", name).casefold()
    pieces = tuple(
        (0, int(piece[:18]), piece) if piece.isdecimal() and piece.isascii() else (1, 0, piece)
        for piece in _DIGITS.split(text)
        if piece
    )
    return (0 if folder else 1, pieces, name)


def list_folder(
    rooted: Rooted, parts: tuple[str, ...], *, cursor: str = "", around: str = "", size: int = PAGE
) -> Listed:
    """A page of the folder: the one at the cursor, or the one that holds the name `around`, else the first.

    A cursor stays right while names come and go. Invalid for one that was not made here.
    """
    names, cut = rooted.names(parts, MOST_NAMES)
    names.sort(key=sort_key)
    start = _start(names, cursor, around, size)
    chosen = rooted.look(parts, names[start : start + size])
    return Listed(parts, chosen, start, len(names), cut)


def _start(names: list[Entry], cursor: str, around: str, size: int) -> int:
    if around:
        place = next((n for n, entry in enumerate(names) if entry.name == around), 0)
        return place // size * size
    if not cursor:
        return 0
    match = re.fullmatch(r"(before|after)/([df])/([^/]+)", cursor, re.DOTALL)
    if match is None:
        raise Invalid(_("This cursor names no place in the folder."), fields={"cursor": [_("unknown")]})
    way, kind, name = match.groups()
    key = _key(kind == "d", name)
    if way == "after":
        return bisect_right(names, key, key=sort_key)
    return max(0, bisect_left(names, key, key=sort_key) - size)


def list_chain(rooted: Rooted, parts: tuple[str, ...], size: int = PAGE) -> list[Listed]:
    """The pages from the root down to a folder or file, each the one that the next name is on."""
    levels = []
    folder = parts if not parts or rooted.entry(parts).kind == "folder" else parts[:-1]
    for depth in range(len(folder) + 1):
        around = parts[depth] if depth < len(parts) else ""
        levels.append(list_folder(rooted, parts[:depth], around=around, size=size))
    return levels
