"""Loaders, conditioning, latents and samplers: sizes and lengths are floored exactly as the real nodes do."""

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from tests.doubles.comfyui import produce
from tests.doubles.comfyui.media import Audio, Both, Images, Latent, Model, NodeError, Run, Sound

Inputs = dict[str, Any]


# --- models and conditioning ------------------------------------------------------------------------------


def loader(inputs: Inputs, run: Run) -> Any:
    """Any loader: its outputs know the file. Counted, as a real one reads gigabytes here."""
    files = [value for name, value in inputs.items() if name.endswith(("_name", "_name1", "_name2", "text_encoder"))]
    for file in files:
        run.load(str(file))
    return (Model(str(files[0]) if files else "pack"),) * 3


def model(inputs: Inputs, run: Run) -> Any:
    """A model that is patched: LoRA, sampling shift, norm."""
    return (inputs["model"], inputs.get("clip"))


def words(inputs: Inputs, run: Run) -> Any:
    return (inputs.get("text") or inputs.get("prompt") or inputs.get("t5xxl") or "",)


def conditioning(inputs: Inputs, run: Run) -> Any:
    return (inputs["conditioning"],)


def pair(inputs: Inputs, run: Run) -> Any:
    return (inputs["positive"], inputs["negative"])


def anything(inputs: Inputs, run: Run) -> Any:
    """Guiders and samplers' names: nothing that size or length depends on."""
    return (inputs.get("sampler_name", "guider"),)


# --- empty latents ----------------------------------------------------------------------------------------


