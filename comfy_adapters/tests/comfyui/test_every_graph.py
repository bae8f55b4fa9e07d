"""Every workflow, filled and sent to a server of each version: the main file has the kind, size and length of the shot,
or the refusal names the server or the pack that the workflow needs and nothing is sent."""

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from aipipeline.media import ffmpeg
from aipipeline.media.probe import probe
from comfy_adapters.comfyui import graphs
from comfy_adapters.comfyui.backend import ComfyBackend
from comfy_adapters.comfyui.errors import ComfyError
from comfy_adapters.tests.comfyui.helpers import QUICK, Reporter
from renders.backends import JobContext
from tests.doubles.comfyui.process import ComfyDouble, start
from tests.doubles.comfyui.schema import VERSIONS

FRAMES, FPS = 30, "24"
# Packs that the double of 0.33.0 has beside the core, as the real server had that it was measured on.
HAS_PACKS = {"0.3.64": set(), "0.33.0": {"rife_vfi", "svi_i2v", "telestyle_video"}}
# Post works on a finished clip: twice the rate, twice the size.
POST: dict[str, dict[str, Any]] = {
    "rife_core": {"frames": 60, "fps": "48"},
    "rife_vfi": {"frames": 60, "fps": "48"},
    "realesrgan_image": {"width": 640, "height": 360},
    "realesrgan_video": {"width": 640, "height": 360},
}


@pytest.fixture(scope="module")
def servers() -> Iterator[dict[str, ComfyDouble]]:
    packs = {"0.3.64": (), "0.33.0": ("--pack", "telestyle")}
    started = {version: start(version, "--step-seconds", "0", *packs[version]) for version in VERSIONS}
    yield started
    for double in started.values():
        double.stop()


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """What people bring for a role, by the loader that it goes to."""
    folder = tmp_path_factory.mktemp("입력")
    made = {"image": folder / "그림.png", "mask": folder / "mask.png", "video": folder / "clip.mp4"}
    Image.new("RGB", (320, 180), "teal").save(made["image"])
    mask = Image.new("L", (320, 180), 0)
    mask.paste(255, (80, 40, 160, 120))
    mask.save(made["mask"])
    args = ["-f", "lavfi", "-i", f"testsrc=size=320x180:rate={FPS}", "-frames:v", str(FRAMES)]
    ffmpeg.run([*args, "-pix_fmt", "yuv420p", made["video"]])
    return made


def kind_of(role: str) -> str:
    parts = role.split("_")
    return "mask" if "mask" in parts else "video" if "video" in parts else "image"


def numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", graphs.names())
def test_every_graph_on_every_server(
    servers: dict[str, ComfyDouble], files: dict[str, Path], tmp_path: Path, name: str, version: str
) -> None:
    server = servers[version]
    _graph, slots = graphs.load(name)
    inputs = {str(entry["role"]): files[kind_of(str(entry["role"]))] for entry in slots.inputs}
    quick = {"steps": 2, "split_step": 1} if "split_step" in slots.targets else {}
    params = {"prompt": "비 내리는 골목", "seed": 5, "width": 320, "height": 180, "frames": FRAMES, "fps": FPS}
    params |= quick | POST.get(name, {})
    out = tmp_path / "out"
    out.mkdir()
    context = JobContext("job-1", f"{name}-1", f"comfy.{name}", slots.makes, params, {}, inputs, out, server.url)
    posts = server.stats()["posts"]
    old = numbers(slots.min_comfyui) > numbers(version)
    if old or (slots.custom_nodes and name not in HAS_PACKS[version]):
        with pytest.raises(ComfyError) as caught:
            ComfyBackend(QUICK).run(context, Reporter())
        needed = slots.custom_nodes[0] if slots.custom_nodes else slots.min_comfyui
        assert needed in caught.value.message
        assert server.stats()["posts"] == posts, "refused before anything is queued"
        return
    result = ComfyBackend(QUICK).run(context, Reporter())
    made = probe(result.files[0])
    assert (made.kind, made.width, made.height) == (slots.output_kind, params["width"], params["height"])
    source = result.provenance["source"]
    if made.kind == "video":
        assert (made.frames, made.fps) == (params["frames"], Fraction(str(params["fps"])))
        step = slots.constraints.length_step
        assert not step or "length" not in slots.targets or source["frames"] % step == 1
    if slots.constraints.size_multiple > 1 and name not in ("flux_kontext_edit",) and "width" in slots.targets:
        assert source["width"] % slots.constraints.size_multiple == 0
        assert source["height"] % slots.constraints.size_multiple == 0
    assert result.provenance["filled_graph"].keys() >= graphs.load(name)[0].nodes.keys()
