"""The rows of what was copied, read and written in batches."""

from collections.abc import Mapping, Sequence

from django.utils import timezone

from mirror.copying.store import Known
from mirror.models import MirrorEntry, MirrorTarget


def known_states(target: MirrorTarget, paths: Sequence[str]) -> dict[str, list[Known]]:
    """By path what we wrote there; one query."""
    found: dict[str, list[Known]] = {}
    rows = MirrorEntry.objects.filter(target=target, path__in=paths)
    for path, size, mtime_ns, sha256, etag in rows.values_list("path", "size", "mtime_ns", "sha256", "etag"):
        found.setdefault(path, []).append(Known(size, mtime_ns, sha256, etag))
    return found


def remember(target: MirrorTarget, states: Mapping[str, Known]) -> None:
    """Keep these states beside older ones of the same paths, which `forget_older` takes away later."""
    now = timezone.now()
    MirrorEntry.objects.bulk_create(
        [
            MirrorEntry(
                target=target, path=path, size=known.size, mtime_ns=known.mtime_ns, sha256=known.sha256,
                etag=known.etag, copied_at=now,
            )
            for path, known in states.items()
        ],
        update_conflicts=True,
        unique_fields=["target", "path", "size", "mtime_ns"],
        update_fields=["sha256", "etag", "copied_at"],
    )  # fmt: skip


def forget_older(target: MirrorTarget, states: Mapping[str, Known]) -> None:
    """Of these paths only these states lie at the target now."""
    rows = MirrorEntry.objects.filter(target=target, path__in=list(states))
    stale = [
        pk
        for pk, path, size, mtime_ns in rows.values_list("pk", "path", "size", "mtime_ns")
        if (size, mtime_ns) != (states[path].size, states[path].mtime_ns)
    ]
    if stale:
        MirrorEntry.objects.filter(pk__in=stale).delete()
