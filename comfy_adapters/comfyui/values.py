"""From a job's parameters to the values of a graph's slots."""

import hashlib
import re
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _

from aipipeline.media.probe import ProbeError, probe
from comfy_adapters.comfyui.convert import source_length
from comfy_adapters.comfyui.errors import ComfyError
from comfy_adapters.comfyui.graphs import SEEDS, Graph, Slots, role_of
from comfy_adapters.comfyui.literal import literal
from comfy_adapters.comfyui.pictures import size_of

# Set here under their own rules; every other slot may be given as a parameter of the job under its own name.
_OWN_SLOTS = frozenset({"positive_prompt", "negative_prompt", "seed", "length", "fps", "filename_prefix"})
_FACTOR = re.compile(r"(?<!\d)(\d{1,2})x(?!\d)|x(\d{1,2})(?!\d)", re.IGNORECASE)
_MOST_FPS = 120.0  # of CreateVideo
_MOST_SCALE = 8.0  # of ImageScaleBy


def slot_values(graph: Graph, slots: Slots, params: Mapping[str, Any], *, prefix: str, job_id: str) -> dict[str, Any]:
    """What `graphs.fill` takes. `prefix` names the server's output file.

    A slot without a value keeps what the graph has, tuned to its model. ComfyError on a value of the wrong kind.
    """
    values: dict[str, Any] = {}
    for name in slots.targets:
        if name in _OWN_SLOTS or params.get(name) in (None, ""):
            continue
        values[name] = _as_in_graph(graph, slots, name, params[name])
    values |= _split(graph, slots, values)
    values["positive_prompt"] = str(params.get("prompt") or "")
    values["negative_prompt"] = str(params.get("negative_prompt") or "")
    if not values["negative_prompt"]:
        del values["negative_prompt"]
    values |= literal(graph, slots, values)
    values["seed"] = seed_of(params.get("seed"), job_id)
    rate = slots.constraints.rate(shot_fps(params))
    values["length"] = source_length(int(params.get("frames") or 1), shot_fps(params), rate)
    if slots.constraints.fps:
        values["fps"] = float(rate)
    values["filename_prefix"] = prefix
    return {name: value for name, value in values.items() if name in slots.targets}


def _split(graph: Graph, slots: Slots, values: Mapping[str, Any]) -> dict[str, Any]:
    """Where the second expert begins when a job asks for other steps than the graph has: at the same part of them.

    Past the last step the node of the second expert hands back what it got, in silence.
    """
    if not {"steps", "split_step"} <= set(slots.targets) or not {"steps", "split_step"} & set(values):
        return {}
    written = {name: _written(graph, slots, name) for name in ("steps", "split_step")}
    steps = values.get("steps", written["steps"])
    if not all(isinstance(number, int) and number > 0 for number in (*written.values(), steps)):
        return {}
    if "split_step" not in values:
        split = round(Fraction(steps * written["split_step"], written["steps"]))
        return {"split_step": min(max(split, 1), max(steps - 1, 0))}
    if values["split_step"] > steps:
        text = _("split_step is %(split)s, and there are only %(steps)s steps: the second model would do nothing.")
        facts = {"split": values["split_step"], "steps": steps}
        raise ComfyError(text % facts, kind="refused", retryable=False)
    return {}


def shot_fps(params: Mapping[str, Any]) -> Fraction:
    """The project's rate; stills have none, 1 stands for it."""
    return Fraction(str(params.get("fps") or 1))


