"""ComfyUI as a render backend: fill a graph, look before the leap, submit once, follow, collect, convert.

The prompt id is stored before the POST. An attempt that finds one in its state asks the server first: a running
prompt is followed, a finished one is collected, and only what the server does not know is sent again.
"""

import hashlib
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import structlog
from django.utils.translation import gettext as _

from aipipeline.media import ffmpeg
from aipipeline.media.files import sha256_file
from aipipeline.media.probe import ProbeError, probe
from comfy_adapters.comfyui import errors, graphs
from comfy_adapters.comfyui.client import ComfyClient, Place
from comfy_adapters.comfyui.collect import collect
from comfy_adapters.comfyui.convert import source_length
from comfy_adapters.comfyui.errors import ComfyError
from comfy_adapters.comfyui.graphs import Filled, Graph, Nodes, Slots
from comfy_adapters.comfyui.preflight import check
from comfy_adapters.comfyui.provenance import models_in, server_facts, server_seconds
from comfy_adapters.comfyui.watch import Timing, Watcher
from renders.backends import JobCancelled, JobContext, JobReporter, JobResult, Stop

log = structlog.get_logger(__name__)

ENGINE_VERSION = "1"
SCHEMA_SECONDS = 60.0
RENDERED = 0.88  # where the server's share of the progress ends
# Set by the backend itself; every other slot may be given as a parameter of the job under its own name.
_OWN_SLOTS = {"positive_prompt", "negative_prompt", "seed", "length", "fps", "filename_prefix"}


@dataclass(frozen=True)
class Prompt:
    """One submission: our id, the id of its websocket, and where the server has it."""

    prompt_id: str
    client_id: str
    place: Place


class _Share(JobReporter):
    """The part of a job's progress that belongs to the server; everything else passes through."""

    def __init__(self, reporter: JobReporter, end: float) -> None:
        self._reporter, self._end = reporter, end

    def progress(self, value: float, message: str = "") -> None:
        self._reporter.progress(value * self._end, message)

    def preview(self, jpeg: bytes) -> None:
        self._reporter.preview(jpeg)

    def stop(self) -> Stop | None:
        return self._reporter.stop()

    def save_state(self, **state: Any) -> None:
        self._reporter.save_state(**state)


