"""Scenes: groups of shots at one place and time."""

from collections.abc import Mapping, Sequence
from typing import Any, Self

from django.db import models
from django.utils.translation import gettext_lazy as _

from aipipeline.projects.models import Project
from aipipeline.projects.tracked import Tracked
from assets.models import Environment


class Scene(Tracked):
    """`code` is given by the server, never reused; `position` orders scenes within the project."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="scenes")
    code = models.CharField(_("code"), max_length=40)
    number = models.CharField(_("number in the script"), max_length=20, blank=True)
    heading = models.CharField(_("heading"), max_length=300, blank=True)
    synopsis = models.TextField(_("synopsis"), blank=True)
    environment = models.ForeignKey(
        Environment, on_delete=models.SET_NULL, null=True, blank=True, verbose_name=_("environment")
    )
    position = models.BigIntegerField(default=0)

    class Meta:
        verbose_name = _("scene")
        verbose_name_plural = _("scenes")
        ordering = ["position", "id"]
        constraints = [models.UniqueConstraint(fields=["project", "code"], name="scene_code_in_project")]

    def __str__(self) -> str:
        return self.code

    @classmethod
    def held_fields(cls, rows: Sequence[Self]) -> Mapping[Any, frozenset[str]]:
        """A scene that a locked shot lies in stays."""
        locked = cls._default_manager.filter(
            pk__in=[row.pk for row in rows], shots__locked=True, shots__removed_at=None
        )
        return {pk: frozenset({"removed_at"}) for pk in locked.values_list("pk", flat=True)}