def of_source(slots: Slots, params: Mapping[str, Any], files: Mapping[str, Path]) -> dict[str, Any]:
    """Values that follow from the clip or picture that is worked on: how often to interpolate, how far to enlarge.

    Only for slots that the job does not set itself.
    """
    path = next((path for role, path in files.items() if _uploads(slots, role)), None)
    if path is None or not {"multiplier", "post_scale", "fps"} & set(slots.targets):
        return {}
    try:
        facts = probe(path)
    except ProbeError:
        return {}  # the upload refuses it with its name
    found: dict[str, Any] = {}
    multiplier = params.get("multiplier")
    if "multiplier" in slots.targets and facts.fps:
        if multiplier in (None, ""):
            found["multiplier"] = multiplier = max(2, -(-shot_fps(params) // facts.fps))
        if "fps" in slots.targets:
            rate = float(facts.fps * int(multiplier or 2))
            # Of a clip that goes in pieces the frames are taken and numbered anew: any rate does that the node takes.
            found["fps"] = min(rate, _MOST_FPS) if role_of(slots) else rate
    if "post_scale" in slots.targets:
        size = size_of(path) if facts.kind == "image" else (facts.width, facts.height)
        factor = _factor(slots, params)
        scale = _post_scale(params, size, factor)
        if scale and slots.output_kind == "video":
            found["post_scale"] = _even_scale(scale, size[0] * factor, size[1] * factor)
        elif scale and params.get("post_scale") in (None, ""):
            found["post_scale"] = scale
    return found


def _post_scale(params: Mapping[str, Any], size: tuple[int, int], factor: int) -> float | None:
    """What the job asks for, else what brings the enlarged picture to the job's size; None where it has none."""
    if params.get("post_scale") not in (None, ""):
        return float(params["post_scale"])
    if not params.get("width"):
        return None
    wanted = max(int(params["width"]) / size[0], int(params["height"]) / size[1])
    return min(max(round(wanted / factor, 4), 0.01), _MOST_SCALE)


def _even_scale(scale: float, width: int, height: int) -> float:
    """The next scale at which both sides come out even: the server's encoder takes no others, and does not round."""
    up = (round(scale + step / 10_000, 4) for step in range(2_000))
    down = (round(scale - step / 10_000, 4) for step in range(2_000))
    for found in (*(one for one in up if one <= _MOST_SCALE), *(one for one in down if one >= 0.01)):
        if all(round(side * found) >= 2 and round(side * found) % 2 == 0 for side in (width, height)):
            return found
    return scale


def _uploads(slots: Slots, role: str) -> bool:
    return any(target.upload for target in slots.targets.get(role, ()))


def _factor(slots: Slots, params: Mapping[str, Any]) -> int:
    """How much an upscale model enlarges, which only its name says; nearly all do it four times."""
    name = str(params.get("model") or next((m.file for m in slots.models if m.folder == "upscale_models"), ""))
    found = _FACTOR.search(name.replace("\\", "/").rpartition("/")[2])
    factor = int(found.group(1) or found.group(2)) if found else 4
    return factor if factor in (1, 2, 3, 4, 6, 8, 16) else 4


def _as_in_graph(graph: Graph, slots: Slots, name: str, value: Any) -> Any:
    """A number that a form sent as text becomes one where the graph has a number."""
    written = _written(graph, slots, name)
    if isinstance(written, bool) or not isinstance(written, int | float) or not isinstance(value, str):
        return value
    try:
        return int(value) if isinstance(written, int) else float(value)
    except ValueError:
        text = _("%(name)s is “%(value)s”, a number is needed.")
        raise ComfyError(text % {"name": name, "value": value}, kind="refused", retryable=False) from None


def _written(graph: Graph, slots: Slots, name: str) -> Any:
    """What the graph itself has in a slot's place."""
    target = slots.targets[name][0]
    return graph.nodes[target.node]["inputs"][target.input]


def seed_of(value: Any, job_id: str) -> int:
    """The job's seed in the range of ComfyUI; a job without one gets its own, the same on every attempt."""
    if value in (None, ""):
        return int.from_bytes(hashlib.sha256(job_id.encode()).digest()[:6], "big")
    return int(value) % SEEDS


def plain(text: str) -> str:
    """Letters and digits only: the server expands percent signs in a file prefix and splits it at slashes."""
    return "".join(char for char in text if char.isascii() and char.isalnum())
