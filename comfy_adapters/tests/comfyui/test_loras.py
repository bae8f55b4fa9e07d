"""LoRAs in the graph: their chain, the two experts, the spelling of the server, and files that it lacks."""

import json
from pathlib import Path
from typing import Any

import pytest

from comfy_adapters.comfyui import graphs, loras
from comfy_adapters.comfyui.backend import ComfyBackend
from comfy_adapters.comfyui.errors import ComfyError
from comfy_adapters.comfyui.loras import Lora, chain, noise_of, of_params
from comfy_adapters.comfyui.preflight import check
from comfy_adapters.comfyui.servers import lacks
from comfy_adapters.tests.comfyui.helpers import QUICK, Reporter, context
from comfy_adapters.tests.comfyui.test_catalogue import VERSIONS, server
from renders.backends import Wanted
from tests.doubles.comfyui.process import ComfyDouble

RINA = Lora("faces/리나.safetensors", 0.8, "리나")
COAT = Lora("coat.safetensors", 0.5)
FILES = ("faces\\리나.safetensors", "coat.safetensors")


def chained(name: str, *given: Lora) -> tuple[graphs.Nodes, graphs.Graph, graphs.Slots, list[loras.Chained]]:
    graph, slots = graphs.load(name)
    prompt = graphs.fill(graph, slots, {}).prompt
    return prompt, graph, slots, chain(prompt, slots, given)


def strand(prompt: graphs.Nodes, node: str, name: str = "model") -> list[str]:
    """Node ids from a consumer upstream along one input, to the loader."""
    found = []
    while isinstance(link := prompt[node]["inputs"].get(name), list):
        node = str(link[0])
        found.append(node)
    return found


def test_several_are_chained_in_order_each_with_its_strength() -> None:
    prompt, _graph, _slots, done = chained("flux_t2i", RINA, COAT)
    sampler = next(key for key, node in prompt.items() if node["class_type"] == "KSampler")
    first, second = (entry.targets[0].node for entry in done)
    assert strand(prompt, sampler) == [second, first, "10"]
    assert prompt[first]["inputs"] == {"model": ["10", 0], "lora_name": RINA.file, "strength_model": 0.8}
    assert prompt[second]["inputs"]["strength_model"] == 0.5
    assert prompt[first]["class_type"] == "LoraLoaderModelOnly"
    assert prompt[first]["_meta"]["title"] == "LoRA 리나"
    assert "aip_lora_model_1" not in graphs.load("flux_t2i")[0].nodes


def test_both_experts_get_a_lora_unless_its_name_says_which() -> None:
    high, low = Lora("rina_high_noise.safetensors", 1.0), Lora("rina-LOW-v2.safetensors", 0.9)
    prompt, _graph, _slots, done = chained("wan22_i2v_4step", RINA, high, low)
    files = {
        loader: [prompt[key]["inputs"].get("lora_name") for key in strand(prompt, shift)]
        for loader, shift in (("10", "103"), ("15", "153"))
    }
    four = "wan2.2_i2v_lightx2v_4steps_lora_v1_{}_noise.safetensors"
    assert files["10"] == [four.format("high"), high.file, RINA.file, None]
    assert files["15"] == [four.format("low"), low.file, RINA.file, None]
    assert [len(entry.targets) for entry in done] == [2, 1, 1]


def test_a_text_encoder_is_threaded_through_where_the_graph_says_so() -> None:
    prompt, _graph, _slots, done = chained("instruct_pix2pix", RINA, COAT)
    first, second = (entry.targets[0].node for entry in done)
    assert prompt["20"]["inputs"]["clip"] == prompt["21"]["inputs"]["clip"] == [second, 1]
    assert prompt["40"]["inputs"]["model"] == [second, 0]
    assert prompt[first]["inputs"]["clip"] == ["10", 1]
    assert prompt[second]["inputs"]["strength_clip"] == 0.5
    assert prompt["33"]["inputs"]["vae"] == ["10", 2]


