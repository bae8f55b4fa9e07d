"""Uploads on their way in: kept in a temporary file, checked, and gone again when the block ends."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext as _

from aipipeline.projects.errors import Invalid

MAX_BYTES = 2 * 1024**3
SUFFIXES = frozenset(
    {
        ".png",
        ".jpg",
        ".jpeg",
        ".webp",
        ".tif",
        ".tiff",
        ".exr",
        ".mp4",
        ".mov",
        ".webm",
        ".mkv",
        ".wav",
        ".fbx",
        ".abc",
        ".blend",
        ".json",
    }
)


@contextmanager
def kept_upload(upload: UploadedFile[Any] | None) -> Iterator[tuple[str, Path]]:
    """The upload's safe name and a path with its bytes; Invalid when there is none, it is too large or unknown."""
    if upload is None:
        raise Invalid(_("Choose a file first."), fields={"file": [_("empty")]})
    name = Path(str(upload.name)).name
    if Path(name).suffix.lower() not in SUFFIXES:
        raise Invalid(
            _("%(name)s: this kind of file is not taken. Send an image, a video or a motion file.") % {"name": name},
            fields={"file": [_("unknown kind")]},
        )
    if (upload.size or 0) > MAX_BYTES:
        raise Invalid(_("%(name)s is larger than 2 GB.") % {"name": name}, fields={"file": [_("too large")]})
    with tempfile.NamedTemporaryFile(suffix=Path(name).suffix.lower()) as file:
        for chunk in upload.chunks():
            file.write(chunk)
        file.flush()
        yield name, Path(file.name)
