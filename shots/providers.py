"""What layers above tell of shots: thumbnails in bulk, and in which dialect a shot's prompt will be read."""

from collections.abc import Callable, Iterable

from shots.models import Shot

Dialects = Callable[[Shot], tuple[str, bool]]
Thumbnails = Callable[[Iterable[Shot]], dict[int, int]]
_thumbnails: list[Thumbnails] = []
_dialects: list[Dialects] = []


def register_thumbnails(provider: Thumbnails) -> None:
    """`provider` gives, by shot id, the id of the version whose picture stands for the shot."""
    _thumbnails.append(provider)


def thumbnails_of(shots: Iterable[Shot]) -> dict[int, int]:
    rows = list(shots)
    found: dict[int, int] = {}
    for provider in _thumbnails:
        found.update(provider(rows))
    return found


def register_dialect(provider: Dialects) -> None:
    """`provider` gives the prompt family of the workflow that makes the shot's present step, and if that moves."""
    _dialects.append(provider)


def dialect_of(shot: Shot) -> tuple[str, bool]:
    """(family, motion) of what would be rendered next; the plain text when nobody knows."""
    for provider in _dialects:
        family, motion = provider(shot)
        return family or "none", motion
    return "none", False
