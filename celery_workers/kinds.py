"""The kinds of background work: each app registers its own, with the words that people read for it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

    from celery_workers.ledger import TaskContext

Work = Callable[["TaskContext"], dict[str, Any]]


@dataclass(frozen=True)
class Kind:
    """`queue` "system": the work mostly waits for other work; "files": it waits for the storage."""

    work: Work
    label: "StrOrPromise"
    queue: str


_kinds: dict[str, Kind] = {}


def ledger_kind(name: str, *, label: "StrOrPromise", queue: str = "cpu") -> Callable[[Work], Work]:
    """Register the function that does this kind of work."""

    def register(work: Work) -> Work:
        _kinds[name] = Kind(work=work, label=label, queue=queue)
        return work

    return register


def kind_named(name: str) -> Kind | None:
    """The registered kind; None for a row that an older installation left."""
    return _kinds.get(name)


def label_of(name: str) -> str:
    """What people read for a kind; its name when nobody registered it."""
    kind = kind_named(name)
    return str(kind.label) if kind else name
