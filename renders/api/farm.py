"""Workers, what fits to them and what is blocked, and pauses, over REST."""

from datetime import datetime
from typing import Any

from django.db.models import Count, Q
from django.utils.dateparse import parse_datetime
from django.utils.timezone import is_naive
from django.utils.translation import gettext as _
from rest_framework.request import Request
from rest_framework.response import Response

from aipipeline.projects.api.views import Endpoint, only, text
from aipipeline.projects.errors import Invalid, NotFound
from aipipeline.projects.models import Project
from aipipeline.projects.permissions import require
from renders.models import Pause, PauseScope, RenderAttempt, Worker, WorkerBlock, WorkerFit
from renders.models.job import HELD_STATES
from renders.services import blocks, control, pauses, workers

FIELDS = (
    "id", "name", "vram_gb", "gpu", "tags", "backends", "state", "error", "loaded", "heartbeat_at",
)  # fmt: skip


def workers_json(rows: list[Worker], actor: Any) -> list[dict[str, Any]]:
    """With the job that each works at now; of other people's projects only that there is one. Constant queries."""
    held = RenderAttempt.objects.filter(worker__in=rows, state__in=HELD_STATES).select_related(
        "job__shot", "job__character", "job__environment"
    )
    mine = set(Project.objects.visible_to(actor).values_list("pk", flat=True))
    now: dict[int | None, list[dict[str, Any]]] = {}
    for attempt in held.order_by("created_at"):
        job = attempt.job
        seen = job.project_id in mine
        now.setdefault(attempt.worker_id, []).append(
            {
                "id": str(job.pk) if seen else None,
                "owner": str(job.owner) if seen else "",
                "state": attempt.state,
                "progress": job.progress,
                "started_at": attempt.started_at,
            }
        )
    fits: dict[int, Any] = {
        row["worker"]: row
        for row in WorkerFit.objects.filter(worker__in=rows)
        .values("worker")
        .order_by()
        .annotate(yes=Count("pk", filter=Q(fits=True)), no=Count("pk", filter=Q(fits=False)))
    }
    blocked = dict(WorkerBlock.objects.filter(worker__in=rows).order_by().values_list("worker").annotate(n=Count("pk")))
    return [
        {
            **{name: getattr(row, name) for name in FIELDS},
            "vram_free": row.gpu.get("vram_free"),
            "vram_total": row.gpu.get("vram_total"),
            "jobs": now.get(row.pk, []),
            "fits": fits.get(row.pk, {}).get("yes", 0),
            "unfit": fits.get(row.pk, {}).get("no", 0),
            "blocks": blocked.get(row.pk, 0),
        }
        for row in rows
    ]


def _worker(worker_id: int) -> Worker:
    row = Worker.objects.filter(pk=worker_id).first()
    if row is None:
        raise NotFound(_("There is no such worker."))
    return row


class Workers(Endpoint):
    def get(self, request: Request) -> Response:
        require(request.user, "farm.view")
        return self.page(Worker.objects.order_by("name"), lambda rows: workers_json(list(rows), request.user))


class WorkerDetail(Endpoint):
    """PATCH `{"draining": true}` lets it end what it has and take nothing new; false lets it go on."""

    def get(self, request: Request, worker_id: int) -> Response:
        require(request.user, "farm.view")
        return Response(workers_json([_worker(worker_id)], request.user)[0])

    def patch(self, request: Request, worker_id: int) -> Response:
        require(request.user, "farm.manage")
        row, body = _worker(worker_id), self.body()
        only(body, "draining")
        draining = body.get("draining")
        if not isinstance(draining, bool):
            raise Invalid(_("draining: true or false is needed."), fields={"draining": [_("not true or false")]})
        changed = control.drain_worker(worker=row, actor=request.user, draining=draining, tab=self.tab)
        return Response(workers_json([changed], request.user)[0])


class WorkerWake(Endpoint):
    def post(self, request: Request, worker_id: int) -> Response:
        """Take up work again: not drained, the machine asked anew. 409 for a worker that is offline."""
        require(request.user, "farm.manage")
        row = _worker(worker_id)
        only(self.body())
        woken = workers.wake_worker(worker=row, actor=request.user, tab=self.tab)
        return Response(workers_json([woken], request.user)[0], status=202)


