"""The double makes what the real nodes make: sizes and lengths with their floors, a history shape for each saver."""

import json
import time
from pathlib import Path
from typing import Any

import av
import pytest
from PIL import Image, ImageChops, ImageStat

from aipipeline.media import ffmpeg
from aipipeline.media.probe import Probe, probe
from comfy_adapters.comfyui import graphs
from tests.doubles.comfyui import nodes
from tests.doubles.comfyui.process import ComfyDouble
from tests.doubles.comfyui.schema import HERE

Nodes = dict[str, dict[str, Any]]


@pytest.fixture
def server(comfy_server: ComfyDouble) -> ComfyDouble:
    """With a picture of 320×180 and a clip of 21 frames at 12 fps with sound in its input folder."""
    comfy_server.faults(step_seconds=0)
    folder = comfy_server.data / "input"
    Image.new("RGB", (320, 180), "teal").save(folder / "example.png")
    sources = ["-f", "lavfi", "-i", "testsrc=size=320x180:rate=12", "-f", "lavfi", "-i", "sine"]
    ffmpeg.run([*sources, "-frames:v", "21", "-t", "1.75", "-pix_fmt", "yuv420p", folder / "example.mp4"])
    return comfy_server


def history(server: ComfyDouble, prompt: Nodes, prompt_id: str) -> dict[str, Any]:
    answer = server.post("/prompt", prompt=prompt, prompt_id=prompt_id).json()
    assert answer.get("node_errors") == {}, answer
    end = time.monotonic() + 20
    while not (found := server.get(f"/history/{prompt_id}")):
        assert time.monotonic() < end
        time.sleep(0.01)
    return dict(found[prompt_id])


def files(server: ComfyDouble, entry: dict[str, Any]) -> list[Path]:
    assert entry["status"]["status_str"] == "success", entry["status"]["messages"][-1]
    told = [file for node in entry["outputs"].values() for key in node for file in node[key] if key != "animated"]
    return [server.data / file["type"] / file["subfolder"] / file["filename"] for file in told]


