"""The registry of workers: each says who it is, what it can do, and that it is alive."""

from typing import Any

from django.conf import settings
from django.db.models.functions import Now

from aipipeline.events import publish
from renders.models import Worker, WorkerState


def register_worker(*, name: str, gpu: dict[str, Any] | None = None, error: str = "") -> Worker:
    """Write or refresh this process's row; a drained worker stays drained."""
    endpoint = settings.AIP_WORKER_ENDPOINT
    facts = {
        "queue": f"host.{name}",
        "endpoint": endpoint,
        "vram_gb": settings.AIP_WORKER_VRAM if endpoint else 0,
        "backends": ["comfyui"] if endpoint else ["local"],
        "gpu": gpu or {},
        "error": error[:300],
    }
    worker, made = Worker.objects.get_or_create(name=name, defaults=facts)
    changes = dict(facts)
    if not made and worker.state == WorkerState.OFFLINE:
        changes["state"] = WorkerState.ONLINE
    Worker.objects.filter(pk=worker.pk).update(**changes, heartbeat_at=Now())
    worker.refresh_from_db()
    if made or "state" in changes:
        publish("farm", "worker.changed", ids=[worker.pk])
    return worker


_known: dict[str, Worker] = {}
_slots = 1


def register_worker_once(name: str) -> Worker:
    """This process's worker row, written at the first call in each process."""
    if name not in _known or not Worker.objects.filter(pk=_known[name].pk).exists():
        _known[name] = register_worker(name=name)
    return _known[name]


def set_slots(count: int) -> None:
    """How many attempts this node may hold at once: one per pool process, one for a ComfyUI endpoint."""
    global _slots
    _slots = 1 if settings.AIP_WORKER_ENDPOINT else max(1, count)


def slots_here() -> int:
    return _slots


def beat(*, name: str) -> None:
    """The worker is alive."""
    Worker.objects.filter(name=name).update(heartbeat_at=Now())
    Worker.objects.filter(name=name, state=WorkerState.OFFLINE).update(state=WorkerState.ONLINE)


def gone(*, name: str) -> None:
    """The worker says goodbye."""
    Worker.objects.filter(name=name).update(state=WorkerState.OFFLINE)
    publish("farm", "worker.changed", ids=[])


def drain(*, worker: Worker, draining: bool) -> Worker:
    """A draining worker ends what it has and takes nothing new."""
    state = WorkerState.DRAINING if draining else WorkerState.ONLINE
    Worker.objects.filter(pk=worker.pk).update(state=state)
    worker.refresh_from_db()
    publish("farm", "worker.changed", ids=[worker.pk])
    return worker
