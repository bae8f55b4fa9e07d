"""Celery's shell around the schedule."""

from celery import shared_task

from mirror.services import runs


@shared_task(name="mirror.run_due")
def run_due() -> None:
    runs.run_due()
