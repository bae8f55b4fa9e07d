"""Workers, what their servers can do, what they have shown, and what is held back."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class WorkerState(models.TextChoices):
    ONLINE = "online", _("Online")
    DRAINING = "draining", _("Draining")
    OFFLINE = "offline", _("Offline")


class MachineSchema(models.Model):
    """What a rendering server can do, in its own words: kept once for all servers that say the same.

    `body` is gzipped JSON; `sha256` is of the JSON.
    """

    sha256 = models.CharField(max_length=64, primary_key=True)
    body = models.BinaryField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("server schema")
        verbose_name_plural = _("server schemas")

    def __str__(self) -> str:
        return self.sha256[:12]


class Worker(models.Model):
    """One worker slot. `vram_gb` 0 serves CPU work only; `endpoint` is its ComfyUI URL, if any.

    `gpu` holds what the server last said of itself (gpu, vram_total, vram_free in bytes, software); empty when it could
    never be asked: nothing is invented. `error`: why it cannot work now; it takes no job until that is over. `tags` are
    names that people gave it. `schema` is what its server can do, as the server lists it; `loaded` names the models
    that the last job left in its memory (`RenderJob.model_key`).
    """

    name = models.CharField(_("name"), max_length=120, unique=True)
    queue = models.CharField(_("queue"), max_length=120)
    endpoint = models.CharField(_("ComfyUI"), max_length=200, blank=True)
    vram_gb = models.PositiveSmallIntegerField(_("VRAM (GB)"), default=0)
    backends = models.JSONField(_("engines"), default=list, blank=True)
    gpu = models.JSONField(_("GPU"), default=dict, blank=True)
    tags = models.JSONField(_("tags"), default=list, blank=True)
    state = models.CharField(_("state"), max_length=10, choices=WorkerState.choices, default=WorkerState.ONLINE)
    error = models.CharField(_("error"), max_length=300, blank=True)
    schema = models.ForeignKey(
        "renders.MachineSchema", on_delete=models.SET_NULL, null=True, blank=True, related_name="workers"
    )
    loaded = models.CharField(_("loaded models"), max_length=64, blank=True)
    heartbeat_at = models.DateTimeField(_("heard of"), null=True, blank=True)
    started_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("worker")
        verbose_name_plural = _("workers")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class WorkerFit(models.Model):
    """Whether a worker's server has the nodes and model files of a workflow; no row: nobody has looked yet.

    `reasons` say in words what is missing and what to do.
    """

    worker = models.ForeignKey(Worker, on_delete=models.CASCADE, related_name="fits")
    workflow = models.ForeignKey("renders.Workflow", on_delete=models.CASCADE, related_name="fits")
    fits = models.BooleanField(_("fits"))
    reasons = models.JSONField(_("reasons"), default=list, blank=True)
    checked_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = _("fit")
        verbose_name_plural = _("fits")
        constraints = [models.UniqueConstraint(fields=["worker", "workflow"], name="fit_of_worker")]

    def __str__(self) -> str:
        return f"{self.worker} · {self.workflow_id}"


class WorkerBlock(models.Model):
    """A worker that failed a workflow repeatedly takes no more of it until a person lifts the block."""

    worker = models.ForeignKey(Worker, on_delete=models.CASCADE, related_name="blocks")
    workflow = models.ForeignKey("renders.Workflow", on_delete=models.CASCADE, related_name="blocks")
    failures = models.PositiveIntegerField(_("failures"), default=0)
    reason = models.TextField(_("reason"), blank=True)
    since = models.DateTimeField(_("since"), auto_now_add=True)

    class Meta:
        verbose_name = _("block")
        verbose_name_plural = _("blocks")
        constraints = [models.UniqueConstraint(fields=["worker", "workflow"], name="block_of_worker")]

    def __str__(self) -> str:
        return f"{self.worker} · {self.workflow_id}"


class PauseScope(models.TextChoices):
    PROJECT = "project", _("Project")
    CAPABILITY = "capability", _("Class of card")
    WORKFLOW = "workflow", _("Workflow")


class Pause(models.Model):
    """Waiting jobs of a project, a class of card or a workflow are not begun while this row is there.

    `key` is the project's id, a `Capability` value or the workflow's id, as text. `until`: when it ends by itself.
    """

    scope = models.CharField(_("of"), max_length=12, choices=PauseScope.choices)
    key = models.CharField(max_length=40)
    reason = models.CharField(_("reason"), max_length=300, blank=True)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True)
    since = models.DateTimeField(_("since"), auto_now_add=True)
    until = models.DateTimeField(_("until"), null=True, blank=True)

    class Meta:
        verbose_name = _("pause")
        verbose_name_plural = _("pauses")
        constraints = [models.UniqueConstraint(fields=["scope", "key"], name="pause_of_scope")]

    def __str__(self) -> str:
        return f"{self.get_scope_display()} {self.key}"


class Experience(models.Model):
    """What one kind of card did with one kind of work: learned from attempts, used for placing and estimates.

    `vram_gb` is the worker's class, `gpu` the card's name ("" where the server did not say). Seconds are of succeeded
    attempts, on the server, as if each had sampled the workflow's own number of steps.
    """

    workflow = models.ForeignKey("renders.Workflow", on_delete=models.CASCADE, related_name="experience")
    width = models.PositiveIntegerField(_("width"))
    height = models.PositiveIntegerField(_("height"))
    frames = models.PositiveIntegerField(_("frames"))
    gpu = models.CharField(_("GPU"), max_length=160, blank=True)
    vram_gb = models.PositiveSmallIntegerField(_("VRAM (GB)"))
    succeeded = models.PositiveIntegerField(_("succeeded"), default=0)
    out_of_memory = models.PositiveIntegerField(_("out of memory"), default=0)
    failed = models.PositiveIntegerField(_("failed"), default=0)
    seconds = models.FloatField(_("seconds in all"), default=0.0)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = _("experience")
        verbose_name_plural = _("experience")
        constraints = [
            models.UniqueConstraint(
                fields=["workflow", "width", "height", "frames", "gpu", "vram_gb"], name="experience_of_work"
            )
        ]

    def __str__(self) -> str:
        return f"{self.workflow_id} {self.width}×{self.height}×{self.frames} · {self.gpu or self.vram_gb}"
