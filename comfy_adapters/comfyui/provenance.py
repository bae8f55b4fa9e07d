"""What is kept of how a version was made: models, server, time."""

from collections.abc import Mapping
from typing import Any

from comfy_adapters.comfyui.client import ComfyClient
from comfy_adapters.comfyui.graphs import Nodes, Slots
from renders.backends import Machine

ASK_SECONDS = 4.0
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
