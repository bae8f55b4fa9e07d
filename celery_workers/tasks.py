"""Celery's shells around the ledger and the schedules."""

from celery import shared_task

from aipipeline.history import changes
from celery_workers import ledger, schedules


@shared_task(name="celery_workers.ledger")
def run_ledger_task(task_id: str) -> None:
    ledger.run(task_id)


@shared_task(name="celery_workers.tick")
def tick() -> None:
    schedules.fire_due()
    ledger.recover()


@shared_task(name="celery_workers.prune_changes")
def prune_changes() -> None:
    changes.prune()
