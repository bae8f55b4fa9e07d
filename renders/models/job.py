"""The render queue: the database is the truth, Celery carries it."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.fields.json import KeyTransform
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from aipipeline.projects.models import Project
from aipipeline.projects.tracked import TrackedQuerySet
from assets.models import Character, Environment
from renders.models.farm import Worker
from renders.models.version import Version, VersionKind
from renders.models.workflow import Workflow, WorkflowGraph
from shots.models import Shot, Step


class JobState(models.TextChoices):
    QUEUED = "queued", _("Queued")
    LEASED = "leased", _("Leased")
    RUNNING = "running", _("Running")
    PUBLISHING = "publishing", _("Publishing")
    SUCCEEDED = "succeeded", _("Succeeded")
    FAILED = "failed", _("Failed")
    CANCELLED = "cancelled", _("Cancelled")


OPEN_STATES = frozenset({JobState.QUEUED, JobState.LEASED, JobState.RUNNING, JobState.PUBLISHING})
HELD_STATES = frozenset({JobState.LEASED, JobState.RUNNING, JobState.PUBLISHING})
ENDED_STATES = frozenset({JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED})


class Capability(models.TextChoices):
    """What a worker must have, and the queue that the nudge goes to."""

    CPU = "cpu", _("CPU")
    VRAM8 = "gpu.vram8", _("GPU, 8 GB")
    VRAM16 = "gpu.vram16", _("GPU, 16 GB")
    VRAM24 = "gpu.vram24", _("GPU, 24 GB")
    VRAM48 = "gpu.vram48", _("GPU, 48 GB")


VRAM_OF: dict[str, int] = {
    Capability.CPU: 0,
    Capability.VRAM8: 8,
    Capability.VRAM16: 16,
    Capability.VRAM24: 24,
    Capability.VRAM48: 48,
}


class JobQuerySet(TrackedQuerySet):
    def live(self) -> "JobQuerySet":
        return self

    def open(self) -> "JobQuerySet":
        return self.filter(state__in=OPEN_STATES)


class BatchKind(models.TextChoices):
    SELECTION = "selection", _("Selection")
    VARIANTS = "variants", _("A/B")
    CHAIN = "chain", _("Continuity chain")


class RenderBatch(models.Model):
    """The jobs that one action started: one progress bar, one cancel."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="batches")
    kind = models.CharField(_("kind"), max_length=12, choices=BatchKind.choices, default=BatchKind.SELECTION)
    title = models.CharField(_("title"), max_length=200, blank=True)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("render batch")
        verbose_name_plural = _("render batches")
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return self.title or str(self.get_kind_display())


class WaitsFor(models.TextChoices):
    """When a job that waits for another may begin."""

    RENDERED = "rendered", _("When it is rendered")
    APPROVED = "approved", _("When it is approved")


