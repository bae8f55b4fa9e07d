"""What a Celery worker process does for the render queue when it starts, lives and stops."""

import threading
from typing import Any

import structlog
from celery.signals import celeryd_after_setup, worker_ready, worker_shutting_down
from django.db import close_old_connections

log = structlog.get_logger(__name__)
BEAT_SECONDS = 5.0
_stopping = threading.Event()


def connect() -> None:
    """Called once from the app's `ready()`."""
    celeryd_after_setup.connect(_listen_to_own_queue, weak=False)
    worker_ready.connect(_start, weak=False)
    worker_shutting_down.connect(_stop, weak=False)


def renders_here(instance: Any) -> bool:
    """True for workers that listen to a capability queue; the system worker renders nothing."""
    queues = instance.app.amqp.queues.consume_from or instance.app.amqp.queues
    return any(name == "cpu" or name.startswith("gpu.") for name in queues)


def _listen_to_own_queue(sender: str, instance: Any, **_kwargs: Any) -> None:
    from renders.services import workers

    if renders_here(instance):
        instance.app.amqp.queues.select_add(f"host.{sender}")
        # Set before the pool forks, so that every pool process knows it.
        workers.set_slots(int(instance.concurrency or 1))


def _start(sender: Any, **_kwargs: Any) -> None:
    if not any(name.startswith("host.") for name in sender.app.amqp.queues.consume_from):
        return
    name = str(sender.hostname)
    threading.Thread(target=_live, args=(name,), daemon=True).start()
    threading.Thread(target=_look_at_fits, args=(name,), daemon=True).start()


def _live(name: str) -> None:
    """Say that the worker is alive, and look for work now and then without being told: nudges get lost with a broker,
    and expire at once on a machine whose clock is fast."""
    from renders import tasks
    from renders.services import nudges, workers

    first, watch = True, workers.MachineWatch(name)
    while not _stopping.is_set():
        try:
            if first:
                workers.register_worker(name=name)
            workers.beat(name=name)
            if watch.look() or first:
                nudges.nudge_waiting()
            elif not first:
                tasks.look_for_more(name)
            first = False
        except Exception:
            log.warning("worker_beat_failed", worker=name, exc_info=True)
        finally:
            close_old_connections()
        _stopping.wait(BEAT_SECONDS)
    try:
        workers.gone(name=name)
    except Exception:
        log.warning("worker_goodbye_failed", worker=name, exc_info=True)


def _look_at_fits(name: str) -> None:
    """In a thread of its own: a server's list has megabytes, and checking against it must not hold up the beat."""
    from renders.services import fits, leftovers, nudges

    watch = fits.FitWatch(name)
    while not _stopping.wait(BEAT_SECONDS):
        leftovers.look(name)
        leftovers.look_around(name)
        try:
            if watch.look():
                nudges.nudge_waiting()
        except Exception:
            log.warning("worker_fits_failed", worker=name, exc_info=True)
        finally:
            close_old_connections()


def _stop(**_kwargs: Any) -> None:
    _stopping.set()