def made(server: ComfyDouble, name: str, **inputs: Any) -> Probe:
    """What a graph's main file is like; `n34_length=80` sets an input of a node."""
    prompt = json.loads((graphs.FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    for key, value in inputs.items():
        node, _, entry = key[1:].partition("_")
        prompt[node]["inputs"][entry] = value
    return probe(files(server, history(server, prompt, name))[0])


def shape(found: Probe) -> tuple[int, int, int]:
    return found.width, found.height, found.frames


@pytest.mark.parametrize("table", sorted(path.name for path in HERE.glob("*.json")))
def test_every_class_that_the_double_offers_does_its_work(table: str) -> None:
    assert set(json.loads((HERE / table).read_text(encoding="utf-8"))) <= set(nodes.WORK)


def test_sizes_and_lengths_are_floored_without_a_word(server: ComfyDouble) -> None:
    small = {"n33_width": 333, "n33_height": 190, "n33_length": 20}
    assert shape(made(server, "wan22_i2v", **small)) == (328, 184, 17)
    # Two stages: half the size first, then twice that.
    ltx = {"n34_width": 320, "n34_height": 180, "n34_length": 30, "n36_frames_number": 30}
    found = made(server, "ltx2_i2v", **ltx)
    assert (shape(found), found.has_audio) == ((640, 320, 25), True)
    # Two keyframes are appended to the latent and cropped off again.
    ends = {"n34_width": 320, "n34_height": 192, "n34_length": 17, "n36_frames_number": 17}
    assert shape(made(server, "fflf_ltx25", **ends)) == (320, 192, 17)
    # The reference takes a latent frame of its own that is trimmed off.
    animate = {"n33_width": 160, "n33_height": 96, "n33_length": 17}
    assert shape(made(server, "wan_animate", **animate)) == (160, 96, 17)
    svi = {"n32_width": 160, "n32_height": 96, "n1033_length": 17, "n2033_length": 17}
    assert shape(made(server, "svi_i2v", **svi)) == (160, 96, 17 + 17 - 5)


def test_pictures_come_in_the_size_that_the_nodes_make(server: ComfyDouble) -> None:
    assert shape(made(server, "flux_kontext_edit")) == (1392, 752, 1)
    assert shape(made(server, "outpaint_flux_fill")) == (1120, 576, 1)
    assert shape(made(server, "realesrgan_image", n41_scale_by=0.5)) == (640, 360, 1)


def frames_of(path: Path) -> list[Image.Image]:
    with av.open(str(path)) as container:
        return [frame.to_image().convert("L") for frame in container.decode(video=0)]


def unlike(one: Image.Image, other: Image.Image) -> float:
    return float(ImageStat.Stat(ImageChops.difference(one, other)).mean[0])


def test_post_nodes_carry_the_frames_of_their_source(server: ComfyDouble) -> None:
    source = frames_of(server.data / "input" / "example.mp4")
    prompt = json.loads((graphs.FOLDER / "rife_core.json").read_text(encoding="utf-8"))
    (path,) = files(server, history(server, prompt, "rife"))
    twice = frames_of(path)
    assert len(twice) == (21 - 1) * 2 + 1
    assert (probe(path).fps, probe(path).has_audio) == (24, True)
    assert max(unlike(source[index // 2], frame) for index, frame in enumerate(twice)) < 1.5
    assert unlike(source[0], twice[-1]) > 1.5, "the source moves"
    larger = made(server, "realesrgan_video")
    assert shape(larger) == (640, 360, 21)


def test_every_saver_has_its_own_key_and_names(server: ComfyDouble) -> None:
    load = {"class_type": "LoadVideo", "inputs": {"file": "example.mp4"}}
    parts = {"class_type": "GetVideoComponents", "inputs": {"video": ["1", 0]}}
    frames = {"images": ["2", 0], "filename_prefix": "sub/x"}
    webp = {"fps": 12.0, "lossless": False, "quality": 60, "method": "fastest"}
    vhs = {"frame_rate": 12.0, "loop_count": 0, "format": "video/h264-mp4", "pingpong": False, "save_output": True}
    prompt: Nodes = {
        "1": load,
        "2": parts,
        "3": {"class_type": "SaveAudio", "inputs": {"audio": ["2", 1], "filename_prefix": "sub/a"}},
        "4": {"class_type": "VHS_VideoCombine", "inputs": {**frames, **vhs, "audio": ["2", 1]}},
        "5": {"class_type": "PreviewAny", "inputs": {"source": ["2", 2]}},
        "6": {"class_type": "SaveWEBM", "inputs": {**frames, "codec": "vp9", "fps": 12.0, "crf": 32.0}},
        "7": {"class_type": "SaveAnimatedWEBP", "inputs": {**frames, **webp}},
        "8": {"class_type": "VHS_LoadVideo", "inputs": {
            "video": "example.mp4", "force_rate": 0, "custom_width": 160, "custom_height": 0, "frame_load_cap": 5,
            "skip_first_frames": 3, "select_every_nth": 2,
        }},
        "9": {"class_type": "PreviewImage", "inputs": {"images": ["8", 0]}},
    }  # fmt: skip
    entry = history(server, prompt, "savers")
    assert entry["status"]["status_str"] == "success", entry["status"]["messages"][-1]
    outputs = entry["outputs"]
    assert outputs["3"]["audio"] == [{"filename": "a_00001.flac", "subfolder": "sub", "type": "output"}]
    gif = outputs["4"]["gifs"][0]
    assert (gif["filename"], gif["format"], gif["frame_rate"]) == ("x_00001-audio.mp4", "video/h264-mp4", 12.0)
    assert Path(gif["fullpath"]).is_file()
    assert probe(Path(gif["fullpath"])).frames == 21
    with Image.open(Path(gif["fullpath"]).with_name(gif["workflow"])) as still:
        assert graphs.as_sent(json.loads(still.text["prompt"])) == prompt  # type: ignore[attr-defined]
    assert outputs["5"] == {"text": ["12.0"]}
    for key in "67":
        assert outputs[key]["animated"] == [True]
        assert probe(server.data / "output" / "sub" / outputs[key]["images"][0]["filename"]).width == 320
    previews = outputs["9"]["images"]
    assert [file["type"] for file in previews] == ["temp"] * 5
    with Image.open(server.data / "temp" / previews[0]["filename"]) as image:
        assert image.size == (160, 90)


def test_files_hold_the_graph_that_made_them(server: ComfyDouble) -> None:
    prompt = json.loads((graphs.FOLDER / "rife_vfi.json").read_text(encoding="utf-8"))
    (path,) = files(server, history(server, prompt, "told"))
    with av.open(str(path)) as container:
        told = json.loads(container.metadata["prompt"])
        assert graphs.as_sent(told) == prompt
        assert [key for key, node in told.items() if "is_changed" in node] == ["34"]  # loaders of files, as they were
        assert "workflow" not in container.metadata


def test_a_small_card_runs_out_of_memory_by_size(server: ComfyDouble) -> None:
    server.faults(memory_pixels=328 * 184 * 17)
    small = {"n33_width": 328, "n33_height": 184}
    assert made(server, "wan22_i2v", **small, n33_length=17).frames == 17
    prompt = json.loads((graphs.FOLDER / "wan22_i2v.json").read_text(encoding="utf-8"))
    prompt["33"]["inputs"] |= {"width": 328, "height": 184, "length": 21}
    kind, about = history(server, prompt, "large")["status"]["messages"][-1]
    assert (kind, about["exception_type"]) == ("execution_error", "torch.OutOfMemoryError")


def test_models_are_loaded_once_and_listed_as_they_lie(server: ComfyDouble) -> None:
    free = server.get("/system_stats")["devices"][0]["vram_free"]
    made(server, "wan22_i2v", n33_width=64, n33_height=64, n33_length=5)
    assert server.stats()["model_loads"] == 4
    assert server.get("/system_stats")["devices"][0]["vram_free"] < free
    made(server, "wan22_i2v", n33_width=64, n33_height=64, n33_length=5, n40_noise_seed=3)
    assert server.stats()["model_loads"] == 4
    server.post("/free", unload_models=True, free_memory=True)
    assert server.get("/system_stats")["devices"][0]["vram_free"] == free
    place = server.data / "models" / "loras" / "style"
    place.mkdir(parents=True)
    (place / "ink.safetensors").write_bytes(b"lora")
    assert "style/ink.safetensors" in server.get("/models/loras")
    server.faults(backslashes=True)
    listed = server.get("/object_info/LoraLoaderModelOnly")["LoraLoaderModelOnly"]["input"]["required"]["lora_name"]
    assert "style\\ink.safetensors" in listed[0]


def test_it_can_be_told_to_stop_at_a_node_and_to_fail(server: ComfyDouble) -> None:
    prompt = json.loads((graphs.FOLDER / "flux_t2i.json").read_text(encoding="utf-8"))
    server.faults(hold="VAEDecode")
    server.post("/prompt", prompt=prompt, prompt_id="held")
    time.sleep(0.3)
    assert [item[1] for item in server.get("/queue")["queue_running"]] == ["held"]
    server.faults(hold="")
    assert files(server, history(server, {**prompt}, "after"))
    server.faults(down=True)
    assert server.post("/prompt", prompt=prompt).status_code == 500
    server.faults(down=False, answer_seconds=0.2)
    began = time.monotonic()
    server.get("/queue")
    assert time.monotonic() - began >= 0.2
