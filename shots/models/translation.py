"""Texts of a project in the language that models read."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from aipipeline.projects.models import Project
from aipipeline.projects.tracked import Tracked

MAX_TEXT = 4000


class TranslationOrigin(models.TextChoices):
    MACHINE = "machine", _("Language model")
    PERSON = "person", _("A person")


class Translation(Tracked):
    """One text of a project in one language. The text itself is the key, so wherever it stands it is said the same.

    `text_hash`: `shots.prompts.language.text_hash`. A person's wording (`origin`) is never replaced by a machine's.
    """

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="translations")
    target = models.CharField(_("language"), max_length=8, default="en")
    text_hash = models.CharField(max_length=64, editable=False)
    text = models.TextField(_("text"), max_length=MAX_TEXT)
    words = models.TextField(_("translation"), max_length=MAX_TEXT)
    origin = models.CharField(_("translated by"), max_length=8, choices=TranslationOrigin.choices)

    class Meta:
        verbose_name = _("translation")
        verbose_name_plural = _("translations")
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["project", "target", "text_hash"], name="text_once_per_language")
        ]

    def __str__(self) -> str:
        return self.text[:60]
