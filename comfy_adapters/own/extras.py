"""Everything else that is worth setting: models, LoRAs, strengths, controls, padding, factors, file prefixes."""

from django.utils.translation import gettext as _

from comfy_adapters.own.finds import Find, Finds, Sure
from comfy_adapters.own.sampling import model_loaders
from comfy_adapters.own.strict import is_link
from comfy_adapters.own.tables import folder_of
from comfy_adapters.own.tracing import Tracer

# class -> {input: slot}; a class is matched whole.
_BY_CLASS = {
    "FluxGuidance": {"guidance": "guidance"},
    "CLIPTextEncodeFlux": {"guidance": "guidance"},
    "Canny": {"low_threshold": "canny_low", "high_threshold": "canny_high"},
    "ControlNetLoader": {"control_net_name": "controlnet_model"},
    "GrowMask": {"expand": "mask_grow"},
    "ImagePadForOutpaint": {
        "left": "pad_left", "top": "pad_top", "right": "pad_right", "bottom": "pad_bottom",
        "feathering": "pad_feathering",
    },
    "ImageScaleBy": {"scale_by": "post_scale"},
}  # fmt: skip
_BY_INPUT = {
    "multiplier": "multiplier",
    "pose_strength": "pose_strength",
    "reference_image_strength": "reference_image_strength",
}
_LONE_MODELS = ("unet_name", "ckpt_name", "model_name")


def find_extras(tracer: Tracer, finds: Finds) -> None:
    """Add them all; each by the class or the name of its input."""
    _models(tracer, finds)
    is_clip = any("Video" in tracer.kind(key) for key in tracer.nodes)
    for key in tracer.nodes:
        inputs, kind = tracer.inputs(key), tracer.kind(key)
        for name, slot in _BY_CLASS.get(kind, {}).items():
            _literal(tracer, finds, key, name, slot)
        for name, slot in _BY_INPUT.items():
            _literal(tracer, finds, key, name, slot)
        if kind.startswith("ModelSampling"):
            _literal(tracer, finds, key, "shift", "shift")
        if is_link(inputs.get("control_net")):
            for name, slot in (("strength", "control_strength"), ("start_percent", "control_start"),
                               ("end_percent", "control_end")):  # fmt: skip
                _literal(tracer, finds, key, name, slot)
        _guides(tracer, finds, key)
        if kind.startswith("Empty") and kind.endswith("LatentImage") and not is_clip:
            _literal(tracer, finds, key, "batch_size", "batch_size")
        if isinstance(inputs.get("lora_name"), str) and "style" in str(inputs["lora_name"]).lower():
            _literal(tracer, finds, key, "lora_name", "style_lora")
            _literal(tracer, finds, key, "strength_model", "style_strength")
        _literal(tracer, finds, key, "filename_prefix", "filename_prefix")


def _guides(tracer: Tracer, finds: Finds, key: str) -> None:
    kind, inputs = tracer.kind(key), tracer.inputs(key)
    if kind.startswith("LTXVImgToVideo"):
        # Later stages hold the picture by themselves: only what works on the empty latent is the strength.
        latent = inputs.get("latent")
        if not is_link(latent) or tracer.kind(latent[0]).startswith("Empty"):
            _literal(tracer, finds, key, "strength", "image_strength")
    if kind.startswith("LTXVAddGuide"):
        index = inputs.get("frame_idx", 0)
        last = isinstance(index, int | float) and index < 0
        _literal(tracer, finds, key, "strength", "last_strength" if last else "first_strength")


def _models(tracer: Tracer, finds: Finds) -> None:
    loaders = model_loaders(tracer)
    for chain, keys in loaders.items():
        slot = "model" if chain == "model" else f"model_{chain}"
        for key in keys[:1] if chain == "model" else keys:
            for name, value in tracer.inputs(key).items():
                if folder_of(tracer.kind(key), name, value) is not None and isinstance(value, str):
                    _literal(tracer, finds, key, name, slot)
                    _same_file(tracer, finds, slot, name, value)
            _literal(tracer, finds, key, "weight_dtype", "weight_dtype")
    if loaders:
        return
    for key in tracer.nodes:  # an upscaler or an interpolator: its own model is the one
        for name in _LONE_MODELS:
            if isinstance(tracer.inputs(key).get(name), str) and not finds.has("model"):
                _literal(tracer, finds, key, name, "model")


def _same_file(tracer: Tracer, finds: Finds, slot: str, name: str, value: str) -> None:
    """A checkpoint that several loaders read parts of changes in all of them."""
    for key in tracer.nodes:
        if tracer.inputs(key).get(name) == value and name == "ckpt_name":
            _literal(tracer, finds, key, name, slot)


def _literal(tracer: Tracer, finds: Finds, key: str, name: str, slot: str) -> None:
    if name not in tracer.inputs(key):
        return
    spot = tracer.literal(key, name)
    if spot is None or isinstance(tracer.value(spot), list | dict):
        return
    why = _("%(node)s takes it as %(input)s.") % {"node": tracer.named(key), "input": name}
    finds.add(Find(slot, spot.node, spot.input, Sure.TRACED, f"{why} ({spot.way})" if spot.way else why))
