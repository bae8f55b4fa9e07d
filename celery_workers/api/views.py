"""Background tasks over REST."""

from typing import Any
from uuid import UUID

from django.db.models import Q
from django.utils.translation import gettext as _
from rest_framework.request import Request
from rest_framework.response import Response

from aipipeline.projects.api.views import Endpoint
from aipipeline.projects.errors import NotFound
from aipipeline.projects.models import Project
from aipipeline.projects.permissions import require
from celery_workers import ledger
from celery_workers.models import LedgerTask


def task_json(task: LedgerTask) -> dict[str, Any]:
    return {
        "id": str(task.pk),
        "task": str(task.pk),
        "kind": task.kind,
        "state": task.state,
        "progress": task.progress,
        "message": task.message,
        "result": task.result,
        "error": task.error,
        "cancel_requested": task.cancel_requested,
        "created_at": task.created_at,
        "finished_at": task.finished_at,
    }


class TaskDetail(Endpoint):
    def get(self, request: Request, task_id: UUID) -> Response:
        return Response(task_json(self.task(task_id)))

    def task(self, task_id: UUID) -> LedgerTask:
        """A task of a project that the caller may see; work of no project is its starter's and superusers'."""
        user = self.request.user
        mine = Q(project__in=Project.objects.visible_to(user)) | Q(project=None, actor=user)
        if user.is_superuser:
            mine |= Q(project=None)
        task = LedgerTask.objects.filter(mine, pk=task_id).select_related("project").first()
        if task is None:
            raise NotFound(_("There is no such task."))
        return task


class TaskCancel(TaskDetail):
    http_method_names = ["post", "options"]

    def post(self, request: Request, task_id: UUID) -> Response:
        task = self.task(task_id)
        if task.project is not None:
            require(request.user, "renders.cancel", task.project)
        ledger.cancel(task=task)
        task.refresh_from_db()
        return Response(task_json(task))
