"""Pauses: waiting jobs of a project, a class of card or a workflow are not begun. A worker is paused by draining it."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext as _

from aipipeline.events import publish
from aipipeline.history.plain import update_plain
from aipipeline.history.services import recording
from aipipeline.projects.errors import Invalid, NotFound
from aipipeline.projects.models import Project
from renders.models import Capability, JobState, Pause, PauseScope, RenderJob, Workflow
from renders.services.nudges import nudge

LONGEST = timedelta(days=366)


def pause(*, scope: str, key: str, actor: Any, reason: str = "", until: datetime | None = None, tab: str = "") -> Pause:
    """Pause a project (its id), a class of card or a workflow (its id); what runs goes on. Again: new reason, new end.

    `until`: when it ends by itself, a year ahead at most. Invalid for a scope or a key that there is not.
    """
    project, label = _target(scope, key)
    if until is not None and not timedelta(0) < until - timezone.now() < LONGEST:
        raise Invalid(_("until: a time within the next year is needed."), fields={"until": [_("out of range")]})
    params = {"scope": scope, "key": key, "label": label}
    with recording(project=project, actor=actor, kind="farm.pause", tab=tab, undoable=False, params=params):
        row, _made = Pause.objects.update_or_create(
            scope=scope,
            key=key,
            defaults={
                "reason": reason.strip()[:300],
                "actor": actor if getattr(actor, "pk", None) else None,
                "until": until,
            },
        )
        _tell(project)
    return row


def resume(*, scope: str, key: str, actor: Any, tab: str = "") -> None:
    """End a pause and wake the workers. NotFound when there is none."""
    row = Pause.objects.filter(scope=scope, key=key).first()
    if row is None:
        raise NotFound(_("Nothing is paused there."))
    project = Project.objects.filter(pk=int(key)).first() if scope == PauseScope.PROJECT else None
    params = {"scope": scope, "key": key, "label": label_of(row)}
    with recording(project=project, actor=actor, kind="farm.resume", tab=tab, undoable=False, params=params):
        Pause.objects.filter(pk=row.pk).delete()
        _tell(project)
        field = {PauseScope.PROJECT: "project", PauseScope.CAPABILITY: "capability", PauseScope.WORKFLOW: "workflow"}
        waiting = list(RenderJob.objects.filter(state=JobState.QUEUED, **{field[PauseScope(scope)]: key})[:100])
        transaction.on_commit(lambda: nudge(waiting), robust=True)


def pause_all(
    *, what: Sequence[tuple[str, str]], actor: Any, reason: str = "", until: datetime | None = None, tab: str = ""
) -> list[Pause]:
    """Pause several, (scope, key) each: all or none."""
    facts: dict[str, Any] = {"actor": actor, "reason": reason, "until": until, "tab": tab}
    with transaction.atomic():
        return [pause(scope=scope, key=key, **facts) for scope, key in what]


def resume_all(*, rows: Sequence[Pause], actor: Any, tab: str = "") -> None:
    """End several pauses: all or none."""
    with transaction.atomic():
        for row in rows:
            resume(scope=row.scope, key=row.key, actor=actor, tab=tab)


def resume_ended() -> int:
    """End the pauses whose time has come: what beat does, by the database's clock. One query while there is none."""
    ended = 0
    for key in list(Pause.objects.filter(until__lte=Now()).values_list("pk", flat=True)):
        with transaction.atomic():
            # Looked at again under its lock: somebody may have been quicker, or have paused for longer.
            row = Pause.objects.select_for_update().filter(pk=key, until__lte=Now()).first()
            if row is not None:
                resume(scope=row.scope, key=row.key, actor=None)
                ended += 1
    return ended


def explain(*, row: Pause, reason: str, actor: Any, tab: str = "") -> None:
    """Put the reason of a pause right; who paused stays. NotFound when it has ended."""
    project = project_of(row)
    params = {"scope": row.scope, "key": row.key, "label": label_of(row)}
    with recording(project=project, actor=actor, kind="farm.pause", tab=tab, undoable=False, params=params) as recorder:
        kept = Pause.objects.select_for_update().filter(pk=row.pk).first()
        if kept is None:
            raise NotFound(_("Nothing is paused there."))
        update_plain(recorder, kept, reason=reason.strip()[:300])
        _tell(project)


def pauses_for(actor: Any) -> list[Pause]:
    """All of classes and workflows, and those of one's own projects."""
    mine = {str(pk) for pk in Project.objects.visible_to(actor).values_list("pk", flat=True)}
    rows = Pause.objects.select_related("actor").order_by("scope", "key")
    return [row for row in rows if row.scope != PauseScope.PROJECT or row.key in mine]


def project_of(row: Pause) -> Project | None:
    """The project that is paused; None for classes and workflows."""
    if row.scope != PauseScope.PROJECT or not row.key.isdecimal():
        return None
    return Project.objects.filter(pk=int(row.key)).first()


def label_of(row: Pause) -> str:
    """What is paused, for people."""
    try:
        return _target(row.scope, row.key)[1]
    except Invalid:
        return row.key


def _target(scope: str, key: str) -> tuple[Project | None, str]:
    if scope == PauseScope.CAPABILITY and key in Capability.values:
        return None, str(Capability(key).label)
    number = int(key) if key.isascii() and key.isdecimal() and len(key) < 19 else 0
    if scope == PauseScope.PROJECT:
        project = Project.objects.live().filter(pk=number).first()
        if project is not None:
            return project, project.code
    if scope == PauseScope.WORKFLOW:
        workflow = Workflow.objects.filter(pk=number).first()
        if workflow is not None:
            return None, workflow.title
    if scope not in PauseScope.values:
        choices = ", ".join(PauseScope.values)
        raise Invalid(_("scope: one of %(choices)s.") % {"choices": choices}, fields={"scope": [_("unknown")]})
    raise Invalid(_("There is no such thing to pause: %(key)s.") % {"key": key[:80]}, fields={"key": [_("unknown")]})


def _tell(project: Project | None) -> None:
    publish("farm", "worker.changed", ids=[])
    if project is not None:
        publish(f"project:{project.pk}", "job.changed", ids=[], shots=[], state="")
