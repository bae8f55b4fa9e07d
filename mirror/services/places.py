"""Where a mirror may go: checked by its words alone when it is saved, so that no request touches a storage.

A superuser may name any place. A project's administrator may name what the server lists (AIP_MIRROR_ROOTS,
AIP_MIRROR_ENDPOINTS), because what the program writes there it writes with its own rights and keys.
"""

import os
import re
import unicodedata
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.utils.translation import gettext as _

from aipipeline.projects.errors import Invalid
from aipipeline.projects.models import Project
from mirror.copying.store import TargetRefused
from mirror.models import MirrorTarget, TargetKind

PLACE_FIELDS = (
    "kind", "path", "bucket", "prefix", "endpoint_url", "region", "key_variable", "secret_variable",
)  # fmt: skip
AMAZON = "https://s3.amazonaws.com"
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,61}[A-Za-z0-9]")
_REGION = re.compile(r"[a-z0-9-]{0,40}")
_OWN_NAME = re.compile(r"AIP_MIRROR_[A-Z0-9_]+")
_NO_KEYS = frozenset({"AIP_MIRROR_ROOTS", "AIP_MIRROR_ENDPOINTS"})


def roots() -> list[Path]:
    """Folders below which administrators of projects may let mirrors go."""
    return [Path(os.path.normpath(root)) for root in settings.AIP_MIRROR_ROOTS if os.path.isabs(root)]


def path_of(target: MirrorTarget) -> Path:
    return Path(target.path)


def clean_place(values: Mapping[str, Any], *, project: Project) -> dict[str, Any]:
    """The fields of a place in their one spelling. Invalid by field; the storage itself is not asked."""
    if values["kind"] == TargetKind.PATH:
        return {**values, "path": _clean_path(str(values["path"]), project)}
    if values["kind"] != TargetKind.S3:
        raise _wrong("kind", _("A mirror is a folder (path) or S3 storage (s3)."))
    bucket = str(values["bucket"]).strip()
    if not _BUCKET.fullmatch(bucket):
        raise _wrong("bucket", _("Name the bucket: 3 to 63 letters, digits, dots and hyphens."))
    region = str(values["region"]).strip()
    if not _REGION.fullmatch(region):
        raise _wrong("region", _("A region is written like ap-northeast-2; leave it empty for other servers."))
    return {
        **values,
        "bucket": bucket,
        "region": region,
        "prefix": _clean_prefix(str(values["prefix"])),
        "endpoint_url": _clean_url(str(values["endpoint_url"]).strip()),
        "key_variable": _variable("key_variable", str(values["key_variable"]).strip(), secret=False),
        "secret_variable": _variable("secret_variable", str(values["secret_variable"]).strip(), secret=True),
    }


def check_allowed(target: MirrorTarget) -> None:
    """TargetRefused when the server does not list the place, and no superuser chose it."""
    if target.anywhere or is_listed(target):
        return
    if target.kind == TargetKind.PATH:
        text = _(
            "%(place)s is not below a folder that this server allows for mirrors. "
            "Ask a superuser to set it, or to add the folder to AIP_MIRROR_ROOTS."
        )
    else:
        text = _(
            "%(place)s is not among the S3 servers and buckets that this server allows for mirrors. "
            "Ask a superuser to set it, or to add it to AIP_MIRROR_ENDPOINTS."
        )
    raise TargetRefused(text % {"place": target.location})


def is_listed(target: MirrorTarget) -> bool:
    """True when a project's administrator may name this place."""
    if target.kind == TargetKind.PATH:
        path = Path(os.path.normpath(target.path))
        return any(root == path or root in path.parents for root in roots())
    wanted = _segments("/".join((target.endpoint_url or AMAZON, target.bucket, target.prefix)))
    for allowed in settings.AIP_MIRROR_ENDPOINTS:
        parts = _segments(allowed.strip())
        if len(parts) >= 2 and wanted[: len(parts)] == parts:
            return True
    return False


def _segments(url: str) -> list[str]:
    """Scheme and server, then every part of the path."""
    parts = urlsplit(url)
    return [parts.scheme.lower(), parts.netloc.lower(), *(part for part in parts.path.split("/") if part)]


def _wrong(field: str, text: str) -> Invalid:
    return Invalid(text, fields={field: [text]})


def _clean_path(text: str, project: Project) -> str:
    path = text.strip()
    if not path:
        raise _wrong("path", _("Name the folder, from the root: /mnt/nas/mirrors/%(code)s.") % {"code": project.code})
    if _CONTROL.search(path):
        raise _wrong("path", _("A folder's name holds no line breaks or control characters."))
    if not os.path.isabs(path) or ".." in path.split("/"):
        raise _wrong(
            "path", _("The folder must be given from the root, without “..”: /mnt/nas/mirrors/%(code)s.")
            % {"code": project.code},
        )  # fmt: skip
    path = os.path.normpath("/" + path.lstrip("/"))
    if path == "/" or any(len(part.encode()) > 255 for part in path.split("/")):
        raise _wrong("path", _("This cannot be a folder of a mirror. Choose one like /mnt/nas/mirrors/%(code)s.")
                     % {"code": project.code})  # fmt: skip
    for own in (project.root, settings.STORAGE_ROOT, settings.AIP_DATA):
        mine, other = Path(path), Path(os.path.normpath(own))
        if mine == other or other in mine.parents or mine in other.parents:
            raise _wrong(
                "path",
                _("The mirror must lie outside of the studio's own folder %(own)s, best on another disk.")
                % {"own": other},
            )
    return path


def _clean_prefix(text: str) -> str:
    prefix = unicodedata.normalize("NFC", text.strip()).strip("/")
    parts = prefix.split("/") if prefix else []
    if _CONTROL.search(prefix) or any(part in ("", ".", "..") for part in parts):
        raise _wrong("prefix", _("A prefix is written like mirrors/film, without empty parts, “.” or “..”."))
    return prefix


def _clean_url(url: str) -> str:
    if not url:
        return ""
    text = _("The address of an S3 server is written like http://nas:9000, with http or https and nothing behind it.")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise _wrong("endpoint_url", text) from error
    bad = parts.username is not None or parts.password is not None or parts.query or parts.fragment
    if parts.scheme not in ("http", "https") or not parts.hostname or bad or parts.path.strip("/") or port == 0:
        raise _wrong("endpoint_url", text)
    if _CONTROL.search(url) or re.search(r"[\s\\]", url):
        raise _wrong("endpoint_url", text)
    return f"{parts.scheme}://{parts.netloc}"


def _variable(field: str, name: str, *, secret: bool) -> str:
    """The name of a variable that holds a key: ours or Amazon's, never any other of the server."""
    amazons = "AWS_SECRET_ACCESS_KEY" if secret else "AWS_ACCESS_KEY_ID"
    ours = _OWN_NAME.fullmatch(name) is not None and name not in _NO_KEYS and ("SECRET" in name) == secret
    if not (ours or name == amazons):
        example = "AIP_MIRROR_SECRET_KEY" if secret else "AIP_MIRROR_ACCESS_KEY"
        rule = _("with SECRET in it") if secret else _("without SECRET in it")
        text = _("Name a variable like %(example)s: it begins with AIP_MIRROR_, %(rule)s; or %(amazons)s.")
        raise _wrong(field, text % {"example": example, "rule": rule, "amazons": amazons})
    return name
