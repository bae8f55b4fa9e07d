"""The text that a production comes from, and its breakdown as a draft."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from aipipeline.projects.models import Project
from aipipeline.projects.tracked import Tracked


class ScenarioState(models.TextChoices):
    DRAFT = "draft", _("Not analysed")
    ANALYSED = "analysed", _("Draft breakdown")
    APPLIED = "applied", _("Applied")


class Scenario(Tracked):
    """`proposal` is the breakdown in the form of `./aip analyse`, editable until it is applied."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="scenarios")
    title = models.CharField(_("title"), max_length=200, blank=True)
    text = models.TextField(_("text"))
    source_name = models.CharField(_("file name"), max_length=200, blank=True)
    state = models.CharField(_("state"), max_length=12, choices=ScenarioState.choices, default=ScenarioState.DRAFT)
    dialect = models.CharField(_("dialect"), max_length=40, blank=True)
    proposal = models.JSONField(default=dict, blank=True)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True)

    class Meta:
        verbose_name = _("scenario")
        verbose_name_plural = _("scenarios")
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return self.title or self.source_name or f"#{self.pk}"
