"""The topic that the timeline owns."""

from typing import Any

from aipipeline.events import register_topic
from aipipeline.projects.checks import whole_number


def register() -> None:
    register_topic("edit", _may_hear_edit)


def _may_hear_edit(user: Any, identifier: str) -> bool:
    from timeline.models import Edit

    number = whole_number(identifier)
    return number is not None and Edit.objects.visible_to(user).live().filter(pk=number).exists()
