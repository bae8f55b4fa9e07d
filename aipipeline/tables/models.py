"""What people make of a table: columns of their own, names of columns, saved views, and imported sheets."""

import uuid

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from aipipeline.projects.models import Project
from aipipeline.projects.tracked import Tracked
from aipipeline.tables.columns import ColumnType

CUSTOM_TYPES = (
    ColumnType.TEXT, ColumnType.NUMBER, ColumnType.CHOICE, ColumnType.TICK, ColumnType.DATE, ColumnType.PERSON,
    ColumnType.LINK,
)  # fmt: skip
CUSTOM_TYPE_NAMES = (
    (ColumnType.TEXT, _("Plain text")),
    (ColumnType.NUMBER, _("Number")),
    (ColumnType.CHOICE, _("Choice")),
    (ColumnType.TICK, _("Tick")),
    (ColumnType.DATE, _("Date")),
    (ColumnType.PERSON, _("Person")),
    (ColumnType.LINK, _("Link")),
)


class CustomColumn(Tracked):
    """A column that a project added. `key` is given by the server and never reused; its type never changes.

    `choices`: [{"id", "label", "color"}], for a choice.
    """

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="custom_columns")
    table = models.CharField(_("table"), max_length=40)
    key = models.CharField(_("key"), max_length=20)
    label = models.CharField(_("label"), max_length=80)
    type = models.CharField(_("column type"), max_length=12, choices=CUSTOM_TYPE_NAMES)
    choices = models.JSONField(_("choices"), default=list, blank=True)
    position = models.IntegerField(_("position"), default=0)

    class Meta:
        verbose_name = _("custom column")
        verbose_name_plural = _("custom columns")
        ordering = ["position", "id"]
        constraints = [models.UniqueConstraint(fields=["project", "table", "key"], name="column_key_in_table")]

    def __str__(self) -> str:
        return self.label


class SavedView(Tracked):
    """A way to look at a table: `config` as in docs/how-to/add-a-column.md. Shared ones are everybody's."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="saved_views")
    table = models.CharField(_("table"), max_length=40)
    name = models.CharField(_("name"), max_length=80)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, verbose_name=_("owner")
    )
    shared = models.BooleanField(_("shared"), default=False)
    config = models.JSONField(default=dict, blank=True, editable=False)

    class Meta:
        verbose_name = _("saved view")
        verbose_name_plural = _("saved views")
        ordering = ["name", "id"]

    def __str__(self) -> str:
        return self.name


class TableSettings(Tracked):
    """A project's own words for built-in columns, and the view that people see first."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="table_settings")
    table = models.CharField(_("table"), max_length=40)
    labels = models.JSONField(_("labels"), default=dict, blank=True)
    default_view = models.ForeignKey(
        SavedView, on_delete=models.SET_NULL, null=True, blank=True, verbose_name=_("default view")
    )

    class Meta:
        verbose_name = _("table settings")
        verbose_name_plural = _("table settings")
        ordering = ["table"]
        constraints = [models.UniqueConstraint(fields=["project", "table"], name="one_settings_per_table")]

    def __str__(self) -> str:
        return self.table


class ViewChoice(models.Model):
    """How a person looks at a table right now: kept so that every browser of theirs shows the same."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="+")
    table = models.CharField(max_length=40)
    view = models.ForeignKey(SavedView, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    config = models.JSONField(default=dict, blank=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "project", "table"], name="one_choice_per_table")]

    def __str__(self) -> str:
        return f"{self.user} · {self.table}"


class SheetMapping(Tracked):
    """How a foreign sheet is read, saved by name: `config` says the header row and the column of each field."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="sheet_mappings")
    table = models.CharField(_("table"), max_length=40)
    name = models.CharField(_("name"), max_length=80)
    headers = models.JSONField(_("headers"), default=list, blank=True)
    config = models.JSONField(default=dict, blank=True)

    class Meta:
        verbose_name = _("sheet mapping")
        verbose_name_plural = _("sheet mappings")
        ordering = ["name", "id"]

    def __str__(self) -> str:
        return self.name


class ImportState(models.TextChoices):
    MAPPING = "mapping", _("Columns to be named")
    READY = "ready", _("Ready to look at")
    APPLIED = "applied", _("Applied")
    ERROR = "error", _("Cannot be read")


class SheetImport(models.Model):
    """An uploaded sheet between look and apply; the file lies in the data folder that every web process shares.

    `decisions`: what the person said so far, by cell or row id. `mapping`: how its columns are read.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="sheet_imports")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True)
    table = models.CharField(_("table"), max_length=40)
    kind = models.CharField(_("kind"), max_length=40)
    name = models.CharField(_("file name"), max_length=255)
    state = models.CharField(_("state"), max_length=10, choices=ImportState.choices, default=ImportState.MAPPING)
    mapping = models.JSONField(default=dict, blank=True)
    decisions = models.JSONField(default=dict, blank=True)
    result = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = _("sheet import")
        verbose_name_plural = _("sheet imports")
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return self.name
