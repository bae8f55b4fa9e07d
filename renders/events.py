"""The topics that renders own."""

from typing import Any
from uuid import UUID

from aipipeline.events import register_topic
from aipipeline.projects.permissions import allows


def register() -> None:
    register_topic("farm", lambda user, _identifier: allows(user, "farm.view"))
    register_topic("job", _may_hear_job)


def _may_hear_job(user: Any, identifier: str) -> bool:
    from renders.models import RenderJob

    try:
        key = UUID(identifier)
    except ValueError:
        return False
    return RenderJob.objects.visible_to(user).filter(pk=key).exists()
