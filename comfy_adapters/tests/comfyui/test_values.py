"""Values that belong together, and values at the edges of what nodes take."""

from pathlib import Path
from typing import Any

import pytest

from comfy_adapters.comfyui import graphs
from comfy_adapters.comfyui.backend import ComfyBackend
from comfy_adapters.comfyui.errors import ComfyError
from comfy_adapters.comfyui.preflight import check
from comfy_adapters.comfyui.values import _factor, slot_values
from comfy_adapters.tests.comfyui.helpers import QUICK, Reporter, context
from tests.doubles.comfyui.process import ComfyDouble


def filled(name: str, **params: Any) -> graphs.Nodes:
    graph, slots = graphs.load(name)
    values = slot_values(graph, slots, {"frames": 17, "fps": "16", **params}, prefix="x", job_id="1")
    return graphs.fill(graph, slots, values).prompt


@pytest.mark.parametrize(
    ("name", "params", "steps", "split"),
    [
        ("wan22_i2v", {}, 20, 10),
        ("wan22_i2v", {"steps": 8}, 8, 4),
        ("wan22_i2v", {"steps": "30"}, 30, 15),
        ("wan22_i2v_4step", {"steps": 6}, 6, 3),
        ("wan22_i2v_4step", {"steps": 1}, 1, 0),
        ("fflf_wan22", {"steps": 12, "split_step": 4}, 12, 4),
    ],
)
def test_both_experts_work_whatever_the_steps(name: str, params: dict[str, Any], steps: int, split: int) -> None:
    """A sampler that begins after the last step hands its latent back, and nobody is told."""
    nodes = filled(name, **params)
    high, low = nodes["40"]["inputs"], nodes["41"]["inputs"]
    assert (high["steps"], low["steps"]) == (steps, steps)
    assert (high["end_at_step"], low["start_at_step"]) == (split, split)
    assert low["start_at_step"] < low["steps"]


def test_all_clips_of_a_long_shot_are_split_alike() -> None:
    nodes = filled("svi_i2v", steps=8, frames=30)
    assert [nodes[key]["inputs"]["end_at_step"] for key in ("1040", "2040")] == [4, 4]
    assert [nodes[key]["inputs"]["start_at_step"] for key in ("1041", "2041")] == [4, 4]


def test_a_split_past_the_end_is_refused() -> None:
    with pytest.raises(ComfyError, match="split_step is 10, and there are only 4 steps"):
        filled("wan22_i2v_4step", split_step=10)


def test_the_seed_after_the_last_one_is_the_first() -> None:
    nodes = filled("svi_i2v", seed=2**64 - 1, frames=30)
    assert [nodes[key]["inputs"]["noise_seed"] for key in ("1040", "2040")] == [2**64 - 1, 0]


def test_a_node_that_takes_a_short_seed_gets_one(comfy_server: ComfyDouble, tmp_path: Path) -> None:
    """Seeds of jobs without one have 48 bits; nodes of many packs take 32."""
    info = comfy_server.get("/object_info")
    info["KSampler"]["input"]["required"]["seed"][1]["max"] = 2**32 - 1
    graph, slots = graphs.load("flux_t2i")
    nodes = filled("flux_t2i")
    long = nodes["40"]["inputs"]["seed"]
    assert long > 2**32
    assert check(graph, slots, nodes, info) == []
    assert nodes["40"]["inputs"]["seed"] == long % 2**32
    kept = ComfyBackend(QUICK).run(context(comfy_server.url, tmp_path, steps=1, seed=long), Reporter()).provenance
    assert kept["seed"] == long, "where the node takes it all"


@pytest.mark.parametrize(
    ("file", "times"),
    [
        ("RealESRGAN_x4plus.safetensors", 4),
        ("upscalers\\2x_AniScale2.pth", 2),
        ("1x-ITF-SkinDiffDetail-Lite-v1.pth", 1),
        ("8x_NMKD-Superscale.pth", 8),
        ("4xNomos8kSC.pth", 4),
        ("003_realSR_BSRGAN_DFOWMFC_s64w8_SwinIR-L_x4_GAN.pth", 4),
        ("nobody-knows.pth", 4),
    ],
)
def test_how_much_a_model_enlarges_is_in_its_name(file: str, times: int) -> None:
    assert _factor(graphs.load("realesrgan_image")[1], {"model": file}) == times
