"""Every workflow's graph with filled slots is what the two servers take, or names the server that it needs."""

import json
from pathlib import Path
from typing import Any

import pytest

from comfy_adapters.comfyui import graphs
from comfy_adapters.comfyui.preflight import check

TABLES = Path(__file__).resolve().parents[3] / "tests/doubles/comfyui"
VERSIONS = ("0.3.64", "0.33.0")
VALUES: dict[str, Any] = {
    "positive_prompt": "비 내리는 골목, 네온", "negative_prompt": "blurry", "width": 1280, "height": 720, "length": 49,
    "seed": 2**53 - 1, "steps": 8, "fps": 24.0, "filename_prefix": "aip/test", "multiplier": 2,
}  # fmt: skip


def numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


def server(version: str, slots: graphs.Slots) -> dict[str, Any]:
    """The node table of a server that has this workflow's model files."""
    table: dict[str, Any] = json.loads((TABLES / f"object_info-{version}.json").read_text(encoding="utf-8"))
    for model in slots.models:
        node = graphs.load(name_of(slots))[0].nodes[model.target.node]
        spec = table.get(node["class_type"], {}).get("input", {}).get("required", {}).get(model.target.input)
        if spec is None:
            continue
        if isinstance(spec[0], list):
            spec[0] = [*spec[0], model.file]
        elif len(spec) > 1 and "options" in spec[1]:
            spec[1]["options"] = [*spec[1]["options"], model.file]
    return table


def name_of(slots: graphs.Slots) -> str:
    return next(name for name in graphs.names() if graphs.load(name)[1] is slots)


def filled(name: str) -> tuple[graphs.Graph, graphs.Slots, graphs.Filled]:
    graph, slots = graphs.load(name)
    return graph, slots, graphs.fill(graph, slots, {k: v for k, v in VALUES.items() if k in slots.targets})


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", graphs.names())
def test_a_filled_graph_validates_or_names_the_server_it_needs(name: str, version: str) -> None:
    graph, slots, fill = filled(name)
    found = check(graph, slots, fill.prompt, server(version, slots))
    if numbers(slots.min_comfyui) > numbers(version) or (found and slots.custom_nodes):
        needed = slots.custom_nodes[0] if slots.custom_nodes else slots.min_comfyui
        assert found
        assert all(needed in finding.message for finding in found)
    else:
        assert [finding.message for finding in found] == []
