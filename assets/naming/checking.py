"""Checks of a project's templates before they are saved: what would break is refused, with the names it would hit."""

import datetime
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from django.utils.translation import gettext as _

from assets.naming.context import DEFAULT_SCENE, NameContext
from assets.naming.matching import NotRead
from assets.naming.reading import Known, SeveralReadings, read_name
from assets.naming.template import TemplateError
from assets.naming.templates import DEFAULTS, FOLDERS, PROJECT_FOLDERS, NamingTemplates, compile_template
from assets.naming.words import MAX_PART_BYTES, fold, path_key

MAX_PATH = 200
MAX_WHOLE_PATH = 240
EXAMPLES = 5
_READ_BACK = 500
_FIXED = tuple(path_key(name) for name in PROJECT_FOLDERS)
_CLOSED = ("scenario", "edit", "export")


@dataclass(frozen=True)
class Problem:
    """What is wrong with a template; `place` and `length` are a slice of its text, place None when it has none."""

    message: str
    place: int | None = None
    length: int = 0


@dataclass(frozen=True)
class Example:
    """What a template makes of something: `of` names the thing, `made_up` when the project has none of its kind."""

    of: str
    text: str
    made_up: bool = False


@dataclass
class Checked:
    """`errors` forbid saving; `warnings` don't. All by the template's name."""

    errors: dict[str, list[Problem]] = field(default_factory=lambda: defaultdict(list))
    warnings: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    preview: dict[str, list[Example]] = field(default_factory=dict)
    templates: NamingTemplates = field(default_factory=NamingTemplates.of)

    @property
    def fields(self) -> dict[str, list[str]]:
        """The errors as words, with the place, for forms and the API."""
        return {name: [_worded(problem) for problem in found] for name, found in self.errors.items() if found}


def _worded(problem: Problem) -> str:
    if problem.place is None:
        return problem.message
    return _("At character %(place)d: %(message)s") % {"place": problem.place + 1, "message": problem.message}


def probes(project: str) -> list[NameContext]:
    """Rows such as every project has or will have; templates must keep them apart even in an empty project."""
    shots = [("SCN_010", "SHT_0010"), ("SCN_010", "SHT_0020"), ("SCN_020", "SHT_0030"), ("", "SHT_0040")]
    return [
        *(NameContext(project=project, scene=scene) for scene in ("SCN_010", "SCN_020")),
        *(NameContext(project=project, scene=scene, shot=shot) for scene, shot in shots),
        *(NameContext(project=project, character=name) for name in ("Lina", "리나")),
        *(NameContext(project=project, environment=name) for name in ("Harbour", "부두")),
    ]


def check_templates(wanted: Mapping[str, str], contexts: Sequence[NameContext]) -> Checked:
    """Check the templates (by name; one that is missing or empty is the default) against the project's contexts."""
    checked = Checked()
    sources = dict(DEFAULTS)
    for name, source in wanted.items():
        if name not in DEFAULTS:
            checked.errors[str(name)[:40]].append(Problem(_("There is no such template.")))
        elif not isinstance(source, str):
            checked.errors[name].append(Problem(_("A template is text.")))
        elif source.strip():
            try:
                compile_template(name, source)
                sources[name] = source
            except TemplateError as error:
                checked.errors[name].append(Problem(error.message, error.place, error.length))
    checked.templates = NamingTemplates.of(sources)
    project = next((names.project for names in contexts if names.project), "PRJ")
    checker = _Checker(checked, list(contexts), probes(project))
    for step in (checker.folders, checker.versions, checker.files, checker.read_back, checker.preview):
        step()
    return checked


def title(names: NameContext) -> str:
    """The scene, shot, character or environment of a context, as a person calls it."""
    return str(getattr(names, names.owner) or DEFAULT_SCENE)


