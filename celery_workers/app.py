"""The Celery application: queues by capability, tasks routed by name, nothing that depends on results."""

import os

from celery import Celery
from django.conf import settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "aipipeline.settings")
# Django's checks load every page and form; they belong to the test run, not to the start of each worker.
os.environ.setdefault("CELERY_SKIP_CHECKS", "1")

# Seconds. A message expires by the clock of whoever receives it: less than this, and a machine whose clock is fast
# would throw away every one of them, unread.
LONGEST_CLOCK_ERROR = 600.0

app = Celery("aipipeline")
app.conf.update(
    broker_url=settings.CELERY_BROKER_URL,
    broker_connection_retry_on_startup=True,
    # Fail fast when Redis is away: the database keeps the work, and the next tick of beat sends it again.
    broker_transport_options={
        "visibility_timeout": 24 * 3600,
        "socket_timeout": 5,
        "socket_connect_timeout": 2,
        "retry_on_timeout": True,
        "global_keyprefix": "aip-",
    },
    task_ignore_result=True,
    task_serializer="json",
    accept_content=["json"],
    task_default_queue="cpu",
    task_create_missing_queues=True,
    task_routes={
        "celery_workers.tick": {"queue": "system"},
        "celery_workers.*": {"queue": "cpu"},
        "mirror.run_due": {"queue": "system"},
        "renders.reap": {"queue": "system"},
        "renders.receive": {"queue": "system"},
        # What waits for the storage: a NAS that hangs holds up nothing else.
        "shots.write_metadata": {"queue": "files"},
        "renders.recover": {"queue": "files"},
        "renders.sweep": {"queue": "files"},
        "renders.adopt": {"queue": "files"},
        "renders.seams": {"queue": "files"},
    },
    worker_prefetch_multiplier=1,
    worker_send_task_events=True,
    task_send_sent_event=True,
    task_acks_late=False,
    task_track_started=True,
    worker_hijack_root_logger=False,
    worker_cancel_long_running_tasks_on_connection_loss=False,
    timezone=settings.TIME_ZONE,
    beat_schedule={
        "tick": {
            "task": "celery_workers.tick",
            "schedule": settings.BEAT_TICK_SECONDS,
            "options": {"expires": max(settings.BEAT_TICK_SECONDS * 3, LONGEST_CLOCK_ERROR)},
        }
    },
    # What is due stands in the database (celery_workers.schedules); the tick itself needs no memory.
    beat_scheduler="celery.beat:Scheduler",
)
app.autodiscover_tasks()
