"""What is remembered of each server between jobs, and what its answers mean for a workflow before there is a job."""

import time
from collections.abc import Mapping
from typing import Any, TypeVar

from comfy_adapters.comfyui import graphs, loras
from comfy_adapters.comfyui.client import ComfyClient
from comfy_adapters.comfyui.convert import source_length
from comfy_adapters.comfyui.errors import ComfyError
from comfy_adapters.comfyui.preflight import Finding, check
from comfy_adapters.comfyui.values import shot_fps, slot_values
from renders.backends import Wanted

FRESH_SECONDS = 60.0
Kept = TypeVar("Kept")


class Server:
    """One server's answers, kept for a minute. `uploads` are the names of files seen in its input folder."""

    def __init__(self) -> None:
        self.uploads: set[str] = set()
        self._kept: dict[str, tuple[float, Any]] = {}

    def schema(self, client: ComfyClient, *, fresh: bool = False) -> tuple[dict[str, Any], bool]:
        """`/object_info`, and whether it was asked for just now."""
        kept: dict[str, Any] | None = self._get("schema")
        if kept is not None and not fresh:
            return kept, False
        asked: dict[str, Any] = self._keep("schema", client.object_info())
        return asked, True

    def stats(self, client: ComfyClient) -> dict[str, Any]:
        kept: dict[str, Any] | None = self._get("stats")
        return self._keep("stats", client.system_stats()) if kept is None else kept

    def listing(self, client: ComfyClient, folder: str) -> dict[str, dict[str, Any]]:
        """What the server tells of the files of a models folder; empty where it does not know that question."""
        name = f"models/{folder}"
        kept: dict[str, dict[str, Any]] | None = self._get(name)
        return self._keep(name, client.model_files(folder)) if kept is None else kept

    def _get(self, name: str) -> Any:
        at, value = self._kept.get(name, (0.0, None))
        return value if time.monotonic() - at < FRESH_SECONDS else None

    def _keep(self, name: str, value: Kept) -> Kept:
        self._kept[name] = (time.monotonic(), value)
        return value


def schema_at(endpoint: str) -> dict[str, Any]:
    """What the server behind an endpoint can do: its `/object_info`. ComfyError when it does not answer."""
    return ComfyClient(endpoint).object_info()


def lacks(wanted: Wanted, schema: Mapping[str, Any]) -> list[str]:
    """What a server with this schema lacks for a workflow (no params) or a job, in words; empty when it can do it.

    A LoRA that the studio has itself (`path`) is left to the worker, which may be able to put it there.
    """
    try:
        graph, slots = graphs.of_job(wanted.workflow, wanted.graph)
        more: list[graphs.ModelFile] = []
        values: dict[str, Any] = {}
        if wanted.params:
            values = slot_values(graph, slots, wanted.params, prefix=f"{graphs.OURS}/check", job_id="")
            if slots.can_chain:  # each clip of the chain is like this one
                values["length"] = min(values["length"], slots.constraints.max_length)
        prompt = graphs.fill(graph, slots, values).prompt
        if wanted.params:
            chained = loras.chain(prompt, slots, loras.of_params(wanted.params))
            more = [model for entry in chained for model in entry.models]
            sent = {model.target for entry in chained if entry.lora.path for model in entry.models}
        else:
            sent = set()
        if wanted.exact is not None:
            prompt = graphs.as_it_was(wanted.exact, slots, f"{graphs.OURS}/check")
    except ComfyError as error:
        return [error.message]
    found = check(graph, slots, prompt, schema, more)
    return messages([finding for finding in found if finding.model is None or finding.model.target not in sent])


def advice(wanted: Wanted) -> list[str]:
    """What goes, but not well: a clip longer than its model was trained for, where it cannot be made of several."""
    try:
        _graph, slots = graphs.of_job(wanted.workflow, wanted.graph)
        if slots.can_chain or "length" not in slots.targets or not wanted.params.get("frames"):
            return []
        fps = shot_fps(wanted.params)
        frames = source_length(int(wanted.params["frames"]), fps, slots.constraints.rate(fps))
    except (ComfyError, ValueError, ZeroDivisionError):
        return []  # `lacks` says what is wrong
    text = graphs.longer(frames, slots.constraints)
    return [text] if text else []


def messages(found: list[Finding]) -> list[str]:
    """Each thing once: a file that three nodes load is missing once."""
    return list(dict.fromkeys(finding.message for finding in found))
