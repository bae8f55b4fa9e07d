"""Nodes that load, scale, cut and join pictures and clips."""

import ast
import math
import operator
import re
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from typing import Any

from PIL import Image

from tests.doubles.comfyui.media import Audio, Images, Mask, NodeError, Run, Video, input_path, open_image, open_video

Inputs = dict[str, Any]

# The sizes that Kontext was trained on; the one of the nearest shape is taken.
_KONTEXT = (
    (672, 1568), (688, 1504), (720, 1456), (752, 1392), (800, 1328), (832, 1248), (880, 1184), (944, 1104),
    (1024, 1024), (1104, 944), (1184, 880), (1248, 832), (1328, 800), (1392, 752), (1456, 720), (1504, 688),
    (1568, 672),
)  # fmt: skip


def load_image(inputs: Inputs, run: Run) -> Any:
    """Several pictures in a file are a batch. Newer servers decode with ffmpeg, which turns no photograph upright."""
    image, frames = open_image(input_path(run.folders, inputs["image"]), turned=not run.modern)
    has_alpha = "A" in image.getbands()
    return (Images.of(image.convert("RGB"), frames), Mask(*image.size) if has_alpha else Mask(64, 64))


def load_mask(inputs: Inputs, run: Run) -> Any:
    image, _frames = open_image(input_path(run.folders, inputs["image"]), turned=not run.modern)
    return (Mask(*image.size),)


def scale(inputs: Inputs, run: Run) -> Any:
    """0 keeps the shape, twice 0 keeps the size."""
    image: Images = inputs["image"]
    width, height = inputs["width"], inputs["height"]
    if not width and not height:
        return (image,)
    width = width or max(1, round(image.size[0] * height / image.size[1]))
    height = height or max(1, round(image.size[1] * width / image.size[0]))
    return (image.sized(width, height, crop=inputs["crop"] == "center"),)


def scale_by(inputs: Inputs, run: Run) -> Any:
    image: Images = inputs["image"]
    return (image.sized(*(round(side * inputs["scale_by"]) for side in image.size)),)


def scale_to_pixels(inputs: Inputs, run: Run) -> Any:
    image: Images = inputs["image"]
    factor = math.sqrt(inputs["megapixels"] * 1024 * 1024 / (image.size[0] * image.size[1]))
    steps = inputs.get("resolution_steps", 1)
    return (image.sized(*(round(side * factor / steps) * steps for side in image.size)),)


def scale_kontext(inputs: Inputs, run: Run) -> Any:
    image: Images = inputs["image"]
    shape = image.size[0] / image.size[1]
    return (image.sized(*min(_KONTEXT, key=lambda size: abs(shape - size[0] / size[1]))),)


def upscale(inputs: Inputs, run: Run) -> Any:
    """By the factor in the model's name (x4plus, 2x_…), else four."""
    image: Images = inputs["image"]
    found = re.search(r"x(\d)|(\d)x", inputs["upscale_model"].file, re.IGNORECASE)
    factor = int(found.group(1) or found.group(2)) if found else 4
    large = image.sized(image.size[0] * factor, image.size[1] * factor)
    run.check_memory(large.size[0] * large.size[1])  # frame after frame, so the clip's length costs nothing
    _count(run, image.frames, image.first)
    return (large,)


def pad(inputs: Inputs, run: Run) -> Any:
    image: Images = inputs["image"]
    left, top = inputs["left"], inputs["top"]
    size = image.size[0] + left + inputs["right"], image.size[1] + top + inputs["bottom"]
    whole = Image.new("RGB", size, (128, 128, 128))
    whole.paste(image.picture(), (left, top))
    return (Images.of(whole, image.frames), Mask(*size))


def same_image(inputs: Inputs, run: Run) -> Any:
    """Preprocessors: another picture of the same size."""
    return (inputs["image"],)


def geometry(inputs: Inputs, run: Run) -> Any:
    return (inputs["da3_geometry"],)


def pose(inputs: Inputs, run: Run) -> Any:
    return (inputs["keypoints"],)


def mask(inputs: Inputs, run: Run) -> Any:
    return (inputs["mask"],)


def composite(inputs: Inputs, run: Run) -> Any:
    under: Images = inputs["destination"]
    over: Images = inputs["source"]
    image = under.picture().copy()
    if inputs["resize_source"]:
        over = over.sized(*under.size)
    image.paste(over.picture(), (inputs["x"], inputs["y"]))
    return (replace(under, first=image),)


def from_batch(inputs: Inputs, run: Run) -> Any:
    return (inputs["image"].part(inputs["batch_index"], inputs["length"]),)


def extend(inputs: Inputs, run: Run) -> Any:
    """Source, start frames and both joined, `overlap` frames over one another."""
    source: Images = inputs["source_images"]
    new: Images | None = inputs.get("new_images")
    overlap = min(inputs["overlap"], source.frames)
    start = source.part(source.frames - overlap, overlap)
    if new is None:
        return (source, start, source)
    joined = replace(source, frames=source.frames + new.frames - overlap, clip=None, last=new.last)
    return (source, start, joined)


def interpolate(inputs: Inputs, run: Run) -> Any:
    """The core node and the RIFE VFI pack."""
    images: Images = inputs.get("images") or inputs["frames"]
    run.check_memory(images.size[0] * images.size[1] * 2)
    _count(run, images.frames - 1, images.first)
    return (images.times(inputs["multiplier"]),)


