"""One action of many edits: cells changed, shots made, shots removed, all or nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from aipipeline.projects.errors import Invalid
from aipipeline.projects.models import Project
from shots.models import Shot
from shots.services import editing


@dataclass
class Batch:
    """What a batch did; `conflicts` holds the rows that were left out because somebody else was faster."""

    changed: list[Shot] = field(default_factory=list)
    created: list[Shot] = field(default_factory=list)
    removed: list[int] = field(default_factory=list)
    conflicts: list[dict[str, Any]] = field(default_factory=list)


def apply_batch(
    *,
    project: Project,
    actor: Any,
    items: Sequence[Mapping[str, Any]] = (),
    create: Sequence[Mapping[str, Any]] = (),
    remove: Sequence[int] = (),
    on_conflict: str = "fail",
    tab: str = "",
) -> Batch:
    """Change, make and remove shots in one transaction; errors undo all of it.

    Each of the three kinds of edit is one undo step: a batch that only changes cells, the usual one, is one.
    """
    done = Batch()
    with transaction.atomic():
        if items:
            done.changed, done.conflicts = editing.update_shots(
                project=project, actor=actor, items=items, tab=tab, on_conflict=on_conflict
            )
        done.created = [editing.create_shot(project=project, actor=actor, tab=tab, **dict(fields)) for fields in create]
        if remove:
            gone = editing.remove_shots(project=project, actor=actor, ids=list(remove), tab=tab)
            done.removed = [shot.pk for shot in gone]
            if missing := set(remove) - set(done.removed):
                raise Invalid(
                    _("Nothing was saved: some shots to remove are not in this project."),
                    fields={"delete": sorted(missing)},
                )
    return done
