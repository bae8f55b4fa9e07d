"""Workflows as people may see them."""

from typing import Any

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _
from guardian.shortcuts import get_objects_for_user

from aipipeline.projects.errors import NotFound
from aipipeline.projects.models import Project
from aipipeline.projects.permissions import OPERATIONS, codename
from renders.models import Worker, Workflow, WorkflowGraph
from renders.services.own_workflows import OPERATION


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