def telestyle(inputs: Inputs, run: Run) -> Any:
    frames: Images = inputs["video_frames"]
    width, height = (side // 16 * 16 for side in frames.size)
    run.check_memory(width * height * frames.frames)
    style: Images = inputs.get("style_image") or frames
    _count(run, inputs["steps"], style.first)
    return (replace(frames, first=style.first, size=(width, height), clip=frames.clip),)


def _count(run: Run, total: int, image: Image.Image) -> None:
    """Progress of a node that goes frame by frame; told at most 20 times, as it takes no sampling time."""
    for number in range(1, total + 1):
        if number == total or number % max(1, total // 20) == 0:
            run.step(number, total, image)


# --- clips and sound --------------------------------------------------------------------------------------


def load_video(inputs: Inputs, run: Run) -> Any:
    return (open_video(input_path(run.folders, inputs["file"])),)


def components(inputs: Inputs, run: Run) -> Any:
    video: Video = inputs["video"]
    return (video.images, video.audio, float(video.fps), 8, "sdr")


def create_video(inputs: Inputs, run: Run) -> Any:
    return (Video(inputs["images"], Fraction(round(inputs["fps"] * 1000), 1000), inputs.get("audio")),)


def vhs_load(inputs: Inputs, run: Run) -> Any:
    """Every nth frame after the skipped ones; a forced rate and a custom size."""
    video = open_video(input_path(run.folders, inputs["video"]))
    images, rate = video.images, float(video.fps)
    if inputs["force_rate"]:
        images = replace(images, frames=max(1, int(images.frames * inputs["force_rate"] / rate)), clip=None)
        rate = float(inputs["force_rate"])
    images = images.part(inputs["skip_first_frames"], images.frames)
    nth, cap = inputs["select_every_nth"], inputs["frame_load_cap"]
    if nth > 1:
        images, rate = replace(images, frames=math.ceil(images.frames / nth), clip=None), rate / nth
    if cap:
        images = images.part(0, cap)
    width, height = inputs["custom_width"], inputs["custom_height"]
    if width or height:
        width = width or round(images.size[0] * height / images.size[1])
        height = height or round(images.size[1] * width / images.size[0])
        images = images.sized(width, height)
    about = {"loaded_fps": rate, "loaded_frame_count": images.frames, "source_fps": float(video.fps)}
    return (images, images.frames, video.audio or Audio(images.frames / rate), about)


# --- values -----------------------------------------------------------------------------------------------


def primitive(inputs: Inputs, run: Run) -> Any:
    return (inputs["value"],)


def switch(inputs: Inputs, run: Run) -> Any:
    return (inputs["on_true"] if inputs["switch"] else inputs["on_false"],)


_OPERATORS: dict[type[ast.AST], Callable[..., Any]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv, ast.Mod: operator.mod, ast.Pow: operator.pow, ast.USub: operator.neg,
}  # fmt: skip


def expression(inputs: Inputs, run: Run) -> Any:
    """Sums over values.a, values.b, …"""
    names = {name.partition(".")[2]: value for name, value in inputs.items() if name.startswith("values.")}

    def value(node: ast.AST) -> Any:
        if isinstance(node, ast.Expression):
            return value(node.body)
        if isinstance(node, ast.Constant):
            return node.value
        if isinstance(node, ast.Name) and node.id in names:
            return names[node.id]
        if isinstance(node, ast.BinOp):
            return _OPERATORS[type(node.op)](value(node.left), value(node.right))
        if isinstance(node, ast.UnaryOp):
            return _OPERATORS[type(node.op)](value(node.operand))
        raise NodeError("ValueError", f"Cannot evaluate {inputs['expression']}")

    result = value(ast.parse(inputs["expression"], mode="eval"))
    return (float(result), int(result), bool(result))


WORK: dict[str, Callable[[Inputs, Run], Any]] = {
    "LoadImage": load_image,
    "LoadImageMask": load_mask,
    "ImageScale": scale,
    "ImageScaleBy": scale_by,
    "ImageScaleToTotalPixels": scale_to_pixels,
    "FluxKontextImageScale": scale_kontext,
    "ImageUpscaleWithModel": upscale,
    "ImagePadForOutpaint": pad,
    "Canny": same_image,
    "DA3Inference": same_image,
    "DA3Render": geometry,
    "SDPoseKeypointExtractor": same_image,
    "SDPoseDrawKeypoints": pose,
    "LTXVPreprocess": same_image,
    "GrowMask": mask,
    "ImageCompositeMasked": composite,
    "ImageFromBatch": from_batch,
    "ImageBatchExtendWithOverlap": extend,
    "FrameInterpolate": interpolate,
    "RIFE VFI": interpolate,
    "TeleStyleVideoInference": telestyle,
    "LoadVideo": load_video,
    "GetVideoComponents": components,
    "CreateVideo": create_video,
    "VHS_LoadVideo": vhs_load,
    "PrimitiveInt": primitive,
    "PrimitiveFloat": primitive,
    "PrimitiveStringMultiline": primitive,
    "ComfySwitchNode": switch,
    "ComfyMathExpression": expression,
}
