"""Workers: the processes that render."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class WorkerState(models.TextChoices):
    ONLINE = "online", _("Online")
    DRAINING = "draining", _("Draining")
    OFFLINE = "offline", _("Offline")


class Worker(models.Model):
    """One worker slot. `vram_gb` 0 serves CPU work only; `endpoint` is its ComfyUI URL, if any.

    `gpu` holds what the server last said of itself (gpu, vram_total, vram_free in bytes, software); empty when it could
    never be asked: nothing is invented. `error`: why it cannot work now; it takes no job until that is over. `tags` are
    names that people gave it.
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
    heartbeat_at = models.DateTimeField(_("heard of"), null=True, blank=True)
    started_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("worker")
        verbose_name_plural = _("workers")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name
