"""ComfyUI as a render backend: fill a graph, look before the leap, submit once, follow, collect, convert.

The prompt id is stored before the POST. An attempt that finds one in its state asks the server first: a running
prompt is followed, a finished one is collected, and only what the server does not know is sent again.
"""

import tempfile
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog
from django.utils.translation import gettext as _

from aipipeline.media import ffmpeg
from aipipeline.media.storage import storage_error
from comfy_adapters.comfyui import chunks, errors, graphs, long, provenance
from comfy_adapters.comfyui.chunks import Take
from comfy_adapters.comfyui.client import ComfyClient, Place
from comfy_adapters.comfyui.collect import Made, collect
from comfy_adapters.comfyui.errors import ComfyError
from comfy_adapters.comfyui.graphs import Nodes, titles
from comfy_adapters.comfyui.identity import Identity
from comfy_adapters.comfyui.servers import Server
from comfy_adapters.comfyui.watch import Timing, Watcher
from comfy_adapters.comfyui.work import Work
from renders.backends import JobCancelled, JobContext, JobReporter, JobResult, Stop

log = structlog.get_logger(__name__)

NOT_TAKEN_SECONDS = 1.0  # after the id is kept; no lease ends so soon, so nobody has taken the job over by then
RENDERED = 0.88  # where the server's share of the progress ends


