"""The page of one batch, and what people do with it as a whole."""

from collections.abc import Iterable
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from aipipeline.projects.permissions import require
from aipipeline.ui.context_processors import project_context
from aipipeline.ui.htmx import render_page_or_fragment
from aipipeline.ui.pages import body_of, number_in, tab_of
from renders.farm.batches import ShotGroup, batch_groups, batch_row
from renders.models import JobState, RenderBatch
from renders.services import batches
from renders.views.farm_actions import told, told_again


@require_GET
def batch(request: HttpRequest, batch_id: UUID) -> HttpResponse:
    row = batch_row(batches.batch_for(request.user, batch_id))
    project = row.batch.project
    groups = batch_groups(row.batch, request.user)
    waiting = [one.job.priority for group in groups for one in group.rows if one.job.state == JobState.QUEUED]
    context = {
        **project_context(request, project),
        "row": row,
        "groups": groups,
        "priority": max(waiting, default=0),
        "seams": any(group.seam for group in groups),
        "step": next((one.job.step for group in groups for one in group.rows), ""),
        "failed_shots": _ids(group for group in groups if group.failed),
        "stale_shots": _ids(group for group in groups if group.stale),
    }
    return render_page_or_fragment(request, "renders/batch.html", "renders/_batch.html", context)


def _ids(groups: Iterable[ShotGroup]) -> str:
    """The shots among the owners, as the render dialog takes them."""
    return ",".join(str(group.owner.pk) for group in groups if group.shot)


@require_POST
def cancel(request: HttpRequest, batch_id: UUID) -> HttpResponse:
    row = _allowed(request, batch_id, "renders.cancel")
    count = batches.cancel_batch(batch=row, actor=request.user, tab=tab_of(request))
    return told(ngettext("%(n)d job cancelled.", "%(n)d jobs cancelled.", count) % {"n": count})


@require_POST
def retry(request: HttpRequest, batch_id: UUID) -> HttpResponse:
    row = _allowed(request, batch_id, "renders.start")
    return told_again(batches.retry_failed(batch=row, actor=request.user, tab=tab_of(request)))


@require_POST
def priority(request: HttpRequest, batch_id: UUID) -> HttpResponse:
    row = _allowed(request, batch_id, "renders.manage")
    value = number_in(body_of(request), "priority") or 0
    batches.set_batch_priority(batch=row, actor=request.user, priority=value, tab=tab_of(request))
    return told(_("Priority changed."))


def _allowed(request: HttpRequest, batch_id: UUID, operation: str) -> RenderBatch:
    row = batches.batch_for(request.user, batch_id)
    require(request.user, operation, row.project)
    return row
