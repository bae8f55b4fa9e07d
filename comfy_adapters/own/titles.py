"""The surest evidence: a node whose title begins with `aip:<slot>` or `[<slot>]` says itself what it is."""

import re

from django.utils.translation import gettext as _

from comfy_adapters.own.finds import Find, Finds, Sure
from comfy_adapters.own.strict import is_link
from comfy_adapters.own.tracing import Tracer

_TITLE = re.compile(r"^\s*(aip:\s*|\[\s*)([a-z][a-z0-9_]{0,39})", re.IGNORECASE)
SLOT_NAME = re.compile(r"^[a-z][a-z0-9_]{0,39}$")
UPLOADED = re.compile(r"(_image|_image_\d|_video|^mask|^source)$")
# The input that a titled node most likely means, in this order.
_INPUTS = (
    "text", "prompt", "value", "image", "file", "video", "noise_seed", "seed", "filename_prefix", "lora_name",
    "unet_name", "ckpt_name", "model_name", "fps", "frame_rate", "length", "strength", "guidance",
)  # fmt: skip
_FILES = ("image", "file", "video", "path")
# Names that a job or the engine fills, and usual parameters; any other is a parameter of the workflow's own.
SLOTS = (
    "positive_prompt", "negative_prompt", "motion_prompt", "seed", "width", "height", "length", "fps", "first_image",
    "last_image", "source_image", "mask_image", "control_image", "style_image", "reference_image", "reference_video",
    "steps", "cfg", "guidance", "denoise", "sampler", "scheduler", "shift", "control_strength", "multiplier", "model",
    "filename_prefix",
)  # fmt: skip
OTHER_NAMES = {"prompt": "positive_prompt", "positive": "positive_prompt", "negative": "negative_prompt",
               "frames": "length", "mask": "mask_image", "control": "control_image", "style": "style_image",
               "source": "source_image", "reference": "reference_image", "video": "reference_video"}  # fmt: skip


def find_titles(tracer: Tracer, finds: Finds) -> None:
    """Add what people wrote into titles."""
    for key in tracer.nodes:
        match = _TITLE.match(tracer.title(key))
        if match is None:
            continue
        said = match.group(2).lower()
        slot, inputs = OTHER_NAMES.get(said, said), tracer.inputs(key)
        if match.group(1).startswith("[") and slot not in SLOTS:
            continue  # people write [old] and [video] for themselves too
        written = [name for name, value in inputs.items() if not is_link(value)]
        if UPLOADED.search(slot):
            written = [name for name in written if name in _FILES]
        name = next((name for name in (said, slot, *_INPUTS, *written) if name in written), None)
        if name is None:
            continue
        offset = len(finds.of(slot)) if slot == "seed" else 0
        why = _("Its title is “%(title)s”.") % {"title": tracer.title(key)}
        upload = bool(UPLOADED.search(slot)) and isinstance(inputs[name], str)
        finds.add(Find(slot, key, name, Sure.TOLD, why, upload=upload, offset=offset))
