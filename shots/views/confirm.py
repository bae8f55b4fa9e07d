"""The confirm page: what a confirm would do, folder by folder, before it is done; moves and retired folders."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from aipipeline.history.models import Action
from aipipeline.projects.errors import Invalid
from aipipeline.projects.models import Project
from aipipeline.projects.permissions import require
from aipipeline.ui.context_processors import project_context
from aipipeline.ui.htmx import hx_location, hx_toast, render_page_or_fragment
from aipipeline.ui.pages import body_of, number_in, project_page, tab_of
from celery_workers.models import LedgerTask
from shots.api.forms import as_ranges, listed
from shots.models import Folder
from shots.services import confirming
from shots.services.confirm import confirm as confirm_tree
from shots.services.locks import unlock_shots
from shots.services.tree.disk import TreeError
from shots.services.tree.moves import Move, move_folders, moves_of
from shots.services.tree.planning import Fate, Plan, Planned, plan_tree

SHOWN = 200
# What needs a look comes first.
ORDER = (Fate.CONFLICT, Fate.RENAMED, Fate.RETIRE, Fate.REVIVE, Fate.CREATE, Fate.SAME)
ADDRESS_LENGTH = 6000


@dataclass
class Group:
    """The folders of one fate: as many as are shown, and how many there are."""

    fate: str
    label: str
    count: int
    entries: list[Planned] = field(default_factory=list)

    @property
    def more(self) -> int:
        return self.count - len(self.entries)


@require_http_methods(["GET", "POST"])
@project_page("project.view")
def confirm(request: HttpRequest, project: Project) -> HttpResponse:
    """GET shows the plan, of all shots or of `?shots=`; POST does it, long lists in the background."""
    if request.method == "POST":
        return _confirm(request, project)
    chosen = request.GET.get("shots")
    context = _context(request, project, chosen)
    return render_page_or_fragment(request, "shots/confirm.html", "shots/_confirm.html", context)


def _confirm(request: HttpRequest, project: Project) -> HttpResponse:
    require(request.user, "shots.confirm", project)
    text = str(body_of(request).get("shots") or "") or None
    ids = listed(text, "shots")
    count = project.shots.filter(removed_at=None).count() if ids is None else len(ids)
    if count > confirming.AT_ONCE:
        confirming.start_confirm(project=project, actor=request.user, shots=ids, tab=tab_of(request))
        return render(request, "shots/_confirm.html", _context(request, project, text))
    report = confirm_tree(project=project, actor=request.user, shots=ids, tab=tab_of(request))
    context = {**_context(request, project, text), "result": confirming.told(report)}
    return hx_toast(render(request, "shots/_confirm.html", context), _("The production tree is ready."))


@require_POST
@project_page("shots.confirm")
def choose(request: HttpRequest, project: Project) -> HttpResponse:
    """From the rows that are checked in the shot list to the page with their plan."""
    address = as_ranges(_chosen(request))
    if len(address) > ADDRESS_LENGTH:
        raise Invalid(_("These are too many single shots. Confirm the whole list, or choose fewer."))
    return hx_location(f"{reverse('shots:confirm', args=[project.code])}?shots={address}")


@require_POST
@project_page("tree.manage")
def move(request: HttpRequest, project: Project) -> HttpResponse:
    """Move one folder (`folder`) or all that belong elsewhere by now."""
    body = body_of(request)
    one = number_in(body, "folder", required=False)
    folders = None if one is None else [one]
    report = move_folders(project=project, actor=request.user, folders=folders, tab=tab_of(request))
    context = _context(request, project, str(body.get("shots") or "") or None)
    text = _("Folders moved: %(n)s. A pointer stays in each old place.") % {"n": len(report.moved)}
    return hx_toast(render(request, "shots/_confirm.html", context), text)


@require_POST
@project_page("shots.unlock")
def unlock(request: HttpRequest, project: Project) -> HttpResponse:
    """Unlock the rows that are checked in the shot list, in one action with one reason."""
    reason = str(body_of(request).get("reason", ""))
    rows = unlock_shots(project=project, actor=request.user, ids=_chosen(request), reason=reason, tab=tab_of(request))
    return hx_toast(HttpResponse(status=204), _("Unlocked: %(n)s.") % {"n": len(rows)})


def _chosen(request: HttpRequest) -> list[int]:
    ids = listed(str(body_of(request).get("ids", "")), "ids")
    if not ids:
        raise Invalid(_("Choose the shots first."), fields={"ids": [_("empty")]})
    return ids


def _context(request: HttpRequest, project: Project, chosen: str | None) -> dict[str, Any]:
    ids = listed(chosen, "shots")
    context: dict[str, Any] = {
        **project_context(request, project),
        "chosen": chosen or "",
        "task": _newest_task(project),
        "last": Action.objects.filter(project=project, kind="project.confirm").select_related("actor").first(),
    }
    try:
        plan = plan_tree(project, ids)
    except TreeError as error:
        return {**context, "problem": error}
    folders = list(Folder.objects.filter(project=project).select_related("shot", "scene", "character", "environment"))
    moves = moves_of(plan, folders)
    retired = {folder.pk for folder in plan.retired}
    return {
        **context,
        "plan": plan,
        "groups": _groups(plan),
        "moves": {move.folder.pk: move for move in moves[:SHOWN]},
        "movable": len([move for move in moves if not move.refusal]),
        "refused": _refused(moves),
        "retired": [(folder, getattr(folder, folder.kind)) for folder in folders if folder.pk in retired],
        "idle": _idle(plan),
        "waits": len(plan.shots) > confirming.AT_ONCE,
    }


def _newest_task(project: Project) -> LedgerTask | None:
    return LedgerTask.objects.filter(project=project, kind=confirming.KIND).first()


def _groups(plan: Plan) -> list[Group]:
    counts, labels = plan.counts, dict(Fate.choices)
    return [Group(fate, str(labels[fate]), counts[fate], plan.of(fate)[:SHOWN]) for fate in ORDER if counts[fate]]


def _refused(moves: Sequence[Move]) -> str:
    return next((move.refusal for move in moves if move.refusal), "")


def _idle(plan: Plan) -> bool:
    """True when a confirm would change nothing that a person sees."""
    busy = plan.of(Fate.CONFLICT, Fate.RETIRE, Fate.REVIVE, Fate.CREATE)
    return not (busy or plan.folders_to_make or plan.to_lock)
