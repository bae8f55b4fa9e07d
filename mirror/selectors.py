"""Reads of mirrors."""

from typing import Any

from django.utils.translation import gettext as _

from aipipeline.projects.errors import NotFound
from aipipeline.projects.models import Project
from mirror.models import MirrorTarget, TargetQuerySet


def targets_of(project: Project, actor: Any) -> TargetQuerySet:
    """The project's mirrors with their last task."""
    found: TargetQuerySet = (
        MirrorTarget.objects.visible_to(actor).filter(project=project).select_related("project", "task")
    )
    return found


def target_for(project: Project, actor: Any, target_id: int) -> MirrorTarget:
    found: MirrorTarget | None = targets_of(project, actor).filter(pk=target_id).first()
    if found is None:
        raise NotFound(_("There is no such mirror in this project."))
    return found
