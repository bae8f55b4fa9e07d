"""The backend end to end, against a server in a process of its own."""

import copy
import json
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from aipipeline.media.probe import probe
from comfy_adapters.comfyui.backend import ComfyBackend
from comfy_adapters.comfyui.errors import ComfyError
from comfy_adapters.comfyui.graphs import as_it_was, graph_hash, load
from comfy_adapters.tests.comfyui.helpers import QUICK, Reporter, context
from comfy_adapters.tests.own import files
from tests.doubles.comfyui.process import ComfyDouble


def test_text_to_image(each_server: ComfyDouble, tmp_path: Path) -> None:
    reporter = Reporter()
    job = context(each_server.url, tmp_path, width=330, height=186, steps=6)
    result = ComfyBackend(QUICK).run(job, reporter)
    assert result.files[0] == job.out_dir / "image.png"
    assert Image.open(result.files[0]).size == (330, 186)
    kept = result.provenance
    assert kept["snapped"] == {"width": [330, 336], "height": [186, 192]}
    assert (kept["source"]["width"], kept["source"]["height"]) == (336, 192)
    assert (kept["graph"], kept["graph_version"]) == ("flux_t2i", "1")
    assert (kept["prompt"], kept["seed"]) == ("카페 창가의 리나, soft light", 7)
    assert kept["filled_graph"]["40"]["inputs"]["steps"] == 6
    assert kept["filled_graph_hash"] == graph_hash(kept["filled_graph"])
    assert {"folder": "vae", "file": "ae.safetensors"} in kept["models"]
    assert kept["server"]["comfyui"] == each_server.version
    assert kept["endpoint"] == each_server.url
    assert kept["prompt_id"] == reporter.state["prompt_id"]
    assert kept["seconds"] > 0


@pytest.mark.parametrize(("fps", "frames"), [("24", 30), ("24000/1001", 25), ("60", 7)])
def test_image_to_video_has_exactly_the_shots_frames(
    shared_server: ComfyDouble, tmp_path: Path, fps: str, frames: int
) -> None:
    job = context(
        shared_server.url,
        tmp_path,
        workflow="comfy.wan22_i2v",
        fps=fps,
        frames=frames,
        height=180,
        steps=2,
        split_step=1,
    )
    result = ComfyBackend(QUICK).run(job, Reporter())
    assert [path.name for path in result.files] == ["shot.mp4", "source.mp4"]
    made, source = map(probe, result.files)
    assert (made.frames, str(made.fps), made.width, made.height) == (frames, fps, 320, 180)
    assert (made.codec, made.pix_fmt, made.has_audio) == ("h264", "yuv420p", False)
    assert (source.frames - 1) % 4 == 0
    assert source.frames / 16 >= frames / made.fps
    assert (source.width, source.height) == (320, 192)


def test_both_servers_make_clips_and_get_an_image_once(each_server: ComfyDouble, tmp_path: Path) -> None:
    for attempt in ("one", "two"):
        job = context(each_server.url, tmp_path, workflow="comfy.wan22_i2v", attempt=attempt, steps=2, split_step=1)
        result = ComfyBackend(QUICK).run(job, Reporter())
        assert probe(result.files[0]).frames == 36
        assert result.provenance["negative_prompt"]  # the graph's own, since the job's is empty
    assert each_server.stats()["uploads"] == 1


def test_progress_rises_and_previews_come_as_jpeg(comfy_server: ComfyDouble, tmp_path: Path) -> None:
    comfy_server.faults(step_seconds=0.04)
    reporter = Reporter()
    ComfyBackend(QUICK).run(context(comfy_server.url, tmp_path, steps=20), reporter)
    assert reporter.values == sorted(reporter.values)
    assert len(set(reporter.values)) > 15
    assert "Sampler 10/20" in reporter.messages
    assert len(reporter.previews) >= 3
    assert all(image.startswith(b"\xff\xd8") for image in reporter.previews)


def test_the_same_job_again_makes_a_file_of_its_own(shared_server: ComfyDouble, tmp_path: Path) -> None:
    names = set()
    for attempt in ("one", "two"):
        job = context(shared_server.url, tmp_path, attempt=attempt, steps=2)
        names.add(ComfyBackend(QUICK).run(job, Reporter()).provenance["source"]["file"])
    assert len(names) == 2


def test_what_the_server_lacks_is_named_before_anything_is_queued(comfy_server: ComfyDouble, tmp_path: Path) -> None:
    backend = ComfyBackend(QUICK)
    comfy_server.faults(missing_models=["ae.safetensors"], missing_nodes=["FluxGuidance"])
    with pytest.raises(ComfyError) as caught:
        backend.run(context(comfy_server.url, tmp_path), Reporter())
    text = caught.value.message
    assert "ae.safetensors is missing on the server (node 12 VAE (VAELoader), input vae_name)" in text
    assert "models/vae folder" in text
    assert "Comfy-Org/Lumina_Image_2.0_Repackaged" in text
    assert "Node 21 Guidance (FluxGuidance) is missing" in text
    assert "0.3.42 or newer" in text
    assert not caught.value.retryable
    assert comfy_server.stats()["posts"] == 0
    # The file was put there: the next try looks again.
    comfy_server.faults(missing_models=[], missing_nodes=[])
    assert backend.run(context(comfy_server.url, tmp_path, steps=2), Reporter()).files


