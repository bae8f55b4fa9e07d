"""The topics that projects own."""

from typing import Any

from aipipeline.events import register_topic
from aipipeline.projects.checks import whole_number


def register() -> None:
    register_topic("project", _may_hear_project)
    register_topic("user", lambda user, identifier: str(user.pk) == identifier)


def _may_hear_project(user: Any, identifier: str) -> bool:
    from aipipeline.projects.models import Project

    number = whole_number(identifier)
    return number is not None and Project.objects.visible_to(user).filter(pk=number).exists()
