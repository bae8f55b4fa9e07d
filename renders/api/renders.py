"""Render jobs over REST: started in batches, listed, ordered, cancelled, tried again."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Prefetch, QuerySet
from django.utils.translation import gettext as _
from rest_framework.request import Request
from rest_framework.response import Response

from aipipeline.projects.api.views import MAX_ROWS, Endpoint, integer, integers, only, text
from aipipeline.projects.errors import Invalid, NotFound
from aipipeline.projects.models import Project
from aipipeline.projects.permissions import require
from assets.models import Character, Environment
from renders.models import JobState, RenderJob, RenderPreset, WaitsFor
from renders.selectors import job_for, jobs_visible_to
from renders.services import control
from renders.services.jobs import start_renders
from renders.services.presets import presets_visible_to
from shots.models import Shot

STARTS = (
    "shots", "characters", "environments", "workflow", "preset", "presets", "workflows", "step", "params", "inputs",
    "priority", "after", "waits_for", "chain",
)  # fmt: skip


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
        "inputs",
        "variant",
        "waits_for",
        "blocked_reason",
        "estimate",
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
        "after": [str(pk) for pk in sorted(row.pk for row in job.after.all())],
        "batch": str(job.batch_id) if job.batch_id else None,
        "version": job.version_id,
    }  # fmt: skip


def jobs_told(actor: Any) -> "QuerySet[RenderJob]":
    """The jobs that one sees, with what `job_json` tells of them."""
    return jobs_visible_to(actor).prefetch_related(Prefetch("after", queryset=RenderJob.objects.only("pk")))


class Renders(Endpoint):
    def get(self, request: Request, code: str) -> Response:
        project = self.project(code, "project.view")
        rows = jobs_told(request.user).filter(project=project)
        state = request.query_params.get("state")
        if state in JobState.values:
            rows = rows.filter(state=state)
        return self.page(rows, lambda found: [job_json(job) for job in found], ordering=("-created_at", "id"))

    def post(self, request: Request, code: str) -> Response:
        project = self.project(code, "renders.start")
        body = self.body()
        only(body, *STARTS)
        presets = _presets(request, project, body)
        one = int(integer(body.get("preset"), "preset") is not None)
        started = start_renders(
            project=project,
            actor=request.user,
            shots=_shots(project, body),
            references=[
                *_owners(Character, project, body, "characters"),
                *_owners(Environment, project, body, "environments"),
            ],
            workflow=text(body, "workflow"),
            preset=presets[0] if one else None,
            presets=presets[one:],
            workflows=_keys(body.get("workflows", [])),
            step=text(body, "step"),
            params=_object(body, "params"),
            inputs=_object(body, "inputs"),
            priority=max(-100, min(100, integer(body.get("priority"), "priority") or 0)),
            after=_jobs(request, project, body.get("after", [])),
            waits_for=text(body, "waits_for") or WaitsFor.RENDERED,
            chain=_flag(body, "chain"),
            tab=self.tab,
        )
        ids = [job.pk for job in started.jobs]
        found = {job.pk: job for job in jobs_told(request.user).filter(pk__in=ids)}
        answer = {
            "jobs": [job_json(found[pk]) for pk in ids],
            "batch": str(started.batch.pk) if started.batch else None,
            "estimate": started.estimate,
            "warnings": list(started.warnings),
        }
        return Response(answer, status=201)


def _shots(project: Project, body: Mapping[str, Any]) -> list[Shot]:
    ids = integers(body.get("shots", []), "shots")
    rows = Shot.objects.live().filter(project=project, pk__in=ids)
    found = {shot.pk: shot for shot in rows.select_related("project", "scene__environment", "environment", "preset")}
    if len(found) != len(set(ids)):
        raise NotFound(_("A shot is not in this project."))
    return [found[pk] for pk in dict.fromkeys(ids)]


def _owners(model: Any, project: Project, body: Mapping[str, Any], name: str) -> list[Any]:
    ids = integers(body.get(name, []), name)
    rows = list(model.objects.live().filter(project=project, pk__in=ids).select_related("project")) if ids else []
    if len(rows) != len(set(ids)):
        raise NotFound(_("One of the %(names)s is not in this project.") % {"names": name})
    return rows


def _presets(request: Request, project: Project, body: Mapping[str, Any]) -> list[RenderPreset]:
    """The one of `preset` first, when it is there, then those of `presets`; one query."""
    one = integer(body.get("preset"), "preset")
    ids = integers(body.get("presets", []), "presets", limit=50)
    ids = ids if one is None else [one, *ids]
    if len(ids) != len(set(ids)):
        raise Invalid(_("A preset is named twice."), fields={"presets": [_("twice")]})
    rows = presets_visible_to(request.user).filter(project=project, pk__in=ids).in_bulk() if ids else {}
    if any(pk not in rows for pk in ids):
        raise NotFound(_("There is no such render preset."))
    return [rows[pk] for pk in ids]


def _keys(value: Any) -> list[str]:
    if not isinstance(value, list) or len(value) > 50 or not all(isinstance(key, str) for key in value):
        raise Invalid(_("workflows: a list of keys is needed."), fields={"workflows": [_("not a list")]})
    return list(dict.fromkeys(value))


def _object(body: Mapping[str, Any], name: str) -> dict[str, Any]:
    value = body.get(name, {})
    if not isinstance(value, dict):
        raise Invalid(_("%(name)s must be an object.") % {"name": name}, fields={name: [_("not an object")]})
    return value


def _flag(body: Mapping[str, Any], name: str) -> bool:
    value = body.get(name, False)
    if not isinstance(value, bool):
        raise Invalid(_("%(name)s: true or false is needed.") % {"name": name}, fields={name: [_("not true or false")]})
    return value


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
        only(body, "priority", "after", "waits_for")
        value = integer(body.get("priority"), "priority")
        waits = {"after", "waits_for"} & body.keys()
        if value is None and not waits:
            why = _("Only the priority and what a job waits for can be changed.")
            raise Invalid(why, fields={"priority": [_("required")]})
        with transaction.atomic():
            if waits:
                named = _jobs(request, job.project, body["after"]) if "after" in body else list(job.after.all())
                waits_for = text(body, "waits_for") or None
                control.set_after(job=job, actor=request.user, after=named, waits_for=waits_for, tab=self.tab)
            if value is not None:
                control.set_priority(job=job, actor=request.user, priority=value, tab=self.tab)
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
        again = control.retry_job(job=job, actor=request.user, tab=self.tab)
        return Response({**job_json(job_for(request.user, job_id)), "brought": again.as_json()["brought"]})