def test_a_value_that_the_server_does_not_offer_is_named(shared_server: ComfyDouble, tmp_path: Path) -> None:
    with pytest.raises(ComfyError, match="sampler_name does not take “nobody”"):
        ComfyBackend(QUICK).run(context(shared_server.url, tmp_path, sampler="nobody"), Reporter())
    with pytest.raises(ComfyError, match="steps is 0, at least 1"):
        ComfyBackend(QUICK).run(context(shared_server.url, tmp_path, steps=0), Reporter())


def test_a_worker_without_a_server_says_what_to_start(tmp_path: Path) -> None:
    with pytest.raises(ComfyError, match="aip worker --comfy"):
        ComfyBackend(QUICK).run(context("", tmp_path), Reporter())


def test_a_missing_or_broken_first_image_is_refused(comfy_server: ComfyDouble, tmp_path: Path) -> None:
    job = context(comfy_server.url, tmp_path, workflow="comfy.wan22_i2v")
    job.inputs["first_image"].write_bytes(b"not a picture")
    with pytest.raises(ComfyError, match="cannot be read"):
        ComfyBackend(QUICK).run(job, Reporter())
    assert comfy_server.stats()["posts"] == 0


def test_the_folders_of_a_brought_graph_stay_below_the_jobs_own(shared_server: ComfyDouble, tmp_path: Path) -> None:
    """What several nodes save is told apart, and two jobs never write into one place."""
    nodes = files.graph()
    (save,) = [key for key, node in nodes.items() if node["class_type"] == "SaveImage"]
    nodes[save]["inputs"]["filename_prefix"] = "EP01\\밤 거리/look"
    nodes["mask"] = copy.deepcopy(nodes[save])
    nodes["mask"]["inputs"]["filename_prefix"] = "/../../%date:yyyy%/masks/../look"
    about = files.about("flux_t2i")
    about["slots"]["filename_prefix"].append({"node": "mask", "input": "filename_prefix"})
    brought = {"nodes": nodes, "about": about, "number": 1}
    told = []
    for attempt in ("attempt-1", "attempt-2"):
        job = replace(
            context(shared_server.url, tmp_path, steps=2, attempt=attempt, workflow="own.night"), graph=brought
        )
        reporter = Reporter()
        result = ComfyBackend(QUICK).run(job, reporter)
        assert result.files[0].is_file()
        prompt_id = reporter.state["prompt_id"]
        outputs = shared_server.get(f"/history/{prompt_id}")[prompt_id]["outputs"]
        told.append([(outputs[key]["images"][0]["subfolder"], outputs[key]["images"][0]["filename"])
                     for key in (save, "mask")])  # fmt: skip
    for number, places in enumerate(told, 1):
        base = f"aip/ownnight_attempt{number}"
        assert places == [(f"{base}/EP01/밤 거리", "look_00001_.png"), (f"{base}/dateyyyy/masks", "look_00001_.png")]
    # Made again, the same folders lie below the new job's.
    exact = as_it_was(result.provenance["filled_graph"], load("flux_t2i")[1], "aip/x_3")
    assert exact[save]["inputs"]["filename_prefix"] == "aip/x_3/EP01/밤 거리/look"


def test_what_the_server_writes_into_the_graph_is_not_kept(each_server: ComfyDouble, tmp_path: Path) -> None:
    """It puts the state of a node's files beside its inputs, or NaN, which no database takes."""
    each_server.faults(always_changed=["CLIPTextEncode"])
    reporter = Reporter()
    job = context(each_server.url, tmp_path, workflow="comfy.wan22_i2v", frames=5, steps=2, split_step=1)
    kept = ComfyBackend(QUICK).run(job, reporter).provenance
    ran = each_server.get(f"/history/{kept['prompt_id']}")[kept["prompt_id"]]["prompt"][2]
    assert str(ran["20"]["is_changed"]) == "[nan]"
    assert len(ran["31"]["is_changed"][0]) == 64
    json.dumps(kept, allow_nan=False)
    assert {name for node in kept["filled_graph"].values() for name in node} == {"class_type", "inputs", "_meta"}
    # What an earlier version kept of a node is not believed when it runs again.
    stale = {key: {**node, "is_changed": ["before"]} for key, node in kept["filled_graph"].items()}
    again = replace(context(each_server.url, tmp_path, workflow="comfy.wan22_i2v", attempt="two"), exact=stale)
    made = ComfyBackend(QUICK).run(again, Reporter()).provenance
    ran = each_server.get(f"/history/{made['prompt_id']}")[made["prompt_id"]]["prompt"][2]
    assert ran["31"]["is_changed"] != ["before"]
    assert "is_changed" not in ran["70"]
