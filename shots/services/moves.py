"""Many shots from one status to another in one action, in a constant number of queries."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _

from aipipeline.history.services import Recorder, lock, recording
from aipipeline.projects.errors import Invalid, NotAllowed, NotFound
from aipipeline.projects.models import Project
from aipipeline.projects.permissions import allows
from shots.models import ALLOWED, Shot, ShotState, ShotStep, Step
from shots.models.step import DONE_STATES
from shots.services.steps import MoveRefused

_ORDER = list(Step.values)


def may_move(approves: bool, now: str, to: str) -> bool:
    """Whether the table allows this move, for somebody who may (or may not) approve: closing and reopening are a
    lead's, and so is ending a shot."""
    return to in ALLOWED[now] and (approves or (to not in DONE_STATES and now not in DONE_STATES))


def move_shots_to(
    *, project: Project, actor: Any, ids: Sequence[int], to: str, step: str = "", reason: str = "", tab: str = ""
) -> list[int]:
    """Move the named step (or each shot's present one) of these shots; all of them or none.

    MoveRefused with details {"refused": {id: {"state", "allowed"}}}; NotAllowed when only a lead may.
    """
    if to not in ShotState.values:
        raise Invalid(_("Unknown state: %(state)s.") % {"state": to}, fields={"to": [_("unknown state")]})
    if step and step not in Step.values:
        raise Invalid(_("Unknown step: %(step)s.") % {"step": step}, fields={"step": [_("unknown step")]})
    params = {"to": to, **({"step": step} if step else {})}
    with recording(project=project, actor=actor, kind="shot.move", tab=tab, params=params) as recorder:
        shots = list(lock(Shot.objects.live().filter(project=project, pk__in=list(ids))))
        if not shots or len(shots) != len(set(ids)):
            raise NotFound(_("There is no such shot in this project."))
        move_rows(recorder, project, actor, dict.fromkeys(shots, to), step=step, reason=reason)
    return [shot.pk for shot in shots]


def move_rows(
    recorder: Recorder, project: Project, actor: Any, wanted: Mapping[Shot, str], *, step: str = "", reason: str = ""
) -> list[Shot]:
    """`move_shots_to` of locked shots inside a running recording, each to its own state; returns those that moved."""
    if not wanted:
        return []
    steps: dict[int, dict[str, ShotStep]] = {}
    for row in lock(ShotStep.objects.live().filter(shot__in=[shot.pk for shot in wanted])).select_related("shot"):
        steps.setdefault(row.shot_id, {})[row.step] = row
    approves = actor is None or allows(actor, "shots.approve", project)
    if not approves and any(to in DONE_STATES for to in wanted.values()):
        raise _leads_only()
    refused: dict[str, Any] = {}
    forbidden = False
    plan: list[tuple[Shot, ShotStep, str]] = []
    for shot, to in wanted.items():
        found = steps.get(shot.pk, {}).get(step or shot.current_step)
        if found is None or to not in ALLOWED[found.state]:
            state = found.state if found else shot.status
            refused[str(shot.pk)] = {"code": shot.code, "state": state, "allowed": sorted(ALLOWED[state])}
        elif not may_move(approves, found.state, to):
            forbidden = True
        else:
            plan.append((shot, found, to))
    if refused:
        raise _refusal(refused, wanted)
    if forbidden:
        raise _leads_only()
    return _write(recorder, actor, plan, steps, reason)


def _leads_only() -> NotAllowed:
    return NotAllowed(_("Approving, ending and reopening are up to the directors of this project."))


def _refusal(refused: dict[str, Any], wanted: Mapping[Shot, str]) -> MoveRefused:
    first = next(iter(refused.values()))
    to = next(to for shot, to in wanted.items() if str(shot.pk) in refused)
    message = _("%(shot)s is %(now)s; it cannot become %(to)s from there.") % {
        "shot": first["code"],
        "now": ShotState(first["state"]).label,
        "to": ShotState(to).label,
    }
    if len(refused) > 1:
        message += " " + _("The same holds for %(n)s more.") % {"n": len(refused) - 1}
    alone = first if len(refused) == 1 else {}
    return MoveRefused(message, details={**alone, "refused": refused})


def _write(
    recorder: Recorder,
    actor: Any,
    plan: Sequence[tuple[Shot, ShotStep, str]],
    steps: Mapping[int, Mapping[str, ShotStep]],
    reason: str,
) -> list[Shot]:
    changes: list[tuple[ShotStep, dict[str, Any]]] = []
    for shot, row, to in plan:
        fields: dict[str, Any] = {"state": to, "reason": reason}
        if to in (ShotState.REVIEW, ShotState.READY) and row.state in DONE_STATES:
            fields["approved_version"] = None
        changes.append((row, fields))
        if to == ShotState.APPROVED and (following := _next_step(row, steps[shot.pk])):
            changes.append((following, {"state": ShotState.READY}))
    recorder.update_many(changes)
    person = bool(getattr(actor, "pk", None))
    mirrored = []
    for shot, _row, _to in plan:
        rows = sorted(steps[shot.pk].values(), key=lambda row: _ORDER.index(row.step))
        current = next((row for row in rows if row.state not in DONE_STATES), rows[-1])
        seen = {"seen_by_person": True} if person and not shot.seen_by_person else {}
        mirrored.append((shot, {"current_step": current.step, "status": current.state, **seen}))
    recorder.update_many(mirrored)
    return [shot for shot, _row, _to in plan]


def _next_step(row: ShotStep, rows: Mapping[str, ShotStep]) -> ShotStep | None:
    """The following step, when it still waits to be started."""
    later = [other for other in rows.values() if _ORDER.index(other.step) > _ORDER.index(row.step)]
    following = min(later, key=lambda other: _ORDER.index(other.step), default=None)
    return following if following is not None and following.state == ShotState.DRAFT else None
