"""Which prompt dialect a shot's next render reads."""

from aipipeline.projects.errors import Invalid
from renders.models import VersionKind
from renders.services.workflows import workflow_for
from shots.models import Shot


def dialect_of(shot: Shot) -> tuple[str, bool]:
    """(family, motion) of the workflow that the shot or its project chose for the present step."""
    try:
        workflow = workflow_for(shot.project, shot.current_step, shot)
    except Invalid:  # a step that nothing makes
        return "", False
    return workflow.family, workflow.output_kind == VersionKind.RENDER
