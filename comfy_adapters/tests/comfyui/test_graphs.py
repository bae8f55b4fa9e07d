"""Graph files and slots: what is injected, refused and moved to the model's lattice."""

import json
from typing import Any

import pytest

from comfy_adapters.comfyui import graphs
from comfy_adapters.comfyui.convert import source_length
from comfy_adapters.comfyui.errors import ComfyError
from comfy_adapters.comfyui.object_info import inputs_of, matching

NAMES = ("flux_t2i", "wan22_i2v")


@pytest.mark.parametrize("name", NAMES)
def test_every_target_of_a_slot_is_set_and_the_file_stays_as_it_was(name: str) -> None:
    graph, slots = graphs.load(name)
    before = graphs.graph_hash(graph.nodes)
    for slot, targets in slots.targets.items():
        prompt = graphs.fill(graph, slots, {slot: 33}).prompt
        assert {prompt[target.node]["inputs"][target.input] for target in targets} == {33}
    assert graphs.graph_hash(graph.nodes) == before
    assert graph.version


def test_an_unknown_slot_is_refused_by_name() -> None:
    with pytest.raises(ComfyError, match="no input stepz"):
        graphs.fill(*graphs.load("flux_t2i"), {"stepz": 4})
    with pytest.raises(ComfyError, match="no_such"):
        graphs.load("no_such")


@pytest.mark.parametrize(
    ("wanted", "used"),
    [((1280, 720), (1280, 720)), ((1920, 1080), (1920, 1088)), ((321, 181), (336, 192)), ((4096, 2160), (1998, 1054))],
)
def test_sizes_become_multiples_of_16_and_stay_within_the_model(wanted: tuple[int, int], used: tuple[int, int]) -> None:
    graph, slots = graphs.load("flux_t2i")
    filled = graphs.fill(graph, slots, {"width": wanted[0], "height": wanted[1]})
    width, height = (filled.prompt["30"]["inputs"][side] for side in ("width", "height"))
    assert width % 16 == height % 16 == 0
    assert (width - used[0], height - used[1]) <= (15, 15)
    assert min(width - used[0], height - used[1]) >= 0
    expected = {s: (a, b) for s, a, b in zip(("width", "height"), wanted, (width, height), strict=True) if a != b}
    assert filled.snapped == expected


@pytest.mark.parametrize(("wanted", "used"), [(1, 1), (2, 5), (80, 81), (81, 81), (82, 85)])
def test_lengths_are_rounded_up_to_4n_plus_1(wanted: int, used: int) -> None:
    filled = graphs.fill(*graphs.load("fflf_wan22"), {"length": wanted})
    assert filled.prompt["33"]["inputs"]["length"] == used
    assert filled.snapped == ({} if wanted == used else {"length": (wanted, used)})


@pytest.mark.parametrize(
    ("frames", "fps", "length"), [(24, "24", 16), (25, "24", 17), (1, "60", 1), (48, "24000/1001", 33)]
)
def test_the_clip_asked_for_covers_the_shot(frames: int, fps: str, length: int) -> None:
    from fractions import Fraction

    assert source_length(frames, Fraction(fps), 16) == length


def test_the_hash_does_not_depend_on_the_order_of_keys() -> None:
    nodes: dict[str, Any] = graphs.load("flux_t2i")[0].nodes
    turned = json.loads(json.dumps(dict(reversed(nodes.items()))))
    assert graphs.graph_hash(turned) == graphs.graph_hash(nodes)


def test_all_three_encodings_of_a_list_are_read() -> None:
    nested = {"key": "mp4", "inputs": {"required": {"codec": ["COMBO", {"options": ["h264"]}]}}}
    schema = {
        "input": {
            "required": {"old": [["a", "b"], {}], "new": ["COMBO", {"options": ["c"]}]},
            "optional": {"format": ["COMFY_DYNAMICCOMBO_V3", {"options": [{"key": "auto", "inputs": {}}, nested]}]},
        }
    }
    found = {spec.name: spec.options for spec in inputs_of(schema, {"format": "mp4"})}
    assert found == {"old": ("a", "b"), "new": ("c",), "format": ("auto", "mp4"), "format.codec": ("h264",)}
    assert "format.codec" not in {spec.name for spec in inputs_of(schema, {"format": "auto"})}
    assert matching(["flux\\dev.safetensors"], "flux/dev.safetensors") == "flux\\dev.safetensors"