class _Checker:
    def __init__(self, checked: Checked, contexts: list[NameContext], probes: list[NameContext]) -> None:
        self.checked, self.templates = checked, checked.templates
        self.contexts, self.probes = contexts, probes
        self.broken = frozenset(checked.errors)
        self.rows: dict[str, list[NameContext]] = {kind: [] for kind in FOLDERS}
        for names in contexts:
            self.rows[names.owner].append(names)

    def _refuse(self, name: str, message: str, *, hard: bool = True) -> None:
        """An error once per template; what a default does to long names only warns: a project can always save."""
        if name in self.broken:
            return
        if not hard and self.templates.by_name[name].source == DEFAULTS[name]:
            self.checked.warnings[name].append(message)
        elif not self.checked.errors[name]:
            self.checked.errors[name].append(Problem(message))

    def _blamed(self, one: NameContext, other: NameContext) -> str:
        """Of two templates that get in each other's way the one that was changed."""
        kept = self.templates.by_name[one.owner].source == DEFAULTS[one.owner]
        return other.owner if kept else one.owner

    def folders(self) -> None:
        # Real rows first: an error names them rather than a made-up one.
        for rows in (self.contexts, self.probes):
            taken: dict[str, NameContext] = {}
            for names in rows:
                folder = self.templates.text(names.owner, names)
                key = path_key(folder)
                self._own_place(names, folder, key)
                other = taken.setdefault(key, names)
                if other is not names and _identity(other) != _identity(names):
                    words = {"one": title(other), "other": title(names), "folder": folder}
                    message = _("%(one)s and %(other)s would be one folder, %(folder)s: a token is missing.")
                    self._refuse(self._blamed(names, other), message % words)
            self._nested(taken)
        self._long_folders()

    def _own_place(self, names: NameContext, folder: str, key: str) -> None:
        if any(fixed == key or fixed.startswith(f"{key}/") for fixed in _FIXED):
            words = {"folder": folder, "name": title(names)}
            message = _("The folder of %(name)s would be %(folder)s, which the project needs for itself.")
            self._refuse(names.owner, message % words)
        if key.split("/", 1)[0] in _CLOSED:
            words = {"folder": folder.split("/", 1)[0]}
            self._refuse(names.owner, _("The folder %(folder)s belongs to the program: choose another.") % words)

    def _nested(self, taken: Mapping[str, NameContext]) -> None:
        for key, names in taken.items():
            parts = key.split("/")
            for count in range(1, len(parts)):
                above = taken.get("/".join(parts[:count]))
                if above is None or (above.owner == "scene" and _is_in(names, above)):
                    continue
                words = {"one": title(names), "other": title(above)}
                message = _("The folder of %(one)s would lie inside the folder of %(other)s.")
                self._refuse(self._blamed(names, above), message % words)

    def _long_folders(self) -> None:
        for kind in FOLDERS:
            rows = self.rows[kind]
            if not rows:
                continue
            # The longest folders have the longest paths below them: few are looked at more closely.
            raw = sorted(((self.templates.raw(kind, names), names) for names in rows), key=lambda row: -len(row[0]))
            path, names = max(((self._whole(names), names) for _raw, names in raw[:50]), key=lambda row: len(row[0]))
            if len(path) > MAX_PATH:
                words = {"name": title(names), "length": len(path), "limit": MAX_PATH}
                message = _("The path of %(name)s would have %(length)d characters; at most %(limit)d are safe.")
                self._refuse(kind, message % words, hard=False)
            for text, _names in raw:
                self._long_parts(kind, text)

    def _whole(self, names: NameContext) -> str:
        folder = self.templates.text(names.owner, names)
        if names.owner == "scene":
            return folder
        return f"{folder}/{self.templates.text('version', names.but(kind='reference', version=1))}"

    def _long_parts(self, name: str, raw: str) -> None:
        if len(raw) * 4 <= MAX_PART_BYTES:
            return
        for part in raw.split("/"):
            if (size := len(part.encode())) > MAX_PART_BYTES:
                words = {"part": f"{part[:30]}…", "size": size, "limit": MAX_PART_BYTES}
                message = _("The name %(part)s would have %(size)d bytes; a filesystem takes %(limit)d.")
                self._refuse(name, message % words, hard=False)

    def versions(self) -> None:
        taken: dict[str, str] = {}
        shot = next(names for names in self.probes if names.owner == "shot")
        for kind in ("render", "previz"):
            for number in (1, 2):
                folder = self.templates.version(shot.but(kind=kind, version=number))
                label = f"{kind} v{number:03d}"
                other = taken.setdefault(path_key(folder), label)
                if other != label:
                    words = {"one": other, "other": label, "folder": str(folder)}
                    message = _("%(one)s and %(other)s would be one folder, %(folder)s: a token is missing.")
                    self._refuse("version", message % words)
        for names in self._longest():
            self._long_parts("version", self.templates.raw("version", names.but(kind="reference", version=1)))

    def _longest(self) -> Iterator[NameContext]:
        for kind in FOLDERS[1:]:
            if rows := self.rows[kind]:
                yield max(rows, key=lambda names: len((names.project + names.scene + title(names)).encode()))

    def files(self) -> None:
        if not self.templates.by_name["file"].source.endswith(".{ext}"):
            self._refuse("file", _("A file's name must end with .{ext}: programs know a file by its extension."))
        for names in self._longest():
            names = names.but(kind="reference", version=1, ext="json")
            self._long_parts("file", self.templates.raw("file", names))
            whole = self.templates.folder(names.owner, names) / self.templates.version(names)
            length = len(str(whole / self.templates.file(names)))
            if length > MAX_WHOLE_PATH:
                words = {"name": title(names), "length": length}
                message = _("With %(name)s a file's whole path has %(length)d characters; Windows stops at 260.")
                self.checked.warnings["file"].append(message % words)

    def read_back(self) -> None:
        template = self.templates.by_name["file"]
        tokens = {token.name for token in template.tokens()}
        told = [name for name in ("shot", "character", "environment", "kind", "version") if name not in tokens]
        if told:
            listed = " ".join(f"{{{name}}}" for name in told)
            message = _("A file that lies alone cannot be told: its name says no %(names)s.") % {"names": listed}
            self.checked.warnings["file"].append(message)
            return
        # Every kind of row has its turn, however many shots come first.
        rows = [names for kind in FOLDERS for names in self.rows[kind][:_READ_BACK]]
        known = Known([*rows, *self.probes])
        more = {"artist": "kim_j", "date": datetime.date(2026, 11, 25), "comment": "first_try"}
        for kind in FOLDERS[1:]:
            for names in [*self.rows[kind][:3], *(p for p in self.probes if p.owner == kind)]:
                bare = names.but(kind="render", version=3, ext="mp4")
                for said in (bare, bare.but(**{name: value for name, value in more.items() if name in tokens})):
                    if message := self._unread(said, known):
                        self.checked.warnings["file"].append(message)
                        return

    def _unread(self, said: NameContext, known: Known) -> str:
        text = self.templates.file(said)
        try:
            read = read_name(self.templates, text, known)
        except SeveralReadings as error:
            return _("%(name)s cannot be read back alone. %(why)s") % {"name": text, "why": error.message}
        except NotRead as error:
            return _("%(name)s cannot be read back alone. %(why)s") % {"name": text, "why": error.message}
        if read.but(scene="", unique="") == said.but(scene="", unique=""):
            return ""
        return _("%(name)s would be read back as something else.") % {"name": text}

    def preview(self) -> None:
        for kind in FOLDERS:
            rows, made_up = self._examples(kind)
            texts = [Example(title(names), self.templates.text(kind, names), made_up) for names in rows]
            self.checked.preview[kind] = texts
        rows, made_up = self._examples("shot")
        characters, invented = self._examples("character")
        named = [*((names, made_up) for names in rows[:2]), *((names, invented) for names in characters[:1])]
        told: dict[str, list[Example]] = {"version": [], "file": []}
        for at, (names, flag) in enumerate(named):
            kind, ext = ("reference", "png") if names.owner == "character" else ("render", "mp4")
            for comment in ("", "night")[: 2 if at == 0 else 1]:
                said = names.but(
                    kind=kind, version=at + 1, ext=ext, comment=comment, artist="", date=datetime.date.today()
                )
                label = f"{title(names)} · {kind} v{at + 1:03d}" + (f" · {comment}" if comment else "")
                if not comment:
                    told["version"].append(Example(label, self.templates.text("version", said), flag))
                if not comment or "{comment" in self.templates.by_name["file"].source:
                    told["file"].append(Example(label, self.templates.text("file", said), flag))
        self.checked.preview |= told

    def _examples(self, kind: str) -> tuple[list[NameContext], bool]:
        rows = self.rows[kind][:EXAMPLES]
        return (rows, False) if rows else ([names for names in self.probes if names.owner == kind][:EXAMPLES], True)


def _identity(names: NameContext) -> tuple[str, str, str]:
    return names.owner, fold(title(names)), names.unique


def _is_in(names: NameContext, scene: NameContext) -> bool:
    return names.owner == "shot" and fold(names.scene or DEFAULT_SCENE) == fold(scene.scene or DEFAULT_SCENE)
