"""Making a version again from what it tells of itself: the same graph, seed, parameters and input files.

Before anything is queued it is said what would differ; nothing here changes the version.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _

from aipipeline.media.files import sha256_file
from aipipeline.projects.errors import Conflict, Invalid
from renders.backends import BackendError, ask_models, backend_for
from renders.models import RenderBatch, RenderJob, Version, VersionState, Worker, WorkerState, Workflow, WorkflowGraph
from renders.services.experience import place
from renders.services.fits import refusals
from renders.services.jobs import queue_batch

# Parameters that the queue set for itself.
_OF_THE_QUEUE = frozenset({"after_out_of_memory", "reproduces"})


@dataclass(frozen=True)
class Difference:
    """Why the new version may not be the same. `what`: workflow, graph, engine, input, server, model.

    `blocking`: it cannot be made at all like this.
    """

    what: str
    text: str
    blocking: bool = False

    def as_json(self) -> dict[str, Any]:
        return {"what": self.what, "text": self.text, "blocking": self.blocking}


def differences(version: Version) -> list[Difference]:
    """What has changed since this version was made; empty when all of it is as it was.

    Reads the input files and asks a server for its models, for seconds at most: never inside a transaction.
    """
    told = version.provenance
    if not isinstance(told.get("params"), Mapping) or not told.get("workflow"):
        text = _("%(version)s was not made here: nothing is known of how it was made.")
        return [Difference("workflow", text % {"version": version.label}, blocking=True)]
    workflow = Workflow.objects.filter(key=told["workflow"]).select_related("graph").first()
    if workflow is None or not workflow.enabled:
        text = _("The workflow %(key)s is gone.") if workflow is None else _("The workflow %(key)s is switched off.")
        return [Difference("workflow", text % {"key": told["workflow"]}, blocking=True)]
    return [
        *_of_graph(workflow, told),
        *_of_engine(workflow, told),
        *_of_inputs(version, workflow),
        *_of_servers(version, workflow),
        *_of_models(workflow, told),
    ]


def reproduce(*, version: Version, actor: Any, accept: bool = False, tab: str = "") -> RenderJob:
    """Queue the version anew. Invalid when it cannot be made; Conflict when it would differ and nobody accepts that."""
    found = differences(version)
    if blocking := [entry.text for entry in found if entry.blocking]:
        raise Invalid(" ".join(blocking), fields={"version": blocking})
    if found and not accept:
        text = _("It would not be the same: %(why)s Accept the differences to make it all the same.")
        details = {"differences": [entry.as_json() for entry in found]}
        raise Conflict(text % {"why": " ".join(entry.text for entry in found)}, details=details)
    told = version.provenance
    workflow = Workflow.objects.select_related("graph").get(key=told["workflow"])
    batch = RenderBatch(project=version.project, actor=actor if getattr(actor, "pk", None) else None)
    job = RenderJob(
        project=version.project,
        shot=version.shot,
        character=version.character,
        environment=version.environment,
        workflow=workflow,
        kind=version.kind,
        step=workflow.step if version.shot else "",
        graph=graph_then(workflow, told),
        model_key=workflow.model_key,
        params=_params(version),
        subject=_subject(version),
        inputs={entry["role"]: told.get("inputs", {}).get(entry["role"]) for entry in workflow.inputs},
        batch=batch,
        max_attempts=settings.RENDER_MAX_ATTEMPTS,
        requested_by=batch.actor,
    )
    batch.title = (_("%(version)s again") % {"version": version})[:200]
    place([job])
    queue_batch(batch, [job], [], actor=actor, tab=tab)
    return job


def exact_graph(job: RenderJob) -> Mapping[str, Any] | None:
    """The graph that the version had which this job makes again; None for every other job."""
    number = job.params.get("reproduces")
    if not isinstance(number, int):
        return None
    version = Version.objects.filter(pk=number, project=job.project_id).first()
    return _exact(version.provenance) if version is not None else None


def graph_then(workflow: Workflow, told: Mapping[str, Any]) -> WorkflowGraph | None:
    """For workflows that people brought: the graph as it was then, today's where that one is gone."""
    if workflow.graph is None:
        return None
    number = str(told.get("graph_version") or "")
    then = workflow.graphs.filter(number=int(number)).first() if number.isdecimal() else None
    return then or workflow.graph


def _exact(told: Mapping[str, Any]) -> Mapping[str, Any] | None:
    found = told.get("filled_graph")
    return found if isinstance(found, Mapping) and found else None


