"""Workflows that can be rendered, and saved settings for them."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from aipipeline.projects.models import Project
from aipipeline.projects.tracked import Tracked
from renders.models.version import VersionKind
from shots.models import Step


class Origin(models.TextChoices):
    ENGINE = "engine", _("Built in")
    OWN = "own", _("Brought along")


class Workflow(models.Model):
    """Something an engine can do. `inputs` lists roles: [{"role": "first_image", "kind": "previz"}].

    Rows are written by the engines' apps (`renders.services.workflows.declare`), or by people who brought their own
    (`origin`), then `graph` is its current one. `vram_gb` 0 means no GPU. An empty `step` means that it makes
    references of characters and environments, not shots. `family` is the dialect of prompts that its model reads.
    `needs` are facts for people: {"min_comfyui", "custom_nodes": [], "models": [{"folder", "file", "source"}],
    "constraints": {}, "usual": {}}, the last what its graph itself says for its parameters.
    `slots` are the names of the parameters that a job may set. `model_key` is the same for workflows that load the same
    models.
    """

    key = models.CharField(_("key"), max_length=80, unique=True)
    title = models.CharField(_("title"), max_length=160)
    backend = models.CharField(_("engine"), max_length=40)
    version = models.CharField(_("version"), max_length=40, default="1")
    output_kind = models.CharField(_("makes"), max_length=12, choices=VersionKind.choices)
    step = models.CharField(_("step"), max_length=20, choices=Step.choices, blank=True)
    vram_gb = models.PositiveSmallIntegerField(_("VRAM (GB)"), default=0)
    inputs = models.JSONField(_("inputs"), default=list, blank=True)
    defaults = models.JSONField(_("default parameters"), default=dict, blank=True)
    enabled = models.BooleanField(_("enabled"), default=True)
    origin = models.CharField(_("origin"), max_length=8, choices=Origin.choices, default=Origin.ENGINE)
    family = models.CharField(_("prompt dialect"), max_length=16, blank=True)
    needs = models.JSONField(_("needs"), default=dict, blank=True)
    slots = models.JSONField(_("parameters"), default=list, blank=True)
    model_key = models.CharField(max_length=64, blank=True)
    graph = models.ForeignKey(
        "renders.WorkflowGraph", on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    project = models.ForeignKey(
        Project, on_delete=models.CASCADE, null=True, blank=True, related_name="own_workflows",
        help_text=_("Empty: every project may use it."),
    )  # fmt: skip
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True)

    class Meta:
        verbose_name = _("workflow")
        verbose_name_plural = _("workflows")
        ordering = ["key"]

    def __str__(self) -> str:
        return self.title


class WorkflowGraph(models.Model):
    """One version of the graph of a workflow that people brought; never changed, jobs and versions point at it.

    `nodes` and `about` are the engine's own: for ComfyUI an API-format graph and its slot map. `source` says where it
    came from (a file name, a server).
    """

    workflow = models.ForeignKey(Workflow, on_delete=models.CASCADE, related_name="graphs")
    number = models.PositiveIntegerField(_("number"))
    nodes = models.JSONField()
    about = models.JSONField(default=dict)
    sha256 = models.CharField(max_length=64)
    source = models.CharField(_("source"), max_length=300, blank=True)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("workflow graph")
        verbose_name_plural = _("workflow graphs")
        ordering = ["-number"]
        constraints = [models.UniqueConstraint(fields=["workflow", "number"], name="graph_of_workflow")]

    def __str__(self) -> str:
        return f"{self.workflow_id} v{self.number:03d}"


class RenderPreset(Tracked):
    """A workflow with parameters, saved under a name; `shared`: for everybody in the project, not its author alone."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="render_presets")
    name = models.CharField(_("name"), max_length=120)
    workflow = models.ForeignKey(Workflow, on_delete=models.PROTECT, verbose_name=_("workflow"))
    params = models.JSONField(_("parameters"), default=dict, blank=True)
    shared = models.BooleanField(_("shared"), default=True)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True)

    class Meta:
        verbose_name = _("render preset")
        verbose_name_plural = _("render presets")
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["project", "name"], name="render_preset_in_project")]

    def __str__(self) -> str:
        return self.name
