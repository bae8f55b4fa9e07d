"""Celery's shell around the schedule, and what makes the mirrors' kinds of background work known to workers."""

from celery import shared_task

from mirror import work  # noqa: F401  (registers its ledger kinds)
from mirror.services import runs


@shared_task(name="mirror.run_due")
def run_due() -> None:
    runs.run_due()
