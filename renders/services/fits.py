"""What each worker's server can do: its own list, kept as it was last said, and which workflows fit to it.

The rows are kept by a worker's own thread (`FitWatch`); nothing here is asked while somebody waits for an answer.
"""

import gzip
import hashlib
import json
import time
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import structlog
from django.db import transaction
from django.utils.translation import gettext as _

from aipipeline.events import publish
from renders.backends import BackendError, Wanted, advise, ask_schema, check
from renders.models import MachineSchema, Worker, WorkerFit, WorkerState, Workflow, WorkflowGraph
from renders.services import blocks

log = structlog.get_logger(__name__)
ASK_SECONDS = 300.0  # between two questions to a server that has nothing new
LARGEST = 64 * 2**20  # bytes of a schema; real ones have one to five million


def refusals(
    *,
    workflow: Workflow,
    graph: WorkflowGraph | None = None,
    params: Mapping[str, Any],
    exact: Mapping[str, Any] | None = None,
) -> list[str]:
    """Why no server could do this, in words: when all whose list is known lack something; else empty.

    A worker that is online and has not said yet what it can do may be able to. Of several servers each is named.
    """
    workers = list(Worker.objects.exclude(state=WorkerState.OFFLINE).order_by("name"))
    workers = [worker for worker in workers if workflow.backend in worker.backends]
    if any(not worker.schema_id and not worker.error for worker in workers):
        return []
    known = [worker for worker in workers if worker.schema_id]
    if not known:
        asleep = Worker.objects.filter(schema__isnull=False).order_by("name")
        known = [worker for worker in asleep if workflow.backend in worker.backends]
    wanted = wanted_of(workflow, graph=graph, params=params, exact=exact)
    found: dict[str, list[str]] = {}
    for worker in known:
        key = str(worker.schema_id)
        if key not in found:
            found[key] = check(workflow.backend, wanted, schema(key))
        if not found[key]:
            return []
    if len(found) == 1:
        return next(iter(found.values()))
    return [f"{worker.name}: {reason}" for worker in known for reason in found[str(worker.schema_id)]]


def advice(*, workflow: Workflow, graph: WorkflowGraph | None = None, params: Mapping[str, Any]) -> list[str]:
    """What goes with this workflow, but not well, in words with a remedy (`backends.advise`)."""
    return advise(workflow.backend, wanted_of(workflow, graph=graph, params=params))


def too_small(workers: Sequence[Worker], need: int) -> str:
    """That none of these has a card with so many GB, in words: the largest card, the need and what to do."""
    largest = max(workers, key=lambda worker: worker.vram_gb)
    text = _(
        "The work needs a GPU with %(need)d GB; the largest one online has %(largest)d GB (%(card)s). Choose a workflow"
        " for smaller cards, or start a worker that has a larger one."
    )
    card = str(largest.gpu.get("gpu") or largest.name)
    return text % {"need": need, "largest": largest.vram_gb, "card": card}


def wanted_of(
    workflow: Workflow,
    *,
    graph: WorkflowGraph | None = None,
    params: Mapping[str, Any] | None = None,
    exact: Mapping[str, Any] | None = None,
) -> Wanted:
    used = graph or workflow.graph
    nodes = {"nodes": used.nodes, "about": used.about, "number": used.number} if used is not None else None
    return Wanted(workflow=workflow.key, params=dict(params or {}), graph=nodes, exact=exact)


@lru_cache(maxsize=2)
def schema(sha256: str) -> dict[str, Any]:
    """A schema by its hash; whoever gets it must not change it."""
    body = MachineSchema.objects.values_list("body", flat=True).get(pk=sha256)
    read: dict[str, Any] = json.loads(gzip.decompress(bytes(body)))
    return read


def keep_schema(*, worker: Worker, said: Mapping[str, Any]) -> bool:
    """Keep what a worker's server says that it can do; True when that is news. Old lists of nobody are removed."""
    text = json.dumps(said, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()
    if len(text) > LARGEST:
        raise BackendError(f"The server's list of nodes has {len(text)} bytes.", retryable=False)
    digest = hashlib.sha256(text).hexdigest()
    if worker.schema_id == digest:
        return False
    with transaction.atomic():
        if not MachineSchema.objects.filter(pk=digest).exists():
            packed = gzip.compress(text, compresslevel=6, mtime=0)
            MachineSchema.objects.bulk_create([MachineSchema(pk=digest, body=packed)], ignore_conflicts=True)
        Worker.objects.filter(pk=worker.pk).update(schema=digest)
        worker.schema_id = digest
    MachineSchema.objects.filter(workers=None).delete()
    return True


def check_workflows(*, worker: Worker, workflows: list[Workflow]) -> list[int]:
    """Write whether these fit to the worker's server; the ids of those that do. Tells the farm of changes."""
    said = schema(str(worker.schema_id))
    before = dict(WorkerFit.objects.filter(worker=worker).values_list("workflow", "fits"))
    fitting, changed = [], False
    for workflow in workflows:
        try:
            reasons = check(workflow.backend, wanted_of(workflow), said)
        except Exception as error:  # a graph that cannot be read concerns that workflow alone
            log.warning("fit_not_checked", worker=worker.name, workflow=workflow.key, exc_info=True)
            reasons = [f"{type(error).__name__}: {error}"[:500]]
        WorkerFit.objects.update_or_create(
            worker=worker, workflow=workflow, defaults={"fits": not reasons, "reasons": reasons[:50]}
        )
        if not reasons:
            fitting.append(workflow.pk)
        changed = changed or before.get(workflow.pk) != (not reasons)
    if changed:
        publish("farm", "worker.changed", ids=[worker.pk])
    return fitting


class FitWatch:
    """Keeps one worker's rows up to date, from the thread that beats: cheap while nothing has changed.

    Its server is asked at the start, every five minutes, after it was away, and when `ask_again` was called; each
    workflow is looked at again when it, its graph or the server's list has changed.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._next = 0.0
        self._seen: dict[int, tuple[Any, ...]] = {}

    def ask_again(self) -> None:
        self._next = 0.0

    def look(self) -> bool:
        """True when the worker may be able to do more than before."""
        worker = Worker.objects.filter(name=self.name).first()
        if worker is None or not worker.backends:
            return False
        if worker.error:
            self.ask_again()
            return False
        backend = worker.backends[0]
        news = self._ask(worker, backend) if time.monotonic() >= self._next else False
        if not worker.schema_id:
            return False
        rows = Workflow.objects.filter(backend=backend, enabled=True).select_related("graph")
        facts = rows.values_list("pk", "version", "graph", "needs", "slots", "key")
        now = {pk: (worker.schema_id, *(str(fact) for fact in rest)) for pk, *rest in facts}
        WorkerFit.objects.filter(worker=worker).exclude(workflow__in=now).delete()
        due = [pk for pk, seen in now.items() if self._seen.get(pk) != seen]
        if due:
            fitting = check_workflows(worker=worker, workflows=list(rows.filter(pk__in=due)))
            if news:
                blocks.lift_after_check(worker=worker, workflows=fitting)
            self._seen = now
        return bool(due)

    def _ask(self, worker: Worker, backend: str) -> bool:
        try:
            said = ask_schema(backend, worker.endpoint)
            self._next = time.monotonic() + ASK_SECONDS
            return said is not None and keep_schema(worker=worker, said=said)
        except BackendError as error:
            log.info("schema_not_read", worker=self.name, error=error.message)
            return False
