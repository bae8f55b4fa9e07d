"""What the catalogue says of each graph file, and that nothing of it is written twice."""

import pytest

from comfy_adapters.comfyui import graphs
from comfy_adapters.comfyui.catalogue import declaration, declarations
from comfy_adapters.comfyui.titles import TITLES
from renders.models import VersionKind, Workflow
from renders.services.workflows import sync_workflows, usual_values
from shots.models import Step


def test_every_graph_file_is_a_workflow(db: None) -> None:
    sync_workflows()
    kept = {row.key: row for row in Workflow.objects.filter(backend="comfyui")}
    assert set(kept) == {f"comfy.{name}" for name in graphs.names()}
    assert len(kept) == 30
    wan = kept["comfy.wan22_i2v"]
    assert (wan.family, wan.output_kind, wan.step, wan.vram_gb) == ("wan", "render", "render", 24)
    assert wan.needs["min_comfyui"] == "0.3.46"
    assert {"folder": "vae", "file": "wan_2.1_vae.safetensors", "source": "Comfy-Org/Wan_2.2_ComfyUI_Repackaged"} in (
        wan.needs["models"]
    )
    assert wan.inputs[0]["also"] == {"clean_image": "clean.png"}
    assert {"prompt", "negative_prompt", "seed", "width", "height", "steps", "loras"} <= set(wan.slots)
    assert not {"positive_prompt", "filename_prefix", "length", "first_image"} & set(wan.slots)


def test_titles_are_found_by_the_extraction_of_messages() -> None:
    assert sorted(TITLES) == sorted(graphs.load(name)[1].title for name in graphs.names())
    assert len(set(TITLES)) == len(TITLES)


@pytest.mark.parametrize("name", graphs.names())
def test_a_slots_file_says_what_the_studio_can_use(name: str) -> None:
    graph, slots = graphs.load(name)
    assert slots.makes in VersionKind.values
    assert slots.step in Step.values
    assert slots.output_node in graph.nodes
    assert slots.family in ("flux", "sd", "qwen", "edit", "wan", "ltx", "none")
    uploads = {role for role, targets in slots.targets.items() if any(target.upload for target in targets)}
    assert {entry["role"] for entry in slots.inputs} == uploads
    for model in slots.models:
        assert graph.nodes[model.target.node]["inputs"][model.target.input] == model.file
    for link in (slots.lora_chain.get("after") or {}).values():
        assert any(link in node["inputs"].values() for node in graph.nodes.values())


def test_workflows_with_the_same_models_share_a_key() -> None:
    keys = {entry.key: entry.model_key for entry in declarations()}
    assert keys["comfy.flux_t2i"] == keys["comfy.flux_i2i"] != keys["comfy.flux_kontext_edit"]
    assert keys["comfy.inpaint_flux_fill"] == keys["comfy.outpaint_flux_fill"]
    assert keys["comfy.rife_vfi"] == ""
    assert declaration("rife_core").step == "post"


def test_what_a_graph_says_for_its_parameters_is_told() -> None:
    usual = declaration("flux_t2i").needs["usual"]
    assert (usual["steps"], usual["model"]) == (20, "flux1-dev.safetensors")
    assert not {"positive_prompt", "seed", "width", "height", "filename_prefix"} & usual.keys()
    nodes = {"1": {"inputs": {"a": 10, "b": ["2", 0], "c": True, "d": "x" * 201, "e": 7}}}
    targets = {name: [{"node": "1", "input": name}] for name in ("a", "b", "c", "d", "missing")}
    scaled = {"half": [{"node": "1", "input": "a", "scale": 0.5}], "next": [{"node": "1", "input": "e", "offset": 1}]}
    elsewhere = {"f": [{"node": "9", "input": "a"}], "file": [{"node": "1", "input": "a", "upload": True}], "none": []}
    assert usual_values(nodes, {**targets, **scaled, **elsewhere}) == {"a": 10, "half": 20, "next": 6}
