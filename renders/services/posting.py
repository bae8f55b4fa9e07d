"""Post of a version that somebody names: the same jobs as any, with this version as what they work on."""

from collections.abc import Mapping
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext as _

from aipipeline.projects.errors import Conflict, Invalid
from renders.models import RenderJob, Version, Workflow
from renders.services.jobs import start_renders
from renders.services.workflows import workflow_named
from shots.models import Shot

# What the one input of a post workflow is called: by the local engine, and in the graphs.
_CLIPS = frozenset({"source_video", "reference_video"})
_STILLS = frozenset({"source_image"})


def source_role(workflow: Workflow) -> str:
    """The role of the picture or clip that a post workflow works on; "" for workflows that are no post."""
    roles = [str(entry["role"]) for entry in workflow.inputs]
    return roles[0] if len(roles) == 1 and roles[0] in _CLIPS | _STILLS else ""


def fits(workflow: Workflow, version: Version) -> bool:
    """Whether this workflow can work on this version: clips on clips, stills on stills."""
    return source_role(workflow) in (_STILLS if version.frames is None else _CLIPS)


def post_workflows(version: Version) -> list[Workflow]:
    """What can be made of a version, in the order of their titles; one query."""
    if version.shot_id is None:
        return []
    # What people brought may belong to one project alone.
    mine = Workflow.objects.filter(Q(project=None) | Q(project=version.project_id), enabled=True)
    return [row for row in mine.order_by("title") if fits(row, version)]


def post_version(
    *,
    version: Version,
    actor: Any,
    workflow: str,
    params: Mapping[str, Any] | None = None,
    priority: int = 0,
    tab: str = "",
) -> RenderJob:
    """Queue post of this version. Invalid by field; Conflict while the same workflow works on the shot already."""
    used = workflow_named(workflow, version.project)
    if version.shot_id is None:
        raise Invalid(_("Only versions of shots can be worked on."), fields={"version": [_("not of a shot")]})
    if not source_role(used):
        text = _("%(key)s makes pictures anew; choose a workflow that works on a finished one.")
        raise Invalid(text % {"key": used.key}, fields={"workflow": [_("not post")]})
    if not fits(used, version):
        text = _("%(key)s works on clips.") if version.frames is None else _("%(key)s works on stills.")
        raise Invalid(text % {"key": used.key}, fields={"workflow": [_("another kind of picture")]})
    related = ("project", "scene__environment", "environment", "preset")
    shot = Shot.objects.live().select_related(*related).get(pk=version.shot_id)
    started = start_renders(
        project=shot.project,
        actor=actor,
        shots=[shot],
        workflow=used.key,
        params=params,
        inputs={source_role(used): version.pk},
        priority=priority,
        tab=tab,
    )
    if not started.jobs:
        raise Conflict(_("%(shot)s: this work is queued or runs already.") % {"shot": shot.code})
    return started.jobs[0]
