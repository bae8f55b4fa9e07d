"""Versions, reviews, render jobs, workers, workflows and presets over REST."""

from typing import Any
from uuid import UUID

from django.urls import reverse
from django.utils.translation import gettext as _
from rest_framework.request import Request
from rest_framework.response import Response

from aipipeline.history.services import recording
from aipipeline.media.uploads import kept_upload
from aipipeline.projects.api.views import Endpoint, integer, integers
from aipipeline.projects.errors import Conflict, Invalid, NotFound
from aipipeline.projects.permissions import require
from renders.models import JobState, RenderJob, RenderPreset, Version, VersionKind, Worker, Workflow
from renders.selectors import job_for, jobs_visible_to, version_for
from renders.services import queue
from renders.services.jobs import render_shots
from renders.services.publishing import publish_files
from renders.services.reviews import review_version
from renders.services.workflows import workflow_named
from shots.models import Shot
from shots.selectors import shot_for


def version_json(version: Version) -> dict[str, Any]:
    names = ("kind", "number", "label", "status", "auto", "comment", "width", "height", "frames", "fps", "published_at")
    return {
        "id": version.pk,
        **{name: getattr(version, name) for name in names},
        "shot": version.shot_id,
        "character": version.character_id,
        "environment": version.environment_id,
        "path": version.path,
        "files": version.manifest,
        "provenance": version.provenance,
        "url": reverse("renders:file", args=[version.pk]),
        "thumbnail": reverse("renders:thumb", args=[version.pk, 320]),
    }


def job_json(job: RenderJob) -> dict[str, Any]:
    names = (
        "kind",
        "step",
        "state",
        "progress",
        "message",
        "error",
        "priority",
        "params",
        "attempts_made",
        "created_at",
        "finished_at",
    )
    return {
        "id": str(job.pk),
        **{name: getattr(job, name) for name in names},
        "project": job.project.code,
        "shot": job.shot_id,
        "workflow": job.workflow.key,
        "version": job.version_id,
    }  # fmt: skip


class ShotVersions(Endpoint):
    def get(self, request: Request, shot_id: int) -> Response:
        shot = shot_for(request.user, shot_id)
        rows = Version.objects.live().filter(shot=shot).select_related("project")
        return self.page(rows, lambda found: [version_json(v) for v in found], ordering="-id")

    def post(self, request: Request, shot_id: int) -> Response:
        shot = shot_for(request.user, shot_id)
        require(request.user, "versions.upload", shot.project)
        kind = str(self.body().get("kind") or "")
        if kind not in VersionKind.values:
            raise Invalid(_("Unknown kind of version."), fields={"kind": [_("unknown")]})
        with kept_upload(request.FILES.get("file")) as (name, path):
            version = publish_files(
                owner=shot,
                kind=kind,
                files={name: path},
                actor=request.user,
                comment=str(self.body().get("comment") or ""),
            )
        return Response(version_json(version), status=201)


class VersionDetail(Endpoint):
    def get(self, request: Request, version_id: int) -> Response:
        return Response(version_json(version_for(request.user, version_id)))


class VersionReview(Endpoint):
    def post(self, request: Request, version_id: int) -> Response:
        version = version_for(request.user, version_id)
        body = self.body()
        verdict = str(body.get("verdict") or "")
        operation = "notes.write" if verdict == "comment" else "versions.review"
        require(request.user, operation, version.project)
        region = body.get("region")
        review = review_version(
            version=version,
            actor=request.user,
            verdict=verdict,
            text=str(body.get("text") or ""),
            frame=integer(body.get("frame"), "frame"),
            region=region if isinstance(region, list) else None,
            tab=self.tab,
        )
        version.refresh_from_db()
        return Response({"review": review.pk, "version": version_json(version)}, status=201)