class ComfyBackend:
    """Runs the workflows "comfy.<graph>" for which `comfy_adapters/graphs` has the files."""

    key = "comfyui"

    def __init__(self, timing: Timing | None = None) -> None:
        self.timing = timing or Timing()
        self._schemas: dict[str, tuple[float, dict[str, Any]]] = {}

    def run(self, context: JobContext, reporter: JobReporter) -> JobResult:
        """Make the files of one job. ComfyError says what the user can do; JobCancelled when told to stop."""
        began = time.monotonic()
        if not context.endpoint:
            text = _("This worker has no ComfyUI server. Start one with: ./aip worker --comfy http://host:8188")
            raise ComfyError(text, kind="unreachable", retryable=False)
        graph, slots = graphs.load(context.workflow.partition(".")[2])
        filled = graphs.fill(graph, slots, self._values(context, slots))
        client, prompt = self._take_up(ComfyClient(context.endpoint), context.state)
        stats = client.system_stats()
        try:
            entry = self._server_part(client, prompt, graph, slots, filled, context, reporter)
            made = collect(client, entry, slots, context, reporter, start=RENDERED)
        except ComfyError as error:
            # What finished while nobody looked may have been cleared away since: then it is made again.
            if error.kind != "download" or prompt.place != "finished":
                raise
            log.info("comfyui_result_gone", prompt=prompt.prompt_id)
            prompt = _fresh()
            entry = self._server_part(client, prompt, graph, slots, filled, context, reporter)
            made = collect(client, entry, slots, context, reporter, start=RENDERED)
        except ffmpeg.Cancelled as error:
            raise JobCancelled from error
        ran = _graph_of(entry, filled.prompt)
        provenance = {
            "engine": "comfyui",
            "engine_version": ENGINE_VERSION,
            "graph": graph.name,
            "graph_version": graph.version,
            "graph_hash": graph.hash,
            "filled_graph": ran,
            "filled_graph_hash": graphs.graph_hash(ran),
            "prompt": _read(ran, slots, "positive_prompt"),
            "negative_prompt": _read(ran, slots, "negative_prompt"),
            "seed": _read(ran, slots, "seed"),
            "models": models_in(ran, slots),
            "snapped": {name: list(pair) for name, pair in filled.snapped.items()},
            "source": made.facts,
            "server": server_facts(stats),
            "endpoint": client.public,
            "prompt_id": prompt.prompt_id,
            "server_seconds": server_seconds(entry),
            "seconds": round(time.monotonic() - began, 3),
        }
        return JobResult(files=made.files, provenance=provenance)

    # --- what goes in ---------------------------------------------------------------------------------

    def _values(self, context: JobContext, slots: Slots) -> dict[str, Any]:
        params = context.params
        values: dict[str, Any] = {
            name: params[name] for name in slots.targets if name not in _OWN_SLOTS and params.get(name) is not None
        }
        values["positive_prompt"] = str(params.get("prompt") or "")
        negative = str(params.get("negative_prompt") or "")
        if negative and "negative_prompt" in slots.targets:  # an empty one keeps the graph's own, tuned to its model
            values["negative_prompt"] = negative
        values["seed"] = _seed(params.get("seed"), context.job_id)
        if "length" in slots.targets:
            values["length"] = source_length(int(params["frames"]), Fraction(str(params["fps"])), slots.constraints.fps)
        # The server answers an identical graph from its cache with the old file; a prefix of its own never matches.
        values["filename_prefix"] = f"aip/{context.workflow.partition('.')[2]}_{_plain(context.attempt_id)}"
        return values

    def _upload(self, client: ComfyClient, slots: Slots, prompt: Nodes, context: JobContext) -> None:
        for name, targets in slots.targets.items():
            places = [target for target in targets if target.upload]
            if not places:
                continue
            path = context.inputs.get(name)
            if path is None:
                text = _("The workflow needs the input %(name)s. Make it first, then try again.")
                raise ComfyError(text % {"name": name}, kind="refused", retryable=False)
            for target in places:
                prompt[target.node]["inputs"][target.input] = upload_once(client, path)

    # --- the server's part ----------------------------------------------------------------------------

    def _take_up(self, client: ComfyClient, state: Mapping[str, Any]) -> tuple[ComfyClient, Prompt]:
        """The server and prompt to go on with: an earlier attempt's, where it still leads somewhere."""
        prompt_id, client_id = str(state.get("prompt_id") or ""), str(state.get("client_id") or "")
        if not prompt_id:
            return client, _fresh()
        before = str(state.get("endpoint") or client.public)
        if before != client.public:
            return self._from_elsewhere(client, before, prompt_id)
        place = client.locate(prompt_id)
        if place == "finished" and not _succeeded(client.history(prompt_id)):
            return client, _fresh()
        return client, Prompt(prompt_id, client_id or _client_id(), place)

    def _from_elsewhere(self, client: ComfyClient, before: str, prompt_id: str) -> tuple[ComfyClient, Prompt]:
        """The earlier attempt ran on another machine: take its result if there is one, else stop it there."""
        try:
            other = ComfyClient(before)
            if _succeeded(other.history(prompt_id)):
                return other, Prompt(prompt_id, _client_id(), "finished")
            other.cancel(prompt_id)
        except ComfyError as error:
            log.info("comfyui_earlier_server_away", endpoint=before, error=error.message)
        return client, _fresh()

    def _server_part(
        self,
        client: ComfyClient,
        prompt: Prompt,
        graph: Graph,
        slots: Slots,
        filled: Filled,
        context: JobContext,
        reporter: JobReporter,
    ) -> dict[str, Any]:
        """The history entry of the successful run."""
        if prompt.place == "unknown":
            self._preflight(client, graph, slots, filled)
            self._upload(client, slots, filled.prompt, context)
        if reporter.cancelled():
            if prompt.place in ("running", "pending"):
                self._watcher(client, prompt, filled.prompt, reporter).stop()
            raise JobCancelled
        with self._watcher(client, prompt, filled.prompt, _Share(reporter, RENDERED)) as watcher:
            if prompt.place == "unknown":
                ids = {"prompt_id": prompt.prompt_id, "client_id": prompt.client_id}
                reporter.save_state(**ids, endpoint=client.public)
                client.submit(filled.prompt, **ids)
            entry = watcher.wait()
        if not _succeeded(entry):
            raise _failure(entry, graph)
        return entry

    def _watcher(self, client: ComfyClient, prompt: Prompt, nodes: Nodes, reporter: JobReporter) -> Watcher:
        ids = {"prompt_id": prompt.prompt_id, "client_id": prompt.client_id}
        return Watcher(client, **ids, nodes=nodes, reporter=reporter, timing=self.timing)

    def _preflight(self, client: ComfyClient, graph: Graph, slots: Slots, filled: Filled) -> None:
        read_at, schema = self._schemas.get(client.public, (0.0, {}))
        fresh = time.monotonic() - read_at > SCHEMA_SECONDS or not schema
        while True:
            if fresh:
                schema = client.object_info()
                self._schemas[client.public] = (time.monotonic(), schema)
            found = check(graph, slots, filled.prompt, schema)
            if not found:
                return
            if fresh:
                raise errors.missing([finding.message for finding in found])
            fresh = True  # somebody may have put the file there since


