"""The page of a project's mirrors: what they are, how they stand, run, cancel, change, test."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_POST

from aipipeline.projects.errors import Conflict, NotFound
from aipipeline.projects.models import Project
from aipipeline.ui.context_processors import project_context
from aipipeline.ui.htmx import hx_refresh, hx_toast, render_page_or_fragment
from aipipeline.ui.pages import body_of, project_page, tab_of
from celery_workers.models import LedgerTask, TaskState
from celery_workers.services import cancel_task
from mirror.forms import MirrorForm, every_text
from mirror.models import MirrorTarget, RunState
from mirror.selectors import target_for, targets_of
from mirror.services.runs import TEST, request_run, request_test
from mirror.services.targets import create_target, remove_target, update_target
from renders.models import VersionKind

# How each state looks: the tags of shots and jobs have these colours already.
_LOOKS = {
    RunState.NEVER: "draft", RunState.OK: "approved", RunState.ATTENTION: "review", RunState.FAILED: "failed",
    RunState.CANCELLED: "cancelled",
}  # fmt: skip
_PROBLEMS = {
    "conflict": gettext_lazy("In conflict: something else lies there, it was left alone"),
    "damaged": gettext_lazy("Damaged: it reads back as something else. Remove it there, and the next run copies it"),
    "skipped": gettext_lazy("Could not be copied"),
}
_NOTES = {
    "left": gettext_lazy("Changed while being copied: the next run takes them"),
    "extra": gettext_lazy("Only at the target: nothing is ever deleted there"),
}


@require_GET
@project_page("project.view")
def targets(request: HttpRequest, project: Project) -> HttpResponse:
    rows = [_shown(row) for row in targets_of(project, request.user)]
    context = {**project_context(request, project), "rows": rows}
    return render_page_or_fragment(request, "mirror/targets.html", "mirror/_targets.html", context)


def _shown(row: MirrorTarget) -> dict[str, Any]:
    """A target with what its card tells. A run that a dead worker left says so through its task alone."""
    task = row.task
    died = task is not None and task.state == TaskState.FAILED and not task.params.get("dry_run")
    failed_unseen = died and task is not None and (row.last_at is None or row.last_at < task.created_at)
    dry = task is not None and task.params.get("dry_run", False)
    result = row.last_result
    return {
        "target": row,
        "task": task if row.running else None,
        "look": "failed" if failed_unseen else _LOOKS.get(RunState(row.last_state), "draft"),
        "state": RunState.FAILED.label if failed_unseen else row.get_last_state_display(),
        "error": task.error if failed_unseen and task is not None else row.last_message,
        "result": result,
        "problems": _told_of(result, _PROBLEMS),
        "notes": _told_of(result, _NOTES),
        "every": every_text(row.every_minutes) if row.enabled else _("Switched off"),
        "kinds": ", ".join(str(VersionKind(kind).label) for kind in row.kinds),
        "dry": task if dry and not row.running else None,
    }


def _told_of(result: Mapping[str, Any], names: Mapping[str, Any]) -> list[tuple[Any, list[Any], int]]:
    """(title, first paths, count) of what a run found."""
    lists = result.get("lists", {})
    return [(title, lists.get(name, []), result[name]) for name, title in names.items() if result.get(name)]


@require_GET
@project_page("mirror.manage")
def new(request: HttpRequest, project: Project) -> HttpResponse:
    """The empty dialog."""
    return _dialog(request, project, None)


@require_GET
@project_page("mirror.manage")
def edit(request: HttpRequest, project: Project, target_id: int) -> HttpResponse:
    return _dialog(request, project, target_for(project, request.user, target_id))


def _dialog(request: HttpRequest, project: Project, target: MirrorTarget | None) -> HttpResponse:
    context = {"project": project, "form": MirrorForm(target=target), "target": target}
    return render(request, "mirror/_dialog.html", context)


@require_POST
@project_page("mirror.manage")
def create(request: HttpRequest, project: Project) -> HttpResponse:
    body_of(request)  # refuses what is no text
    create_target(project=project, actor=request.user, fields=MirrorForm(request.POST).values(), tab=tab_of(request))
    return _told(_("Saved."))


@require_POST
@project_page("mirror.manage")
def update(request: HttpRequest, project: Project, target_id: int) -> HttpResponse:
    target = target_for(project, request.user, target_id)
    body_of(request)
    values = MirrorForm(request.POST, target=target).values()
    changed = {name: value for name, value in values.items() if value != getattr(target, name)}
    if changed:
        update_target(target=target, actor=request.user, fields=changed, tab=tab_of(request))
    return _told(_("Saved."))


@require_POST
@project_page("mirror.manage")
def remove(request: HttpRequest, project: Project, target_id: int) -> HttpResponse:
    target = target_for(project, request.user, target_id)
    remove_target(target=target, actor=request.user, tab=tab_of(request))
    return _told(_("Removed. The copied files stay where they are."))


@require_POST
@project_page("mirror.manage")
def run(request: HttpRequest, project: Project, target_id: int) -> HttpResponse:
    """`mode` of the body: "" copies, "dry" only says what it would do, "verify" copies and reads everything back."""
    mode = body_of(request).get("mode", "")
    target = target_for(project, request.user, target_id)
    request_run(target=target, actor=request.user, dry_run=mode == "dry", verify=mode == "verify")
    return _told({"dry": _("The dry run begins."), "verify": _("Copying and reading back begins.")}.get(
        str(mode), _("The mirror begins.")))  # fmt: skip


@require_POST
@project_page("mirror.manage")
def cancel(request: HttpRequest, project: Project, target_id: int) -> HttpResponse:
    target = target_for(project, request.user, target_id)
    if target.task is None:
        raise Conflict(_("This mirror is not running."))
    cancel_task(task=target.task, actor=request.user, tab=tab_of(request))
    return _told(_("Cancelled. The next run goes on from here."))


@require_POST
@project_page("mirror.manage")
def test(request: HttpRequest, project: Project) -> HttpResponse:
    """A worker looks at the place that the dialog names; the answer asks again until it is done."""
    body = body_of(request)
    known = targets_of(project, request.user).filter(pk=body["target"]).first() if _is_id(body.get("target")) else None
    values = MirrorForm(request.POST, target=known).values()
    task = request_test(project=project, actor=request.user, fields=values, target=known)
    return render(request, "mirror/_test.html", {"project": project, "task": task, "asked": True})


@require_GET
@project_page("mirror.manage")
def test_result(request: HttpRequest, project: Project, task_id: UUID) -> HttpResponse:
    task = LedgerTask.objects.filter(pk=task_id, project=project, kind=TEST).first()
    if task is None:
        raise NotFound(_("There is no such task."))
    return render(request, "mirror/_test.html", {"project": project, "task": task})


def _is_id(value: Any) -> bool:
    return isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 18


def _told(text: str) -> HttpResponse:
    return hx_refresh(hx_toast(HttpResponse(status=204), text))
