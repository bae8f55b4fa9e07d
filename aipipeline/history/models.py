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
    An entry may also carry `told`, of the same shape as `fields`: what belongs to the row but is kept in rows of its
    own (the characters of a shot), which have entries themselves. Undo counts it as an edit and writes nothing.
    `sequence` is the project's change number of the edit (see `Change`); undo and redo leave it.
    `key` is what a client named the edit by, so that sending it again does not make it twice; "" for most.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    sequence = models.BigIntegerField(default=0, editable=False)
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="actions", null=True, blank=True)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True)
    tab = models.CharField(max_length=64, blank=True)
    key = models.CharField(max_length=64, blank=True, default="", editable=False)
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
            models.Index(fields=["project", "-sequence"], name="action_by_number"),
            models.Index(fields=["project", "actor", "tab", "state"], name="action_by_tab"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["project", "actor", "key"], condition=~models.Q(key=""), name="action_once_per_key"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} · {self.created_at:%Y-%m-%d %H:%M}"


class Change(models.Model):
    """One tracked row that an edit, an undo or a redo wrote, or whose picture or job changed, at a change number.

    Numbers count within a project and are given under the project's lock, so the order in which they are committed
    is their own. Rows of edits name their action and stay; the others are only there for whoever reads on from a
    number, and old ones are pruned (`changes.prune`).
    """

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="+", db_index=False)
    sequence = models.BigIntegerField()
    model = models.CharField(max_length=60)
    row_id = models.BigIntegerField()
    action = models.ForeignKey(Action, on_delete=models.CASCADE, related_name="+", null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("change of a row")
        verbose_name_plural = _("changes of rows")
        ordering = ["sequence", "id"]
        indexes = [
            models.Index(fields=["project", "sequence"], name="change_by_number"),
            models.Index(fields=["model", "row_id", "sequence"], name="change_by_row"),
        ]

    def __str__(self) -> str:
        return f"{self.sequence} · {self.model} {self.row_id}"


class ChangeNumber(models.Model):
    """The newest change number of a project, and the newest one whose rows were pruned (0: none were)."""

    project = models.OneToOneField(Project, on_delete=models.CASCADE, primary_key=True, related_name="+")
    newest = models.BigIntegerField(default=0)
    pruned = models.BigIntegerField(default=0)

    class Meta:
        verbose_name = _("change number")
        verbose_name_plural = _("change numbers")

    def __str__(self) -> str:
        return str(self.newest)
