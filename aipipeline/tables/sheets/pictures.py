"""Small pictures of rows for sheets: an app above gives the files, in bulk."""

import io
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from PIL import Image

from aipipeline.projects.models import Project

# By row id: an image file.
PictureFiles = Callable[[Project, Sequence[int]], Mapping[int, Path]]
MAX_PICTURES = 1000
WIDTH, HEIGHT = 96, 72
_providers: dict[str, PictureFiles] = {}


def provide_pictures(table: str, provider: PictureFiles) -> None:
    """`provider` gives, by row id, the image that stands for the row."""
    _providers[table] = provider


def pictures_of(table: str, project: Project, ids: Sequence[int]) -> dict[int, bytes]:
    """JPEGs of at most 96 by 72 pixels for the first 1,000 rows that have one; what cannot be read is left out."""
    provider = _providers.get(table)
    if provider is None:
        return {}
    found: dict[int, bytes] = {}
    for row_id, path in provider(project, list(ids)[:MAX_PICTURES]).items():
        try:
            with Image.open(path) as image:
                image.draft("RGB", (WIDTH * 2, HEIGHT * 2))
                small = image.convert("RGB")
                small.thumbnail((WIDTH, HEIGHT))
                out = io.BytesIO()
                small.save(out, "JPEG", quality=78)
        except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
            continue
        found[row_id] = out.getvalue()
    return found
