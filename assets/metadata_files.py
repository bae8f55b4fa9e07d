"""Files of a tree read back: plain files below its root only, of a bounded size, with errors that name the remedy."""

import errno
import hashlib
import os
import stat
from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _

from aipipeline.projects.checks import json_object
from aipipeline.projects.errors import Invalid, PipelineError

MAX_BYTES = 64 * 2**20


class Unreadable(PipelineError):
    """A file of the tree cannot be taken; the message names it and says what to do."""

    status = 422
    code = "unreadable_file"


def read_bytes(root: Path, name: str, limit: int = MAX_BYTES) -> bytes:
    """The file at this path below the root. Links are never followed, on no part of the way."""
    told = {"path": name}
    try:
        descriptor = _open(root, name)
    except FileNotFoundError as error:
        raise Unreadable(_("%(path)s is missing. Put it back from a copy of the tree.") % told) from error
    except (OSError, ValueError) as error:
        if isinstance(error, OSError) and error.errno in (errno.ELOOP, errno.ENOTDIR):
            text = _("%(path)s is a link, or lies behind one. Put the file itself in its place.")
            raise Unreadable(text % told) from error
        why = error.strerror if isinstance(error, OSError) else str(error)
        raise Unreadable(_("%(path)s cannot be read (%(why)s).") % {**told, "why": why}) from error
    with open(descriptor, "rb") as file:
        facts = os.fstat(descriptor)
        if not stat.S_ISREG(facts.st_mode):
            raise Unreadable(_("%(path)s is no plain file. Put the file itself in its place.") % told)
        if facts.st_size > limit:
            text = _("%(path)s claims %(size)s MB; no such file is larger than %(most)s MB. Take it out of the tree.")
            raise Unreadable(text % {**told, "size": facts.st_size // 2**20, "most": limit // 2**20})
        try:
            data = file.read(limit + 1)
        except OSError as error:
            raise Unreadable(_("%(path)s cannot be read (%(why)s).") % {**told, "why": error.strerror}) from error
    if len(data) > limit:
        raise Unreadable(_("%(path)s grew while it was read. Try again.") % told)
    return data


def _open(root: Path, name: str) -> int:
    parts = name.split("/")
    if any(part in ("", ".", "..") for part in parts):
        raise ValueError(_("this is no path below the project"))
    folder = os.open(root, os.O_RDONLY | os.O_DIRECTORY)
    try:
        for part in parts[:-1]:
            below = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=folder)
            os.close(folder)
            folder = below
        # Without O_NONBLOCK a named pipe would wait for ever for its writer.
        return os.open(parts[-1], os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder)
    finally:
        os.close(folder)


def read_text(root: Path, name: str) -> tuple[str, str]:
    """(text, SHA-256) of a file in UTF-8."""
    data = read_bytes(root, name)
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        told = {"path": name, "byte": error.start}
        raise Unreadable(_("%(path)s is not UTF-8 (byte %(byte)s). Save it as UTF-8.") % told) from error
    if "\x00" in text:
        raise Unreadable(_("%(path)s holds NUL characters. Take them out.") % {"path": name})
    return text, hashlib.sha256(data).hexdigest()


def read_json(root: Path, name: str) -> tuple[dict[str, Any], str]:
    """(object, SHA-256) of a JSON file."""
    data = read_bytes(root, name)
    remedy = _("Mend it, or put it back from a copy of the tree.")
    try:
        return json_object(data), hashlib.sha256(data).hexdigest()
    except Invalid as error:
        raise Unreadable(f"{name}: {error} {remedy}") from error
    except PipelineError as error:
        text = _("%(path)s is not valid JSON: it is cut off or was edited wrongly. %(remedy)s")
        raise Unreadable(text % {"path": name, "remedy": remedy}) from error
