"""Versions: what was made, kept for ever, with how it was made."""

from pathlib import Path

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from aipipeline.projects.models import Project
from aipipeline.projects.tracked import TrackedQuerySet
from assets.models import Character, Environment
from shots.models import Shot


class VersionKind(models.TextChoices):
    REFERENCE = "reference", _("Reference")
    MASK = "mask", _("Mask")
    PREVIZ = "previz", _("First image")
    LAYOUT = "layout", _("Layout")
    PLAYBLAST = "playblast", _("Playblast")
    MOTION = "motion", _("Motion")
    RENDER = "render", _("Render")
    COMP = "comp", _("Comp")
    FINAL = "final", _("Final")


class VersionState(models.TextChoices):
    RESERVED = "reserved", _("Reserved")
    PUBLISHED = "published", _("Published")
    DEAD = "dead", _("Never published")


class VersionStatus(models.TextChoices):
    PENDING = "pending", _("Pending")
    APPROVED = "approved", _("Approved")
    REJECTED = "rejected", _("Rejected")


class VersionQuerySet(TrackedQuerySet):
    def live(self) -> "VersionQuerySet":
        """Versions are never removed; live means published."""
        return self.filter(state=VersionState.PUBLISHED)


class Version(models.Model):
    """`path` is the folder, relative to the project; `manifest` lists {"name", "size", "sha256"}, main file first.

    `frames` and `fps` are None for stills. `follows`: the version that is this one's first image, or that gave a frame
    of itself for it. `auto`: made and approved by the machine, not by a person.
    """

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="versions")
    shot = models.ForeignKey(Shot, on_delete=models.CASCADE, null=True, blank=True, related_name="versions")
    character = models.ForeignKey(Character, on_delete=models.CASCADE, null=True, blank=True, related_name="versions")
    environment = models.ForeignKey(
        Environment, on_delete=models.CASCADE, null=True, blank=True, related_name="versions"
    )
    kind = models.CharField(_("kind"), max_length=12, choices=VersionKind.choices)
    number = models.PositiveIntegerField(_("number"))
    state = models.CharField(max_length=12, choices=VersionState.choices, default=VersionState.RESERVED)
    status = models.CharField(_("status"), max_length=12, choices=VersionStatus.choices, default=VersionStatus.PENDING)
    auto = models.BooleanField(_("automatic"), default=False)
    path = models.CharField(_("folder"), max_length=500)
    manifest = models.JSONField(default=list, blank=True)
    provenance = models.JSONField(default=dict, blank=True)
    comment = models.CharField(_("comment"), max_length=500, blank=True)
    follows = models.ForeignKey(
        "self", on_delete=models.SET_NULL, null=True, blank=True, editable=False, related_name="followed_by"
    )
    width = models.PositiveIntegerField(null=True, blank=True)
    height = models.PositiveIntegerField(null=True, blank=True)
    frames = models.PositiveIntegerField(null=True, blank=True)
    fps = models.CharField(max_length=12, blank=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    published_at = models.DateTimeField(null=True, blank=True)

    objects = VersionQuerySet.as_manager()

    class Meta:
        verbose_name = _("version")
        verbose_name_plural = _("versions")
        ordering = ["-number"]
        constraints = [
            models.CheckConstraint(
                name="version_of_exactly_one",
                condition=(
                    Q(shot__isnull=False, character__isnull=True, environment__isnull=True)
                    | Q(shot__isnull=True, character__isnull=False, environment__isnull=True)
                    | Q(shot__isnull=True, character__isnull=True, environment__isnull=False)
                ),
            ),
            models.UniqueConstraint(
                fields=["shot", "kind", "number"], name="version_of_shot", condition=Q(shot__isnull=False)
            ),
            models.UniqueConstraint(
                fields=["character", "kind", "number"],
                name="version_of_character",
                condition=Q(character__isnull=False),
            ),
            models.UniqueConstraint(
                fields=["environment", "kind", "number"],
                name="version_of_environment",
                condition=Q(environment__isnull=False),
            ),
        ]
        indexes = [models.Index(fields=["shot", "kind", "state", "-number"], name="newest_of_shot")]

    def __str__(self) -> str:
        return f"{self.owner} · {self.kind} · {self.label}"

    @property
    def label(self) -> str:
        """v001, v002…"""
        return f"v{self.number:03d}"

    @property
    def owner(self) -> "Shot | Character | Environment":
        found = self.shot or self.character or self.environment
        assert found is not None  # the check constraint holds it
        return found

    @property
    def folder(self) -> Path:
        return self.project.root / self.path

    def file(self, name: str = "") -> Path:
        """The main file, or the named one. The main one is also found by the name that it had before it was sealed."""
        names = [entry["name"] for entry in self.manifest]
        if name and name not in names:
            if name != self.provenance.get("original_name"):
                raise FileNotFoundError(name)
            name = ""
        return self.folder / (name or names[0])

    def has_file(self, name: str) -> bool:
        """Whether `file` knows this name."""
        known = any(entry["name"] == name for entry in self.manifest)
        return known or bool(self.manifest and name == self.provenance.get("original_name"))

    @property
    def file_name(self) -> str:
        """What the main file is called outside of its folder: by itself it says what it is."""
        name = str(self.manifest[0]["name"])
        if self.provenance.get("original_name"):
            return name.rpartition("/")[2]
        return f"{self.owner}_{self.kind}_{self.label}{Path(name).suffix}"


class Verdict(models.TextChoices):
    APPROVE = "approve", _("Approve")
    REJECT = "reject", _("Reject")
    COMMENT = "comment", _("Comment")


class Review(models.Model):
    """What somebody said of a version; `frame` counts from 0, `region` is [x, y, w, h] as fractions of 1."""

    version = models.ForeignKey(Version, on_delete=models.CASCADE, related_name="reviews")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True)
    verdict = models.CharField(_("verdict"), max_length=10, choices=Verdict.choices)
    text = models.TextField(_("text"), blank=True)
    frame = models.PositiveIntegerField(_("frame"), null=True, blank=True)
    region = models.JSONField(_("region"), null=True, blank=True)
    auto = models.BooleanField(_("automatic"), default=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("review")
        verbose_name_plural = _("reviews")
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"{self.version} · {self.get_verdict_display()}"


class Seam(models.Model):
    """How far the picture jumps from the last frame of one version to the first frame of the next shot's.

    `score` is 0 for the same picture, 1 for black against white; `details` holds what it was made of.
    """

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="seams")
    before = models.ForeignKey(Version, on_delete=models.CASCADE, related_name="seams_after")
    after = models.ForeignKey(Version, on_delete=models.CASCADE, related_name="seams_before")
    score = models.FloatField(_("jump"))
    details = models.JSONField(default=dict, blank=True)
    measured_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = _("seam")
        verbose_name_plural = _("seams")
        constraints = [models.UniqueConstraint(fields=["before", "after"], name="seam_between")]

    def __str__(self) -> str:
        return f"{self.before_id} → {self.after_id}"
