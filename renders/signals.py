"""Sent inside the transaction that made them true.

version_published(version, job): a version became visible; job is None for an upload.
version_reviewed(version, review): somebody approved, rejected or commented.
job_ended(job): a job reached succeeded, failed or cancelled.
"""

from django.dispatch import Signal

version_published = Signal()
version_reviewed = Signal()
job_ended = Signal()
