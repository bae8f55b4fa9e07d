"""How a clip takes up the one before, where the first picture says who somebody is, not where a clip begins."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_INPUT = "continue_motion"
_TRIM_IMAGE = 4  # the output that says how many frames of a clip were in the one before


@dataclass(frozen=True)
class Continues:
    """The input that takes the last `frames` frames of the clip before; they stand at the beginning of the new one.

    `trimmed`: the graph cuts them off what it saves.
    """

    node: str
    input: str
    frames: int
    trimmed: bool = False


def continues_of(nodes: Mapping[str, Any]) -> Continues | None:
    """What the graph has for that; None where it has nothing, or does so already by itself."""
    found = [key for key, node in nodes.items() if _frames(node)]
    if len(found) != 1 or _INPUT in nodes[found[0]]["inputs"]:
        return None
    key = found[0]
    link = [key, _TRIM_IMAGE]
    trimmed = any(value == link for node in nodes.values() for value in (node.get("inputs") or {}).values())
    return Continues(key, _INPUT, _frames(nodes[key]), trimmed)


def _frames(node: Mapping[str, Any]) -> int:
    """How many frames the node takes up: one and whole latent frames of four; 0 for nodes of other kinds."""
    if node.get("class_type") == "WanAnimate2ToVideo":
        return 1
    if node.get("class_type") != "WanAnimateToVideo":
        return 0
    most = (node.get("inputs") or {}).get("continue_motion_max_frames")
    return (most - 1) // 4 * 4 + 1 if isinstance(most, int) and most > 0 else 0
