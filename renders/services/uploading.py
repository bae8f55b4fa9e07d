"""Uploads find their place by their names: nobody chooses a folder, and another shot's file is not taken for ours."""

from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _

from aipipeline.projects.errors import Invalid
from aipipeline.projects.models import Project
from assets.naming import NotRead
from renders.models import Version, VersionKind
from renders.services.numbering import Owner
from renders.services.publishing import publish_files
from shots.models import Scene
from shots.services.tree.folders import kind_of
from shots.services.tree.reading import Found, TreeReader


def publish_upload(
    *,
    project: Project,
    actor: Any,
    name: str,
    path: Path,
    owner: Owner | None = None,
    kind: str = "",
    comment: str = "",
) -> Version:
    """Publish an uploaded file as the next version of what its name says, or of `owner` and `kind` where given.

    Invalid when the name is needed and does not say it, when it says another owner, or when nothing has that name.
    """
    if kind and kind not in VersionKind.values:
        raise Invalid(_("Unknown kind of version."), fields={"kind": [_("unknown")]})
    if owner is None or not kind:
        found = _read(project, name)
        owner = _owner(found, owner, name)
        kind = kind or _kind(found, owner, name)
    if kind_of(owner) != "shot" and kind != VersionKind.REFERENCE:
        raise Invalid(
            _("A character or an environment takes references only."), fields={"kind": [_("not for this owner")]}
        )
    return publish_files(owner=owner, kind=kind, files={name: path}, actor=actor, comment=comment)


def _read(project: Project, name: str) -> Found | NotRead:
    try:
        return TreeReader(project).read(Path(name).name)
    except NotRead as error:
        return error


def _owner(found: Found | NotRead, given: Owner | None, name: str) -> Owner:
    said = None if isinstance(found, NotRead) or isinstance(found.owner, Scene) else found.owner
    if given is not None:
        if said is not None and (kind_of(said), said.pk) != (kind_of(given), given.pk):
            text = _("%(file)s belongs to %(other)s by its name, not to %(this)s. Upload it there, or choose its kind.")
            words = {"file": name, "other": said, "this": given}
            raise Invalid(text % words, fields={"file": [_("named for another owner")]})
        return given
    if said is not None:
        return said
    why = f" {found.message}" if isinstance(found, NotRead) else ""
    text = _("%(file)s does not say whose it is.%(why)s Name it by the project's naming, or upload it to its shot.")
    raise Invalid(text % {"file": name, "why": why}, fields={"file": [_("not read")]})


def _kind(found: Found | NotRead, owner: Owner, name: str) -> str:
    if kind_of(owner) != "shot":
        return VersionKind.REFERENCE
    kind = "" if isinstance(found, NotRead) else found.names.kind
    if kind not in VersionKind.values:
        raise Invalid(
            _("%(file)s does not say of which kind it is. Choose the kind.") % {"file": name},
            fields={"kind": [_("required")]},
        )
    return kind
