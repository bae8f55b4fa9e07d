"""Pictures as cameras and programs write them reach every server alike: upright, eight bits, one at a time."""

from pathlib import Path

import pytest
from PIL import Image, ImageDraw

from comfy_adapters.comfyui import chunks, graphs
from comfy_adapters.comfyui.backend import ComfyBackend
from comfy_adapters.comfyui.inputs import prepare
from comfy_adapters.comfyui.pictures import plain, size_of
from comfy_adapters.tests.comfyui.helpers import QUICK, Reporter
from renders.backends import JobContext
from tests.doubles.comfyui.process import ComfyDouble

LYING = 6  # the camera was held upright: the file must be turned to the right


def photograph(path: Path) -> Path:
    """90×160 as people see it, red above and blue below; in the file it lies on its side."""
    seen = Image.new("RGB", (90, 160), "blue")
    ImageDraw.Draw(seen).rectangle((0, 0, 89, 79), fill="red")
    exif = Image.Exif()
    exif[0x0112] = LYING
    seen.transpose(Image.Transpose.ROTATE_90).save(path, quality=95, exif=exif)
    return path


def is_upright(image: Image.Image) -> bool:
    above, below = (image.convert("RGB").getpixel((image.width // 2, y)) for y in (8, image.height - 8))
    return isinstance(above, tuple) and isinstance(below, tuple) and above[0] > 200 > below[0] and below[2] > 200


@pytest.mark.parametrize("name", ["wan22_i2v", "qwen_image_edit", "outpaint_flux_fill"])
def test_a_photograph_goes_upright(tmp_path: Path, name: str) -> None:
    taken = photograph(tmp_path / "taken.jpg")
    assert size_of(taken) == (90, 160)
    role = "first_image" if name == "wan22_i2v" else "source_image"
    params = {"width": 144, "height": 256, "frames": 5, "fps": "16"}
    (ready,), values = prepare(graphs.load(name)[1], params, {role: taken}, tmp_path)
    assert ready.original == taken
    with Image.open(ready.path) as image:
        assert image.getexif().get(0x0112) is None
        assert image.width < image.height
        assert is_upright(image)
    if values:  # of the same shape: it moves away from all sides alike
        assert abs(values["pad_left"] - values["pad_right"]) <= 8


def test_a_mask_lies_on_the_picture_as_people_see_it(tmp_path: Path) -> None:
    mask = Image.new("L", (90, 160), 0)
    ImageDraw.Draw(mask).rectangle((0, 0, 89, 79), fill=255)
    mask.save(tmp_path / "mask.png")
    files = {"source_image": photograph(tmp_path / "taken.jpg"), "mask_image": tmp_path / "mask.png"}
    ready, _values = prepare(graphs.load("inpaint_qwen")[1], {"width": 144, "height": 256}, files, tmp_path)
    made = {file.role: Image.open(file.path) for file in ready}
    assert made["source_image"].size == made["mask_image"].size == (144, 256)
    assert is_upright(made["source_image"])
    red = made["mask_image"].getchannel("R")
    assert (red.getpixel((72, 20)), red.getpixel((72, 240))) == (255, 0)


def test_an_enlarged_photograph_keeps_its_shape(shared_server: ComfyDouble, tmp_path: Path) -> None:
    taken, out = photograph(tmp_path / "taken.jpg"), tmp_path / "out"
    out.mkdir()
    params = {"width": 640, "height": 360, "scale": 2, "seed": 1}
    job = JobContext(
        "j", "a", "comfy.realesrgan_image", "previz", params, {}, {"source_image": taken}, out, shared_server.url
    )
    sized = chunks.sized(graphs.load("realesrgan_image")[1], job)
    assert (sized.params["width"], sized.params["height"]) == (180, 320)
    result = ComfyBackend(QUICK).run(job, Reporter())
    assert (result.provenance["source"]["width"], result.provenance["source"]["height"]) == (180, 320)
    with Image.open(result.files[0]) as image:
        assert is_upright(image)


def test_deep_pictures_are_not_cut_to_white(tmp_path: Path) -> None:
    """A depth map of 16 bits, as renderers write it."""
    Image.linear_gradient("L").convert("I").point(lambda value: value * 257).convert("I;16").save(tmp_path / "z.png")
    params = {"width": 256, "height": 256}
    (ready,), _values = prepare(
        graphs.load("controlnet_flux_canny")[1], params, {"control_image": tmp_path / "z.png"}, tmp_path
    )
    with Image.open(ready.path) as image:
        assert image.mode == "L"
        assert [image.getpixel((9, y)) for y in (0, 100, 255)] == [0, 100, 255]


def test_of_several_pictures_in_a_file_the_first_goes(comfy_server: ComfyDouble, tmp_path: Path) -> None:
    frames = [Image.new("RGB", (64, 64), colour) for colour in ("red", "green", "blue")]
    frames[0].save(tmp_path / "a.webp", save_all=True, append_images=frames[1:], lossless=True)
    with Image.open(plain(tmp_path / "a.webp", tmp_path / "a.png")) as image:
        assert (getattr(image, "n_frames", 1), image.convert("RGB").getpixel((5, 5))) == (1, (255, 0, 0))
    out = tmp_path / "out"
    out.mkdir()
    params = {"width": 64, "height": 64, "seed": 1, "steps": 1}
    inputs = {"source_image": tmp_path / "a.webp"}
    job = JobContext("j", "a", "comfy.flux_i2i", "previz", params, {}, inputs, out, comfy_server.url)
    kept = ComfyBackend(QUICK).run(job, Reporter()).provenance
    entry = comfy_server.get(f"/history/{kept['prompt_id']}")[kept["prompt_id"]]
    assert len(entry["outputs"]["60"]["images"]) == 1, "the loader made a batch of them"


@pytest.mark.parametrize(("mode", "ending"), [("CMYK", "jpg"), ("P", "png"), ("LA", "png"), ("1", "png")])
def test_other_inks_become_plain_colours(tmp_path: Path, mode: str, ending: str) -> None:
    Image.new("RGB", (8, 8), "white").convert(mode).save(tmp_path / f"a.{ending}")
    with Image.open(plain(tmp_path / f"a.{ending}", tmp_path / "out.png")) as image:
        assert image.mode == ("RGBA" if mode == "LA" else "RGB")
        assert image.convert("RGB").getpixel((3, 3)) == (255, 255, 255)


def test_a_plain_picture_goes_as_it_is(tmp_path: Path) -> None:
    for mode in ("RGB", "RGBA", "L"):
        Image.new(mode, (8, 8)).save(tmp_path / f"{mode}.png")
        assert plain(tmp_path / f"{mode}.png", tmp_path / "out.png") == tmp_path / f"{mode}.png"
