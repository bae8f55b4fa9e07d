"""The abstract base of every row that people edit: revisions per field and soft deletion."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Self

from django.db import models


class TrackedQuerySet(models.QuerySet[Any]):
    """Queries of tracked rows; removed rows stay in the table, so ask for `.live()`."""

    def live(self) -> Self:
        return self.filter(removed_at__isnull=True)

    def visible_to(self, actor: Any) -> Self:
        """Rows of projects that the actor may see: where every read on behalf of a person starts."""
        from aipipeline.projects.models import Project

        return self.filter(project__in=Project.objects.visible_to(actor))


class Tracked(models.Model):
    """Every edit raises `revision`; `field_revisions` keeps, by field, the revision that last wrote it."""

    revision = models.PositiveBigIntegerField(default=0, editable=False)
    field_revisions = models.JSONField(default=dict, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    removed_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects = TrackedQuerySet.as_manager()

    class Meta:
        abstract = True

    def stale_fields(self, fields: Iterable[str], seen: int) -> list[str]:
        """Of these fields, the ones that changed after revision `seen`."""
        return [name for name in fields if int(self.field_revisions.get(name, 0)) > seen]

    @classmethod
    def held_fields(cls, rows: Sequence[Self]) -> Mapping[Any, frozenset[str]]:
        """By id the fields that nothing may change now, not even an undo (a lock); "removed_at": it may not go."""
        return {}

    def touch(self, fields: Iterable[str]) -> None:
        """Count one edit of these fields (in memory; the caller saves)."""
        self.revision += 1
        for name in fields:
            self.field_revisions[name] = self.revision


class CustomFields(models.Model):
    """For rows that a project may give columns of its own: `custom` holds their values by the column's key.

    Each key is a field of its own, named `custom.<key>`, in edits, revisions and the history.
    """

    custom = models.JSONField(default=dict, blank=True, editable=False)

    class Meta:
        abstract = True
