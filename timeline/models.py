"""The cut: one current edit per project, its tracks, clips and markers, and the movies made of it."""

from django.conf import settings
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from aipipeline.projects.models import Project
from aipipeline.projects.tracked import Tracked
from celery_workers.models import LedgerTask
from renders.models import Version
from shots.models import Shot


class Edit(Tracked):
    """A cut of the project. Times are frames at the project's rate, counted from 0."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="edits")
    name = models.CharField(_("name"), max_length=120, default="Cut")
    current = models.BooleanField(_("current"), default=True)
    start_frame = models.PositiveIntegerField(
        _("start timecode (frames)"), null=True, blank=True, help_text=_("Empty: 01:00:00:00.")
    )

    class Meta:
        verbose_name = _("edit")
        verbose_name_plural = _("edits")
        constraints = [
            models.UniqueConstraint(
                fields=["project"],
                name="one_current_edit",
                condition=Q(current=True, removed_at__isnull=True),
            )
        ]

    def __str__(self) -> str:
        return f"{self.project.code} · {self.name}"


class TrackKind(models.TextChoices):
    VIDEO = "video", _("Video")
    AUDIO = "audio", _("Audio")


class Track(Tracked):
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="tracks")
    edit = models.ForeignKey(Edit, on_delete=models.CASCADE, related_name="tracks")
    kind = models.CharField(_("kind"), max_length=10, choices=TrackKind.choices, default=TrackKind.VIDEO)
    name = models.CharField(_("name"), max_length=60, default="V1")
    index = models.PositiveSmallIntegerField(default=1)
    muted = models.BooleanField(_("muted"), default=False)

    class Meta:
        verbose_name = _("track")
        verbose_name_plural = _("tracks")
        ordering = ["kind", "index"]
        constraints = [models.UniqueConstraint(fields=["edit", "kind", "index"], name="track_index")]

    def __str__(self) -> str:
        return self.name


class Clip(Tracked):
    """A shot, or a file, on a track.

    A shot's primary clip has no place and length of its own: its place is the shot's position and its length
    the shot's duration_frames, so that the shot list and the cut can never disagree. Other clips carry
    `record_in` and `duration_frames` themselves. `source_in` counts from the first frame of the media.
    `version` fixes a version; empty means the best there is.
    """

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="clips")
    track = models.ForeignKey(Track, on_delete=models.CASCADE, related_name="clips")
    shot = models.ForeignKey(Shot, on_delete=models.CASCADE, null=True, blank=True, related_name="clips")
    primary = models.BooleanField(default=True)
    version = models.ForeignKey(Version, on_delete=models.SET_NULL, null=True, blank=True)
    source_in = models.PositiveIntegerField(_("source in (frames)"), default=0)
    record_in = models.PositiveIntegerField(_("record in (frames)"), null=True, blank=True)
    duration_frames = models.PositiveIntegerField(
        _("length (frames)"), null=True, blank=True, validators=[MinValueValidator(1)]
    )
    enabled = models.BooleanField(_("enabled"), default=True)

    class Meta:
        verbose_name = _("clip")
        verbose_name_plural = _("clips")
        ordering = ["record_in", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["track", "shot"],
                name="one_primary_clip",
                condition=Q(primary=True, shot__isnull=False),
            ),
            models.CheckConstraint(
                name="primary_clip_follows_its_shot",
                condition=Q(primary=False)
                | Q(shot__isnull=False, record_in__isnull=True, duration_frames__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return str(self.shot or self.pk)


class Marker(Tracked):
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="markers")
    edit = models.ForeignKey(Edit, on_delete=models.CASCADE, related_name="markers")
    frame = models.PositiveIntegerField(_("frame"))
    name = models.CharField(_("name"), max_length=120, blank=True)
    comment = models.TextField(_("comment"), blank=True)
    color = models.CharField(_("colour"), max_length=12, default="green")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True)

    class Meta:
        verbose_name = _("marker")
        verbose_name_plural = _("markers")
        ordering = ["frame", "id"]

    def __str__(self) -> str:
        return self.name or str(self.frame)


class MovieKind(models.TextChoices):
    PROXY = "proxy", _("Proxy")
    FILM = "film", _("Film")


class Movie(models.Model):
    """A movie made of an edit. `signature` is the hash of the cut it shows; it is stale when the cut differs."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="movies")
    edit = models.ForeignKey(Edit, on_delete=models.CASCADE, related_name="movies")
    kind = models.CharField(_("kind"), max_length=8, choices=MovieKind.choices)
    path = models.CharField(_("file"), max_length=500)
    signature = models.CharField(max_length=64)
    frames = models.PositiveIntegerField()
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    size = models.BigIntegerField(default=0)
    details = models.JSONField(default=dict, blank=True)
    task = models.ForeignKey(LedgerTask, on_delete=models.SET_NULL, null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("movie")
        verbose_name_plural = _("movies")
        ordering = ["-created_at"]
        indexes = [models.Index(fields=["edit", "kind", "-created_at"], name="newest_movie")]

    def __str__(self) -> str:
        return self.path
