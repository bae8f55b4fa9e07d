"""Graphs of one ComfyUI version on a server of the other; graphs that people brought."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from aipipeline.media.probe import probe
from comfy_adapters.comfyui import graphs
from comfy_adapters.comfyui.backend import ComfyBackend
from comfy_adapters.comfyui.compat import adapt
from comfy_adapters.comfyui.errors import ComfyError
from comfy_adapters.comfyui.object_info import inputs_of
from comfy_adapters.comfyui.preflight import check
from comfy_adapters.comfyui.servers import lacks
from comfy_adapters.tests.comfyui.helpers import QUICK, Reporter, context
from comfy_adapters.tests.comfyui.test_catalogue import VERSIONS, server
from renders.backends import JobContext, Wanted
from tests.doubles.comfyui.process import ComfyDouble
from tests.doubles.comfyui.schema import HERE

OLD_SAVE = {"video": ["60", 0], "filename_prefix": "x", "format": "mp4", "codec": "h264"}
NEW_SAVE = {"video": ["60", 0], "filename_prefix": "x", "format": "mp4", "format.codec": "h264"}
BARE_SAVE = {"video": ["60", 0], "filename_prefix": "x"}


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("saved", [OLD_SAVE, NEW_SAVE, BARE_SAVE])
def test_videos_are_saved_in_either_servers_words(version: str, saved: dict[str, Any]) -> None:
    graph, slots = graphs.load("wan22_i2v")
    prompt = copy.deepcopy(graph.nodes)
    prompt["70"]["inputs"] = dict(saved)
    prompt["60"]["inputs"]["bit_depth"] = "auto"  # as the newest templates have it; 0.33.0 takes a number
    assert check(graph, slots, prompt, server(version, slots)) == []
    assert prompt["70"]["inputs"]["format"] == saved.get("format", "auto")
    assert ("bit_depth" in prompt["60"]["inputs"]) == (version == "0.3.64")  # unknown there, and ignored


def test_inputs_that_came_later_get_what_the_node_did_before() -> None:
    graph, slots = graphs.load("wan_animate")
    table = server("0.33.0", slots)
    prompt = copy.deepcopy(graph.nodes)
    del prompt["39"]["inputs"]["draw_head"]
    prompt["36"] = {
        "class_type": "ImageScaleToTotalPixels",
        "inputs": {"image": ["35", 0], "upscale_method": "lanczos", "megapixels": 1.0},
    }
    adapt(prompt, table)
    assert prompt["39"]["inputs"]["draw_head"] is True
    assert prompt["45"]["inputs"]["draw_head"] is False  # what is set stays
    assert prompt["36"]["inputs"]["resolution_steps"] == 1
    before = copy.deepcopy(prompt)
    adapt(prompt, table)
    assert prompt == before


def test_both_packs_of_telestyle_get_their_words() -> None:
    graph, slots = graphs.load("telestyle_video")
    table = server("0.33.0", slots) | json.loads((HERE / "pack-telestyle.json").read_text(encoding="utf-8"))
    assert check(graph, slots, copy.deepcopy(graph.nodes), table) == []
    required = table["TeleStyleVideoInference"]["input"]["required"]
    required |= {"time_schedule": [["fixed"], {}], "acceleration": [["sdpa", "flash_attn", "sage_attn"], {}]}
    prompt = copy.deepcopy(graph.nodes)
    assert check(graph, slots, prompt, table) == []
    assert (prompt["40"]["inputs"]["time_schedule"], prompt["40"]["inputs"]["acceleration"]) == ("fixed", "sdpa")


def test_lists_that_only_the_editor_knows_are_not_checked() -> None:
    (spec,) = inputs_of({"input": {"required": {"voice": ["COMBO", {"options": [], "remote_combo": {}}]}}}, {})
    assert spec.options is None


def own(name: str) -> dict[str, Any]:
    """A graph file as if a person had brought it."""
    nodes = json.loads((graphs.FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    about = json.loads((graphs.FOLDER / f"{name}.slots.json").read_text(encoding="utf-8"))
    return {"nodes": nodes, "about": about, "number": 3}


def test_a_graph_that_people_brought_is_run_instead_of_a_file(shared_server: ComfyDouble, tmp_path: Path) -> None:
    brought = own("wan22_i2v")
    brought["about"]["inputs"].append({"role": "last_image", "kind": "previz", "required": False})
    job = context(shared_server.url, tmp_path, workflow="own.rain-v2", frames=12, steps=2, split_step=1)
    first = tmp_path / "first.png"
    Image.new("RGB", (320, 180), "teal").save(first)
    mine = JobContext(**{**vars(job), "graph": brought, "inputs": {"first_image": first}})
    result = ComfyBackend(QUICK).run(mine, Reporter())
    assert probe(result.files[0]).frames == 12
    kept = result.provenance
    assert (kept["graph"], kept["graph_version"]) == ("rain-v2", "3")
    assert kept["graph_hash"] == graphs.graph_hash(brought["nodes"])
    assert kept["source"]["file"].startswith("ownrainv2_")


def test_a_slot_map_that_does_not_fit_is_refused_in_words(shared_server: ComfyDouble, tmp_path: Path) -> None:
    job = context(shared_server.url, tmp_path, workflow="own.broken")
    for change, words in (
        (lambda about: about.pop("output"), "slot map of the workflow broken is damaged"),
        (lambda about: about["slots"].update(seed=[{"node": "99", "input": "seed"}]), r"names 99\.seed"),
        (lambda about: about["constraints"].update(nonsense=1), "is damaged"),
    ):
        brought = own("flux_t2i")
        change(brought["about"])
        with pytest.raises(ComfyError, match=words):
            ComfyBackend(QUICK).run(JobContext(**{**vars(job), "graph": brought}), Reporter())
        assert lacks(Wanted("own.broken", graph=brought), {})


def test_what_a_server_lacks_is_told_before_there_is_a_job() -> None:
    _graph, slots = graphs.load("controlnet_flux_pose")
    assert lacks(Wanted("comfy.controlnet_flux_pose"), server("0.33.0", slots)) == []
    lines = lacks(Wanted("comfy.controlnet_flux_pose"), server("0.3.64", slots))
    assert lines
    assert all("Update ComfyUI to 0.16.0 or newer" in line for line in lines)
    table = server("0.33.0", graphs.load("flux_t2i")[1])
    params = {"prompt": "비", "width": 1280, "height": 720, "frames": 1, "fps": "24", "sampler": "nobody", "steps": 0}
    lines = lacks(Wanted("comfy.flux_t2i", params), table)
    assert any("sampler_name does not take “nobody”" in line for line in lines)
    assert any("steps is 0, at least 1" in line for line in lines)
    missing = lacks(Wanted("comfy.ltx2_i2v"), server("0.33.0", slots))
    assert len(missing) == len(set(missing))
    long = {"frames": 400, "fps": "24", "width": 640, "height": 360}
    (line,) = lacks(Wanted("comfy.svi_i2v", long), table)
    assert "makes at most 157" in line
