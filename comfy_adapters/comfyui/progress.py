"""From ComfyUI's events to one number: how much of a graph is done, and which node works on it."""

import io
import json
import struct
from collections.abc import Mapping
from typing import Any

from PIL import Image

from comfy_adapters.comfyui.graphs import titles

_PREVIEW, _PREVIEW_WITH_METADATA = 1, 4
_STEP_WEIGHT = 5.0  # a sampling step against a node that only loads or converts


class Progress:
    """Adds up the nodes of one prompt, each with its weight. `fraction` never falls."""

    def __init__(self, nodes: Mapping[str, Mapping[str, Any]]) -> None:
        self.titles = titles(nodes)
        self.weights = {key: _weight(node.get("inputs", {})) for key, node in nodes.items()}
        self.total = sum(self.weights.values()) or 1.0
        self.done: dict[str, float] = {}
        self.current = ""
        self.message = ""
        self.fraction = 0.0

    def event(self, kind: str, data: Mapping[str, Any]) -> bool:
        """Take in one event of this prompt; True when it changed anything."""
        if kind == "execution_cached":
            for node in data.get("nodes", []):
                self._set(str(node), 1.0)
        elif kind == "executing" and data.get("node") is not None:
            if self.current:
                self._set(self.current, 1.0)
            self.current = str(data.get("display_node") or data["node"])
            self.message = self.titles.get(self.current, "")
        elif kind == "progress":
            self._steps(str(data.get("node", "")), data.get("value"), data.get("max"))
        elif kind == "progress_state":
            for node, state in dict(data.get("nodes") or {}).items():
                key = str(state.get("display_node_id") or node)
                if state.get("state") == "finished":
                    # An expanded node finishes many times under one display id; only plain ones are done for good.
                    self._set(key, 1.0 if key == node else self.done.get(key, 0.0))
                elif state.get("state") == "running":
                    self._steps(key, state.get("value"), state.get("max"))
        elif kind == "executed":
            self._set(str(data.get("display_node") or data.get("node")), 1.0)
        else:
            return False
        known = sum(self.weights[key] * part for key, part in self.done.items() if key in self.weights)
        self.fraction = max(self.fraction, min(known / self.total, 1.0))
        return True

    def _steps(self, node: str, value: Any, maximum: Any) -> None:
        if not isinstance(value, int | float) or not isinstance(maximum, int | float) or maximum <= 0:
            return
        self._set(node, value / maximum)
        if maximum > 1:
            self.message = f"{self.titles.get(node, node)} {value:g}/{maximum:g}"

    def _set(self, node: str, part: float) -> None:
        self.done[node] = max(self.done.get(node, 0.0), min(part, 1.0))


def _weight(inputs: Mapping[str, Any]) -> float:
    steps = inputs.get("steps")
    if not isinstance(steps, int | float):
        return 1.0
    first, last = inputs.get("start_at_step"), inputs.get("end_at_step")
    if isinstance(first, int) and isinstance(last, int):
        steps = min(last, steps) - first
    return max(float(steps), 1.0) * _STEP_WEIGHT


def parse_preview(message: bytes) -> tuple[dict[str, Any], bytes] | None:
    """Metadata (empty in the old form) and image of a binary message; None for other binary events."""
    if len(message) < 8:
        return None
    event, second = struct.unpack(">II", message[:8])
    if event == _PREVIEW:
        return {}, message[8:]
    if event != _PREVIEW_WITH_METADATA:
        return None
    try:
        metadata = json.loads(message[8 : 8 + second])
    except ValueError:
        return None
    return (metadata, message[8 + second :]) if isinstance(metadata, dict) else None


def as_jpeg(image: bytes) -> bytes | None:
    """The preview as JPEG, whatever it came as; None when it is not a picture."""
    if image.startswith(b"\xff\xd8"):
        return image
    try:
        with Image.open(io.BytesIO(image)) as opened:
            out = io.BytesIO()
            opened.convert("RGB").save(out, "JPEG", quality=85)
            return out.getvalue()
    except (OSError, ValueError, Image.DecompressionBombError):
        return None