@pytest.mark.parametrize(
    ("file", "noise"),
    [
        ("wan/rina_high_noise.safetensors", "high"), ("rina-highnoise.safetensors", "high"),
        ("SVI_v2_PRO_HIGH_lora_rank_128_fp16.safetensors", "high"), ("rina.LOW.safetensors", "low"),
        ("wan\\Rina_Low_Noise_v3.safetensors", "low"), ("high_res_skin.safetensors", ""),
        ("slow_motion.safetensors", ""), ("low_angle.safetensors", ""),
        ("high_low_both_high_noise_low_noise.safetensors", ""), ("리나.safetensors", ""),
    ],
)  # fmt: skip
def test_the_noise_is_read_off_the_file_name(file: str, noise: str) -> None:
    assert noise_of(file) == noise


def test_a_graph_without_a_place_for_them_leaves_them_out_and_says_so() -> None:
    prompt, graph, _slots, done = chained("rife_core", RINA)
    assert prompt == graph.nodes
    assert done == [loras.Chained(RINA, ())]


def test_entries_are_read_as_people_write_them() -> None:
    given = {"loras": [{"file": " a.safetensors ", "strength": "0.5", "name": "A"}, {"file": "b", "strength": 0}]}
    assert of_params(given) == [Lora("a.safetensors", 0.5, "A")]
    with pytest.raises(ComfyError, match="needs a file and a strength"):
        of_params({"loras": ["a.safetensors"]})
    with pytest.raises(ComfyError, match="needs a file and a strength"):
        of_params({"loras": [{"file": "a", "strength": "strong"}]})


def with_loras(table: dict[str, Any], *files: str) -> dict[str, Any]:
    table = json.loads(json.dumps(table))
    for name in ("LoraLoaderModelOnly", "LoraLoader"):
        spec = table[name]["input"]["required"]["lora_name"]
        if isinstance(spec[0], list):
            spec[0] = [*spec[0], *files]
        else:
            spec[1]["options"] = [*spec[1]["options"], *files]
    return table


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", graphs.names())
def test_every_chain_is_what_the_servers_take(name: str, version: str) -> None:
    prompt, graph, slots, done = chained(name, RINA, COAT)
    models = [model for entry in done for model in entry.models]
    before = {
        finding.node for finding in check(graph, slots, graphs.fill(graph, slots, {}).prompt, server(version, slots))
    }
    table = with_loras(server(version, slots), *FILES)
    found = [finding for finding in check(graph, slots, prompt, table, models) if finding.node not in before]
    assert found == []
    # The server's own spelling is sent.
    for entry in done:
        for target in entry.targets:
            assert prompt[target.node]["inputs"]["lora_name"] in FILES


def test_a_missing_file_is_named_with_its_folder_before_there_is_a_job() -> None:
    _graph, slots = graphs.load("flux_t2i")
    params = {"loras": [{"file": RINA.file, "strength": 1.0}], "frames": 1, "fps": "24"}
    lines = lacks(Wanted("comfy.flux_t2i", params), server("0.33.0", slots))
    assert len(lines) == 1
    assert "faces/리나.safetensors is missing on the server" in lines[0]
    assert "models/loras folder" in lines[0]
    known = {**params, "loras": [{"file": RINA.file, "strength": 1.0, "path": "/storage/리나.safetensors"}]}
    assert lacks(Wanted("comfy.flux_t2i", known), server("0.33.0", slots)) == []
    assert lacks(Wanted("comfy.flux_t2i"), server("0.33.0", slots)) == []


def test_what_the_server_lacks_may_be_elsewhere(comfy_server: ComfyDouble, tmp_path: Path) -> None:
    job = context(comfy_server.url, tmp_path, loras=[{"file": RINA.file, "strength": 0.8, "name": "리나"}])
    with pytest.raises(ComfyError, match=r"리나\.safetensors is missing") as caught:
        ComfyBackend(QUICK).run(job, Reporter())
    assert caught.value.elsewhere
    assert not caught.value.retryable
    assert comfy_server.stats()["posts"] == 0
    with pytest.raises(ComfyError, match="steps is 0") as caught:
        ComfyBackend(QUICK).run(context(comfy_server.url, tmp_path, steps=0, attempt="two"), Reporter())
    assert not caught.value.elsewhere