@dataclass(frozen=True)
class Prompt:
    """One submission: our id, the id of its websocket, and where the server has it. `new`: nobody sent it yet."""

    prompt_id: str
    client_id: str
    place: Place
    new: bool = False


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
    """Runs the workflows "comfy.<graph>" for which `comfy_adapters/graphs` has the files, and those of people."""

    key = "comfyui"
    version = provenance.ENGINE_VERSION

    def __init__(self, timing: Timing | None = None) -> None:
        self.timing = timing or Timing()
        self._servers: dict[str, Server] = {}

    def run(self, context: JobContext, reporter: JobReporter) -> JobResult:
        """Make the files of one job. ComfyError says what the user can do; JobCancelled when told to stop."""
        if not context.endpoint:
            text = _("This worker has no ComfyUI server. Start one with: ./aip worker --comfy http://host:8188")
            raise ComfyError(text, kind="unreachable", retryable=False)
        slots = graphs.of_job(context.workflow, context.graph)[1]
        if graphs.role_of(slots):
            return chunks.run(self, slots, context, reporter)
        # What is made again is made by the graph that it had, in one piece when it was one.
        if context.exact is None and (chain := long.plan(slots, context.params)) is not None:
            return long.run(self, slots, chain, context, reporter)
        return self.run_prompt(chunks.sized(slots, context), reporter, _collect)

    def run_prompt(self, context: JobContext, reporter: JobReporter, take: Take) -> JobResult:
        """One prompt from its graph to the files that `take` makes of what the server saved."""
        began = time.monotonic()
        work = Work(context)
        client, prompt = self._take_up(context, work.made_of())
        try:
            return self._made(client, prompt, work, reporter, take, began)
        except ComfyError as error:
            # What an earlier attempt left finished may be cleared away, or of no use: then it is made again, once, and
            # here, wherever it was. A full disk is none of its faults.
            if prompt.place != "finished" or error.later or storage_error(error, context.out_dir):
                raise
            log.info("comfyui_result_useless", prompt=prompt.prompt_id, error=error.message)
            return self._made(ComfyClient(context.endpoint), _fresh(), work, reporter, take, began)

    def _made(
        self, client: ComfyClient, prompt: Prompt, work: Work, reporter: JobReporter, take: Take, began: float
    ) -> JobResult:
        server = self._servers.setdefault(client.public, Server())
        stats = server.stats(client)
        identity = Identity(client, server)
        try:
            entry, uploads = self._server_part(client, server, prompt, work, reporter, identity)
            made = take(client, entry, work, reporter)
        except ffmpeg.Cancelled as error:
            raise JobCancelled from error
        kept = {
            **provenance.of_run(work, _graph_of(entry, work.filled.prompt), identity),
            "uploads": uploads,
            "source": made.facts,
            "server": provenance.server_facts(stats),
            "endpoint": client.public,
            "prompt_id": prompt.prompt_id,
            "server_seconds": provenance.server_seconds(entry),
            "seconds": round(time.monotonic() - began, 3),
        }
        return JobResult(files=made.files, provenance=kept)

    # --- the server's part ----------------------------------------------------------------------------

    def _take_up(self, context: JobContext, made_of: str) -> tuple[ComfyClient, Prompt]:
        """The server and prompt to go on with: an earlier attempt's, where it still leads to what is wanted now.

        Another picture may have been approved since; then the earlier prompt is stopped and a new one begun.
        """
        client, state = ComfyClient(context.endpoint), context.state
        prompt_id, client_id = str(state.get("prompt_id") or ""), str(state.get("client_id") or "")
        if not prompt_id:
            return client, _fresh()
        before = str(state.get("endpoint") or client.public)
        same = state.get("made_of", made_of) == made_of
        if before != client.public:
            found = self._from_elsewhere(_client_of(before, context.endpoints), prompt_id, same=same)
            return found or (client, _fresh())
        if not same:
            log.info("comfyui_work_changed", prompt=prompt_id)
            client.withdraw(prompt_id)
            return client, _fresh()
        place = client.locate(prompt_id)
        if place == "finished" and not _succeeded(client.history(prompt_id)):
            return client, _fresh()
        return client, Prompt(prompt_id, client_id or _client_id(), place)

    def _from_elsewhere(self, other: ComfyClient, prompt_id: str, *, same: bool) -> tuple[ComfyClient, Prompt] | None:
        """The earlier attempt ran on another machine: take its result if there is one, else stop it there."""
        try:
            if same and _succeeded(other.history(prompt_id)):
                return other, Prompt(prompt_id, _client_id(), "finished")
            other.cancel(prompt_id)
        except ComfyError as error:
            # The worker of that machine stops it when it is back (`leftovers`).
            log.info("comfyui_earlier_server_away", endpoint=other.public, error=error.message)
        return None

    def _server_part(
        self,
        client: ComfyClient,
        server: Server,
        prompt: Prompt,
        work: Work,
        reporter: JobReporter,
        identity: Identity,
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """The history entry of the successful run, and what was uploaded for it."""
        if reporter.cancelled():
            if prompt.place in ("running", "pending"):
                self._watcher(client, prompt, work.filled.prompt, reporter).stop()
            raise JobCancelled
        uploads = dict(work.context.state.get("uploads") or {})
        with tempfile.TemporaryDirectory(prefix=".inputs-", dir=work.context.out_dir) as folder:
            if prompt.place == "unknown":
                work.prepare(Path(folder), reporter.cancelled)
                work.preflight(client, server, reporter.cancelled)
            share = _Share(reporter, RENDERED)
            with self._watcher(client, prompt, work.filled.prompt, share) as watcher:
                if prompt.place == "unknown":
                    uploads = work.upload(client, server, watcher.upload_limit)
                    if reporter.cancelled():
                        raise JobCancelled
                    self._submit(client, server, prompt, work, watcher, reporter, uploads)
                identity.begin(work)
                entry = watcher.wait()
        if not _succeeded(entry):
            raise _failure(entry, titles(work.filled.prompt))
        return entry, uploads

    def _submit(
        self,
        client: ComfyClient,
        server: Server,
        prompt: Prompt,
        work: Work,
        watcher: Watcher,
        reporter: JobReporter,
        uploads: Mapping[str, Any],
    ) -> None:
        ids = {"prompt_id": prompt.prompt_id, "client_id": prompt.client_id}
        nodes = work.filled.prompt
        unknown_until = time.monotonic() + NOT_TAKEN_SECONDS if prompt.new else 0.0
        about = {"endpoint": client.public, "uploads": dict(uploads), "made_of": work.made_of(), "stopped": False}
        reporter.save_state(**ids, **about)
        try:
            client.submit(nodes, prompt_id=prompt.prompt_id, client_id=prompt.client_id, unknown_until=unknown_until)
        except ComfyError as error:
            # The server's input folder may have been emptied since its files were last seen there.
            if error.kind != "refused" or not uploads or not server.uploads:
                raise
            server.uploads.clear()
            work.upload(client, server, watcher.upload_limit)
            client.submit(nodes, prompt_id=prompt.prompt_id, client_id=prompt.client_id)

    def _watcher(self, client: ComfyClient, prompt: Prompt, nodes: Nodes, reporter: JobReporter) -> Watcher:
        ids = {"prompt_id": prompt.prompt_id, "client_id": prompt.client_id}
        return Watcher(client, **ids, nodes=nodes, reporter=reporter, timing=self.timing)


def _collect(client: ComfyClient, entry: Mapping[str, Any], work: Work, reporter: JobReporter) -> Made:
    return collect(client, entry, work.slots, work.context, reporter, start=RENDERED, expected=work.frames)


def _fresh() -> Prompt:
    return Prompt(str(uuid.uuid4()), _client_id(), "unknown", new=True)


def _client_of(public: str, endpoints: Sequence[str]) -> ComfyClient:
    """The server with this public address, with its credentials where one of the studio's machines has it."""
    for endpoint in endpoints:
        try:
            client = ComfyClient(endpoint)
        except ComfyError:  # somebody mistyped an address: that machine's own worker says so
            continue
        if client.public == public:
            return client
    return ComfyClient(public)


def _client_id() -> str:
    return f"aip-{uuid.uuid4().hex}"


def _succeeded(entry: Mapping[str, Any] | None) -> bool:
    return bool(entry) and (entry or {}).get("status", {}).get("status_str") == "success"


def _messages(entry: Mapping[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    return [(str(kind), dict(data)) for kind, data in (entry.get("status") or {}).get("messages") or []]


def _failure(entry: Mapping[str, Any], named: Mapping[str, str]) -> ComfyError:
    for kind, data in reversed(_messages(entry)):
        if kind == "execution_interrupted":
            return errors.interrupted()
        if kind == "execution_error":
            return errors.failed(data, named)
    return errors.failed({}, named)


def _graph_of(entry: Mapping[str, Any], sent: Nodes) -> Nodes:
    """The graph that the server ran, as it says itself: after a re-attach it is not the one in our hands."""
    parts = entry.get("prompt")
    ran = parts[2] if isinstance(parts, list) and len(parts) > 2 else None
    return graphs.as_sent(ran) if isinstance(ran, dict) else sent
