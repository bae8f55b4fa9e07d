"""Search over what the database knows of the tree: rows, versions, file names; and whatever path is pasted.

The disk is not walked: a search takes one bounded query of folders, one of versions, and one look where a path leads.
"""

import json
import re
from dataclasses import dataclass
from typing import Any

from django.db.models import Q, TextField
from django.db.models.functions import Cast

from aipipeline.media.patience import within
from aipipeline.media.rooted import Entry, Rooted, split_path
from aipipeline.projects.errors import PipelineError
from aipipeline.projects.models import Project
from assets.naming import Known, NameContext, NamingTemplates, NotRead, SeveralReadings, read_name
from renders.models import Version, VersionKind
from renders.tree.paths import Mapper, inside
from shots.models import Folder
from shots.services.tree.folders import contexts_of

MOST = 60
MOST_FOLDERS = 40
MOST_TERMS = 6
MOST_TEXT = 500
_LOOKED_AT = 400
_NUMBER = re.compile(r"v(\d{1,9})\Z", re.IGNORECASE)
_FOLDER_FIELDS = (
    "path", "scene__code", "scene__heading", "shot__code", "shot__description", "character__name",
    "character__description", "environment__name", "environment__description",
)  # fmt: skip
_VERSION_FIELDS = (
    "path", "kind", "comment", "shot__code", "shot__description", "character__name", "environment__name", "files",
)  # fmt: skip


@dataclass(frozen=True)
class Hit:
    """One result: where it is and why it was found."""

    path: str
    kind: str
    title: str
    words: str = ""
    folder: Folder | None = None
    version: Version | None = None
    file: str = ""


@dataclass
class Found:
    """Results, best first. `read`: what a pasted path or name says it is; `note`: why it could not be read."""

    hits: list[Hit]
    more: bool = False
    note: str = ""


def search(project: Project, text: str) -> Found:
    """What matches every word of the text; Found with a note when a pasted path leads nowhere."""
    text = " ".join(text[:MOST_TEXT].split())
    if not text or "\x00" in text or any("\ud800" <= char <= "\udfff" for char in text):
        return Found([])
    exact, note = _pasted(project, text)
    terms = text.split(" ")[:MOST_TERMS]
    folders = _folders(project, terms)
    versions, more = _versions(project, terms)
    unique: dict[str, Hit] = {}
    for hit in [*exact, *folders, *versions]:
        held = unique.get(hit.path)
        if held is None or (held.folder is None and held.version is None):
            unique[hit.path] = hit
    hits = list(unique.values())
    return Found(hits[:MOST], more or len(hits) > MOST or len(folders) >= MOST_FOLDERS, "" if hits else note)


def _folders(project: Project, terms: list[str]) -> list[Hit]:
    rows = Folder.objects.filter(project=project).exclude(path="")
    for term in terms:
        rows = rows.filter(_any(_FOLDER_FIELDS, term))
    rows = rows.select_related("scene", "shot", "character", "environment").order_by("path")
    return [folder_hit(folder) for folder in rows[:MOST_FOLDERS]]


def folder_hit(folder: Folder) -> Hit:
    row = getattr(folder, folder.kind, None)
    words = getattr(row, "heading", "") or getattr(row, "description", "") if row is not None else ""
    return Hit(folder.path, folder.kind, folder.path.rpartition("/")[2], str(words or ""), folder=folder)


def _any(fields: tuple[str, ...], term: str) -> Q:
    found = Q()
    for name in fields:
        found |= Q(**{f"{name}__icontains": term})
    return found


def _versions(project: Project, terms: list[str]) -> tuple[list[Hit], bool]:
    rows = Version.objects.live().filter(project=project).annotate(files=Cast("manifest", TextField()))
    for term in terms:
        wanted = _any(_VERSION_FIELDS, term) | Q(kind__in=_kinds_called(term))
        if escaped := json.dumps(term)[1:-1]:
            # SQLite keeps JSON as it was written, with letters beyond ASCII escaped.
            wanted |= Q(files__contains=escaped)
        if number := _NUMBER.match(term):
            wanted |= Q(number=min(int(number[1]), 2**31 - 1))
        rows = rows.filter(wanted)
    rows = rows.select_related("shot", "character", "environment", "created_by").defer("provenance")
    looked = list(rows.order_by("-published_at", "-pk")[:_LOOKED_AT])
    hits = [hit for version in looked if (hit := _version_hit(version, terms))]
    return hits[:MOST], len(hits) > MOST or len(looked) == _LOOKED_AT


