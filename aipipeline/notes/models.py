"""Notes on any object, and notifications to a person."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from aipipeline.projects.models import Project
from aipipeline.projects.tracked import Tracked


class Note(Tracked):
    """A remark on anything: `target_model` is a model label ("shots.shot"), `target_id` its key as text.

    `frame` counts from 0 in the target's own media; `region` is [x, y, width, height] as fractions of 1.
    """

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="notes")
    target_model = models.CharField(max_length=60)
    target_id = models.CharField(max_length=64)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True)
    text = models.TextField(_("text"))
    frame = models.PositiveIntegerField(_("frame"), null=True, blank=True)
    region = models.JSONField(_("region"), null=True, blank=True)
    resolved = models.BooleanField(_("resolved"), default=False)

    class Meta:
        verbose_name = _("note")
        verbose_name_plural = _("notes")
        ordering = ["-created_at"]
        indexes = [models.Index(fields=["target_model", "target_id"], name="notes_of_target")]

    def __str__(self) -> str:
        return self.text[:60]


class Notification(models.Model):
    """Something a person should know; `url` leads to it."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="notifications")
    project = models.ForeignKey(Project, on_delete=models.CASCADE, null=True, blank=True)
    kind = models.CharField(_("kind"), max_length=40)
    text = models.CharField(_("text"), max_length=300)
    url = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    read_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("notification")
        verbose_name_plural = _("notifications")
        ordering = ["-created_at"]
        indexes = [models.Index(fields=["user", "read_at"], name="unread_of_user")]

    def __str__(self) -> str:
        return self.text
