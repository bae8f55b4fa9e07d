"""The registry of workers: each says who it is, what it can do, and that it is alive."""

import time
from typing import Any

import structlog
from django.conf import settings
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from aipipeline.events import publish
from aipipeline.history.plain import update_plain
from aipipeline.history.services import recording
from aipipeline.projects.errors import Conflict
from renders.backends import BackendError, ask_machine
from renders.models import Worker, WorkerState
from renders.models.job import VRAM_OF
from renders.services.fits import FitWatch
from renders.services.locking import of_self
from renders.services.nudges import wake

log = structlog.get_logger(__name__)
ASK_SECONDS = 15.0  # between two questions to a machine that answers
PATIENCE = 2  # a server that loads a model may miss one question


def register_worker(*, name: str) -> Worker:
    """Write or refresh this node's row when the node starts; a drained worker stays drained, an offline one is back."""
    endpoint = settings.AIP_WORKER_ENDPOINT
    facts: dict[str, Any] = {
        "queue": f"host.{name}",
        "endpoint": endpoint,
        "backends": ["comfyui"] if endpoint else ["local"],
        "tags": [tag.strip() for tag in settings.AIP_WORKER_TAGS if tag.strip()],
    }
    if settings.AIP_WORKER_VRAM or not endpoint:
        facts["vram_gb"] = settings.AIP_WORKER_VRAM if endpoint else 0
    worker, made = Worker.objects.get_or_create(name=name, defaults=facts)
    changes = dict(facts)
    if worker.endpoint != endpoint:  # another machine under the old name: nothing said before is true of it
        changes.update({"gpu": {}, "error": "", "loaded": "", "schema": None, "vram_gb": facts.get("vram_gb", 0)})
    if not made and worker.state == WorkerState.OFFLINE:
        changes["state"] = WorkerState.ONLINE
    Worker.objects.filter(pk=worker.pk).update(**changes, heartbeat_at=Now())
    worker.refresh_from_db()
    if made or "state" in changes:
        publish("farm", "worker.changed", ids=[worker.pk])
    return worker


_slots = 1


def find_worker(*, name: str) -> Worker | None:
    """The row of a node, as it is; None until the node has said who it is.

    For its pool processes: only the one process that beats says that a node is there, so that none of the others
    brings it back while it stops.
    """
    return Worker.objects.filter(name=name).first()


def set_slots(count: int) -> None:
    """How many attempts this node may hold at once: one per pool process, one for a ComfyUI endpoint."""
    global _slots
    _slots = 1 if settings.AIP_WORKER_ENDPOINT else max(1, count)


def slots_here() -> int:
    return _slots


def beat(*, name: str) -> None:
    """The worker is alive. For the process that registered it, and only until `gone`."""
    if not Worker.objects.filter(name=name).update(heartbeat_at=Now()):
        register_worker(name=name)  # somebody deleted its row
    Worker.objects.filter(name=name, state=WorkerState.OFFLINE).update(state=WorkerState.ONLINE)


def nominal_gb(memory: int) -> int:
    """The class that a card of so many bytes is sold as: of 24 GB up to a tenth is not there for programs."""
    gigabytes = memory / 2**30
    return next((size for size in VRAM_OF.values() if 0.9 * size <= gigabytes < size), round(gigabytes))


class MachineWatch:
    """Asks the machine behind a worker what it is, from the thread that beats; one per process.

    What it says is kept in `Worker.gpu`, with the VRAM unless AIP_WORKER_VRAM declares it. While it does not answer
    `Worker.error` says so and the worker claims nothing; what was known of it stays.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._next = 0.0
        self._silent = 0

    def look(self) -> bool:
        """Ask when it is time to; True when the worker can work again after a trouble."""
        endpoint = settings.AIP_WORKER_ENDPOINT
        if not endpoint or time.monotonic() < self._next:
            return False
        worker = Worker.objects.filter(name=self.name).first()
        if worker is None:
            return False
        first = self._next == 0.0
        changes: dict[str, Any] = {}
        try:
            machine = ask_machine(worker.backends[0], endpoint)
        except BackendError as error:
            self._silent += 1
            self._next = time.monotonic()  # ask again with the next beat
            if first or self._silent >= PATIENCE:
                # Who comes back after that has been restarted, or may have been.
                changes = {"error": error.message[:300], "loaded": ""}
        else:
            self._silent, self._next = 0, time.monotonic() + ASK_SECONDS
            changes = {"gpu": machine.as_json(), "error": ""}
            if not settings.AIP_WORKER_VRAM:
                changes["vram_gb"] = nominal_gb(machine.vram_total or 0)
                if not machine.vram_total:
                    changes["error"] = _("The server does not say how much VRAM it has. Set AIP_WORKER_VRAM.")
        return self._keep(worker, changes)

    def _keep(self, worker: Worker, changes: dict[str, Any]) -> bool:
        if not changes:
            return False
        Worker.objects.filter(pk=worker.pk).update(**changes)
        told = {"error": worker.error, "vram_gb": worker.vram_gb}
        if any(changes.get(field, value) != value for field, value in told.items()) or not worker.gpu:
            log.info("worker_machine", worker=self.name, **{k: changes[k] for k in ("error", "gpu") if k in changes})
            publish("farm", "worker.changed", ids=[worker.pk])
        return not changes["error"] and (bool(worker.error) or changes.get("vram_gb", worker.vram_gb) != worker.vram_gb)


def wake_worker(*, worker: Worker, actor: Any, tab: str = "") -> Worker:
    """Let a worker take up work again: no longer drained, its machine asked anew, its queue looked into.

    Conflict for one that is offline: nobody is there to be woken.
    """
    params = {"worker": worker.name, "label": worker.name}
    with recording(project=None, actor=actor, kind="worker.wake", tab=tab, undoable=False, params=params) as recorder:
        row: Worker = Worker.objects.select_for_update(of=of_self()).get(pk=worker.pk)
        if row.state == WorkerState.OFFLINE:
            raise Conflict(_("This worker is offline. Start it first."))
        if row.state == WorkerState.DRAINING:
            update_plain(recorder, row, state=WorkerState.ONLINE)
        publish("farm", "worker.changed", ids=[row.pk])
        wake(row)
    return row


def look_anew(*, name: str) -> None:
    """Ask the machine behind this process's worker, and what its server can do, without waiting for the next time."""
    MachineWatch(name).look()
    FitWatch(name).look()


def gone(*, name: str) -> None:
    """The worker says goodbye."""
    Worker.objects.filter(name=name).update(state=WorkerState.OFFLINE)
    publish("farm", "worker.changed", ids=[])
