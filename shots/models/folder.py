"""Where the folders of the production tree are, and which of their metadata files wait to be written."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from aipipeline.projects.models import Project
from assets.models import Character, Environment
from shots.models.scene import Scene
from shots.models.shot import Shot


class FolderKind(models.TextChoices):
    PROJECT = "project", _("Project")
    SCENARIO = "scenario", _("Scenario")
    EDIT = "edit", _("Edit")
    SCENE = "scene", _("Scene")
    SHOT = "shot", _("Shot")
    CHARACTER = "character", _("Character")
    ENVIRONMENT = "environment", _("Environment")


class FolderState(models.TextChoices):
    """Retired: its row was removed, the files stay. Left: the folder moved on, a pointer stays in its place."""

    ACTIVE = "active", _("In use")
    RETIRED = "retired", _("Retired")
    LEFT = "left", _("Moved away")


class Folder(models.Model):
    """Where one row's folder is, whatever the naming templates say by now; they decide of new folders only.

    `path` is relative to the project, in NFC, "" for the project's own; `key` is the same as a filesystem that
    does not tell capitals apart sees it. `moving_to` is set while a move is under way, so that one that died is
    finished. `digest` is the SHA-256 of the metadata file as it was written last, "" before; `problem` says why
    it could not be.
    """

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="folders")
    kind = models.CharField(_("kind"), max_length=12, choices=FolderKind.choices)
    scene = models.ForeignKey(Scene, on_delete=models.CASCADE, null=True, blank=True, related_name="folders")
    shot = models.ForeignKey(Shot, on_delete=models.CASCADE, null=True, blank=True, related_name="folders")
    character = models.ForeignKey(Character, on_delete=models.CASCADE, null=True, blank=True, related_name="folders")
    environment = models.ForeignKey(
        Environment, on_delete=models.CASCADE, null=True, blank=True, related_name="folders"
    )
    path = models.CharField(_("folder"), max_length=500, blank=True)
    key = models.CharField(max_length=500, blank=True, editable=False)
    state = models.CharField(_("state"), max_length=8, choices=FolderState.choices, default=FolderState.ACTIVE)
    moving_to = models.CharField(max_length=500, blank=True, editable=False)
    digest = models.CharField(max_length=64, blank=True, editable=False)
    problem = models.CharField(_("problem"), max_length=500, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    retired_at = models.DateTimeField(_("retired"), null=True, blank=True)

    class Meta:
        verbose_name = _("production folder")
        verbose_name_plural = _("production folders")
        ordering = ["path"]
        constraints = [
            models.CheckConstraint(
                name="folder_of_one_row",
                condition=(
                    Q(kind__in=("project", "scenario", "edit"), scene=None, shot=None, character=None, environment=None)
                    | Q(kind="scene", scene__isnull=False, shot=None, character=None, environment=None)
                    | Q(kind="shot", scene=None, shot__isnull=False, character=None, environment=None)
                    | Q(kind="character", scene=None, shot=None, character__isnull=False, environment=None)
                    | Q(kind="environment", scene=None, shot=None, character=None, environment__isnull=False)
                ),
            ),
            models.UniqueConstraint(fields=["project", "key"], name="folder_in_project"),
            *(
                models.UniqueConstraint(
                    fields=[name],
                    name=f"one_folder_of_{name}",
                    condition=~Q(state="left") & Q(**{f"{name}__isnull": False}),
                )
                for name in ("scene", "shot", "character", "environment")
            ),
            models.UniqueConstraint(
                fields=["project", "kind"],
                name="one_folder_of_the_project",
                condition=Q(kind__in=("project", "scenario", "edit")),
            ),
        ]

    def __str__(self) -> str:
        return self.path or self.project.code


class StaleMark(models.Model):
    """These rows' metadata files wait to be written anew; made in the transaction that changed them.

    Rows are only added, and deleted once written, so that edits never wait for each other here. `what` is a kind
    of Folder, or "preset" or "lora", whose change shows in the files of others; "config" is what only the project's
    own file tells; "all" is every file.
    """

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="+")
    what = models.CharField(max_length=12)
    ids = models.JSONField(default=list)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("waiting metadata")
        verbose_name_plural = _("waiting metadata")
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.what} · {len(self.ids)}"
