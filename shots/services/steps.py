"""The steps of a shot: who may go where, and the shot's own status that mirrors them."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _

from aipipeline.history.rows import update_row
from aipipeline.history.saving import save_rows
from aipipeline.history.services import Recorder, lock, one_action, recording
from aipipeline.history.signals import changed
from aipipeline.projects.errors import Conflict, Invalid, NotFound
from aipipeline.projects.models import Project
from aipipeline.projects.permissions import role_of
from shots.models import ALLOWED, Shot, ShotState, ShotStep, Step
from shots.models.step import DONE_STATES
from shots.services.planning import PLANNED, as_cell


class MoveRefused(Conflict):
    """The state machine does not allow this move."""

    code = "move_refused"


def ensure_steps(recorder: Recorder, shots: Sequence[Shot]) -> None:
    """Give new shots the steps that their project uses."""
    if not shots:
        return
    steps = shots[0].project.steps
    recorder.create_many(
        [ShotStep(project_id=shot.project_id, shot=shot, step=step) for shot in shots for step in steps]
    )


def move_step(
    *,
    shot: Shot,
    step: str,
    to: str,
    actor: Any,
    tab: str = "",
    reason: str = "",
    approved_version: int | None = None,
) -> ShotStep:
    """Move one step of a shot to a state; MoveRefused (409) when ALLOWED says no or someone was faster."""
    if to not in ShotState.values:
        raise Invalid(_("Unknown state: %(state)s.") % {"state": to}, fields={"to": [_("unknown state")]})
    with recording(
        project=shot.project, actor=actor, kind="shot.move", tab=tab, params={"step": step, "to": to}
    ) as recorder:
        row: ShotStep | None = lock(ShotStep.objects.filter(shot=shot, step=step)).first()
        if row is None:
            raise NotFound(_("This shot has no step %(step)s.") % {"step": step})
        move(recorder, row, to, reason=reason, approved_version=approved_version)
        if getattr(actor, "pk", None) and not shot.seen_by_person:
            fresh = lock(Shot.objects.filter(pk=shot.pk)).get()
            recorder.update(fresh, seen_by_person=True)
    shot.refresh_from_db()
    return row


PLANNING = ("assignee", "due_date", "reason")


def plan_step(
    *, step: ShotStep, actor: Any, fields: Mapping[str, Any], seen: int | None = None, tab: str = ""
) -> ShotStep:
    """Say who does a step and until when. Conflict when one of the fields changed after revision `seen`."""
    assignee = fields.get("assignee")
    if assignee is not None and not (assignee.is_active and role_of(assignee, step.project)):
        raise Invalid(
            _("%(name)s is no member of this project.") % {"name": assignee},
            fields={"assignee": [_("no member of this project")]},
        )
    with one_action(project=step.project, actor=actor, kind="shotstep.update", tab=tab) as recorder:
        shot = lock(Shot.objects.filter(pk=step.shot_id)).get()
        before = {name: getattr(ShotStep.objects.get(pk=step.pk), name) for name in PLANNED}
        row = update_row(row=step, actor=actor, fields=fields, known=PLANNING, seen=seen, tab=tab)
        # The present step's plan is a cell of the shot: whoever edits it beside is told.
        for name, old in before.items():
            if row.step == shot.current_step and getattr(row, name) != old:
                recorder.mark([shot], name, told={shot.pk: (as_cell(old), as_cell(getattr(row, name)))})
    return row


def move(recorder: Recorder, row: ShotStep, to: str, *, reason: str = "", approved_version: int | None = None) -> None:
    """Move a locked step row inside a running recording, and mirror it onto the shot."""
    if to not in ALLOWED[row.state]:
        raise MoveRefused(
            _("%(shot)s is %(now)s; it cannot become %(to)s from there.")
            % {
                "shot": row.shot.code,
                "now": ShotState(row.state).label,
                "to": ShotState(to).label,
            },
            details={"state": row.state, "allowed": sorted(ALLOWED[row.state])},
        )
    fields: dict[str, Any] = {"state": to, "reason": reason}
    if to == ShotState.APPROVED and approved_version is not None:
        fields["approved_version"] = approved_version
    if to in (ShotState.REVIEW, ShotState.READY) and row.state in DONE_STATES:
        fields["approved_version"] = None
    recorder.update(row, **fields)
    if to == ShotState.APPROVED:
        _open_next(recorder, row)
    mirror(recorder, row.shot_id)


def _open_next(recorder: Recorder, row: ShotStep) -> None:
    """Once a step is approved, the next one of the shot is ready to start."""
    order = list(Step.values)
    later = [
        s
        for s in lock(ShotStep.objects.live().filter(shot_id=row.shot_id))
        if order.index(s.step) > order.index(row.step)
    ]
    following = min(later, key=lambda s: order.index(s.step), default=None)
    if following is not None and following.state == ShotState.DRAFT:
        recorder.update(following, state=ShotState.READY)


def mirror(recorder: Recorder, shot_id: int) -> None:
    """Write the shot's current step and status: the first step that is not done, or final after the last."""
    shot = lock(Shot.objects.filter(pk=shot_id)).get()
    if (current := present_step(ShotStep.objects.live().filter(shot_id=shot_id))) is not None:
        recorder.update(shot, current_step=current.step, status=current.state)


