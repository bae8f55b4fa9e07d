"""Shots, characters and environments show their newest picture and their running job: lists are told of both."""

from collections.abc import Iterable

from aipipeline.history.services import touch
from assets.models import Character, Environment
from renders.models import RenderJob, Version
from shots.models import Shot


def touch_owners(rows: Iterable[RenderJob | Version]) -> None:
    """Count a change of what the owners of these jobs or versions show, when the transaction commits."""
    found: dict[tuple[int, type[Shot | Character | Environment]], set[int]] = {}
    for row in rows:
        for model, pk in ((Shot, row.shot_id), (Character, row.character_id), (Environment, row.environment_id)):
            if pk is not None:
                found.setdefault((row.project_id, model), set()).add(pk)
    for (project_id, model), ids in found.items():
        touch(project_id, model, ids)