class Renders(Endpoint):
    def get(self, request: Request, code: str) -> Response:
        project = self.project(code, "project.view")
        rows = jobs_visible_to(request.user).filter(project=project)
        state = request.query_params.get("state")
        if state in JobState.values:
            rows = rows.filter(state=state)
        return self.page(rows, lambda found: [job_json(job) for job in found], ordering="-created_at")

    def post(self, request: Request, code: str) -> Response:
        project = self.project(code, "renders.start")
        body = self.body()
        ids = integers(body.get("shots", []), "shots")
        rows = Shot.objects.live().filter(project=project, pk__in=ids)
        shots = list(rows.select_related("project", "scene__environment", "environment", "preset"))
        if len(shots) != len(set(ids)):
            raise NotFound(_("A shot is not in this project."))
        params = body.get("params") or {}
        if not isinstance(params, dict):
            raise Invalid(_("params must be an object."), fields={"params": [_("not an object")]})
        workflow = str(body.get("workflow") or "")
        if body.get("preset") is not None:
            preset = RenderPreset.objects.live().filter(project=project, pk=integer(body["preset"], "preset")).first()
            if preset is None:
                raise NotFound(_("There is no such render preset."))
            workflow, params = preset.workflow.key, {**preset.params, **params}
        after = [job_for(request.user, _uuid(value)) for value in body.get("after") or []]
        if any(job.project_id != project.pk for job in after):
            raise NotFound(_("A job to wait for is not in this project."))
        jobs = render_shots(
            project=project,
            actor=request.user,
            shots=shots,
            workflow=workflow,
            step=str(body.get("step") or ""),
            params=params,
            priority=max(-100, min(100, integer(body.get("priority"), "priority") or 0)),
            after=after,
            tab=self.tab,
        )
        found = jobs_visible_to(request.user).filter(pk__in=[job.pk for job in jobs])
        return Response({"jobs": [job_json(job) for job in found]}, status=201)


def _uuid(value: Any) -> UUID:
    try:
        return UUID(str(value))
    except ValueError:
        raise Invalid(_("after: job ids are needed."), fields={"after": [_("not an id")]}) from None


class RenderDetail(Endpoint):
    def get(self, request: Request, job_id: UUID) -> Response:
        return Response(job_json(job_for(request.user, job_id)))

    def patch(self, request: Request, job_id: UUID) -> Response:
        job = job_for(request.user, job_id)
        require(request.user, "renders.manage", job.project)
        value = integer(self.body().get("priority"), "priority")
        if value is None:
            raise Invalid(_("Only the priority can be changed."), fields={"priority": [_("required")]})
        changed = RenderJob.objects.filter(pk=job.pk, state=JobState.QUEUED).update(priority=max(-100, min(100, value)))
        if not changed:
            raise Conflict(_("This job does not wait any more."))
        return Response(job_json(job_for(request.user, job_id)))


class RenderCancel(Endpoint):
    def post(self, request: Request, job_id: UUID) -> Response:
        job = job_for(request.user, job_id)
        require(request.user, "renders.cancel", job.project)
        queue.cancel(job=job)
        return Response(job_json(job_for(request.user, job_id)))


class RenderRetry(Endpoint):
    def post(self, request: Request, job_id: UUID) -> Response:
        job = job_for(request.user, job_id)
        require(request.user, "renders.start", job.project)
        queue.retry(job=job)
        return Response(job_json(job_for(request.user, job_id)))


class Workers(Endpoint):
    def get(self, request: Request) -> Response:
        require(request.user, "farm.view")
        names = ("id", "name", "vram_gb", "backends", "state", "error", "heartbeat_at")
        return self.page(Worker.objects.all(), lambda rows: [{n: getattr(w, n) for n in names} for w in rows])


class Workflows(Endpoint):
    def get(self, request: Request) -> Response:
        names = (
            "key",
            "title",
            "backend",
            "version",
            "output_kind",
            "step",
            "vram_gb",
            "inputs",
            "defaults",
            "enabled",
        )
        return self.page(Workflow.objects.all(), lambda rows: [{n: getattr(w, n) for n in names} for w in rows])


class Presets(Endpoint):
    def get(self, request: Request) -> Response:
        rows = RenderPreset.objects.visible_to(request.user).live().select_related("project", "workflow")
        return self.page(rows, lambda found: [_preset_json(row) for row in found])

    def post(self, request: Request) -> Response:
        body = self.body()
        project = self.project(str(body.get("project") or ""), "renders.start")
        name, params = str(body.get("name") or "").strip(), body.get("params") or {}
        if not name or len(name) > 120 or not isinstance(params, dict):
            raise Invalid(_("A preset needs a name and parameters."), fields={"name": [_("required")]})
        if RenderPreset.objects.filter(project=project, name=name).exists():
            raise Conflict(_("There is one named %(name)s already.") % {"name": name})
        workflow = workflow_named(str(body.get("workflow") or ""))
        with recording(project=project, actor=request.user, kind="preset.create", tab=self.tab) as recorder:
            row = recorder.create(
                RenderPreset(project=project, name=name, workflow=workflow, params=params, author=request.user)  # type: ignore[misc]  # authenticated by the permission class
            )
        return Response(_preset_json(row), status=201)


def _preset_json(row: RenderPreset) -> dict[str, Any]:
    facts = {"id": row.pk, "name": row.name, "params": row.params, "revision": row.revision}
    return {**facts, "project": row.project.code, "workflow": row.workflow.key}