def _params(version: Version) -> dict[str, Any]:
    told = version.provenance
    params = {name: value for name, value in told["params"].items() if name not in _OF_THE_QUEUE}
    if params.get("seed") in (None, "") and told.get("seed") is not None:
        params["seed"] = told["seed"]
    return {**params, "reproduces": version.pk}


def _subject(version: Version) -> dict[str, Any]:
    told = version.provenance.get("subject")
    if isinstance(told, Mapping):
        return dict(told)
    job = RenderJob.objects.filter(version=version).only("subject").first()
    return dict(job.subject) if job is not None else {}


# --- what may differ ----------------------------------------------------------------------------------


def _of_graph(workflow: Workflow, told: Mapping[str, Any]) -> Iterator[Difference]:
    now = str(graph.number) if (graph := workflow.graph) is not None else workflow.version
    then = str(told.get("graph_version") or "")
    if then and then != now:
        text = _("The workflow's graph is version %(now)s now; this was made with %(then)s.")
        kept = _exact(told) is not None
        more = _("It runs as it was then.") if kept else _("It runs as it is now.")
        yield Difference("graph", f"{text % {'now': now, 'then': then}} {more}")


def _of_engine(workflow: Workflow, told: Mapping[str, Any]) -> Iterator[Difference]:
    now = str(getattr(backend_for(workflow.backend), "version", ""))
    then = str(told.get("engine_version") or "")
    if now and then and now != then:
        text = _("The engine is version %(now)s now; this was made with %(then)s.")
        yield Difference("engine", text % {"now": now, "then": then})


def _of_inputs(version: Version, workflow: Workflow) -> Iterator[Difference]:
    told = version.provenance
    digests = told.get("input_files") if isinstance(told.get("input_files"), Mapping) else {}
    required = {entry["role"] for entry in workflow.inputs if entry.get("required", True)}
    used = told.get("inputs") if isinstance(told.get("inputs"), Mapping) else {}
    for role in sorted(required - set(used)):
        yield Difference("input", _("It is not known what %(role)s was.") % {"role": role})
    for role, named in used.items():
        pk = named.get("version") if isinstance(named, Mapping) else named
        published = Version.objects.filter(project=version.project_id, state=VersionState.PUBLISHED)
        source = published.filter(pk=pk).first() if isinstance(pk, int) else None
        names = {"role": role, "version": str(source) if source is not None else f"#{pk}"}
        if source is None or not source.manifest or not source.file().is_file():
            text = _("The input %(role)s is gone (%(version)s).")
            yield Difference("input", text % names, blocking=True)
            continue
        # A frame of a clip has a digest of its own: what it was taken from is compared.
        then = digests.get(role) if not isinstance(named, Mapping) else None
        if sha256_file(source.file()) != (then or source.manifest[0]["sha256"]):
            text = _("The file of the input %(role)s (%(version)s) is another one than it was.")
            yield Difference("input", text % names)


def _of_servers(version: Version, workflow: Workflow) -> Iterator[Difference]:
    told = version.provenance
    graph = graph_then(workflow, told)
    for reason in refusals(workflow=workflow, graph=graph, params=_params(version), exact=_exact(told)):
        yield Difference("server", reason)


def _of_models(workflow: Workflow, told: Mapping[str, Any]) -> Iterator[Difference]:
    then = [entry for entry in told.get("models") or [] if isinstance(entry, Mapping) and entry.get("file")]
    known = [entry for entry in then if entry.get("sha256") or entry.get("size")]
    if not known:
        return
    workers = [
        worker
        for worker in Worker.objects.exclude(state=WorkerState.OFFLINE).order_by("name")
        if workflow.backend in worker.backends and worker.endpoint
    ]
    # The one that made it, where it is there.
    worker = next((row for row in workers if row.name == told.get("worker")), workers[0] if workers else None)
    if worker is None:
        return
    try:
        now = ask_models(workflow.backend, worker.endpoint, known)
    except BackendError as error:
        yield Difference("model", _("Whether the models are the same cannot be seen: %(why)s") % {"why": error.message})
        return
    for before, after in zip(known, now, strict=True):
        # Of two files of the same content one may be newer; the content counts where it is known of both.
        names = ("sha256",) if before.get("sha256") and after.get("sha256") else ("size",)
        if any(before.get(name) and after.get(name) and before[name] != after[name] for name in names):
            text = _("The model %(file)s is another file now.")
            yield Difference("model", text % {"file": before["file"]})