class RenderJob(models.Model):
    """What is wanted. `inputs` maps roles to version ids, fixed when the job is made; `params` likewise.

    An input may also be {"version": id, "frame": "last"} or {"job": id, "frame": "last"}: a frame of a version, or of
    what another job makes, which this one then waits for. `waits_for` says when the jobs in `after` are good enough.
    `variant` names one of several results for the same shot (A/B). `graph` is fixed when the job is made, for
    workflows that people brought. `refused` lists workers (ids) whose server lacks what just this job needs.
    `model_key` names the models that it loads. `passed_over` counts, since `passed_since`, how often others went first
    because their models were loaded already. `blocked_reason` says what a waiting job waits for. `estimate` is in
    seconds, None while nothing like it ever ran.

    `step` is the shot's step that the job serves. `version` is reserved at the first publish, so that a
    retried job publishes exactly one.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="jobs")
    shot = models.ForeignKey(Shot, on_delete=models.CASCADE, null=True, blank=True, related_name="jobs")
    character = models.ForeignKey(Character, on_delete=models.CASCADE, null=True, blank=True, related_name="jobs")
    environment = models.ForeignKey(Environment, on_delete=models.CASCADE, null=True, blank=True, related_name="jobs")
    workflow = models.ForeignKey(Workflow, on_delete=models.PROTECT, related_name="jobs")
    kind = models.CharField(max_length=12, choices=VersionKind.choices)
    step = models.CharField(max_length=20, choices=Step.choices, blank=True)
    capability = models.CharField(max_length=16, choices=Capability.choices, default=Capability.CPU)
    vram_gb = models.PositiveSmallIntegerField(default=0)
    params = models.JSONField(default=dict, blank=True)
    subject = models.JSONField(default=dict, blank=True)
    inputs = models.JSONField(default=dict, blank=True)
    priority = models.SmallIntegerField(_("priority"), default=0)
    after = models.ManyToManyField("self", symmetrical=False, related_name="before", blank=True)
    not_before = models.DateTimeField(default=timezone.now)
    blocked_reason = models.CharField(max_length=300, blank=True)
    state = models.CharField(_("state"), max_length=12, choices=JobState.choices, default=JobState.QUEUED)
    progress = models.FloatField(_("progress"), default=0.0)
    message = models.CharField(_("message"), max_length=300, blank=True)
    error = models.TextField(_("error"), blank=True)
    cancel_requested = models.BooleanField(default=False)
    attempts_made = models.PositiveSmallIntegerField(default=0)
    max_attempts = models.PositiveSmallIntegerField(default=3)
    batch = models.ForeignKey(RenderBatch, on_delete=models.SET_NULL, null=True, blank=True, related_name="jobs")
    waits_for = models.CharField(max_length=10, choices=WaitsFor.choices, default=WaitsFor.RENDERED)
    variant = models.CharField(_("variant"), max_length=120, blank=True)
    graph = models.ForeignKey(WorkflowGraph, on_delete=models.PROTECT, null=True, blank=True, related_name="jobs")
    refused = models.JSONField(default=list, blank=True)
    passed_over = models.PositiveSmallIntegerField(default=0)
    passed_since = models.DateTimeField(null=True, blank=True)
    model_key = models.CharField(max_length=64, blank=True)
    estimate = models.FloatField(_("estimate"), null=True, blank=True)
    auto_approve = models.BooleanField(default=False)
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True)
    version = models.OneToOneField(Version, on_delete=models.SET_NULL, null=True, blank=True, related_name="job")
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    objects = JobQuerySet.as_manager()

    class Meta:
        verbose_name = _("render job")
        verbose_name_plural = _("render jobs")
        ordering = ["-created_at"]
        constraints = [
            models.CheckConstraint(
                name="job_for_exactly_one",
                condition=(
                    Q(shot__isnull=False, character__isnull=True, environment__isnull=True)
                    | Q(shot__isnull=True, character__isnull=False, environment__isnull=True)
                    | Q(shot__isnull=True, character__isnull=True, environment__isnull=False)
                ),
            ),
        ]
        indexes = [
            models.Index(
                fields=["requested_by", "-priority", "created_at", "vram_gb"],
                name="jobs_ready_of_user",
                condition=Q(state="queued", blocked_reason=""),
            ),
            models.Index(
                fields=["model_key", "-priority", "created_at", "vram_gb"],
                name="jobs_ready_of_models",
                condition=Q(state="queued", blocked_reason=""),
            ),
            models.Index(
                fields=["created_at"],
                name="jobs_blocked",
                condition=Q(state="queued") & ~Q(blocked_reason=""),
            ),
            models.Index(
                fields=["requested_by"],
                name="jobs_held",
                condition=Q(state__in=["leased", "running", "publishing"]),
            ),
            models.Index(
                fields=["requested_by", "-started_at"], name="jobs_served", condition=Q(started_at__isnull=False)
            ),
            models.Index(fields=["project", "state"], name="jobs_of_project"),
        ]

    def __str__(self) -> str:
        return f"{self.owner} · {self.workflow_id}"

    @property
    def seconds(self) -> float | None:
        """From the first start to the end of a job that ended; None before."""
        if self.started_at is None or self.finished_at is None:
            return None
        return (self.finished_at - self.started_at).total_seconds()

    @property
    def owner(self) -> "Shot | Character | Environment":
        found = self.shot or self.character or self.environment
        assert found is not None  # the check constraint holds it
        return found


class Cause(models.TextChoices):
    """What kind of trouble ended an attempt; where it matters for what happens next."""

    AWAY = "away", _("Something outside was away")
    MEMORY = "memory", _("Out of memory")
    LACKING = "lacking", _("The server lacks something")
    LOST = "lost", _("The worker stopped answering")
    ENGINE = "engine", _("The engine failed")
    FORGIVEN = "forgiven", _("The engine failed, before a block was lifted")


class RenderAttempt(models.Model):
    """One try of a job by one worker. `saved` is what the engine kept for the next try (prompt_id…).

    `cause`: what kind of trouble ended it, empty for good ends and for what the job itself was to blame for.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    job = models.ForeignKey(RenderJob, on_delete=models.CASCADE, related_name="attempts")
    worker = models.ForeignKey(Worker, on_delete=models.SET_NULL, null=True, related_name="attempts")
    number = models.PositiveSmallIntegerField(default=1)
    state = models.CharField(max_length=12, choices=JobState.choices, default=JobState.LEASED)
    lease_until = models.DateTimeField()
    heartbeat_at = models.DateTimeField(null=True, blank=True)
    saved = models.JSONField(default=dict, blank=True)
    log = models.TextField(blank=True)
    error = models.TextField(_("error"), blank=True)
    cause = models.CharField(_("cause"), max_length=10, choices=Cause.choices, blank=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("attempt")
        verbose_name_plural = _("attempts")
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(fields=["job", "number"], name="attempt_number_of_job"),
            models.UniqueConstraint(
                fields=["job"],
                name="one_held_attempt_per_job",
                condition=Q(state__in=["leased", "running", "publishing"]),
            ),
        ]
        indexes = [
            models.Index(
                fields=["lease_until"],
                name="attempts_held",
                condition=Q(state__in=["leased", "running", "publishing"]),
            ),
            models.Index(
                fields=["worker"],
                name="attempts_held_by",
                condition=Q(state__in=["leased", "running", "publishing"]),
            ),
            models.Index(
                fields=["worker", "-finished_at"], name="attempts_ended_by", condition=Q(finished_at__isnull=False)
            ),
            models.Index(KeyTransform("prompt_id", "saved"), name="attempts_of_prompt"),
            models.Index(
                KeyTransform("endpoint", "saved"),
                F("finished_at").desc(),
                name="attempts_left_at",
                condition=Q(state__in=["failed", "cancelled"]),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.job_id} #{self.number}"

    @property
    def seconds(self) -> float | None:
        """From its start to its end; None before."""
        if self.started_at is None or self.finished_at is None:
            return None
        return (self.finished_at - self.started_at).total_seconds()
