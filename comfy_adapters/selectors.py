"""Workflows as people may see them."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _
from guardian.shortcuts import get_objects_for_user

from aipipeline.projects.errors import NotFound
from aipipeline.projects.models import Project
from aipipeline.projects.permissions import OPERATIONS, codename
from renders.models import RenderAttempt, Worker, Workflow, WorkflowGraph
from renders.services.own_workflows import OPERATION

OURS = "aip-"  # how the studio's own client ids begin


def workflows_visible_to(actor: Any) -> "QuerySet[Workflow]":
    """Everything that is built in or meant for all, and what one's own projects brought."""
    mine = Project.objects.visible_to(actor)
    return Workflow.objects.filter(Q(project=None) | Q(project__in=mine)).select_related("project", "graph", "author")


def workflow_for(actor: Any, key: str) -> Workflow:
    """One of them by its key; NotFound otherwise."""
    row = workflows_visible_to(actor).filter(key=key).first() if "\x00" not in key else None
    if row is None:
        raise NotFound(_("There is no such workflow."))
    return row


def graph_for(actor: Any, key: str, number: int) -> WorkflowGraph:
    """One version of a brought workflow; NotFound otherwise."""
    graph = WorkflowGraph.objects.filter(workflow=workflow_for(actor, key), number=number).first()
    if graph is None:
        raise NotFound(_("This workflow has no such version."))
    return graph


def projects_to_manage(actor: Any) -> "QuerySet[Project]":
    """Projects to which the person may bring workflows."""
    visible = Project.objects.visible_to(actor)
    if actor.is_superuser:
        return visible
    granted = get_objects_for_user(actor, f"projects.{codename(OPERATION)}", accept_global_perms=False)
    leads = Q(memberships__user=actor, memberships__role__in=OPERATIONS[OPERATION])
    return visible.filter(leads | Q(pk__in=granted.values("pk"))).distinct()


def comfy_workers() -> "QuerySet[Worker]":
    """Workers that have a ComfyUI server of their own."""
    return Worker.objects.exclude(endpoint="").order_by("name")


def comfy_worker(worker_id: int) -> Worker:
    """One of them; NotFound otherwise: only servers that are registered are ever asked anything."""
    worker = comfy_workers().filter(pk=worker_id).first()
    if worker is None:
        raise NotFound(_("There is no such worker, or it has no ComfyUI server."))
    return worker


def prompts_visible_to(actor: Any, clients: Mapping[str, str]) -> set[str]:
    """Those of a server's prompts (client ids by prompt id) that one may see.

    What people ran there by hand is for all; what the studio ran, for those who see the project of its job. A job of
    several prompts remembers the last of them only: the others are known by their client, and of no project.
    """
    if actor.is_superuser:
        return set(clients)
    mine = set(Project.objects.visible_to(actor).values_list("pk", flat=True))
    rows = RenderAttempt.objects.filter(saved__prompt_id__in=[key for key in clients if _is_id(key)]).order_by()
    seen: dict[str, bool] = {}
    for key, project in rows.values_list("saved__prompt_id", "job__project").distinct():
        seen[key] = seen.get(key, True) and project in mine
    return {key for key, client in clients.items() if seen.get(key, not client.startswith(OURS))}


def _is_id(text: str) -> bool:
    """Whether the studio might have made it; a server's history holds what anybody sent."""
    try:
        UUID(text)
    except ValueError:
        return False
    return True
