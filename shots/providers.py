"""What layers above add to the shot list, in bulk: today the thumbnails."""

from collections.abc import Callable, Iterable

from shots.models import Shot

Thumbnails = Callable[[Iterable[Shot]], dict[int, int]]
_thumbnails: list[Thumbnails] = []


def register_thumbnails(provider: Thumbnails) -> None:
    """`provider` gives, by shot id, the id of the version whose picture stands for the shot."""
    _thumbnails.append(provider)


def thumbnails_of(shots: Iterable[Shot]) -> dict[int, int]:
    rows = list(shots)
    found: dict[int, int] = {}
    for provider in _thumbnails:
        found.update(provider(rows))
    return found
