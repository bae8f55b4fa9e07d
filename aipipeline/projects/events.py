"""The topics that projects own."""

from typing import Any

from aipipeline.events import register_topic


def register() -> None:
    register_topic("project", _may_hear_project)
    register_topic("user", lambda user, identifier: str(user.pk) == identifier)


def _may_hear_project(user: Any, identifier: str) -> bool:
    from aipipeline.projects.models import Project

    return identifier.isdigit() and Project.objects.visible_to(user).filter(pk=int(identifier)).exists()
