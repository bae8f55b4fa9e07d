"""What is kept of how a version was made: graph, models, LoRAs, server, time."""

from collections.abc import Mapping
from typing import Any

from comfy_adapters.comfyui import graphs
from comfy_adapters.comfyui.client import ComfyClient
from comfy_adapters.comfyui.graphs import Nodes, Slots
from comfy_adapters.comfyui.identity import Identity
from comfy_adapters.comfyui.literal import plain
from comfy_adapters.comfyui.work import Work
from renders.backends import Machine

ENGINE_VERSION = "2"
ASK_SECONDS = 4.0
_SYSTEM = {"comfyui_version": "comfyui", "python_version": "python", "pytorch_version": "pytorch", "os": "os"}


def of_run(work: Work, ran: Nodes, identity: Identity) -> dict[str, Any]:
    """What the graph as the server ran it says of the version."""
    graph, slots = work.graph, work.slots
    return {
        "engine": "comfyui",
        "engine_version": ENGINE_VERSION,
        "graph": graph.name,
        "graph_version": graph.version,
        "graph_hash": graph.hash,
        "filled_graph": ran,
        "filled_graph_hash": graphs.graph_hash(ran),
        "prompt": plain(_read(ran, slots, "positive_prompt")),
        "negative_prompt": plain(_read(ran, slots, "negative_prompt")),
        "seed": _read(ran, slots, "seed"),
        "models": models_in(ran, slots, identity),
        "loras": loras_in(ran, work, identity),
        "snapped": {name: list(pair) for name, pair in work.filled.snapped.items()},
    }


def models_in(nodes: Nodes, slots: Slots, identity: Identity) -> list[dict[str, Any]]:
    """Folder, file name and identity of each model that the graph loaded, each file once."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for model in slots.models:
        value = nodes.get(model.target.node, {}).get("inputs", {}).get(model.target.input)
        if isinstance(value, str) and (model.folder, value) not in found:
            found[model.folder, value] = {"folder": model.folder, "file": value, **identity.of(model.folder, value)}
    return list(found.values())


def loras_in(nodes: Nodes, work: Work, identity: Identity) -> list[dict[str, Any]]:
    """The LoRAs of the job with their strengths; `used` is False where the graph takes none."""
    found = []
    for entry in work.chained:
        values = [nodes.get(t.node, {}).get("inputs", {}).get(t.input) for t in entry.targets]
        file = next((value for value in values if isinstance(value, str)), entry.lora.file)
        facts = {"file": file, "name": entry.lora.name, "strength": entry.lora.strength, "used": bool(entry.targets)}
        found.append(facts | (identity.of("loras", file) if entry.targets else {}))
    return found


def _read(nodes: Nodes, slots: Slots, name: str) -> Any:
    for target in slots.targets.get(name, ()):
        return nodes.get(target.node, {}).get("inputs", {}).get(target.input)
    return None


def server_facts(stats: Mapping[str, Any]) -> dict[str, Any]:
    """Versions and devices from `/system_stats`; memory in bytes."""
    system = stats.get("system") or {}
    facts: dict[str, Any] = {name: str(system[key]) for key, name in _SYSTEM.items() if system.get(key)}
    facts["devices"] = [
        {"name": str(device.get("name", "")), "vram_total": device.get("vram_total")}
        for device in stats.get("devices") or []
    ]
    return facts


def machine_at(endpoint: str) -> Machine:
    """What the ComfyUI server says of its GPU; ComfyError when it does not answer within seconds.

    A server that runs on the CPU lists the computer's memory as VRAM; that is no GPU.
    """
    stats = ComfyClient(endpoint, connect=ASK_SECONDS, read=ASK_SECONDS).system_stats()
    devices = [device for device in stats.get("devices") or [] if device.get("type") != "cpu"]
    device = devices[0] if devices else {}
    version = str((stats.get("system") or {}).get("comfyui_version") or "")
    return Machine(
        gpu=str(device.get("name") or ""),
        vram_total=_bytes(device.get("vram_total")),
        vram_free=_bytes(device.get("vram_free")),
        software=f"ComfyUI {version}" if version else "ComfyUI",
    )


def _bytes(value: Any) -> int | None:
    return int(value) if isinstance(value, int | float) and value > 0 else None


def server_seconds(entry: Mapping[str, Any]) -> float | None:
    """Seconds from the start of the execution to its last message, by the server's clock."""
    stamps = [
        data["timestamp"]
        for _kind, data in (entry.get("status") or {}).get("messages") or []
        if isinstance(data.get("timestamp"), int | float)
    ]
    return round((max(stamps) - min(stamps)) / 1000, 3) if len(stamps) > 1 else None