def upload_once(client: ComfyClient, path: Path) -> str:
    """The name of a file in the server's input folder; sent only when that content is not there yet."""
    try:
        if probe(path).kind != "image":
            raise ProbeError(path.name)
    except ProbeError as error:
        text = _("The first image %(name)s cannot be read. Make it again, then try again.")
        raise ComfyError(text % {"name": path.name}, kind="refused", retryable=False) from error
    name = f"{sha256_file(path)[:40]}{path.suffix.lower()}"
    if client.has_input(name, "aip", path.stat().st_size):
        return f"aip/{name}"
    return client.upload_image(path, name=name, subfolder="aip")


def _fresh() -> Prompt:
    return Prompt(str(uuid.uuid4()), _client_id(), "unknown")


def _client_id() -> str:
    return f"aip-{uuid.uuid4().hex}"


def _plain(text: str) -> str:
    """Letters and digits only: the server expands percent signs in a file prefix and splits it at slashes."""
    return "".join(char for char in text if char.isascii() and char.isalnum())


def _seed(value: Any, job_id: str) -> int:
    """The job's seed in the range of ComfyUI; a job without one gets its own, the same on every attempt."""
    if value in (None, ""):
        return int.from_bytes(hashlib.sha256(job_id.encode()).digest()[:6], "big")
    return int(value) % 2**64


def _succeeded(entry: Mapping[str, Any] | None) -> bool:
    return bool(entry) and (entry or {}).get("status", {}).get("status_str") == "success"


def _messages(entry: Mapping[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    return [(str(kind), dict(data)) for kind, data in (entry.get("status") or {}).get("messages") or []]


def _failure(entry: Mapping[str, Any], graph: Graph) -> ComfyError:
    for kind, data in reversed(_messages(entry)):
        if kind == "execution_interrupted":
            return errors.interrupted()
        if kind == "execution_error":
            return errors.failed(data, graph.titles)
    return errors.failed({}, graph.titles)


def _graph_of(entry: Mapping[str, Any], sent: Nodes) -> Nodes:
    """The graph that the server ran, as it says itself: after a re-attach it is not the one in our hands."""
    parts = entry.get("prompt")
    ran = parts[2] if isinstance(parts, list) and len(parts) > 2 else None
    return ran if isinstance(ran, dict) else sent


def _read(nodes: Nodes, slots: Slots, name: str) -> Any:
    for target in slots.targets.get(name, ()):
        return nodes.get(target.node, {}).get("inputs", {}).get(target.input)
    return None
