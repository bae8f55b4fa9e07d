"""The steps of a shot and the states that each step passes."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from aipipeline.projects.models import Project
from aipipeline.projects.tracked import Tracked


class Step(models.TextChoices):
    FIRST_IMAGE = "first_image", _("First image")
    LAYOUT = "layout", _("Layout")
    RENDER = "render", _("Render")
    POST = "post", _("Post")


class ShotState(models.TextChoices):
    DRAFT = "draft", _("Draft")
    READY = "ready", _("Ready")
    GENERATING = "generating", _("Generating")
    REVIEW = "review", _("In review")
    APPROVED = "approved", _("Approved")
    FINAL = "final", _("Final")


ALLOWED: dict[str, frozenset[str]] = {
    ShotState.DRAFT: frozenset({ShotState.READY}),
    ShotState.READY: frozenset({ShotState.DRAFT, ShotState.GENERATING, ShotState.REVIEW}),
    ShotState.GENERATING: frozenset({ShotState.REVIEW, ShotState.READY}),
    ShotState.REVIEW: frozenset({ShotState.APPROVED, ShotState.READY}),
    ShotState.APPROVED: frozenset({ShotState.FINAL, ShotState.REVIEW}),
    ShotState.FINAL: frozenset({ShotState.APPROVED}),
}
DONE_STATES = frozenset({ShotState.APPROVED, ShotState.FINAL})

KIND_OF_STEP: dict[str, str] = {
    Step.FIRST_IMAGE: "previz",
    Step.LAYOUT: "playblast",
    Step.RENDER: "render",
    Step.POST: "comp",
}
# Which step a version serves, by its kind. A finished picture of another program (`final`) ends post as well.
STEP_OF_KIND: dict[str, str] = {**{kind: step for step, kind in KIND_OF_STEP.items()}, "final": Step.POST}


class ShotStep(Tracked):
    """One step of one shot. `approved_version` is the id of the version that a person (or auto) approved."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="shot_steps")
    shot = models.ForeignKey("shots.Shot", on_delete=models.CASCADE, related_name="steps")
    step = models.CharField(_("step"), max_length=20, choices=Step.choices)
    state = models.CharField(_("state"), max_length=12, choices=ShotState.choices, default=ShotState.DRAFT)
    assignee = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, verbose_name=_("assignee")
    )
    due_date = models.DateField(_("due"), null=True, blank=True)
    approved_version = models.BigIntegerField(null=True, blank=True, editable=False)
    reason = models.CharField(_("reason"), max_length=300, blank=True)

    class Meta:
        verbose_name = _("shot step")
        verbose_name_plural = _("shot steps")
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["shot", "step"], name="step_once_per_shot")]

    def __str__(self) -> str:
        return f"{self.shot} · {self.get_step_display()}"
