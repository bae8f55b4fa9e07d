"""What a file or a folder is, by its name and place: the templates read backwards.

A name alone is often not enough: `PRJ_A_B_render_v001.png` may be scene A and shot B, or a shot A_B. What exists in
the project (`Known`) decides; padding, case and normalisation of what was typed don't matter then.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

from django.utils.translation import gettext as _

from assets.naming.context import DEFAULT_SCENE, KINDS, NameContext
from assets.naming.matching import IDENTITY, Index, NotRead, Reading, match
from assets.naming.template import Element, Literal, Template
from assets.naming.templates import FOLDERS, NamingTemplates
from assets.naming.words import MAX_PART_BYTES, fold

MAX_TEXT = 4096
_TAIL = re.compile(r"[_.-][vV]([0-9]{1,9})\Z")


class SeveralReadings(NotRead):
    """A text that means more than one thing; `readings` are the contexts (at most about twenty)."""

    def __init__(self, readings: Sequence[NameContext], message: str = "") -> None:
        self.readings = tuple(readings)
        listed = " · ".join(describe(names) for names in self.readings[:5])
        super().__init__(message or _("This can be read in several ways: %(readings)s") % {"readings": listed})


def describe(names: NameContext) -> str:
    """A context in words: `scene SCN_010, shot SHT_0010, kind render, version 3`."""
    words = {
        "project": _("project"), "scene": _("scene"), "shot": _("shot"), "character": _("character"),
        "environment": _("environment"), "kind": _("kind"), "version": _("version"), "artist": _("artist"),
        "date": _("date"), "comment": _("comment"),
    }  # fmt: skip
    parts = names.parts()
    return ", ".join(f"{word} {parts[name]}" for name, word in words.items() if name in parts)


class Known:
    """The scenes, shots, characters and environments that exist. Build it once and read many names with it."""

    def __init__(self, contexts: Iterable[NameContext]) -> None:
        given = tuple(contexts)
        self.artists = frozenset(fold(names.artist) for names in given if names.artist)
        projects = {names.project for names in given}
        self.project = projects.pop() if len(projects) == 1 else ""
        self.contexts = tuple(dict.fromkeys(_identity(names) for names in given))
        self._indexes: dict[tuple[str, str], Index] = {}
        self._leaves: dict[tuple[str, ...], dict[str, list[NameContext]]] = {}

    def of_kind(self, kind: str) -> list[NameContext]:
        """The contexts that have a folder of this kind; scenes also by their shots."""
        if kind == "scene":
            shots = (NameContext(project=n.project, scene=n.scene) for n in self.contexts if n.owner == "shot")
            return list(dict.fromkeys([*(n for n in self.contexts if n.owner == "scene"), *shots]))
        return [names for names in self.contexts if names.owner == kind]

    def index(self, templates: NamingTemplates, name: str) -> Index:
        template = templates.by_name[name]
        found = self._indexes.get((name, template.source))
        if found is None:
            contexts = self.contexts if name == "file" else self.of_kind(name)
            found = Index(template, [(_shown(names) if name != "file" else names, names) for names in contexts])
            self._indexes[name, template.source] = found
        return found

    def called(self, templates: NamingTemplates, word: str) -> list[NameContext]:
        """Everything whose folder is called so, or whose code or name it is."""
        key = tuple(templates.by_name[kind].source for kind in FOLDERS)
        leaves = self._leaves.get(key)
        if leaves is None:
            leaves = self._leaves[key] = {}
            for kind in FOLDERS:
                for names in self.of_kind(kind):
                    folder = templates.folder(kind, names).name
                    for text in {fold(folder), fold(getattr(_shown(names), kind))}:
                        leaves.setdefault(text, []).append(names)
        return leaves.get(fold(word), [])


def _identity(names: NameContext) -> NameContext:
    return NameContext(**{name: getattr(names, name) for name in IDENTITY})


def _shown(names: NameContext) -> NameContext:
    return names if names.scene else names.but(scene=DEFAULT_SCENE)


def read_name(templates: NamingTemplates, text: str, known: Known | None = None) -> NameContext:
    """What a file name, or a path relative to the project, is; parts that it doesn't tell are empty.

    Raises NotRead (no template writes this) or SeveralReadings (it means several things, all named). The text may be
    hostile: nothing longer than a path is looked at, and the work is bounded.
    """
    parts = path_parts(text)
    found = _bare(templates, parts[0], known) if len(parts) == 1 else _path(templates, parts, known)
    readings = list(dict.fromkeys(found))
    if known is not None and len(readings) > 1:
        ours = [names for names in readings if fold(names.artist) in known.artists]
        readings = ours or readings
    if not readings:
        raise NotRead(_("No template of this project writes a name like “%(name)s”.") % {"name": parts[-1][:80]})
    if len(readings) > 1:
        raise SeveralReadings(readings)
    return readings[0]


def path_parts(text: str) -> list[str]:
    """The names in a relative path, in NFC; NotRead when it is none, leaves its root, or nothing could be called so."""
    if len(text) > MAX_TEXT:
        raise NotRead(_("This is longer than any path (%(limit)d characters).") % {"limit": MAX_TEXT})
    if any(unicodedata.category(char) in ("Cc", "Cs") for char in text):
        raise NotRead(_("There is a control character in this name."))
    text = unicodedata.normalize("NFC", text).replace("\\", "/")
    if text.startswith("/") or re.match("[A-Za-z]:", text):
        raise NotRead(_("This path does not lie in the project's folder."))
    parts = [part for part in text.split("/") if part not in ("", ".")]
    if ".." in parts:
        raise NotRead(_("A path with .. in it is not read."))
    if not parts:
        raise NotRead(_("There is no name to read."))
    if any(len(part.encode()) > MAX_PART_BYTES for part in parts):
        raise NotRead(_("A name here is longer than %(limit)d bytes.") % {"limit": MAX_PART_BYTES})
    return parts


def _bare(templates: NamingTemplates, name: str, known: Known | None) -> list[NameContext]:
    """A single name: a file's by the template, else a folder's; what exists goes before what only could."""
    found: list[NameContext] = []
    if known is not None:
        found = _file(templates, name, known) or _called(templates, name, known)
    if not found:
        found = _file(templates, name, None) or [
            reading.names for reading in _places(templates, name, None) if reading.end == len(name)
        ]
        if known is not None and len(found) > 1:
            raise NotRead(_("Nothing in this project is called “%(name)s”.") % {"name": name[:80]})
    return found


def _file(templates: NamingTemplates, name: str, known: Known | None) -> list[NameContext]:
    index = known.index(templates, "file") if known else None
    return [reading.names for reading in match(templates.by_name["file"], name, folder=False, index=index)]


def _called(templates: NamingTemplates, name: str, known: Known) -> list[NameContext]:
    """A clip's or a dropped file's name that begins with something known: SHT_0010_comp_v003.mov, SHT_0010."""
    if found := known.called(templates, name):
        return found
    stem, dot, ext = name.rpartition(".")
    more: dict[str, Any] = {"ext": ext} if dot and re.fullmatch("[0-9A-Za-z]{1,16}", ext) else {}
    head = stem if more else name
    if tail := _TAIL.search(head):
        more["version"], head = int(tail[1]), head[: tail.start()]
    for kind in KINDS:
        if fold(head).endswith(kind) and head[-len(kind) - 1 : -len(kind)] in ("_", ".", "-"):
            more["kind"], head = kind, head[: -len(kind) - 1]
            break
    return [names.but(**more) for names in known.called(templates, head)]


def _places(templates: NamingTemplates, path: str, known: Known | None) -> list[Reading]:
    """Whose folders the path can lie in: the readings that take the most of it."""
    found: list[Reading] = []
    for kind in FOLDERS:
        index = known.index(templates, kind) if known else None
        found += match(templates.by_name[kind], path, folder=True, index=index, whole=False)
    longest = max((reading.end for reading in found), default=0)
    return [reading for reading in found if reading.end == longest]


def _owners(templates: NamingTemplates, path: str, known: Known | None) -> list[Reading]:
    found = _places(templates, path, known)
    if known is None or any(reading.names.owner != "scene" for reading in found):
        return found
    guessed = [
        Reading(r.names.but(project=r.names.project or known.project), r.end) for r in _places(templates, path, None)
    ]
    # A folder in a known scene that would be a shot's is one, though the shot is not known (yet).
    scenes = {fold(_shown(reading.names).scene) for reading in found}
    shots = [r for r in guessed if r.names.owner == "shot" and fold(r.names.scene) in scenes]
    return (shots if len(shots) == 1 else found) if found else guessed


def _path(templates: NamingTemplates, parts: list[str], known: Known | None) -> list[NameContext]:
    path = "/".join(parts)
    found: list[NameContext] = []
    for owner in _owners(templates, path, known):
        found += _below(templates, owner.names, path[owner.end + 1 :], known)
    return found or _bare(templates, parts[-1], known)


def read_below(templates: NamingTemplates, owner: NameContext, rest: str, known: Known | None = None) -> NameContext:
    """What lies at `rest` below the folder of a row that is known already; raises as read_name does."""
    readings = list(dict.fromkeys(_below(templates, owner, "/".join(path_parts(rest)), known))) if rest else [owner]
    if len(readings) > 1:
        raise SeveralReadings(readings)
    return readings[0]


def _below(templates: NamingTemplates, owner: NameContext, rest: str, known: Known | None) -> list[NameContext]:
    found: list[NameContext] = []
    for place in _versions(templates, owner, rest):
        name = rest[place.end :].strip("/")
        found += _inside(templates, place.names, name.split("/")[-1], known) if name else [place.names]
    return found


def _given(names: NameContext) -> dict[str, Any]:
    """The identity as given parts: also that a shot's files name no character."""
    return {name: getattr(names, name) for name in IDENTITY if name != "project" or names.project}


