"""What is known of ComfyUI's node classes where no server has been asked: outputs, model folders, versions, packs."""

import re

# Input -> folder below `models/`; classes whose input has a name that says less come first.
FOLDERS_OF_CLASS = {
    "CLIPVisionLoader": "clip_vision",
    "UpscaleModelLoader": "upscale_models",
    "LatentUpscaleModelLoader": "latent_upscale_models",
    "FrameInterpolationModelLoader": "frame_interpolation",
    "LoadDA3Model": "geometry_estimation",
    "AudioEncoderLoader": "audio_encoders",
    "RIFE VFI": "",
    "FILM VFI": "",
}
FOLDERS = {
    "unet_name": "diffusion_models",
    "ckpt_name": "checkpoints",
    "vae_name": "vae",
    "lora_name": "loras",
    "control_net_name": "controlnet",
    "text_encoder": "text_encoders",
    "style_model_name": "style_models",
    "gligen_name": "gligen",
    "hypernetwork_name": "hypernetworks",
    "photomaker_model_name": "photomaker",
    "audio_encoder_name": "audio_encoders",
    **{f"clip_name{number}": "text_encoders" for number in ("", 1, 2, 3, 4)},
}
MODEL_FILE = re.compile(r"\.(safetensors|sft|ckpt|pth?|bin|gguf|onnx)$", re.IGNORECASE)

VIDEO_OUTPUTS = frozenset(
    {"SaveVideo", "SaveWEBM", "SaveAnimatedWEBP", "SaveAnimatedPNG", "VHS_VideoCombine", "DecodeAndSaveVideo"}
)
IMAGE_OUTPUTS = frozenset(
    {"SaveImage", "SaveImageAdvanced", "SaveImageWebsocket", "SaveImageKJ", "SaveImageWithAlpha", "Image Save"}
)
# They are outputs to the server, but what they make is thrown away or is no picture.
SIDE_OUTPUTS = frozenset(
    {
        "PreviewImage", "PreviewAny", "PreviewAudio", "PreviewAnimation", "MaskPreview", "ImageAndMaskPreview",
        "SaveAudio", "SaveAudioMP3", "SaveAudioOpus", "SaveAudioAdvanced", "SaveLatent", "SaveText", "Preview3D",
        "SaveGLB", "ImageCompare", "PreviewImageOrMask", "FastPreview",
    }
)  # fmt: skip
LOAD_VIDEO = frozenset({"LoadVideo", "VHS_LoadVideo", "VHS_LoadVideoFFmpeg", "VHS_LoadVideoPath"})
LOAD_IMAGE = frozenset({"LoadImage", "LoadImageOutput"})
LOAD_MASK = frozenset({"LoadImageMask"})

PACKS = (
    (re.compile(r"^VHS_"), "Kosinkadink/ComfyUI-VideoHelperSuite"),
    (re.compile(r"^(RIFE|FILM|IFRNet|AMT|GMFSS|M2M|STMFNet|FLAVR|CAIN|Sepconv).* VFI"),
     "Fannovel16/ComfyUI-Frame-Interpolation"),
    (re.compile(r"^(WanImageToVideoSVIPro|ImageBatchExtendWithOverlap|.*KJ(v2)?|GetImageSizeAndCount)$"),
     "kijai/ComfyUI-KJNodes"),
    (re.compile(r"^TeleStyle"), "neurodanzelus-cmd/ComfyUI-TeleStyle"),
    (re.compile(r"^WanVideo"), "kijai/ComfyUI-WanVideoWrapper"),
    (re.compile(r"(Preprocessor)$"), "Fannovel16/comfyui_controlnet_aux"),
    (re.compile(r"^(Unet|CLIP|DualCLIP).*GGUF"), "city96/ComfyUI-GGUF"),
)  # fmt: skip

# The first release that has a class, where that decides whether a server can run the graph.
SINCE = (
    (re.compile(r"^(WanFirstLastFrameToVideo)$"), "0.3.29"),
    (re.compile(r"^(SaveVideo|CreateVideo|GetVideoComponents|LoadVideo)$"), "0.3.31"),
    (re.compile(r"^FluxKontext"), "0.3.42"),
    (re.compile(r"^Wan22"), "0.3.46"),
    (re.compile(r"^(WanAnimateToVideo|TextEncodeQwenImageEditPlus)$"), "0.3.60"),
    (re.compile(r"^ComfySwitchNode$"), "0.4.0"),
    (re.compile(r"^FluxKontextMultiReferenceLatentMethod$"), "0.5.0"),
    (re.compile(r"^ManualSigmas$"), "0.7.0"),
    (re.compile(r"^(LTXAV|LTXVAudio|LTXVConcatAV|LTXVSeparateAV|LTXVEmptyLatentAudio|ResizeImageMaskNode)"), "0.8.0"),
    (re.compile(r"^SDPose"), "0.16.0"),
    (re.compile(r"^ComfyMathExpression$"), "0.16.4"),
    (re.compile(r"^(FrameInterpolate|FrameInterpolationModelLoader)$"), "0.20.0"),
    (re.compile(r"^SaveImageAdvanced$"), "0.23.0"),
    (re.compile(r"^(DA3|LoadDA3)"), "0.25.0"),
    (re.compile(r"^WanAnimate2"), "0.31.0"),
    (re.compile(r"^LTXVDualCFGGuider$"), "0.32.0"),
)
OLDEST = "0.3.0"

PREPROCESSOR = re.compile(
    r"canny|depth|pose|da3|lotus|hed|lineart|scribble|normal|openpose|preprocessor", re.IGNORECASE
)


def release(text: str) -> tuple[int, ...]:
    """A version as numbers, for comparing."""
    return tuple(int(part) for part in re.findall(r"\d+", text)[:4])


def folder_of(class_type: str, name: str, value: object) -> str | None:
    """The model folder that an input names a file of; "" when it is a pack's own, None when it names no model."""
    if class_type in FOLDERS_OF_CLASS and name in (*FOLDERS, "model_name"):
        return FOLDERS_OF_CLASS[class_type]
    if name in FOLDERS:
        return FOLDERS[name]
    return "" if isinstance(value, str) and MODEL_FILE.search(value) else None
