"""Who does a shot's present step and until when: written on the step, read and edited as cells of the shot."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from django.utils.translation import gettext as _

from aipipeline.history.services import Recorder, lock
from aipipeline.projects.checks import whole_number
from aipipeline.projects.errors import Conflict, Invalid
from aipipeline.projects.models import Project, User
from shots.models import Shot, ShotStep

PLANNED = ("assignee", "due_date")


class Plans:
    """The planning cells of one batch: people and steps are read once, and only when a row names such a cell."""

    def __init__(self, project: Project, items: Sequence[Mapping[str, Any]]) -> None:
        rows = [item for item in items if isinstance(item.get("fields"), Mapping)]
        self.named = any(name in row["fields"] for row in rows for name in PLANNED)
        self.members: dict[int, User] = {}
        if any("assignee" in row["fields"] for row in rows):
            members = User.objects.filter(memberships__project=project, is_active=True).distinct()
            self.members = {user.pk: user for user in members}
        self.steps: dict[int, ShotStep] = {}
        self.changes: dict[Shot, dict[str, Any]] = {}

    def lock_steps(self, shots: Sequence[Shot]) -> None:
        """Lock the step that each of these shots is at. One query, or none."""
        if not self.named:
            return
        current = {shot.pk: shot.current_step for shot in shots}
        for row in lock(ShotStep.objects.live().filter(shot__in=list(current))).select_related("shot"):
            if row.step == current[row.shot_id]:
                self.steps[row.shot_id] = row

    def clean(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        """The planning cells among these fields, as values; Invalid by field."""
        found: dict[str, Any] = {}
        if "assignee" in fields:
            found["assignee"] = self._person(fields["assignee"])
        if "due_date" in fields:
            found["due_date"] = _date(fields["due_date"])
        return found

    def _person(self, value: Any) -> User | None:
        if value in (None, ""):
            return None
        number = value if isinstance(value, int) and not isinstance(value, bool) else whole_number(value)
        found = self.members.get(number) if number is not None else None
        if found is None:
            raise Invalid(
                _("This person is no member of the project."), fields={"assignee": [_("no member of this project")]}
            )
        return found

    def refuse_stale(self, shot: Shot, seen: int, wanted: Mapping[str, Any]) -> None:
        """Conflict, with both values, when such a cell changed after the revision that the person saw."""
        step = self.steps.get(shot.pk)
        present = {name: as_cell(getattr(step, name)) if step else None for name in wanted}
        yours = {name: as_cell(value) for name, value in wanted.items()}
        different = [name for name in wanted if present[name] != yours[name]]
        # The shot went on to another step since: the person wrote into the plan of the one before.
        stale = different if shot.stale_fields(["current_step"], seen) else shot.stale_fields(different, seen)
        if stale:
            raise Conflict(
                _("Someone else changed this since you read it."),
                fields={name: [str(_("changed by someone else"))] for name in stale},
                details={
                    "id": shot.pk,
                    "revision": shot.revision,
                    "current": {name: present[name] for name in stale},
                    "yours": {name: yours[name] for name in stale},
                },
            )

    def add(self, shot: Shot, wanted: Mapping[str, Any]) -> None:
        if wanted:
            self.changes.setdefault(shot, {}).update(wanted)

    def write(self, recorder: Recorder) -> set[Shot]:
        """Write what was added; returns the shots of which something really changed."""
        rows = [(self.steps[shot.pk], values) for shot, values in self.changes.items() if shot.pk in self.steps]
        before = {row.shot_id: {name: as_cell(getattr(row, name)) for name in values} for row, values in rows}
        written = {row.shot_id: row for row in recorder.update_many(rows)}
        changed = {shot for shot in self.changes if shot.pk in written}
        for name in PLANNED:
            named = [shot for shot in changed if name in self.changes[shot]]
            told = {shot.pk: (before[shot.pk][name], as_cell(self.changes[shot][name])) for shot in named}
            recorder.mark([shot for shot in named if told[shot.pk][0] != told[shot.pk][1]], name, told=told)
        return changed


def _date(value: Any) -> date | None:
    if value in (None, ""):
        return None
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(value if isinstance(value, str) else "")
    except ValueError as error:
        raise Invalid(_("Write a date as 2026-11-25."), fields={"due_date": [_("not a date")]}) from error


def as_cell(value: Any) -> Any:
    """A plan's value as cells and the history hold it."""
    return value.isoformat() if isinstance(value, date) else getattr(value, "pk", value)