def _kinds_called(term: str) -> list[str]:
    """Kinds by their names in the reader's language."""
    folded = term.casefold()
    if len(folded) == 1 and folded.isascii():
        return []
    return [str(value) for value, label in VersionKind.choices if folded in str(label).casefold()]


def _version_hit(version: Version, terms: list[str]) -> Hit | None:
    """None when only the checksums or the field names of the manifest matched."""
    names = [str(entry["name"]) for entry in version.manifest]
    row: Any = version.shot or version.character or version.environment
    words = " ".join(
        [version.path, version.kind, str(version.get_kind_display()), version.comment, version.label, str(row),
         getattr(row, "description", "") or "", *names]
    ).casefold()  # fmt: skip
    if not all(term.casefold() in words or _same_number(term, version) for term in terms):
        return None
    file = next((name for name in names if terms[-1].casefold() in name.casefold()), "")
    title = f"{row} · {version.get_kind_display()} {version.label}"
    return Hit(version.path, "version", title, version.comment, version=version, file=file)


def _same_number(term: str, version: Version) -> bool:
    number = _NUMBER.match(term)
    return number is not None and int(number[1]) == version.number


# --- a path or a file name that was pasted ------------------------------------------------------------


def _pasted(project: Project, text: str) -> tuple[list[Hit], str]:
    """Where a pasted path leads, and what the naming templates read in it; a note when neither says anything."""
    whole = text.strip("\"'")
    path = inside(project, text, Mapper.read())
    if path is None and ("/" in whole or "\\" in whole):
        return [], ""
    if path is None and not re.search(r"[._-]", whole):
        return [], ""
    hits = _on_disk(project, path) if path is not None else []
    read, note = _read(project, path if path is not None else whole)
    return [*hits, *read], note


def _on_disk(project: Project, path: str) -> list[Hit]:
    try:
        parts = split_path(path)
        entry: Entry = within(project.root, lambda: Rooted(project.root).entry(parts), 3.0)
    except PipelineError:
        # Not there, or the storage is away: what the database knows is found all the same.
        return []
    return [Hit("/".join(parts), entry.kind, parts[-1] if parts else project.code)]


def _read(project: Project, text: str) -> tuple[list[Hit], str]:
    try:
        contexts = [read_name(NamingTemplates.of(project.naming), text, Known(contexts_of(project)))]
        note = ""
    except SeveralReadings as error:
        contexts, note = list(error.readings[:10]), str(error)
    except NotRead as error:
        return [], str(error)
    return [hit for names in contexts for hit in _hits_of(project, names)], note


def _hits_of(project: Project, names: NameContext) -> list[Hit]:
    """The folder, and the versions, that a name speaks of."""
    owner, value = next(
        ((kind, getattr(names, kind)) for kind in ("shot", "character", "environment") if getattr(names, kind)),
        ("scene", names.scene),
    )
    field = "code" if owner in ("shot", "scene") else "name"
    rows = Folder.objects.filter(project=project, kind=owner, **{f"{owner}__{field}__iexact": value})
    folders = list(rows.select_related("scene", "shot", "character", "environment")[:5])
    hits = [folder_hit(folder) for folder in folders]
    if owner == "scene" or not names.kind:
        return hits
    versions = Version.objects.live().filter(project=project, kind=names.kind)
    versions = versions.filter(**{f"{owner}__in": [getattr(folder, f"{owner}_id") for folder in folders]})
    if names.version:
        versions = versions.filter(number=names.version)
    chosen = versions.select_related("shot", "character", "environment", "created_by").order_by("-number")[:5]
    return [_plain_hit(version) for version in chosen] + hits


def _plain_hit(version: Version) -> Hit:
    title = f"{version.owner} · {version.get_kind_display()} {version.label}"
    return Hit(version.path, "version", title, version.comment, version=version)
