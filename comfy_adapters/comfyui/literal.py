"""Prompts in the words of ComfyUI's text encoders, to which parentheses are weights.

They read "(24)" as 24 at a weight of 1.1, and "(at 07:30)" as "at 07" at a weight of 30. What people write in prose
means no weight, except where it says one: "(rain:1.2)".
"""

import re
from collections.abc import Mapping
from typing import Any

from comfy_adapters.comfyui.graphs import Graph, Slots

TEXTS = ("positive_prompt", "negative_prompt", "motion_prompt")
# Dialects that are prose; tags have their own habits.
_PROSE = frozenset({"flux", "qwen", "edit", "wan", "ltx"})
_ENCODERS = frozenset({
    "CLIPTextEncode", "CLIPTextEncodeFlux", "TextEncodeQwenImageEdit", "TextEncodeQwenImageEditPlus",
})  # fmt: skip
_WEIGHTED = re.compile(r"\((?:[^()\\]|\\.)+:\s*[01]?\.\d{1,2}\s*\)")
_BARE = re.compile(r"(?<!\\)([()])")


def literal(graph: Graph, slots: Slots, values: Mapping[str, Any]) -> dict[str, Any]:
    """The texts among the values as the encoders read them word for word."""
    return {
        name: escaped(values[name])
        for name in TEXTS
        if isinstance(values.get(name), str) and slots.family in _PROSE and _is_encoded(graph, slots, name)
    }


def escaped(text: str) -> str:
    """Parentheses that say no weight are put behind backslashes."""
    parts, done = [], 0
    for weighted in _WEIGHTED.finditer(text):
        parts += [_BARE.sub(r"\\\1", text[done : weighted.start()]), weighted.group()]
        done = weighted.end()
    return "".join([*parts, _BARE.sub(r"\\\1", text[done:])])


def plain(text: Any) -> Any:
    """What was escaped, as people wrote it."""
    return re.sub(r"\\([()])", r"\1", text) if isinstance(text, str) else text


def _is_encoded(graph: Graph, slots: Slots, name: str) -> bool:
    """True where nothing but a text encoder reads it."""
    targets = slots.targets.get(name, ())
    return bool(targets) and all(graph.nodes[target.node]["class_type"] in _ENCODERS for target in targets)