def empty(inputs: Inputs, run: Run) -> Any:
    return (Latent(inputs["width"] // 8 * 8, inputs["height"] // 8 * 8, inputs["batch_size"]),)


def _wan_latent(inputs: Inputs, start: str = "start_image", multiple: int = 8) -> Latent:
    """Off the lattice is floored without a word."""
    images: Images | None = inputs.get(start)
    width, height = (inputs[side] // multiple * multiple for side in ("width", "height"))
    first = images.first if images else None
    return Latent(width, height, (inputs["length"] - 1) // 4 + 1, 4, start=first)


def wan(inputs: Inputs, run: Run) -> Any:
    return (inputs["positive"], inputs["negative"], _wan_latent(inputs))


def wan_small(inputs: Inputs, run: Run) -> Any:
    """The 5B model: its VAE makes one latent of 16 pixels."""
    return (_wan_latent(inputs, multiple=16),)


def wan_both_ends(inputs: Inputs, run: Run) -> Any:
    end: Images | None = inputs.get("end_image")
    latent = replace(_wan_latent(inputs), end=end.first if end else None)
    return (inputs["positive"], inputs["negative"], latent)


def wan_animate(inputs: Inputs, run: Run) -> Any:
    """One latent frame more for the reference image, to be trimmed off after sampling.

    The last frames of a clip before stand at the beginning; the driving clip is read from as much earlier. How many
    are taken the first model is told, the second takes one.
    """
    latent = _wan_latent(inputs, "reference_image")
    latent = replace(latent, count=latent.count + 1)  # without a reference a black one is encoded
    before: Images | None = inputs.get("continue_motion")
    offset, cut = inputs["video_frame_offset"], 0
    if before is not None:
        frames = min(before.frames, inputs.get("continue_motion_max_frames", 1), inputs["length"])
        offset = max(0, offset - frames)
        cut = ((frames - 1) // 4 + 1) * 4 - 3
    driving: Images | None = inputs.get("pose_video")
    if driving is not None and driving.clip is not None:
        latent = replace(latent, clip=replace(driving.clip, skip=driving.clip.skip + offset))
    return (inputs["positive"], inputs["negative"], latent, 1, cut, offset + inputs["length"])


def wan_svi(inputs: Inputs, run: Run) -> Any:
    anchor: Latent = inputs["anchor_samples"]
    latent = Latent(anchor.width, anchor.height, (inputs["length"] - 1) // 4 + 1, 4, start=anchor.start)
    return (inputs["positive"], inputs["negative"], latent)


def ltx_empty(inputs: Inputs, run: Run) -> Any:
    return (Latent(inputs["width"] // 32 * 32, inputs["height"] // 32 * 32, (inputs["length"] - 1) // 8 + 1, 8),)


def ltx_sound(inputs: Inputs, run: Run) -> Any:
    return (Sound(inputs["frames_number"] / float(inputs["frame_rate"])),)


# --- latents on their way ---------------------------------------------------------------------------------


def encode(inputs: Inputs, run: Run) -> Any:
    pixels: Images = inputs["pixels"]
    width, height = (side // 8 * 8 for side in pixels.size)
    stride = inputs["vae"].stride if pixels.frames > 1 else 1
    return (Latent(width, height, (pixels.frames - 1) // stride + 1, stride, start=pixels.picture(), clip=pixels.clip),)


def encode_with_prompts(inputs: Inputs, run: Run) -> Any:
    return (inputs["positive"], inputs["negative"], *encode(inputs, run))


def same_latent(inputs: Inputs, run: Run) -> Any:
    return (inputs["samples"],)


def trim(inputs: Inputs, run: Run) -> Any:
    latent: Latent = inputs["samples"]
    return (replace(latent, count=max(latent.count - inputs["trim_amount"], 0)),)


def ltx_in_place(inputs: Inputs, run: Run) -> Any:
    if inputs["bypass"]:
        return (inputs["latent"],)
    return (replace(_video_only(inputs["latent"]), start=inputs["image"].first),)


def ltx_guide(inputs: Inputs, run: Run) -> Any:
    """A keyframe is appended at the end of the latent, whatever its place in time."""
    latent, image = _video_only(inputs["latent"]), inputs["image"]
    added = (image.frames - 1) // 8 + 1
    ends = {"end": image.first} if inputs["frame_idx"] < 0 else {"start": image.first}
    return (
        inputs["positive"],
        inputs["negative"],
        replace(latent, count=latent.count + added, guides=latent.guides + added, **ends),
    )


def ltx_crop(inputs: Inputs, run: Run) -> Any:
    latent: Latent = inputs["latent"]
    cropped = replace(latent, count=latent.count - latent.guides, guides=0)
    return (inputs["positive"], inputs["negative"], cropped)


def ltx_upsample(inputs: Inputs, run: Run) -> Any:
    latent: Latent = inputs["samples"]
    return (replace(latent, width=latent.width * 2, height=latent.height * 2),)


def ltx_join(inputs: Inputs, run: Run) -> Any:
    return (Both(inputs["video_latent"], inputs["audio_latent"]),)


def ltx_separate(inputs: Inputs, run: Run) -> Any:
    both: Both = inputs["av_latent"]
    return (both.video, both.sound)


def _video_only(latent: Latent | Both) -> Latent:
    if isinstance(latent, Both):
        raise NodeError("ValueError", "too many values to unpack (expected 5)")
    return latent


# --- sampling and decoding --------------------------------------------------------------------------------


def noise(inputs: Inputs, run: Run) -> Any:
    return (int(inputs["noise_seed"]),)


def sigmas_by_steps(inputs: Inputs, run: Run) -> Any:
    return (int(inputs["steps"]),)


def sigmas_by_hand(inputs: Inputs, run: Run) -> Any:
    return (max(len(re.findall(r"[-+]?\d*\.?\d+", inputs["sigmas"])) - 1, 0),)


def sample(inputs: Inputs, run: Run) -> Any:
    seed = inputs.get("seed", inputs.get("noise_seed", 0))
    begin = inputs.get("start_at_step", 0)
    end = min(inputs.get("end_at_step", inputs["steps"]), inputs["steps"])
    return (_sampled(inputs["latent_image"], seed, max(end - begin, 0), run),)


def sample_custom(inputs: Inputs, run: Run) -> Any:
    seed = inputs["noise"] if "noise" in inputs else inputs["noise_seed"]
    latent = _sampled(inputs["latent_image"], seed, inputs["sigmas"], run)
    return (latent, latent)


def _sampled(given: Latent | Both, seed: int, steps: int, run: Run) -> Latent | Both:
    latent = given.video if isinstance(given, Both) else given
    run.check_memory(latent.width * latent.height * latent.frames)
    seed = seed or latent.seed
    image = produce.picture(min(latent.width, 256), min(latent.height, 256), seed)
    for number in range(1, steps + 1):
        run.step(number, steps, image)
    done = replace(latent, seed=seed)
    return replace(given, video=done) if isinstance(given, Both) else done


def decode(inputs: Inputs, run: Run) -> Any:
    latent: Latent = inputs["samples"]
    size = latent.width, latent.height
    image = latent.start or produce.picture(*size, latent.seed, f"seed {latent.seed}")
    return (Images(image, size, latent.frames, latent.clip, latent.end),)


def decode_sound(inputs: Inputs, run: Run) -> Any:
    return (Audio(inputs["samples"].seconds),)


WORK: dict[str, Callable[[Inputs, Run], Any]] = {
    **dict.fromkeys(
        (
            "UNETLoader", "CheckpointLoaderSimple", "CLIPLoader", "DualCLIPLoader", "VAELoader", "CLIPVisionLoader",
            "ControlNetLoader", "UpscaleModelLoader", "FrameInterpolationModelLoader", "LatentUpscaleModelLoader",
            "LTXAVTextEncoderLoader", "LTXVAudioVAELoader", "LoadDA3Model", "TeleStyleLoader",
        ),
        loader,
    ),
    **dict.fromkeys(
        (
            "LoraLoader", "LoraLoaderModelOnly", "ModelSamplingSD3", "ModelSamplingAuraFlow", "CFGNorm",
            "DifferentialDiffusion", "WanAnimate2Cache",
        ),
        model,
    ),
    **dict.fromkeys(("CLIPTextEncode", "CLIPTextEncodeFlux", "TextEncodeQwenImageEditPlus"), words),
    **dict.fromkeys(
        ("FluxGuidance", "ConditioningZeroOut", "ReferenceLatent", "FluxKontextMultiReferenceLatentMethod"),
        conditioning,
    ),
    **dict.fromkeys(("ControlNetApplyAdvanced", "ControlNetInpaintingAliMamaApply", "LTXVConditioning"), pair),
    **dict.fromkeys(
        (
            "CLIPVisionEncode", "CFGGuider", "BasicGuider", "LTXVDualCFGGuider", "KSamplerSelect",
            "SamplerEulerAncestral",
        ),
        anything,
    ),
    "EmptyLatentImage": empty,
    "EmptySD3LatentImage": empty,
    "WanImageToVideo": wan,
    "Wan22ImageToVideoLatent": wan_small,
    "WanFirstLastFrameToVideo": wan_both_ends,
    "WanAnimateToVideo": wan_animate,
    "WanAnimate2ToVideo": wan_animate,
    "WanImageToVideoSVIPro": wan_svi,
    "EmptyLTXVLatentVideo": ltx_empty,
    "LTXVEmptyLatentAudio": ltx_sound,
    "VAEEncode": encode,
    "InpaintModelConditioning": encode_with_prompts,
    "InstructPixToPixConditioning": encode_with_prompts,
    "SetLatentNoiseMask": same_latent,
    "TrimVideoLatent": trim,
    "LTXVImgToVideoInplace": ltx_in_place,
    "LTXVAddGuide": ltx_guide,
    "LTXVCropGuides": ltx_crop,
    "LTXVLatentUpsampler": ltx_upsample,
    "LTXVConcatAVLatent": ltx_join,
    "LTXVSeparateAVLatent": ltx_separate,
    "RandomNoise": noise,
    "BasicScheduler": sigmas_by_steps,
    "LTXVScheduler": sigmas_by_steps,
    "ManualSigmas": sigmas_by_hand,
    "KSampler": sample,
    "KSamplerAdvanced": sample,
    "SamplerCustom": sample_custom,
    "SamplerCustomAdvanced": sample_custom,
    "VAEDecode": decode,
    "VAEDecodeTiled": decode,
    "LTXVAudioVAEDecode": decode_sound,
}  # fmt: skip
