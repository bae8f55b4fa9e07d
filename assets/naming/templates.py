"""A project's templates: where each folder lies and how a published file is called.

scene        scenes/SCN_010
shot         scenes/SCN_010/shots/SHT_0010
character    assets/characters/CHR_리나
environment  assets/environments/ENV_부두
version      render/v003, below its owner's folder
file         PRJ_SCN_010_SHT_0010_render_v003.mp4
"""

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import PurePosixPath
from typing import Any

from django.utils.translation import gettext as _

from assets.naming.context import DEFAULT_SCENE, NameContext
from assets.naming.template import Literal, Optional, Template, TemplateError, Token, parse_template
from assets.naming.words import is_reserved

PROJECT_FOLDERS = (
    "scenario", "assets/characters", "assets/environments", "scenes", "edit/proxy", "edit/edl", "edit/audio",
    "export/dailies", "export/final",
)  # fmt: skip
FOLDERS = ("scene", "shot", "character", "environment")
DEFAULTS: dict[str, str] = {
    "scene": "scenes/{scene}",
    "shot": "scenes/{scene}/shots/{shot}",
    "character": "assets/characters/CHR_{character}",
    "environment": "assets/environments/ENV_{environment}",
    "version": "{kind}/{version}",
    "file": (
        "{project}_<{scene}_><{shot}_><{character}_><{environment}_>{kind}_{version}<_{comment}>.{ext}"
    ),
}  # fmt: skip
_OWNERS = ("project", "scene", "shot", "character", "environment")
ALLOWED: dict[str, tuple[str, ...]] = {
    "scene": ("project", "scene"),
    "shot": ("project", "scene", "shot"),
    "character": ("project", "character"),
    "environment": ("project", "environment"),
    "version": ("kind", "version", *_OWNERS, "artist", "date"),
    "file": (*_OWNERS, "kind", "version", "artist", "date", "comment", "ext"),
}
# Rows whose names would be one folder are told apart by this, at the end of the folder's name.
_TOLD_APART = Optional((Literal("_"), Token("unique")))


@lru_cache(maxsize=1024)
def compile_template(name: str, source: str) -> Template:
    """The template `name` (a key of DEFAULTS) from its text; TemplateError when no context could be saved by it."""
    template = parse_template(source, ALLOWED[name])
    if name == "file" and "/" in source:
        raise TemplateError(_("A file's name holds no folder: remove the /."), source.index("/"))
    if source.startswith("/"):
        raise TemplateError(_("A template begins in the project's folder: remove the first /."), 0)
    for given in _shapes(template):
        for part in template.fill(given).split("/"):
            _check_part(part, source)
    return template.also(_TOLD_APART) if name in FOLDERS else template


def _shapes(template: Template) -> list[NameContext]:
    """Contexts in which every optional part is there, none is, and each token of them alone is."""
    full = {token.name: _filler(token.name) for token in template.tokens()}
    need = {name: value for name, value in full.items() if name in template.required()}
    alone = [{**need, name: value} for name, value in full.items() if name not in need]
    return [NameContext(**parts) for parts in (full, need, *alone)]


def _filler(name: str) -> Any:
    return {"version": 1, "date": datetime.date(2000, 1, 2)}.get(name, "x1")


def _gap(source: str) -> int:
    """Where a folder has no name; -1 when an optional part leaves it without one."""
    double = source.find("//")
    return double + 1 if double >= 0 else len(source) - 1 if source.endswith("/") else -1


def _check_part(part: str, source: str) -> None:
    place = source.find(part) if part else _gap(source)
    where: dict[str, Any] = {"place": place, "length": max(len(part), 1)} if place >= 0 else {}
    if not part:
        raise TemplateError(_("A folder without a name: something must always stand between two /."), **where)
    if part in (".", ".."):
        raise TemplateError(
            _("A template stays in the project's folder: remove the “%(part)s”.") % {"part": part}, **where
        )
    words = {"part": part}
    if part[0] in ". ":
        raise TemplateError(
            _("A name that begins with a dot or a space, like “%(part)s”, is hidden on most systems.") % words, **where
        )
    if part[-1] in ". ":
        raise TemplateError(
            _("A name that ends with a dot or a space, like “%(part)s”, loses it on Windows.") % words, **where
        )
    if is_reserved(part):
        raise TemplateError(_("%(part)s is the name of a device on Windows.") % words, **where)


@dataclass(frozen=True)
class NamingTemplates:
    """The compiled templates of a project by name."""

    by_name: Mapping[str, Template]

    @classmethod
    def of(cls, naming: Mapping[str, Any] | None = None) -> "NamingTemplates":
        """The templates saved with a project over the defaults; a broken or unknown one falls back."""
        saved = naming if isinstance(naming, Mapping) else {}
        return cls({name: _compiled_or_default(name, saved.get(name)) for name in DEFAULTS})

    def sources(self) -> dict[str, str]:
        """Every template as text, by name."""
        return {name: template.source for name, template in self.by_name.items()}

    def text(self, name: str, names: NameContext) -> str:
        """What the template `name` makes of a context. Folders know a scene always: SCN_000 when it is empty."""
        return self.by_name[name].format(_with_scene(name, names))

    def raw(self, name: str, names: NameContext) -> str:
        """The same before names that are too long are shortened."""
        return self.by_name[name].fill(_with_scene(name, names))

    def folder(self, kind: str, names: NameContext) -> PurePosixPath:
        """The folder of a scene, shot, character or environment, relative to the project."""
        if kind not in FOLDERS:
            raise KeyError(kind)
        return PurePosixPath(self.text(kind, names))

    def version(self, names: NameContext) -> PurePosixPath:
        """The folder of a version, relative to its owner's."""
        return PurePosixPath(self.text("version", names))

    def file(self, names: NameContext) -> str:
        """The name of a published file."""
        return self.text("file", names)


def _with_scene(name: str, names: NameContext) -> NameContext:
    return names if names.scene or name == "file" else names.but(scene=DEFAULT_SCENE)


def _compiled_or_default(name: str, source: Any) -> Template:
    if isinstance(source, str) and source:
        try:
            return compile_template(name, source)
        except TemplateError:
            pass
    return compile_template(name, DEFAULTS[name])
