"""What becomes of a version over REST: made again, worked on, compared with another."""

from typing import Any

from django.utils.translation import gettext as _
from rest_framework.request import Request
from rest_framework.response import Response

from aipipeline.projects.api.views import Endpoint, integer, only, text
from aipipeline.projects.errors import Invalid
from aipipeline.projects.permissions import require
from renders.api.renders import job_json
from renders.selectors import job_for, version_for
from renders.services.comparing import compare
from renders.services.posting import post_version
from renders.services.reproducing import differences, reproduce


class VersionReproduce(Endpoint):
    """GET: what would differ. POST `{"accept": true}`: make it again; without `accept` only when nothing differs."""

    def get(self, request: Request, version_id: int) -> Response:
        found = differences(version_for(request.user, version_id))
        possible = not any(entry.blocking for entry in found)
        return Response({"possible": possible, "differences": [entry.as_json() for entry in found]})

    def post(self, request: Request, version_id: int) -> Response:
        version = version_for(request.user, version_id)
        require(request.user, "renders.start", version.project)
        body = self.body()
        only(body, "accept")
        accept = body.get("accept", False)
        if not isinstance(accept, bool):
            raise Invalid(_("accept: true or false is needed."), fields={"accept": [_("not true or false")]})
        job = reproduce(version=version, actor=request.user, accept=accept, tab=self.tab)
        return Response({"job": job_json(job_for(request.user, job.pk))}, status=201)


class VersionPost(Endpoint):
    """POST `{"workflow": "local.interpolate", "params": {"fps": "48"}}`: more frames, slow motion, a larger picture."""

    def post(self, request: Request, version_id: int) -> Response:
        version = version_for(request.user, version_id)
        require(request.user, "renders.start", version.project)
        body = self.body()
        only(body, "workflow", "params", "priority")
        params: Any = body.get("params", {})
        if not isinstance(params, dict):
            raise Invalid(_("params must be an object."), fields={"params": [_("not an object")]})
        job = post_version(
            version=version,
            actor=request.user,
            workflow=text(body, "workflow"),
            params=params,
            priority=max(-100, min(100, integer(body.get("priority"), "priority") or 0)),
            tab=self.tab,
        )
        return Response({"job": job_json(job_for(request.user, job.pk))}, status=201)


class VersionCompare(Endpoint):
    """What differs between two versions of one project, by field."""

    def get(self, request: Request, version_id: int, other_id: int) -> Response:
        before, after = version_for(request.user, version_id), version_for(request.user, other_id)
        if before.project_id != after.project_id:
            raise Invalid(_("Only versions of one project can be compared."), fields={"other": [_("another project")]})
        found = compare(before, after)
        return Response({"a": before.pk, "b": after.pk, "fields": [entry.as_json() for entry in found]})
