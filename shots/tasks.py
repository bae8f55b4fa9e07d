"""Makes the shot list's kinds of background work known to workers, and writes the metadata of the tree."""

from celery import shared_task

from shots.api import scenarios  # noqa: F401  (registers its ledger kind)
from shots.services import confirming  # noqa: F401  (registers its ledger kind)
from shots.services.tree import metadata, moves


@shared_task(name="shots.write_metadata")
def write_metadata(project_id: int | None = None) -> None:
    moves.finish_moves(project_id)
    metadata.write_stale(project_id)
