"""What is kept of how a version was made: models, server, time."""

from collections.abc import Mapping
from typing import Any

from comfy_adapters.comfyui.graphs import Nodes, Slots

_SYSTEM = {"comfyui_version": "comfyui", "python_version": "python", "pytorch_version": "pytorch", "os": "os"}


def models_in(nodes: Nodes, slots: Slots) -> list[dict[str, str]]:
    """Folder and file name of each model that the graph loaded."""
    found = []
    for model in slots.models:
        value = nodes.get(model.target.node, {}).get("inputs", {}).get(model.target.input)
        if isinstance(value, str):
            found.append({"folder": model.folder, "file": value})
    return found


def server_facts(stats: Mapping[str, Any]) -> dict[str, Any]:
    """Versions and devices from `/system_stats`; memory in bytes."""
    system = stats.get("system") or {}
    facts: dict[str, Any] = {name: str(system[key]) for key, name in _SYSTEM.items() if system.get(key)}
    facts["devices"] = [
        {"name": str(device.get("name", "")), "vram_total": device.get("vram_total")}
        for device in stats.get("devices") or []
    ]
    return facts


def server_seconds(entry: Mapping[str, Any]) -> float | None:
    """Seconds from the start of the execution to its last message, by the server's clock."""
    stamps = [
        data["timestamp"]
        for _kind, data in (entry.get("status") or {}).get("messages") or []
        if isinstance(data.get("timestamp"), int | float)
    ]
    return round((max(stamps) - min(stamps)) / 1000, 3) if len(stamps) > 1 else None
