"""Where copies of a project's tree go, and what was copied there."""

from typing import Any

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from aipipeline.projects.models import Project
from celery_workers.models import OPEN_STATES, LedgerTask

ACCESS_VARIABLE, SECRET_VARIABLE = "AIP_MIRROR_ACCESS_KEY", "AIP_MIRROR_SECRET_KEY"


class TargetKind(models.TextChoices):
    PATH = "path", _("Folder (NAS)")
    S3 = "s3", _("S3 storage")


class RunState(models.TextChoices):
    """How the last whole run ended. ATTENTION: everything that could be copied was, and something needs a person."""

    NEVER = "never", _("Never run")
    OK = "ok", _("Up to date")
    ATTENTION = "attention", _("Needs attention")
    FAILED = "failed", _("Failed")
    CANCELLED = "cancelled", _("Cancelled")


class TargetQuerySet(models.QuerySet[Any]):
    def visible_to(self, actor: Any) -> "TargetQuerySet":
        """Targets of projects that the actor may see."""
        return self.filter(project__in=Project.objects.visible_to(actor))


class MirrorTarget(models.Model):
    """One place that a project is copied to: a folder (`path`), or `prefix` in a bucket of an S3 server.

    `key_variable` and `secret_variable` name variables of the environment; a secret itself is never a value here.
    `kinds`: the version kinds to copy, empty for all. `limit_mb`: megabytes (10^6) a second, 0 for no limit.
    `every_minutes`: 0 is by hand only. `anywhere`: a superuser chose the place, so the server's list of allowed
    places does not bind it. `marked`: our marker was written there, so a place without one is not the place.
    """

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="mirrors")
    name = models.CharField(_("name"), max_length=60)
    kind = models.CharField(_("kind"), max_length=8, choices=TargetKind.choices, default=TargetKind.PATH)
    path = models.CharField(_("folder"), max_length=500, blank=True)
    bucket = models.CharField(_("bucket"), max_length=63, blank=True)
    prefix = models.CharField(_("prefix"), max_length=300, blank=True)
    endpoint_url = models.CharField(_("server address"), max_length=300, blank=True)
    region = models.CharField(_("region"), max_length=40, blank=True)
    key_variable = models.CharField(_("variable of the access key"), max_length=80, blank=True, default=ACCESS_VARIABLE)
    secret_variable = models.CharField(_("variable of the secret"), max_length=80, blank=True, default=SECRET_VARIABLE)
    kinds = models.JSONField(_("version kinds"), default=list, blank=True)
    limit_mb = models.FloatField(
        _("limit (MB/s)"), default=0.0, validators=[MinValueValidator(0.0), MaxValueValidator(100_000.0)]
    )
    every_minutes = models.PositiveIntegerField(
        _("every (minutes)"), default=0, validators=[MaxValueValidator(60 * 24 * 31)]
    )
    enabled = models.BooleanField(_("enabled"), default=True)
    anywhere = models.BooleanField(default=False, editable=False)
    marked = models.BooleanField(default=False, editable=False)
    next_run_at = models.DateTimeField(_("next run"), null=True, blank=True, editable=False)
    failures = models.PositiveSmallIntegerField(default=0, editable=False)
    task = models.ForeignKey(
        LedgerTask, on_delete=models.SET_NULL, null=True, blank=True, editable=False, related_name="+"
    )
    last_state = models.CharField(
        _("last run"), max_length=12, choices=RunState.choices, default=RunState.NEVER, editable=False
    )
    last_at = models.DateTimeField(_("last run at"), null=True, blank=True, editable=False)
    last_message = models.TextField(blank=True, editable=False)
    last_result = models.JSONField(default=dict, blank=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = TargetQuerySet.as_manager()

    class Meta:
        verbose_name = _("mirror")
        verbose_name_plural = _("mirrors")
        ordering = ["name", "id"]
        constraints = [models.UniqueConstraint(fields=["project", "name"], name="mirror_name")]
        indexes = [models.Index(fields=["enabled", "next_run_at"], name="mirror_due")]

    def __str__(self) -> str:
        return f"{self.project.code} · {self.name}"

    @property
    def location(self) -> str:
        """The place in one line, as people read it."""
        if self.kind == TargetKind.PATH:
            return self.path
        return "/".join(part for part in (f"s3://{self.bucket}", self.prefix) if part)

    @property
    def running(self) -> bool:
        """A task of this target waits or works."""
        return self.task is not None and self.task.state in OPEN_STATES


class MirrorEntry(models.Model):
    """A state of a file that we wrote at a target, or were about to write: what may be overwritten later.

    `path` is relative to the project, `size` in bytes, `mtime_ns` the source's. After a crash a path can have two.
    """

    target = models.ForeignKey(MirrorTarget, on_delete=models.CASCADE, related_name="entries")
    path = models.CharField(max_length=1000)
    size = models.BigIntegerField()
    mtime_ns = models.BigIntegerField()
    sha256 = models.CharField(max_length=64)
    etag = models.CharField(max_length=80, blank=True)
    copied_at = models.DateTimeField()

    class Meta:
        verbose_name = _("mirrored file")
        verbose_name_plural = _("mirrored files")
        constraints = [
            models.UniqueConstraint(fields=["target", "path", "size", "mtime_ns"], name="mirrored_state_of_a_file")
        ]

    def __str__(self) -> str:
        return self.path
