"""Batches of render jobs over REST."""

from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _
from rest_framework.request import Request
from rest_framework.response import Response

from aipipeline.projects.api.views import Endpoint, integer, only
from aipipeline.projects.errors import Invalid
from aipipeline.projects.permissions import require
from renders.api.renders import job_json, jobs_told
from renders.models import RenderBatch, RenderJob
from renders.services import batches
from renders.services.batches import Progress, batch_for, batches_visible_to, progress_of

MOST_JOBS = 1000


def batch_json(batch: RenderBatch, progress: Progress) -> dict[str, Any]:
    return {
        "id": str(batch.pk),
        "project": batch.project.code,
        "kind": batch.kind,
        "title": batch.title,
        "actor": batch.actor.get_username() if batch.actor else None,
        "created_at": batch.created_at,
        "progress": progress.as_json(),
    }


def _told(rows: list[RenderBatch]) -> list[dict[str, Any]]:
    progress = progress_of(rows)
    return [batch_json(row, progress.get(row.pk, Progress())) for row in rows]


class Batches(Endpoint):
    def get(self, request: Request, code: str) -> Response:
        project = self.project(code, "project.view")
        rows = batches_visible_to(request.user).filter(project=project)
        return self.page(rows, _told, ordering=("-created_at", "id"))


class BatchDetail(Endpoint):
    """One batch with its first thousand jobs; the rest are listed by the project's renders."""

    def get(self, request: Request, batch_id: UUID) -> Response:
        batch = batch_for(request.user, batch_id)
        jobs = jobs_told(request.user).filter(batch=batch).order_by("created_at", "pk")[:MOST_JOBS]
        return Response({**_told([batch])[0], "jobs": [job_json(job) for job in jobs]})

    def patch(self, request: Request, batch_id: UUID) -> Response:
        batch = batch_for(request.user, batch_id)
        require(request.user, "renders.manage", batch.project)
        body = self.body()
        only(body, "priority")
        value = integer(body.get("priority"), "priority")
        if value is None:
            raise Invalid(_("Only the priority can be changed."), fields={"priority": [_("required")]})
        batches.set_batch_priority(batch=batch, actor=request.user, priority=value, tab=self.tab)
        return Response(_told([batch])[0])


class BatchCancel(Endpoint):
    def post(self, request: Request, batch_id: UUID) -> Response:
        batch = batch_for(request.user, batch_id)
        require(request.user, "renders.cancel", batch.project)
        batches.cancel_batch(batch=batch, actor=request.user, tab=self.tab)
        return Response(_told([batch])[0])


class BatchRetry(Endpoint):
    def post(self, request: Request, batch_id: UUID) -> Response:
        batch = batch_for(request.user, batch_id)
        require(request.user, "renders.start", batch.project)
        again = batches.retry_failed(batch=batch, actor=request.user, tab=self.tab)
        return Response({**_told([batch])[0], **again.as_json()})


class BatchResults(Endpoint):
    """By shot, what each variant made: [{"shot", "character", "environment", "variants": [{"variant", …}]}]."""

    def get(self, request: Request, batch_id: UUID) -> Response:
        rows = batches.results(batch_for(request.user, batch_id))
        return Response({"rows": [_row(row) for row in rows]})


def _row(row: batches.Row) -> dict[str, Any]:
    job: RenderJob = row.cells[0].job
    owner = {"shot": job.shot_id, "character": job.character_id, "environment": job.environment_id}
    cells = [
        {
            "variant": cell.variant,
            "job": str(cell.job.pk),
            "state": cell.job.state,
            "workflow": cell.job.workflow.key,
            "version": cell.version.pk if cell.version else None,
        }
        for cell in row.cells
    ]
    return {**owner, "variants": cells}
