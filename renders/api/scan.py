"""Scans of the production tree, and the adoption of dropped files, over REST: both are background work."""

from typing import Any

from django.utils.translation import gettext as _
from rest_framework.request import Request
from rest_framework.response import Response

from aipipeline.projects.api.views import Endpoint, only
from aipipeline.projects.errors import Invalid
from aipipeline.projects.permissions import require
from celery_workers.api.views import task_json
from renders.services import scans


class TreeScan(Endpoint):
    """GET: the newest scan, null before the first. POST `{"deep": true}` also compares checksums; leads only."""

    def get(self, request: Request, code: str) -> Response:
        task = scans.newest(self.project(code, "project.view"), scans.SCAN)
        return Response(task_json(task) if task is not None else {"task": None})

    def post(self, request: Request, code: str) -> Response:
        project = self.project(code, "versions.upload")
        body = self.body()
        only(body, "deep")
        deep = body.get("deep", False)
        if not isinstance(deep, bool):
            raise Invalid(_("deep: true or false is needed."), fields={"deep": [_("not true or false")]})
        if deep:
            require(request.user, "tree.manage", project)
        task = scans.start_scan(project=project, actor=request.user, deep=deep)
        return Response({"task": str(task.pk)}, status=202)


class TreeAdopt(Endpoint):
    """POST `{"files": [{"path", "kind"}]}`, or without `files` for everything that lies in drop folders."""

    def post(self, request: Request, code: str) -> Response:
        project = self.project(code, "versions.upload")
        body: dict[str, Any] = self.body()
        only(body, "files")
        task = scans.start_adopt(project=project, actor=request.user, files=body.get("files"), tab=self.tab)
        return Response({"task": str(task.pk)}, status=202)
