"""Files of every role: what people bring, the form in which it goes to the server, and what comes back."""

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageDraw

from aipipeline.media import ffmpeg
from aipipeline.media.files import sha256_file
from aipipeline.media.probe import probe
from comfy_adapters.comfyui import graphs
from comfy_adapters.comfyui.backend import ComfyBackend, _collect
from comfy_adapters.comfyui.errors import ComfyError
from comfy_adapters.comfyui.inputs import prepare
from comfy_adapters.comfyui.pictures import as_mask
from comfy_adapters.tests.comfyui.helpers import QUICK, Reporter
from renders.backends import JobContext
from tests.doubles.comfyui.process import ComfyDouble


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A picture, a wide one, a painted mask, and a clip of 30 frames at 24."""
    folder = tmp_path_factory.mktemp("입력")
    made = {name: folder / f"{name}.png" for name in ("picture", "other", "mask")} | {"clip": folder / "clip.mp4"}
    Image.new("RGB", (320, 180), "teal").save(made["picture"])
    Image.new("RGB", (200, 200), "olive").save(made["other"])
    mask = Image.new("L", (320, 180), 0)
    ImageDraw.Draw(mask).rectangle((80, 40, 160, 120), fill=255)
    mask.save(made["mask"])
    args = ["-f", "lavfi", "-i", "testsrc=size=320x180:rate=24", "-frames:v", "30", "-pix_fmt", "yuv420p"]
    ffmpeg.run([*args, made["clip"]])
    return made


def job(url: str, folder: Path, name: str, inputs: dict[str, Path], attempt: str = "one", **params: Any) -> JobContext:
    out = folder / attempt
    out.mkdir()
    graph, slots = graphs.load(name)
    quick = {"steps": 2, "split_step": 1} if "steps" in slots.targets else {}
    wanted = {"prompt": "비 내리는 골목", "width": 320, "height": 180, "frames": 30, "fps": "24", "seed": 5, **quick}
    return JobContext("job-1", attempt, f"comfy.{graph.name}", slots.makes, {**wanted, **params}, {}, inputs, out, url)


def test_a_driving_clip_is_brought_to_the_rate_and_length_of_the_model(
    comfy_server: ComfyDouble, tmp_path: Path, files: dict[str, Path]
) -> None:
    inputs = {"first_image": files["picture"], "reference_video": files["clip"]}
    for attempt in ("one", "two"):
        result = ComfyBackend(QUICK).run(job(comfy_server.url, tmp_path, "wan_animate", inputs, attempt), Reporter())
        made = probe(result.files[0])
        assert (made.frames, made.fps, made.width, made.height) == (30, Fraction(24), 320, 180)
        assert result.provenance["source"]["frames"] == 21  # 30 frames at 24 are 20 at 16, and 21 is on the lattice
    sent = result.provenance["uploads"]["reference_video"]
    assert sent["original_sha256"] == sha256_file(files["clip"]) != sent["sha256"]
    assert comfy_server.stats()["uploads"] == 2  # one picture, one clip, once each
    assert not list(tmp_path.rglob(".inputs-*"))


@pytest.mark.parametrize(
    ("name", "frames", "fps", "length", "rate"),
    [
        ("wan_animate", 24, "24", 17, 16),
        ("wan_animate2", 60, "30000/1001", 33, 16),
        ("telestyle_video", 30, "24", 33, 24),
    ],
)
def test_clips_are_prepared_frame_by_frame(
    tmp_path: Path, files: dict[str, Path], name: str, frames: int, fps: str, length: int, rate: int
) -> None:
    _graph, slots = graphs.load(name)
    given = {"first_image": files["picture"], "style_image": files["other"], "reference_video": files["clip"]}
    size = {"width": 322, "height": 182, "frames": frames, "fps": fps}
    ready, _values = prepare(slots, size, given, tmp_path)
    clip = next(probe(file.path) for file in ready if file.role == "reference_video")
    assert (clip.frames, clip.fps, clip.width, clip.height) == (length, Fraction(rate), 336, 192)


def test_a_clip_that_is_worked_on_goes_as_it_is(
    shared_server: ComfyDouble, tmp_path: Path, files: dict[str, Path]
) -> None:
    inputs = {"reference_video": files["clip"]}
    more = {"frames": 60, "fps": "48"}
    # One prompt of its own; as post of a whole clip it is cut into pieces first (see test_chunks.py).
    context = job(shared_server.url, tmp_path, "rife_core", inputs, **more)
    result = ComfyBackend(QUICK).run_prompt(context, Reporter(), _collect)
    made = probe(result.files[0])
    assert (made.frames, made.fps) == (60, Fraction(48))
    assert result.provenance["filled_graph"]["40"]["inputs"]["multiplier"] == 2
    assert result.provenance["uploads"]["reference_video"]["sha256"] == sha256_file(files["clip"])
    bigger = job(shared_server.url, tmp_path, "realesrgan_video", inputs, "two", width=640, height=360)
    result = ComfyBackend(QUICK).run_prompt(bigger, Reporter(), _collect)
    assert result.provenance["filled_graph"]["41"]["inputs"]["scale_by"] == 0.5
    assert (result.provenance["source"]["width"], result.provenance["source"]["height"]) == (640, 360)
    assert probe(result.files[0]).frames == 30


def test_a_picture_and_its_mask_get_the_size_of_the_shot_together(
    shared_server: ComfyDouble, tmp_path: Path, files: dict[str, Path]
) -> None:
    inputs = {"source_image": files["picture"], "mask_image": files["mask"]}
    result = ComfyBackend(QUICK).run(job(shared_server.url, tmp_path, "inpaint_flux_fill", inputs), Reporter())
    with Image.open(result.files[0]) as image:
        assert image.size == (320, 180)
    assert (result.provenance["source"]["width"], result.provenance["source"]["height"]) == (320, 192)
    assert set(result.provenance["uploads"]) == {"source_image", "mask_image"}


def white(path: Path) -> Image.Image:
    with Image.open(path) as image:
        assert image.mode == "RGBA"
        red, alpha = image.getchannel("R"), image.getchannel("A")
        assert Image.eval(alpha, lambda value: 255 - value).tobytes() == red.tobytes()
        return red.copy()


def marked(path: Path) -> None:
    mask = Image.new("L", (64, 32), 0)
    ImageDraw.Draw(mask).rectangle((8, 8, 15, 15), fill=255)
    mask.save(path)


def painted(path: Path) -> None:
    """Red paint on nothing."""
    layer = Image.new("RGBA", (64, 32), (0, 0, 0, 0))
    ImageDraw.Draw(layer).rectangle((8, 8, 15, 15), fill=(220, 40, 40, 255))
    layer.save(path)


def erased(path: Path) -> None:
    """A picture with a hole in it."""
    picture = Image.linear_gradient("L").resize((64, 32)).convert("RGBA")
    ImageDraw.Draw(picture).rectangle((8, 8, 15, 15), fill=(0, 0, 0, 0))
    picture.save(path)


@pytest.mark.parametrize("paint", [marked, painted, erased])
def test_masks_as_people_paint_them(tmp_path: Path, paint: Callable[[Path], None]) -> None:
    paint(tmp_path / "mask.png")
    red = white(as_mask(tmp_path / "mask.png", tmp_path / "out.png"))
    assert red.getbbox() == (8, 8, 16, 16)
    assert red.getextrema() == (0, 255)
    Image.new("RGB", (128, 64)).save(tmp_path / "under.png")
    red = white(as_mask(tmp_path / "mask.png", tmp_path / "out.png", like=tmp_path / "under.png", size=(128, 64)))
    assert red.size == (128, 64)
    assert red.point(lambda value: 255 if value > 127 else 0).getbbox() == (16, 16, 32, 32)


def test_an_empty_mask_is_refused(tmp_path: Path) -> None:
    Image.new("L", (8, 8), 0).save(tmp_path / "mask.png")
    with pytest.raises(ComfyError, match="marks nothing"):
        as_mask(tmp_path / "mask.png", tmp_path / "out.png")


@pytest.mark.parametrize(
    ("given", "size", "pads"),
    [
        ({}, (176, 176), (80, 0, 64, 16)),
        ({"pad_left": 64, "pad_right": 64}, (192, 192), (64, 0, 64, 0)),
    ],
)
def test_outpainting_fills_the_shot(
    tmp_path: Path, files: dict[str, Path], given: dict[str, int], size: tuple[int, int], pads: tuple[int, ...]
) -> None:
    _graph, slots = graphs.load("outpaint_flux_fill")
    params = {"width": 320, "height": 192, **given}
    ready, values = prepare(slots, params, {"source_image": files["other"]}, tmp_path)
    with Image.open(ready[0].path) as image:
        width, height = image.size
    left, top, right, bottom = values.values()
    assert (width + left + right, height + top + bottom) == (320, 192)
    if given:
        assert ((width, height), (left, top, right, bottom)) == (size, pads)
    else:
        assert width == height  # it keeps its shape


def test_outpainting_moves_away_from_a_picture_of_the_same_shape(tmp_path: Path, files: dict[str, Path]) -> None:
    _graph, slots = graphs.load("outpaint_flux_fill")
    params = {"width": 320, "height": 192}
    with pytest.raises(ComfyError, match="too little of a picture"):
        prepare(slots, {**params, "pad_left": 200, "pad_right": 100}, {"source_image": files["other"]}, tmp_path)
    same = prepare(slots, params, {"source_image": files["picture"]}, tmp_path)[1]
    assert all(value >= 16 for value in same.values())


def test_what_is_missing_broken_or_of_the_wrong_kind_is_named(tmp_path: Path, files: dict[str, Path]) -> None:
    _graph, slots = graphs.load("wan_animate")
    params = {"width": 320, "height": 180, "frames": 24, "fps": "24"}
    with pytest.raises(ComfyError, match="needs the input reference_video"):
        prepare(slots, params, {"first_image": files["picture"]}, tmp_path)
    with pytest.raises(ComfyError, match=r"reference_video takes a clip, and other\.png is none"):
        prepare(slots, params, {"first_image": files["picture"], "reference_video": files["other"]}, tmp_path)
    with pytest.raises(ComfyError, match=r"first_image takes a picture, and clip\.mp4 is none"):
        prepare(slots, params, {"first_image": files["clip"], "reference_video": files["clip"]}, tmp_path)


def test_a_file_above_the_servers_limit_is_refused_with_both_sizes(
    start_comfy: Callable[..., ComfyDouble], tmp_path: Path, files: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    server = start_comfy()
    server.faults(max_upload=1 << 20)
    big = tmp_path / "big.png"
    Image.effect_noise((1400, 1400), 90).save(big, compress_level=0)
    inputs = {"source_image": big}
    with pytest.raises(ComfyError, match="too large for the ComfyUI server"):
        ComfyBackend(QUICK).run(job(server.url, tmp_path, "realesrgan_image", inputs), Reporter())
    # What the server says of itself is believed before anything is sent.
    monkeypatch.setattr("comfy_adapters.comfyui.inputs.ASK_LIMIT_ABOVE", 0)
    monkeypatch.setattr("comfy_adapters.comfyui.watch.Watcher.upload_limit", lambda self: 1 << 20)
    with pytest.raises(ComfyError, match=r"big\.png has 2 MB, and the ComfyUI server takes at most 1 MB") as caught:
        ComfyBackend(QUICK).run(job(server.url, tmp_path, "realesrgan_image", inputs, "two"), Reporter())
    assert caught.value.elsewhere
    assert server.stats()["uploads"] == server.stats()["posts"] == 0


def test_files_that_vanished_from_the_server_are_sent_again(
    comfy_server: ComfyDouble, tmp_path: Path, files: dict[str, Path]
) -> None:
    backend = ComfyBackend(QUICK)
    inputs = {"first_image": files["picture"]}
    backend.run(job(comfy_server.url, tmp_path, "wan22_i2v", inputs), Reporter())
    for path in (comfy_server.data / "input" / "aip").iterdir():
        path.unlink()
    result = backend.run(job(comfy_server.url, tmp_path, "wan22_i2v", inputs, "two"), Reporter())
    assert probe(result.files[0]).frames == 30
    assert comfy_server.stats()["uploads"] == 2