class WorkerFits(Endpoint):
    def get(self, request: Request, worker_id: int) -> Response:
        """Which workflows its server can do, with the reasons where it cannot."""
        require(request.user, "farm.view")
        rows = WorkerFit.objects.filter(worker=_worker(worker_id)).select_related("workflow").order_by("workflow__key")

        def told(found: Any) -> list[dict[str, Any]]:
            return [
                {"workflow": row.workflow.key, "fits": row.fits, "reasons": row.reasons, "checked_at": row.checked_at}
                for row in found
            ]

        return self.page(rows, told)


class WorkerBlocks(Endpoint):
    def get(self, request: Request, worker_id: int) -> Response:
        """The workflows that it takes no more, and why."""
        require(request.user, "farm.view")
        rows = WorkerBlock.objects.filter(worker=_worker(worker_id)).select_related("workflow").order_by("pk")

        def told(found: Any) -> list[dict[str, Any]]:
            return [
                {"workflow": row.workflow.key, "failures": row.failures, "reason": row.reason, "since": row.since}
                for row in found
            ]

        return self.page(rows, told)


class WorkerBlockDetail(Endpoint):
    def delete(self, request: Request, worker_id: int, workflow: str) -> Response:
        """Lift the block: what it failed at before counts no more."""
        require(request.user, "farm.manage")
        blocks.lift_block(worker=_worker(worker_id), workflow=workflow, actor=request.user, tab=self.tab)
        return Response(status=204)


class Pauses(Endpoint):
    """POST and DELETE `{"scope": "project", "key": "12"}`; a project may also be named by its code.

    A project's leads may pause it; classes of cards and workflows are the farm's. DELETE ends the pause, and so does
    its `until`, an ISO time with its zone.
    """

    def get(self, request: Request) -> Response:
        require(request.user, "farm.view")
        return Response({"results": [pause_json(row) for row in pauses.pauses_for(request.user)]})

    def post(self, request: Request) -> Response:
        body = self.body()
        only(body, "scope", "key", "reason", "until")
        scope, key = self._target(body)
        row = pauses.pause(
            scope=scope, key=key, actor=request.user, reason=text(body, "reason"), until=_time(body), tab=self.tab
        )
        return Response(pause_json(row), status=201)

    def delete(self, request: Request) -> Response:
        body = self.body()
        only(body, "scope", "key")
        scope, key = self._target(body)
        pauses.resume(scope=scope, key=key, actor=request.user, tab=self.tab)
        return Response(status=204)

    def _target(self, body: Any) -> tuple[str, str]:
        """Scope and key that this person may pause."""
        scope, key = text(body, "scope"), body.get("key")
        key = str(key) if isinstance(key, int) and not isinstance(key, bool) else text(body, "key")
        if scope != PauseScope.PROJECT:
            require(self.request.user, "farm.manage")
            return scope, key
        mine = Project.objects.visible_to(self.request.user)
        number = int(key) if key.isascii() and key.isdecimal() and len(key) < 19 else 0
        project = mine.filter(pk=number).first() or mine.filter(code=key[:100]).first()
        if project is None:
            raise NotFound(_("There is no such project, or you are not a member of it."))
        require(self.request.user, "renders.manage", project)
        return scope, str(project.pk)


def _time(body: Any) -> datetime | None:
    said = text(body, "until")
    try:
        found = parse_datetime(said) if said else None
    except ValueError:
        found = None
    if said and (found is None or is_naive(found)):
        wanted = _("until: a time with its zone is needed, like 2030-05-01T09:00:00+09:00.")
        raise Invalid(wanted, fields={"until": [_("not a time")]})
    return found


def pause_json(row: Pause) -> dict[str, Any]:
    return {
        "scope": row.scope,
        "key": row.key,
        "label": pauses.label_of(row),
        "reason": row.reason,
        "actor": str(row.actor) if row.actor else "",
        "since": row.since,
        "until": row.until,
    }
