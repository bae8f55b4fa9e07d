"""Actions: what people did, in a form that can be undone."""

import uuid

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from aipipeline.projects.models import Project


class ActionState(models.TextChoices):
    DONE = "done", _("Done")
    UNDONE = "undone", _("Undone")
    SUPERSEDED = "superseded", _("Undone, then replaced by a newer edit")


class Action(models.Model):
    """One edit by one person: `changes` holds, by row and field, the value before and after.

    changes: [{"model": "shots.shot", "id": 7, "label": "SHT_0070", "fields": {"size": ["WS", "CU"]}}]
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    sequence = models.BigIntegerField(default=0, editable=False, db_index=True)
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="actions", null=True, blank=True)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True)
    tab = models.CharField(max_length=64, blank=True)
    kind = models.CharField(_("kind"), max_length=60)
    params = models.JSONField(default=dict, blank=True)
    changes = models.JSONField(default=list, blank=True)
    undoable = models.BooleanField(default=True)
    state = models.CharField(max_length=12, choices=ActionState.choices, default=ActionState.DONE)
    skipped = models.JSONField(default=list, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    undone_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("action")
        verbose_name_plural = _("actions")
        ordering = ["-created_at"]
        indexes = [
            models.Index(fields=["project", "-created_at"], name="action_by_project"),
            models.Index(fields=["project", "actor", "tab", "state"], name="action_by_tab"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} · {self.created_at:%Y-%m-%d %H:%M}"