def _versions(templates: NamingTemplates, owner: NameContext, rest: str) -> list[Reading]:
    if owner.owner != "scene" and rest:
        for head in _heads(templates.by_name["version"]):
            if found := match(head, rest, folder=True, given=_given(owner), whole=False):
                return found
    return [Reading(owner, 0)]


@lru_cache(maxsize=256)
def _heads(template: Template) -> tuple[Template, ...]:
    """The template, then its first folders only, the longest first: the folder of a kind holds many versions."""
    heads = [template]
    body: list[Element] = []
    for element in template.body:
        if isinstance(element, Literal) and "/" in element.text:
            pieces = element.text.split("/")
            for count in range(1, len(pieces)):
                start = "/".join(pieces[:count])
                heads.insert(1, Template(template.source, (*body, *([Literal(start)] if start else []))))
        body.append(element)
    return tuple(head for head in heads if head.body)


def _inside(templates: NamingTemplates, place: NameContext, name: str, known: Known | None) -> list[NameContext]:
    """A file in a folder: the place says what it is, its name may say more; when they disagree both are told."""
    template = templates.by_name["file"]
    told = {"kind": place.kind, "version": place.version}
    given = _given(place) | {key: value for key, value in told.items() if value}
    found = match(template, name, folder=False, given=given)
    if not found and not place.version:
        found = match(template, name, folder=False, given=_given(place))
    if found:
        return [reading.names for reading in found]
    if known is not None and (other := _file(templates, name, known)):
        raise SeveralReadings([place, *other], _("The folder says %(place)s, but the file's name says %(name)s.") % {
            "place": describe(place), "name": describe(other[0])})  # fmt: skip
    return [place]
