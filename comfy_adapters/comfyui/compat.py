"""Nodes whose inputs changed between versions of ComfyUI: a graph of one version is sent in the words of another.

The server fills in nothing and ignores what it does not know, so both spellings may stand beside each other.
"""

from collections.abc import Mapping
from typing import Any

from comfy_adapters.comfyui.graphs import Nodes
from comfy_adapters.comfyui.object_info import InputSpec, inputs_of

# What newer versions require and older ones did not have, with what the node did before.
_AS_BEFORE: dict[tuple[str, str], Any] = {
    ("ImageScaleToTotalPixels", "resolution_steps"): 1,
    ("SDPoseDrawKeypoints", "draw_head"): True,
    ("LoraModelLoader", "bypass"): False,
    ("SaveVideo", "format"): "auto",
    ("SaveVideo", "codec"): "auto",
    ("SaveVideo", "format.codec"): "auto",
    ("TeleStyleVideoInference", "time_schedule"): "fixed",
}
# The same choice under the names that it has in different packs of a node.
_ALIKE: dict[tuple[str, str], tuple[str, ...]] = {("TeleStyleVideoInference", "acceleration"): ("default", "sdpa")}
# The same value under its older and its newer name.
_RENAMED: dict[str, tuple[tuple[str, str], ...]] = {"SaveVideo": (("codec", "format.codec"),)}


def adapt(prompt: Nodes, object_info: Mapping[str, Any]) -> None:
    """Change the nodes of `prompt` in place, as far as this server's schema asks for it; values that are set stay."""
    for node in prompt.values():
        class_type, inputs = str(node["class_type"]), node["inputs"]
        schema = object_info.get(class_type)
        if schema is None:
            continue
        for old, new in _RENAMED.get(class_type, ()):
            if old in inputs or new in inputs:
                inputs.setdefault(old, inputs.get(new))
                inputs.setdefault(new, inputs.get(old))
        # A value that brings further inputs (a format its codec) shows them only once it is set itself.
        for _round in range(2):
            for spec in list(inputs_of(schema, inputs)):
                if spec.required and spec.name not in inputs and (class_type, spec.name) in _AS_BEFORE:
                    inputs[spec.name] = _AS_BEFORE[class_type, spec.name]
        for spec in list(inputs_of(schema, inputs)):
            alike = _ALIKE.get((class_type, spec.name), ())
            if spec.options and inputs.get(spec.name) in alike and inputs[spec.name] not in spec.options:
                inputs[spec.name] = next((name for name in alike if name in spec.options), inputs[spec.name])
            if not spec.required and _not_a_number(spec, inputs.get(spec.name)):
                del inputs[spec.name]


def _not_a_number(spec: InputSpec, value: Any) -> bool:
    """ "auto" where this version still has a number (`CreateVideo.bit_depth`): without it the node chooses itself."""
    return spec.type in ("INT", "FLOAT") and value == "auto"
