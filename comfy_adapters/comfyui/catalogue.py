"""The workflows that this app brings: each graph file with its slot map, as a declaration."""

import hashlib
import json
from typing import Any

from comfy_adapters.comfyui import graphs
from comfy_adapters.comfyui.graphs import Graph, Slots
from renders.services.workflows import Declaration, usual_values

# Slots whose values a job has under other names, or that the backend sets by itself.
NAMED_OTHERWISE = {"positive_prompt": "prompt"}
OWN_SLOTS = frozenset({"length", "fps", "filename_prefix"})


def declarations() -> list[Declaration]:
    """Every graph of the folder."""
    return [declaration(name) for name in graphs.names()]


def declaration(name: str) -> Declaration:
    """The workflow "comfy.<name>" as its slots file describes it."""
    graph, slots = graphs.load(name)
    return Declaration(
        key=f"comfy.{name}",
        title=slots.title,
        backend="comfyui",
        output_kind=slots.makes,
        step=slots.step,
        vram_gb=slots.vram_gb,
        version=graph.version,
        inputs=[dict(entry) for entry in slots.inputs],
        family=slots.family,
        needs=needs(graph, slots),
        slots=parameters(slots),
        model_key=model_key(slots),
    )


def needs(graph: Graph, slots: Slots) -> dict[str, Any]:
    """What a server must have, for people, in the shape of `Workflow.needs`."""
    return {
        "min_comfyui": slots.min_comfyui,
        "custom_nodes": list(slots.custom_nodes),
        "models": [{"folder": m.folder, "file": m.file, "source": m.source} for m in slots.models],
        "constraints": {name: value for name, value in vars(slots.constraints).items() if value},
        "usual": usual_values(graph.nodes, {name: [vars(t) for t in places] for name, places in slots.targets.items()}),
    }


def parameters(slots: Slots) -> list[str]:
    """The names of the parameters that a job may set: those that the graph has a place for."""
    found = [
        NAMED_OTHERWISE.get(name, name)
        for name, targets in slots.targets.items()
        if name not in OWN_SLOTS and not any(target.upload for target in targets)
    ]
    # Of what the result shall be, in words that are the same for every engine: see `comfy_adapters.post.plan`.
    more = [name for slot, name in (("multiplier", "slow"), ("post_scale", "scale")) if slot in found]
    return [*found, *more, *(["loras"] if slots.lora_chain else [])]


def model_key(slots: Slots) -> str:
    """The same for all workflows that load the same model files; "" where it is not known which."""
    files = sorted({(model.folder, model.file) for model in slots.models})
    return hashlib.sha256(json.dumps(files).encode()).hexdigest() if files else ""
