"""One job made ready for a server: the filled graph with its LoRAs, checked, and its files uploaded."""

import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _

from comfy_adapters.comfyui import errors, graphs, inputs, lora_files, loras
from comfy_adapters.comfyui.client import ComfyClient
from comfy_adapters.comfyui.graphs import Filled, Graph, Slots
from comfy_adapters.comfyui.loras import Chained
from comfy_adapters.comfyui.preflight import Finding, check
from comfy_adapters.comfyui.servers import Server, messages
from comfy_adapters.comfyui.values import of_source, plain, slot_values
from renders.backends import JobContext


class Work:
    """What one attempt sends. Filled at once from the parameters; `prepare` adds what follows from the files."""

    graph: Graph
    slots: Slots
    filled: Filled
    chained: list[Chained]

    def __init__(self, context: JobContext) -> None:
        self.context = context
        self.graph, self.slots = graphs.of_job(context.workflow, context.graph)
        self.files: list[inputs.Ready] = []
        self._fill({})

    @property
    def frames(self) -> int:
        """How many frames the server's clip should have; 0 where the graph is not told."""
        for target in self.slots.targets.get("length", ()):
            return self.slots.constraints.joined(int(self.filled.prompt[target.node]["inputs"][target.input]))
        return 0

    def _fill(self, more: Mapping[str, Any]) -> None:
        # The server answers an identical graph from its cache with the old file; a prefix of its own never matches.
        prefix = f"{graphs.OURS}/{plain(self.context.workflow)}_{plain(self.context.attempt_id)}"
        params, job_id = self.context.params, self.context.job_id
        values = slot_values(self.graph, self.slots, params, prefix=prefix, job_id=job_id)
        self.filled = graphs.fill(self.graph, self.slots, {**values, **more})
        self.chained = loras.chain(self.filled.prompt, self.slots, loras.of_params(params))
        if self.context.exact is not None:
            self.filled = Filled(graphs.as_it_was(self.context.exact, self.slots, prefix), self.filled.snapped)

    def made_of(self) -> str:
        """Everything of the job that decides what comes out, as one hash: what was sent for another is not its work."""
        context = self.context
        facts = {
            "graph": self.graph.hash,
            "exact": None if context.exact is None else graphs.graph_hash(context.exact),
            # Where the studio keeps a LoRA changes nothing.
            "params": {name: value for name, value in context.params.items() if name != "loras"},
            "loras": [[lora.file, lora.strength] for lora in loras.of_params(context.params)],
            "inputs": {role: _content(path) for role, path in context.inputs.items()},
        }
        return hashlib.sha256(json.dumps(facts, sort_keys=True, default=str).encode()).hexdigest()

    def prepare(self, folder: Path, cancelled: Callable[[], bool]) -> None:
        """Bring the input files into the form that the graph takes; made files are in `folder`."""
        context = self.context
        self.files, values = inputs.prepare(self.slots, context.params, context.inputs, folder, cancelled=cancelled)
        values |= of_source(self.slots, context.params, context.inputs)
        if values:
            self._fill(values)

    def preflight(self, client: ComfyClient, server: Server, cancelled: Callable[[], bool]) -> None:
        """ComfyError with everything that the server lacks; a LoRA that the studio has is put there first."""
        more = [model for entry in self.chained for model in entry.models]
        fresh, delivered = False, False
        while True:
            schema, fresh = server.schema(client, fresh=fresh)
            found = check(self.graph, self.slots, self.filled.prompt, schema, more)
            if not found:
                return
            if fresh and not delivered:
                delivered = self._deliver(found, cancelled)
                if not delivered:
                    raise self._missing(found)
            elif fresh:
                raise self._missing(found)
            fresh = True  # somebody may have put the file there since

    def _deliver(self, found: list[Finding], cancelled: Callable[[], bool]) -> bool:
        wanted = {finding.model.target for finding in found if finding.model is not None}
        lacking = [entry.lora for entry in self.chained if wanted & set(entry.targets)]
        done = [lora_files.deliver(lora, cancelled=cancelled) for lora in lacking]
        return any(path is not None for path in done)

    def _missing(self, found: list[Finding]) -> errors.ComfyError:
        lines = messages(found)
        folder = lora_files.models_folder()
        lost = {finding.model.file for finding in found if finding.model and finding.model.folder == "loras"}
        for entry in self.chained:
            if folder is None or entry.lora.file not in lost:
                continue
            if entry.lora.path:
                text = _("%(file)s lies in %(folder)s, and the server does not list it: is that its models folder?")
            else:
                text = _("The studio has no %(file)s to copy to %(folder)s; put it into the character's lora folder.")
            lines.append(text % {"file": entry.lora.file, "folder": folder / "loras"})
        return errors.missing(lines, elsewhere=all(finding.elsewhere for finding in found))

    def upload(self, client: ComfyClient, server: Server, limit: Callable[[], int]) -> dict[str, Any]:
        """Send the files that are not there yet; what was sent, by role."""
        return inputs.Uploader(client, server.uploads, limit).put(self.files, self.filled.prompt)


def _content(path: Path) -> str:
    try:
        return inputs.content_hash(path)
    except OSError:
        return ""  # `prepare` says by name what is not there