def present_step(rows: Iterable[ShotStep]) -> ShotStep | None:
    """The first of a shot's steps that is not done, or the last one; None for none."""
    order = list(Step.values)
    steps = sorted(rows, key=lambda row: order.index(row.step))
    return next((row for row in steps if row.state not in DONE_STATES), steps[-1] if steps else None)


def mirror_replayed(shot_ids: Iterable[int]) -> list[Shot]:
    """Make these shots say again what their steps say; returns those that did not. Two queries and a write.

    Undo puts values back one by one and leaves what a colleague wrote since, so that a shot's status and step may come
    from different moves.
    """
    shots = list(lock(Shot.objects.filter(pk__in=set(shot_ids))))
    steps: dict[int, list[ShotStep]] = {}
    for row in ShotStep.objects.live().filter(shot__in=[shot.pk for shot in shots]):
        steps.setdefault(row.shot_id, []).append(row)
    mended = []
    for shot in shots:
        current = present_step(steps.get(shot.pk, []))
        if current is None or (shot.current_step, shot.status) == (current.step, current.state):
            continue
        shot.current_step, shot.status = current.step, current.state
        shot.touch(["current_step", "status"])
        mended.append(shot)
    if mended:
        save_rows(mended, ["current_step", "status"])
        fields = {"current_step", "status"}
        changed.send(sender=Shot, instances=mended, fields=fields, kind="updated", recorder=None)
    return mended


def start_steps(recorder: Recorder, shots: Iterable[Shot], step: str) -> None:
    """Jobs were queued for these shots: their step goes to generating, unless it is approved or already there.

    From wherever it is that is allowed, by way of ready. A constant number of queries.
    """
    rows = lock(ShotStep.objects.filter(shot__in=list(shots), step=step)).order_by("pk").select_related("shot")
    begun = [row for row in rows if row.state not in DONE_STATES and row.state != ShotState.GENERATING]
    recorder.update_many((row, {"state": ShotState.GENERATING, "reason": ""}) for row in begun)
    ids = [row.shot_id for row in begun]
    steps: dict[int, list[ShotStep]] = {}
    for row in ShotStep.objects.live().filter(shot__in=ids):
        steps.setdefault(row.shot_id, []).append(row)
    mirrored = []
    for shot in lock(Shot.objects.filter(pk__in=ids)).order_by("pk"):
        if (current := present_step(steps.get(shot.pk, []))) is not None:
            mirrored.append((shot, {"current_step": current.step, "status": current.state}))
    recorder.update_many(mirrored)


def finish_step(*, shot: Shot, step: str, succeeded: bool) -> None:
    """The last running job of this step ended: to review when something was made, else back to ready."""
    with recording(
        project=shot.project, actor=None, kind="shot.generated", undoable=False, params={"step": step}
    ) as recorder:
        row = lock(ShotStep.objects.filter(shot=shot, step=step)).first()
        if row is None or row.state != ShotState.GENERATING:
            return
        move(recorder, row, ShotState.REVIEW if succeeded else ShotState.READY)


def steps_of(project: Project) -> list[str]:
    """The project's steps in production order."""
    return [step for step in Step.values if step in project.steps]
