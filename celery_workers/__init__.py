"""Celery wiring, the ledger of background work, and schedules."""

from celery_workers.app import app

__all__ = ["app"]
