"""Workflows that can be rendered, and saved settings for them."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from aipipeline.projects.models import Project
from aipipeline.projects.tracked import Tracked
from renders.models.version import VersionKind
from shots.models import Step


class Workflow(models.Model):
    """Something an engine can do. `inputs` lists roles: [{"role": "first_image", "kind": "previz"}].

    Rows are written by the engines' apps (`renders.services.workflows.declare`); `vram_gb` 0 means no GPU. An
    empty `step` means that it makes references of characters and environments, not shots.
    """

    key = models.CharField(_("key"), max_length=80, unique=True)
    title = models.CharField(_("title"), max_length=160)
    backend = models.CharField(_("engine"), max_length=40)
    version = models.CharField(_("version"), max_length=40, default="1")
    output_kind = models.CharField(_("makes"), max_length=12, choices=VersionKind.choices)
    step = models.CharField(_("step"), max_length=20, choices=Step.choices, blank=True)
    vram_gb = models.PositiveSmallIntegerField(_("VRAM (GB)"), default=0)
    inputs = models.JSONField(_("inputs"), default=list, blank=True)
    defaults = models.JSONField(_("default parameters"), default=dict, blank=True)
    enabled = models.BooleanField(_("enabled"), default=True)

    class Meta:
        verbose_name = _("workflow")
        verbose_name_plural = _("workflows")
        ordering = ["key"]

    def __str__(self) -> str:
        return self.title


class RenderPreset(Tracked):
    """A workflow with parameters, saved under a name."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="render_presets")
    name = models.CharField(_("name"), max_length=120)
    workflow = models.ForeignKey(Workflow, on_delete=models.PROTECT, verbose_name=_("workflow"))
    params = models.JSONField(_("parameters"), default=dict, blank=True)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True)

    class Meta:
        verbose_name = _("render preset")
        verbose_name_plural = _("render presets")
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["project", "name"], name="render_preset_in_project")]

    def __str__(self) -> str:
        return self.name
