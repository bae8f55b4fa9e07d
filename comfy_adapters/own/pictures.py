"""Which part a loaded picture or clip plays: by the name that a person gave the node, else by where it goes."""

import re

from django.utils.translation import gettext as _

from comfy_adapters.own.finds import Find, Finds, Sure
from comfy_adapters.own.strict import is_link
from comfy_adapters.own.tables import LOAD_IMAGE, LOAD_MASK, LOAD_VIDEO, PREPROCESSOR
from comfy_adapters.own.tracing import Tracer

_TITLES = (
    (re.compile(r"\b(last|end)\b|마지막|끝", re.IGNORECASE), "last_image"),
    (re.compile(r"\b(first|start)\b|첫|시작", re.IGNORECASE), "first_image"),
    (re.compile(r"\bmask\b|마스크", re.IGNORECASE), "mask_image"),
    (re.compile(r"\bstyle\b|스타일|화풍", re.IGNORECASE), "style_image"),
    (re.compile(r"\b(control|pose|depth|canny)\b|포즈|깊이", re.IGNORECASE), "control_image"),
    (re.compile(r"\b(reference|character)\b|참조|캐릭터|인물", re.IGNORECASE), "reference_image"),
)
_INPUTS = {
    "start_image": "first_image", "first_frame": "first_image", "first_image": "first_image",
    "anchor_samples": "first_image", "end_image": "last_image", "last_frame": "last_image", "last_image": "last_image",
    "reference_image": "reference_image", "style_image": "style_image", "control_image": "control_image",
    "image1": "source_image", "image2": "reference_image", "image3": "reference_image_2", "mask": "mask_image",
    "destination": "source_image", "clip_vision_output": "reference_image",
}  # fmt: skip
_LATENT = frozenset({"latent_image", "samples"})


def find_pictures(tracer: Tracer, finds: Finds) -> None:
    """Add a slot for every picture, mask and clip that the graph loads."""
    for key in tracer.nodes:
        kind, inputs = tracer.kind(key), tracer.inputs(key)
        if kind in LOAD_VIDEO:
            name = "file" if "file" in inputs else "video"
            _add(finds, "reference_video", key, name, Sure.TRACED, _("It loads a clip."))
        elif kind in LOAD_MASK:
            _add(finds, "mask_image", key, "image", Sure.TRACED, _("It loads a mask."))
        elif kind in LOAD_IMAGE and isinstance(inputs.get("image"), str):
            role, sure, why = _role(tracer, key)
            _add(finds, role, key, "image", sure, why)


def _add(finds: Finds, slot: str, key: str, name: str, sure: Sure, why: str) -> None:
    finds.add(Find(slot, key, name, sure, why, upload=True))


def _role(tracer: Tracer, key: str) -> tuple[str, Sure, str]:
    title = tracer.title(key)
    if title != tracer.kind(key):
        for pattern, role in _TITLES:
            if pattern.search(title):
                return _of_animation(tracer, key, role), Sure.TOLD, _("Its title is “%(title)s”.") % {"title": title}
    best = min(_candidates(tracer, key), default=None)
    if best is not None:
        return best[2], Sure.TRACED, best[3]
    reached = {output for output, _target, _name in tracer.down.get(key, [])}
    if reached == {1}:
        return "mask_image", Sure.TRACED, _("Only its mask is used.")
    return "source_image", Sure.LIKELY, _("A picture goes in here; where it ends does not say what for.")


def _of_animation(tracer: Tracer, key: str, role: str) -> str:
    """The character's picture of an animated clip is the first image of the shot."""
    if role != "reference_image":
        return role
    kinds = [tracer.kind(target) for target, _name, _far, _way in tracer.below(key)]
    return "first_image" if any("Animate" in kind for kind in kinds) else role


def _candidates(tracer: Tracer, key: str) -> list[tuple[int, int, str, str]]:
    """(rank, distance, role, why) of everything that the picture reaches; the lowest counts."""
    found: list[tuple[int, int, str, str]] = []
    for target, name, distance, way in tracer.below(key, outputs=(0,)):
        kind, inputs = tracer.kind(target), tracer.inputs(target)
        why = _("It goes into %(input)s of %(node)s.") % {"input": name, "node": tracer.named(target)}
        prepared = bool(PREPROCESSOR.search(f"{way} {kind}"))
        if "ControlNet" in kind and name in ("image", "control_image"):
            masked = is_link(inputs.get("mask"))
            found.append((0, distance, "source_image" if masked else "control_image", why))
        elif name == "image" and kind.startswith("LTXVAddGuide"):
            index = inputs.get("frame_idx", 0)
            last = isinstance(index, int | float) and index < 0
            found.append((1, distance, "last_image" if last else "first_image", why))
        elif name == "image" and kind.startswith("LTXVImgToVideo"):
            found.append((1, distance, "first_image", why))
        elif name == "mask" and distance > 1 and way:
            continue  # a mask that is made from the picture (outpainting) does not make it one
        elif name in _INPUTS:
            role = _role_of_input(tracer, target, name)
            found.append((2 if name == "clip_vision_output" else 1, distance, role, why))
        elif name == "pixels":
            role = "control_image" if prepared else "source_image"
            found.append((3, distance, role, why))
        elif name in _LATENT and distance > 1:
            continue
    return found


def _role_of_input(tracer: Tracer, target: str, name: str) -> str:
    role = _INPUTS[name]
    if role.startswith("reference_image") and "Animate" in tracer.kind(target):
        return "first_image"
    if name == "image2" and _is_style(tracer):
        return "style_image"
    return role


def _is_style(tracer: Tracer) -> bool:
    """A LoRA that transfers a style: the second picture is what it looks at."""
    loras = [str(tracer.inputs(key).get("lora_name", "")).lower() for key in tracer.nodes]
    return any("style" in lora for lora in loras)
