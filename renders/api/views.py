"""Versions, reviews, render jobs, workers, workflows and presets over REST."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.urls import reverse
from django.utils.translation import gettext as _
from rest_framework.request import Request
from rest_framework.response import Response

from aipipeline.media.uploads import kept_upload
from aipipeline.projects.api.views import MAX_ROWS, Endpoint, UploadEndpoint, integer, integers, only, text
from aipipeline.projects.errors import Conflict, Invalid, NotFound
from aipipeline.projects.models import Project
from aipipeline.projects.permissions import require
from assets.models import Character, Environment
from renders.models import JobState, RenderJob, RenderPreset, Version, VersionKind, Workflow
from renders.selectors import job_for, jobs_visible_to, version_for
from renders.services import control
from renders.services.jobs import start_renders
from renders.services.presets import create_preset
from renders.services.publishing import publish_files
from renders.services.reviews import review_version
from renders.services.uploading import publish_upload
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
        "character": job.character_id,
        "environment": job.environment_id,
        "workflow": job.workflow.key,
        "version": job.version_id,
    }  # fmt: skip


class ShotVersions(UploadEndpoint):
    def get(self, request: Request, shot_id: int) -> Response:
        shot = shot_for(request.user, shot_id)
        rows = Version.objects.live().filter(shot=shot).select_related("project")
        return self.page(rows, lambda found: [version_json(v) for v in found], ordering=("-id",))

    def post(self, request: Request, shot_id: int) -> Response:
        shot = shot_for(request.user, shot_id)
        require(request.user, "versions.upload", shot.project)
        body = self.body()
        only(body, "kind", "file", "comment")
        with kept_upload(request.FILES.get("file")) as (name, path):
            version = publish_upload(
                project=shot.project,
                owner=shot,
                kind=text(body, "kind"),
                name=name,
                path=path,
                actor=request.user,
                comment=text(body, "comment", limit=500),
            )
        return Response(version_json(version), status=201)


class ProjectVersions(UploadEndpoint):
    """A file that says by its name whose it is and of which kind."""

    def post(self, request: Request, code: str) -> Response:
        project = self.project(code, "versions.upload")
        body = self.body()
        only(body, "kind", "file", "comment")
        with kept_upload(request.FILES.get("file")) as (name, path):
            version = publish_upload(
                project=project,
                kind=text(body, "kind"),
                name=name,
                path=path,
                actor=request.user,
                comment=text(body, "comment", limit=500),
            )
        return Response(version_json(version), status=201)


class AssetVersions(UploadEndpoint):
    """The references of a character or an environment: listed, and added from a file."""

    models: dict[str, Any] = {"characters": Character, "environments": Environment}

    def owner(self, code: str, kind: str, asset_id: int, operation: str) -> Any:
        project = self.project(code, operation)
        model = self.models[kind]
        row = model.objects.live().filter(project=project, pk=asset_id).select_related("project").first()
        if row is None:
            raise NotFound(_("There is no such row in this project."))
        return row

    def get(self, request: Request, code: str, kind: str, asset_id: int) -> Response:
        owner = self.owner(code, kind, asset_id, "project.view")
        rows = owner.versions.live().select_related("project")
        return self.page(rows, lambda found: [version_json(v) for v in found], ordering=("-id",))

    def post(self, request: Request, code: str, kind: str, asset_id: int) -> Response:
        owner = self.owner(code, kind, asset_id, "versions.upload")
        body = self.body()
        only(body, "file", "comment")
        comment = text(body, "comment", limit=500)
        with kept_upload(request.FILES.get("file")) as (name, path):
            version = publish_files(
                owner=owner, kind=VersionKind.REFERENCE, files={name: path}, actor=request.user, comment=comment
            )
        return Response(version_json(version), status=201)


class VersionDetail(Endpoint):
    def get(self, request: Request, version_id: int) -> Response:
        return Response(version_json(version_for(request.user, version_id)))


class VersionReview(Endpoint):
    def post(self, request: Request, version_id: int) -> Response:
        version = version_for(request.user, version_id)
        body = self.body()
        only(body, "verdict", "text", "frame", "region")
        verdict = text(body, "verdict")
        operation = "notes.write" if verdict == "comment" else "versions.review"
        require(request.user, operation, version.project)
        frame = integer(body.get("frame"), "frame")
        if frame is not None and not 0 <= frame < 2**31:
            raise Invalid(_("frame: a frame of the version is needed."), fields={"frame": [_("out of range")]})
        review = review_version(
            version=version,
            actor=request.user,
            verdict=verdict,
            text=text(body, "text"),
            frame=frame,
            region=_region(body.get("region")),
            tab=self.tab,
        )
        version.refresh_from_db()
        return Response({"review": review.pk, "version": version_json(version)}, status=201)


def _region(value: Any) -> list[float] | None:
    """A drawn region as [x, y, width, height], fractions of the picture."""
    if value is None:
        return None
    good = isinstance(value, list) and len(value) == 4
    good = good and all(isinstance(n, (int, float)) and not isinstance(n, bool) and 0 <= n <= 1 for n in value)
    if not good:
        raise Invalid(
            _("region: [x, y, width, height] as fractions of 1 are needed."), fields={"region": [_("not a region")]}
        )
    return [float(number) for number in value]


class Renders(Endpoint):
    def get(self, request: Request, code: str) -> Response:
        project = self.project(code, "project.view")
        rows = jobs_visible_to(request.user).filter(project=project)
        state = request.query_params.get("state")
        if state in JobState.values:
            rows = rows.filter(state=state)
        return self.page(rows, lambda found: [job_json(job) for job in found], ordering=("-created_at", "id"))

    def post(self, request: Request, code: str) -> Response:
        project = self.project(code, "renders.start")
        body = self.body()
        only(body, "shots", "characters", "environments", "workflow", "preset", "step", "params", "priority", "after")
        ids = integers(body.get("shots", []), "shots")
        rows = Shot.objects.live().filter(project=project, pk__in=ids)
        shots = list(rows.select_related("project", "scene__environment", "environment", "preset"))
        if len(shots) != len(set(ids)):
            raise NotFound(_("A shot is not in this project."))
        references = [
            *_owners(Character, project, body, "characters"),
            *_owners(Environment, project, body, "environments"),
        ]
        params = body.get("params", {})
        if not isinstance(params, dict):
            raise Invalid(_("params must be an object."), fields={"params": [_("not an object")]})
        workflow = text(body, "workflow")
        if body.get("preset") is not None:
            preset = (
                RenderPreset.objects.visible_to(request.user)
                .live()
                .filter(project=project, pk=integer(body["preset"], "preset"))
                .select_related("workflow")
                .first()
            )
            if preset is None:
                raise NotFound(_("There is no such render preset."))
            workflow, params = preset.workflow.key, {**preset.params, **params}
        after = _jobs(request, project, body.get("after", []))
        jobs = start_renders(
            project=project,
            actor=request.user,
            shots=shots,
            references=references,
            workflow=workflow,
            step=text(body, "step"),
            params=params,
            priority=max(-100, min(100, integer(body.get("priority"), "priority") or 0)),
            after=after,
            tab=self.tab,
        )
        found = jobs_visible_to(request.user).filter(pk__in=[job.pk for job in jobs])
        return Response({"jobs": [job_json(job) for job in found]}, status=201)


def _owners(model: Any, project: Project, body: Mapping[str, Any], name: str) -> list[Any]:
    ids = integers(body.get(name, []), name)
    rows = list(model.objects.live().filter(project=project, pk__in=ids).select_related("project")) if ids else []
    if len(rows) != len(set(ids)):
        raise NotFound(_("One of the %(names)s is not in this project.") % {"names": name})
    return rows


def _jobs(request: Request, project: Project, values: Any) -> list[RenderJob]:
    """The jobs of this project with these ids, in one query; Invalid for anything else."""
    try:
        ids = {UUID(value) for value in values} if isinstance(values, list) and len(values) <= MAX_ROWS else None
    except (ValueError, AttributeError, TypeError):
        ids = None
    if ids is None:
        raise Invalid(_("after: job ids are needed."), fields={"after": [_("not an id")]})
    rows = list(RenderJob.objects.visible_to(request.user).filter(project=project, pk__in=ids))
    if len(rows) != len(ids):
        raise NotFound(_("A job to wait for is not in this project."))
    return rows


class RenderDetail(Endpoint):
    def get(self, request: Request, job_id: UUID) -> Response:
        return Response(job_json(job_for(request.user, job_id)))

    def patch(self, request: Request, job_id: UUID) -> Response:
        job = job_for(request.user, job_id)
        require(request.user, "renders.manage", job.project)
        body = self.body()
        only(body, "priority")
        value = integer(body.get("priority"), "priority")
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
        control.cancel_job(job=job, actor=request.user, tab=self.tab)
        return Response(job_json(job_for(request.user, job_id)))


class RenderRetry(Endpoint):
    def post(self, request: Request, job_id: UUID) -> Response:
        job = job_for(request.user, job_id)
        require(request.user, "renders.start", job.project)
        control.retry_job(job=job, actor=request.user, tab=self.tab)
        return Response(job_json(job_for(request.user, job_id)))


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
        only(body, "project", "name", "workflow", "params")
        project = self.project(text(body, "project"), "renders.start")
        name, params = text(body, "name").strip(), body.get("params") or {}
        if not name or len(name) > 120 or not isinstance(params, dict):
            raise Invalid(_("A preset needs a name and parameters."), fields={"name": [_("required")]})
        fields = {"name": name, "workflow": workflow_named(text(body, "workflow")), "params": params}
        row = create_preset(project=project, actor=request.user, fields=fields, tab=self.tab)
        return Response(_preset_json(row), status=201)


def _preset_json(row: RenderPreset) -> dict[str, Any]:
    facts = {"id": row.pk, "name": row.name, "params": row.params, "revision": row.revision}
    return {**facts, "project": row.project.code, "workflow": row.workflow.key}
