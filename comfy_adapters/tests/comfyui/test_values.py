"""Values that belong together, and values at the edges of what nodes take."""

from pathlib import Path
from typing import Any

import pytest

from comfy_adapters.comfyui import graphs
from comfy_adapters.comfyui.backend import ComfyBackend
from comfy_adapters.comfyui.errors import ComfyError, failed
from comfy_adapters.comfyui.preflight import check
from comfy_adapters.comfyui.values import _factor, slot_values
from comfy_adapters.tests.comfyui.helpers import QUICK, Reporter, context
from tests.doubles.comfyui.process import ComfyDouble
from tests.doubles.comfyui.words import heard


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


@pytest.mark.parametrize(
    ("written", "weights"),
    [
        ("리나(24), 카페", [1.0]),
        ("밤 골목 (오후 10:30), 비", [1.0]),
        ("a sign (that says ((OPEN)) in red", [1.0]),
        ("smiling :) at the window", [1.0]),
        ("two lovers (rain:1.2) in a (wide, 2.39:1) frame", [1.0, 1.2, 1.0]),
        ("already \\(escaped\\)", [1.0]),
    ],
)
def test_encoders_hear_what_people_wrote(written: str, weights: list[float]) -> None:
    """A time of day in parentheses was a weight of thirty."""
    for name in ("flux_t2i", "wan22_i2v", "qwen_image_edit", "svi_i2v"):
        slots = graphs.load(name)[1]
        nodes = filled(name, prompt=written, negative_prompt=written)
        for slot in ("positive_prompt", "negative_prompt"):
            for target in slots.targets.get(slot, ()):
                said = heard(nodes[target.node]["inputs"][target.input])
                assert [weight for _words, weight in said] == weights
                told = written.replace("(rain:1.2)", "rain").replace("\\", "")
                assert "".join(words for words, _weight in said) == told


def test_texts_that_no_encoder_reads_stay_as_they_are() -> None:
    own = graphs.document("flux_t2i")
    own["nodes"]["90"] = {"class_type": "PrimitiveStringMultiline", "inputs": {"value": ""}}
    own["nodes"]["20"]["inputs"]["text"] = ["90", 0]
    own["about"]["slots"]["positive_prompt"] = [{"node": "90", "input": "value"}]
    graph, slots = graphs.parse("own", "1", own["nodes"], own["about"])
    values = slot_values(graph, slots, {"prompt": "리나(24)"}, prefix="x", job_id="1")
    assert values["positive_prompt"] == "리나(24)"


def test_the_version_tells_the_prompt_as_it_was_written(shared_server: ComfyDouble, tmp_path: Path) -> None:
    kept = ComfyBackend(QUICK).run(context(shared_server.url, tmp_path, prompt="리나(24)", steps=1), Reporter())
    assert kept.provenance["prompt"] == "리나(24)"
    assert kept.provenance["filled_graph"]["20"]["inputs"]["text"] == "리나\\(24\\)"


def test_a_style_is_carried_over_by_the_words_it_was_trained_with() -> None:
    """The words of the shot would take the place of the one instruction that the model knows."""
    text = filled("telestyle_image", prompt="카페에 앉은 리나")["20"]["inputs"]["prompt"]
    assert text.startswith("Style Transfer the style of Figure 2 to Figure 1")
    assert filled("telestyle_image", instruction="As ink")["20"]["inputs"]["prompt"] == "As ink"


def test_whatever_a_node_raises_can_be_stored() -> None:
    told = {"node_id": "1", "node_type": "A", "exception_type": "E", "exception_message": "header \x00\ud83d end"}
    message = failed(told, {}).message
    assert "header \ufffd? end" in message
    assert message.encode("utf-8")
