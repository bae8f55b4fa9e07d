"""Shots and who plays in them."""

from collections.abc import Mapping, Sequence
from typing import Any, Self

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from aipipeline.projects.models import Project
from aipipeline.projects.tracked import CustomFields, Tracked
from assets.models import STRENGTH, Character, CinematicPreset, Environment
from shots.choices import Angle, Movement, ShotSize
from shots.models.scenario import Scenario
from shots.models.scene import Scene
from shots.models.step import ShotState, Step

# What the lock of a confirmed shot holds.
STRUCTURE = frozenset({"scene", "code", "removed_at"})
MAX_FRAMES = 24 * 60 * 60


class Shot(CustomFields, Tracked):
    """One row of the shot list. `duration_frames` counts at the project's rate; `position` is story order.

    `status` and `current_step` mirror the shot's steps (`shots.services.steps` writes them). `locked` fixes
    scene, code, deletion and folder from confirm to unlock. `cut_in`, `cut_out` and the handles are written
    by the timeline, in frames.
    """

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="shots")
    scene = models.ForeignKey(
        Scene, on_delete=models.SET_NULL, null=True, blank=True, related_name="shots", verbose_name=_("scene")
    )
    code = models.CharField(_("code"), max_length=40)
    position = models.BigIntegerField(default=0)
    description = models.TextField(_("description"), blank=True)
    action = models.TextField(_("action"), blank=True)
    dialogue = models.TextField(_("dialogue"), blank=True)
    emotion = models.CharField(_("emotion"), max_length=80, blank=True)
    environment = models.ForeignKey(
        Environment, on_delete=models.SET_NULL, null=True, blank=True, verbose_name=_("environment")
    )
    preset = models.ForeignKey(
        CinematicPreset, on_delete=models.SET_NULL, null=True, blank=True, verbose_name=_("cinematic preset")
    )
    characters = models.ManyToManyField(Character, through="Casting", related_name="shots")
    size = models.CharField(_("shot size"), max_length=8, choices=ShotSize.choices, default=ShotSize.MS)
    angle = models.CharField(_("angle"), max_length=10, choices=Angle.choices, default=Angle.EYE)
    movement = models.CharField(_("camera movement"), max_length=12, choices=Movement.choices, default=Movement.STATIC)
    duration_frames = models.PositiveIntegerField(
        _("length (frames)"), default=72, validators=[MinValueValidator(1), MaxValueValidator(MAX_FRAMES)]
    )
    prompt = models.TextField(_("prompt"), blank=True)
    negative_prompt = models.TextField(_("negative prompt"), blank=True)
    seed = models.BigIntegerField(
        _("seed"), null=True, blank=True, validators=[MinValueValidator(0), MaxValueValidator(2**53 - 1)]
    )
    workflow = models.CharField(_("workflow"), max_length=80, blank=True)
    current_step = models.CharField(max_length=20, choices=Step.choices, default=Step.FIRST_IMAGE, editable=False)
    status = models.CharField(
        _("status"), max_length=12, choices=ShotState.choices, default=ShotState.DRAFT, editable=False
    )
    locked = models.BooleanField(_("locked"), default=False, editable=False)
    cut_in = models.PositiveIntegerField(_("cut in"), default=0)
    cut_out = models.PositiveIntegerField(_("cut out"), null=True, blank=True)
    handles = models.PositiveIntegerField(_("handles"), default=0)
    scenario = models.ForeignKey(Scenario, on_delete=models.SET_NULL, null=True, blank=True)
    source_span = models.JSONField(null=True, blank=True)
    seen_by_person = models.BooleanField(
        _("looked at by a person"),
        default=True,
        help_text=_("False while everything in this shot was made by the machine alone."),
    )

    class Meta:
        verbose_name = _("shot")
        verbose_name_plural = _("shots")
        ordering = ["position", "id"]
        constraints = [models.UniqueConstraint(fields=["project", "code"], name="shot_code_in_project")]
        indexes = [models.Index(fields=["project", "removed_at", "position"], name="shots_in_order")]

    def __str__(self) -> str:
        return self.code

    @classmethod
    def held_fields(cls, rows: Sequence[Self]) -> Mapping[Any, frozenset[str]]:
        return {row.pk: STRUCTURE for row in rows if row.locked}


class Casting(Tracked):
    """A character in a shot; an empty outfit, use_lora or strength means the character's own."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="castings")
    shot = models.ForeignKey(Shot, on_delete=models.CASCADE, related_name="castings")
    character = models.ForeignKey(Character, on_delete=models.CASCADE, related_name="castings")
    outfit = models.CharField(_("outfit"), max_length=120, blank=True)
    use_lora = models.BooleanField(_("use LoRA"), null=True, blank=True)
    strength = models.FloatField(_("LoRA strength"), null=True, blank=True, validators=STRENGTH)
    speaks = models.BooleanField(_("speaks"), default=False)
    order = models.PositiveSmallIntegerField(_("order"), default=0)

    class Meta:
        verbose_name = _("casting")
        verbose_name_plural = _("castings")
        ordering = ["order", "id"]
        constraints = [models.UniqueConstraint(fields=["shot", "character"], name="character_once_per_shot")]

    def __str__(self) -> str:
        return f"{self.character} in {self.shot}"

    @property
    def effective_strength(self) -> float:
        """The strength of the character's LoRA in this shot, 0 when it is not used."""
        return self.character.strength_of_lora(use=self.use_lora, strength=self.strength)

    @property
    def worn(self) -> str:
        """What they wear, in words: the outfit's description (or its name), else the character's own clothing."""
        return self.character.outfit_words(self.outfit) if self.outfit else self.character.default_clothing
