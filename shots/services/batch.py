"""One action of many edits: cells changed, shots made, shots removed, all or nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _

from aipipeline.history.services import recording
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
    key: str = "",
) -> Batch:
    """Change, make and remove shots in one action: one undo step. Errors undo all of it.

    Repeated, with nothing written, when this person's batch with this `key` was made before.
    """
    done = Batch()
    kinds = [kind for kind, rows in (("update", items), ("create", create), ("remove", remove)) if rows]
    kind = f"shot.{kinds[0]}" if len(kinds) == 1 else "shot.batch"
    with recording(project=project, actor=actor, kind=kind, tab=tab, key=key) as recorder:
        if items:
            done.changed, done.conflicts = editing.change_shots(
                recorder, project, items, on_conflict=on_conflict, person=actor
            )
        if create:
            done.created = editing.add_shots(recorder, project, create)
        if remove:
            gone = editing.take_shots(recorder, project, remove)
            done.removed = [shot.pk for shot in gone]
            if missing := set(remove) - set(done.removed):
                raise Invalid(
                    _("Nothing was saved: some shots to remove are not in this project."),
                    fields={"delete": sorted(missing)},
                )
    return done
