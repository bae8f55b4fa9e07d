"""Celery's shell around what tables clean up."""

from celery import shared_task

from aipipeline.tables.sheets.imports import clean_imports


@shared_task(name="tables.clean_imports")
def clean() -> None:
    clean_imports()
