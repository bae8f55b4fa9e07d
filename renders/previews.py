"""Pictures of work in progress: kept for ten minutes beside the database, numbered so that pages fetch each once."""

from collections.abc import Iterable
from uuid import UUID

import structlog
from django.core.cache import cache
from redis.exceptions import RedisError

log = structlog.get_logger(__name__)
KEPT_SECONDS = 600


def keep_preview(job_id: UUID | str, jpeg: bytes, *, number: int) -> None:
    """`number` grows with each picture of the attempt; it tells pages that there is a newer one.

    A picture less is no reason to fail the work: while the cache is away nothing is kept.
    """
    try:
        cache.set(f"preview:{job_id}", jpeg, timeout=KEPT_SECONDS)
        cache.set(f"preview-number:{job_id}", number, timeout=KEPT_SECONDS)
    except (OSError, RedisError):
        log.warning("preview_not_kept", job=str(job_id), exc_info=True)


def preview_of(job_id: UUID | str) -> bytes | None:
    found = cache.get(f"preview:{job_id}")
    return bytes(found) if found is not None else None


def preview_numbers(job_ids: Iterable[UUID | str]) -> dict[str, int]:
    """By job id, for those that have a picture: its number. Empty while the cache is away."""
    keys = {f"preview-number:{job_id}": str(job_id) for job_id in job_ids}
    if not keys:
        return {}
    try:
        found = cache.get_many(keys)
    except (OSError, RedisError):
        log.warning("preview_numbers_unknown", exc_info=True)
        return {}
    return {keys[key]: int(value) for key, value in found.items()}
