"""People, projects and who works on what."""

from fractions import Fraction
from pathlib import Path
from typing import Any, Self

from django.conf import settings
from django.contrib.auth.models import AbstractUser
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from aipipeline.projects.frames import FPS_CHOICES, parse_fps
from aipipeline.projects.permissions import OPERATIONS, Role, codename, guardian_permissions
from aipipeline.projects.tracked import Tracked, TrackedQuerySet

STEPS_DEFAULT = ["first_image", "render"]


def default_steps() -> list[str]:
    return list(STEPS_DEFAULT)


class User(AbstractUser):
    """A person of the studio. `display_name` is what colleagues see; Korean names need no first/last split."""

    display_name = models.CharField(_("display name"), max_length=80, blank=True)
    language = models.CharField(_("language"), max_length=8, choices=settings.LANGUAGES, default="ko")

    class Meta:
        verbose_name = _("user")
        verbose_name_plural = _("users")
        ordering = ["username"]

    def __str__(self) -> str:
        return self.display_name or self.get_full_name() or self.username


class ProjectQuerySet(TrackedQuerySet):
    def visible_to(self, actor: Any) -> Self:
        """Live projects that the actor is a member of, was granted a view of, or (superuser) all."""
        live = self.live()
        if not getattr(actor, "is_authenticated", False):
            return live.none()
        if actor.is_superuser:
            return live
        from guardian.shortcuts import get_objects_for_user

        granted = get_objects_for_user(actor, f"projects.{codename('project.view')}", klass=Project)
        return live.filter(models.Q(memberships__user=actor) | models.Q(pk__in=granted.values("pk"))).distinct()

    def one_visible_to(self, actor: Any, code: str) -> "Project | None":
        """The live project of this code if the actor may see it: for members, who ask most, in one plain query."""
        if not getattr(actor, "is_authenticated", False):
            return None
        mine = self.live().filter(code=code, memberships__user=actor).first()
        return mine or self.visible_to(actor).filter(code=code).first()

    def allowing(self, actor: Any, operation: str) -> Self:
        """Live projects in which the actor may do the operation: `permissions.allows` as a query."""
        if not getattr(actor, "is_authenticated", False) or not actor.is_active:
            return self.none()
        if actor.is_superuser:
            return self.live()
        from guardian.shortcuts import get_objects_for_user

        granted = get_objects_for_user(
            actor, f"projects.{codename(operation)}", klass=Project, accept_global_perms=False
        )
        by_role = Membership.objects.filter(user=actor, role__in=OPERATIONS[operation]).values("project")
        return self.live().filter(models.Q(pk__in=by_role) | models.Q(pk__in=granted.values("pk")))


class Project(Tracked):
    """One production. `code` names its folder and its URLs and never changes."""

    code = models.CharField(
        _("code"),
        max_length=40,
        unique=True,
        validators=[
            RegexValidator(
                r"^[A-Za-z0-9][A-Za-z0-9_-]*$",
                _("Use letters A-Z, digits, _ and -; begin with a letter or digit."),
            )
        ],
    )
    title = models.CharField(_("title"), max_length=200)
    description = models.TextField(_("description"), blank=True)
    fps = models.CharField(_("frame rate"), max_length=12, choices=[(f, f) for f in FPS_CHOICES], default="24")
    width = models.PositiveIntegerField(
        _("width"), default=1280, validators=[MinValueValidator(64), MaxValueValidator(8192)]
    )
    height = models.PositiveIntegerField(
        _("height"), default=720, validators=[MinValueValidator(64), MaxValueValidator(8192)]
    )
    steps = models.JSONField(_("steps"), default=default_steps, blank=True)
    engine = models.CharField(
        _("engine"),
        max_length=20,
        choices=[("local", _("Local draft")), ("comfy", "ComfyUI")],
        default="local",
    )
    naming = models.JSONField(_("naming templates"), default=dict, blank=True)
    storage_root = models.CharField(_("storage folder"), max_length=500, blank=True)
    language = models.CharField(_("language"), max_length=8, choices=settings.LANGUAGES, default="ko")
    scene_counter = models.PositiveIntegerField(default=0, editable=False)
    shot_counter = models.PositiveIntegerField(default=0, editable=False)
    confirmed_at = models.DateTimeField(null=True, blank=True, editable=False)
    is_sample = models.BooleanField(default=False, editable=False)

    objects = ProjectQuerySet.as_manager()  # type: ignore[misc]  # a narrower manager than the abstract base's

    class Meta:
        verbose_name = _("project")
        verbose_name_plural = _("projects")
        ordering = ["-created_at"]
        permissions = guardian_permissions()

    def __str__(self) -> str:
        return f"{self.code} · {self.title}"

    @property
    def rate(self) -> Fraction:
        """Frames per second, exact."""
        return parse_fps(self.fps)

    @property
    def root(self) -> Path:
        """The production folder of this project."""
        return Path(self.storage_root or settings.STORAGE_ROOT) / self.code


class Membership(models.Model):
    """A person's role in one project."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(_("role"), max_length=12, choices=Role.choices, default=Role.ARTIST)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("member")
        verbose_name_plural = _("members")
        ordering = ["user__username"]
        constraints = [models.UniqueConstraint(fields=["project", "user"], name="one_role_per_project")]

    def __str__(self) -> str:
        return f"{self.user} · {self.get_role_display()}"
