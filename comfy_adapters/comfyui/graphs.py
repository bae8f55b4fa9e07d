"""Graphs are files: `<name>.json` in ComfyUI's API format and `<name>.slots.json`, which says what goes where.

The slots file names the graph's version, the inputs that a job may set (`slots`), the model files, the lattice that
the model works on (`constraints`) and the node that saves the result. Node ids are opaque strings.
"""

import copy
import hashlib
import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any, Literal

from django.utils.translation import gettext as _

from comfy_adapters.comfyui.continuing import Continues, continues_of
from comfy_adapters.comfyui.errors import ComfyError

FOLDER = Path(__file__).resolve().parent.parent / "graphs"

FIRST = "first_image"  # the role of the picture that a clip begins with

PREFIX = "filename_prefix"  # the slot that names what a server saves
OURS = "aip"  # the folder for it among the server's outputs
MOST_FOLDERS = 6
_NOT_PLAIN = re.compile(r"[^\w .()+-]")
BEFORE = "before"  # the role of what the clip before ended with, where a graph takes that besides
SEEDS = 2**64  # how many there are; each clip of a chain has the next one

Nodes = dict[str, dict[str, Any]]


@dataclass(frozen=True)
class Target:
    """One input of one node. `upload`: its value is the name of an uploaded file.

    A number is multiplied by `scale` (a first stage at half the size), and `offset` is added (each clip of a chain
    has a seed of its own).
    """

    node: str
    input: str
    upload: bool = False
    scale: float = 1.0
    offset: int = 0

    def value(self, given: Any) -> Any:
        """What is written into the input for a slot's value."""
        if isinstance(given, bool) or not isinstance(given, int | float):
            return given
        scaled = given * self.scale if self.scale != 1.0 else given
        return type(given)(scaled) + self.offset


@dataclass(frozen=True)
class ModelFile:
    """A model file that the graph loads: its folder under `models/`, where to get it, and the input naming it."""

    folder: str
    file: str
    source: str
    target: Target


@dataclass(frozen=True)
class Constraints:
    """What the model can make: sizes are multiples, lengths are `length_step`·n + 1, `fps` is its own rate.

    A model that is told the rate takes any from `fps_from` to `fps_to`; 0: only its own.
    `max_pixels` and `max_length` (0: no limit) are the largest picture and the longest clip that it makes. Clips longer
    than `good_length` (0: all are good) go, but are worse than what it was trained on (`longer`). A graph that makes a
    long shot of several `clips` joins them where `overlap` frames of one are also in the next.
    """

    size_multiple: int = 1
    max_pixels: int = 0
    length_step: int = 0
    fps: int = 0
    max_length: int = 0
    good_length: int = 0
    clips: int = 1
    overlap: int = 0
    fps_from: int = 0
    fps_to: int = 0

    def rate(self, fps: Fraction) -> Fraction:
        """Frames per second that the model makes for a shot at `fps`, so that as few as possible are put in between."""
        if self.fps_to:
            for parts in (1, 2, 3):
                if self.fps_from <= fps / parts <= self.fps_to:
                    return fps / parts
        return Fraction(self.fps) if self.fps else fps

    def joined(self, length: int) -> int:
        """Frames of the whole shot when each of its clips has `length`."""
        return length * self.clips - self.overlap * (self.clips - 1)


@dataclass(frozen=True)
class Slots:
    """The map from slot names to node inputs, and what goes with it.

    `family` is the dialect that the model reads: flux, qwen, edit, wan, ltx, sd, or none where it takes no prompt.
    `inputs` are the files that a job brings, as `renders.services.workflows.Declaration` has them. `lora_chain` says
    where LoRAs go in: {"class": "LoraLoaderModelOnly", "after": {"<chain>": [node, slot]}}, with one chain for each
    model that the graph samples with ("high" and "low" for the two experts of WAN 2.2), or {"class": "LoraLoader",
    "after": {"model": [node, slot], "clip": [node, slot]}} where they also change the text encoder; {}: it takes none.
    `continues` is read from the graph: its model takes the first picture for what somebody looks like.
    """

    targets: Mapping[str, tuple[Target, ...]]
    models: tuple[ModelFile, ...]
    constraints: Constraints
    output_node: str
    output_kind: Literal["image", "video"]
    min_comfyui: str
    title: str = ""
    family: str = "none"
    makes: str = ""
    step: str = ""
    vram_gb: int = 0
    inputs: tuple[Mapping[str, Any], ...] = ()
    custom_nodes: tuple[str, ...] = ()
    lora_chain: Mapping[str, Any] = field(default_factory=dict)
    continues: Continues | None = None

    @property
    def can_chain(self) -> bool:
        """Whether a clip of this graph can begin where another ended: from a first image, with no last one."""
        roles = {name for name, targets in self.targets.items() if any(target.upload for target in targets)}
        timed = self.output_kind == "video" and "length" in self.targets and self.constraints.clips == 1
        return timed and FIRST in roles and roles <= {FIRST, "reference_video"} and self.constraints.max_length > 1


@dataclass(frozen=True)
class Graph:
    """An API-format graph with its name and version."""

    name: str
    version: str
    nodes: Nodes

    @property
    def hash(self) -> str:
        return graph_hash(self.nodes)

    @property
    def titles(self) -> dict[str, str]:
        """The name that a person gave each node, by id."""
        return titles(self.nodes)


@dataclass(frozen=True)
class Filled:
    """A graph ready to be sent. `snapped`: slot -> (asked for, used), where the model's lattice moved a value."""

    prompt: Nodes
    snapped: Mapping[str, tuple[int, int]]


def titles(nodes: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """Node titles by id, the class name where there is none."""
    return {
        key: str((node.get("_meta") or {}).get("title") or node.get("class_type", "")) for key, node in nodes.items()
    }


def graph_hash(nodes: Mapping[str, Any]) -> str:
    """SHA-256 over canonical JSON: the same graph gives the same hash whatever the order of its keys."""
    text = json.dumps(nodes, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def is_ui_format(document: Any) -> bool:
    """True for a workflow as the ComfyUI editor saves it, which a server cannot run."""
    return isinstance(document, Mapping) and isinstance(document.get("nodes"), list)


@cache
def names() -> tuple[str, ...]:
    """Every workflow that has a graph and a slot map."""
    return tuple(sorted(path.name.removesuffix(".slots.json") for path in FOLDER.glob("*.slots.json")))


@cache
def load(name: str) -> tuple[Graph, Slots]:
    """The graph and slots of that name. ComfyError when the files are not there or do not fit each other."""
    found = document(name)
    return parse(name, str(found["number"]), found["nodes"], found["about"])


def document(name: str) -> dict[str, Any]:
    """The files of that name in the shape of `JobContext.graph`. ComfyError when they are not there."""
    try:
        nodes = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
        about = json.loads((FOLDER / f"{name}.slots.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ComfyError(_("There is no ComfyUI workflow named %(name)s.") % {"name": name}, retryable=False) from None
    return {"number": about["version"], "nodes": nodes, "about": about}


def parse(name: str, version: str, nodes: Nodes, about: Mapping[str, Any]) -> tuple[Graph, Slots]:
    """The graph and slots of a document and its slot map. ComfyError when they do not fit each other."""
    try:
        slots = _slots(about)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        text = _("The slot map of the workflow %(name)s is damaged (%(reason)s). Bring the workflow again.")
        reason = f"{type(error).__name__}: {error}"
        raise ComfyError(text % {"name": name, "reason": reason}, kind="refused", retryable=False) from error
    for slot, targets in slots.targets.items():
        for target in targets:
            if target.input not in nodes.get(target.node, {}).get("inputs", {}):
                text = _("%(name)s: the slot %(slot)s names %(node)s.%(input)s, which is not in the graph.")
                facts = {"name": name, "slot": slot, "node": target.node, "input": target.input}
                raise ComfyError(text % facts, kind="refused", retryable=False)
    return Graph(name, version, nodes), replace(slots, continues=continues_of(nodes))


def of_job(workflow: str, graph: Mapping[str, Any] | None) -> tuple[Graph, Slots]:
    """What a job runs: the graph that people brought where there is one (as in `JobContext.graph`), else the file."""
    name = workflow.partition(".")[2]
    if graph is None:
        return load(name)
    return parse(name, str(graph["number"]), graph["nodes"], graph["about"])


def _slots(about: Mapping[str, Any]) -> Slots:
    return Slots(
        targets={name: tuple(Target(**entry) for entry in entries) for name, entries in about["slots"].items()},
        models=tuple(
            ModelFile(row["folder"], row["file"], row["source"], Target(row["node"], row["input"]))
            for row in about["models"]
        ),
        constraints=Constraints(**about["constraints"]),
        output_node=about["output"]["node"],
        output_kind=about["output"]["kind"],
        min_comfyui=about["min_comfyui"],
        title=about["title"],
        family=about["family"],
        makes=about["makes"],
        step=about["step"],
        vram_gb=about["vram_gb"],
        inputs=tuple(about["inputs"]),
        custom_nodes=tuple(about["custom_nodes"]),
        lora_chain=about["lora_chain"],
    )


def role_of(slots: Slots) -> str:
    """The role of the clip that a graph works on frame by frame; "" for graphs that make something of their own."""
    uploads = [role for role, targets in slots.targets.items() if any(target.upload for target in targets)]
    tells = {"length", "seed", "positive_prompt"} & set(slots.targets)
    return uploads[0] if len(uploads) == 1 and slots.output_kind == "video" and not tells else ""


def snap_size(width: int, height: int, constraints: Constraints) -> tuple[int, int]:
    """The size that the model makes for a wanted one: scaled down to its limit, each side up to its multiple."""
    scale = 1.0
    if constraints.max_pixels and width * height > constraints.max_pixels:
        scale = math.sqrt(constraints.max_pixels / (width * height))
    step = constraints.size_multiple
    # The small allowance keeps 1280.0000001, a product of the root above, from becoming 1296.
    sides = (max(step, math.ceil(side * scale / step - 1e-6) * step) for side in (width, height))
    snapped_width, snapped_height = sides
    return snapped_width, snapped_height


def snap_length(frames: int, constraints: Constraints) -> int:
    """The next length of a clip that the model makes: `length_step`·n + 1, never shorter than asked for.

    Where a shot is made of several clips, the length that each of them needs. ComfyError when the shot is longer than
    the model is made for.
    """
    clips, overlap, step = constraints.clips, constraints.overlap, constraints.length_step
    wanted = max(1, frames)
    if clips > 1:
        wanted = max(math.ceil((wanted + overlap * (clips - 1)) / clips), overlap + 1)
    length = math.ceil((wanted - 1) / step) * step + 1 if step else wanted
    if constraints.max_length and length > constraints.max_length:
        raise _too_long(frames, constraints)
    return length


def longer(frames: int, constraints: Constraints) -> str:
    """What is to be known of a clip of so many frames, in words; "" for one that the model was trained for.

    Of what it does not make at all `snap_length` speaks.
    """
    good = constraints.good_length
    if not good or not good < frames <= (constraints.max_length or frames):
        return ""
    text = _(
        "The shot needs %(frames)d frames of this model, which was trained on %(good)d (%(seconds)s seconds): what is"
        " longer may stand still or go back in its middle. Divide the shot, or render it from its first image alone."
    )
    seconds = round(good / constraints.fps, 1) if constraints.fps else "–"
    return text % {"frames": frames, "good": good, "seconds": seconds}


def _too_long(frames: int, constraints: Constraints) -> ComfyError:
    most = constraints.joined(constraints.max_length)
    facts: dict[str, Any] = {"frames": frames, "most": most}
    text = _("The shot needs %(frames)d frames of this model, which makes at most %(most)d.")
    if constraints.fps:
        facts |= {"fps": constraints.fps, "seconds": round(most / constraints.fps, 1)}
        text += " " + _("At its %(fps)d frames per second that is %(seconds)s seconds.")
    text += " " + _("Shorten the shot, divide it into two, or choose a workflow for long shots.")
    return ComfyError(text % facts, kind="refused", retryable=False)


def fill(graph: Graph, slots: Slots, params: Mapping[str, Any]) -> Filled:
    """A copy of the graph with every input of each named slot set, sizes and lengths moved to the model's lattice.

    ComfyError on a slot that the graph does not have: a typing error must not render something else in silence.
    """
    unknown = sorted(set(params) - set(slots.targets))
    if unknown:
        text = _("The workflow %(name)s has no input %(unknown)s. It has: %(known)s.")
        facts = {"name": graph.name, "unknown": ", ".join(unknown), "known": ", ".join(sorted(slots.targets))}
        raise ComfyError(text % facts, kind="refused", retryable=False)
    values, snapped = dict(params), {}
    if "width" in values and "height" in values:
        wanted = int(values["width"]), int(values["height"])
        used = snap_size(*wanted, slots.constraints)
        for name, before, after in zip(("width", "height"), wanted, used, strict=True):
            values[name] = after
            if before != after:
                snapped[name] = (before, after)
    if "length" in values:
        before = int(values["length"])
        values["length"] = snap_length(before, slots.constraints)
        made = slots.constraints.joined(values["length"])
        if made != before:
            snapped["length"] = (before, made)
    nodes = copy.deepcopy(graph.nodes)
    for name, value in values.items():
        for target in slots.targets[name]:
            inputs = nodes[target.node]["inputs"]
            if name == PREFIX and isinstance(value, str):
                inputs[target.input] = saved_below(value, inputs[target.input])
                continue
            # A rate goes to several nodes, and some take whole frames per second only.
            whole = name == "fps" and type(inputs[target.input]) is int
            given = round(value) if whole else target.value(value)
            inputs[target.input] = given % SEEDS if name == "seed" and isinstance(given, int) else given
    return Filled(nodes, snapped)


def saved_below(prefix: str, written: Any) -> str:
    """The job's own prefix, and below it the sub-folders and the name that the graph's author wrote.

    A server splits prefixes at slashes of both kinds, refuses those that lead out of its output folder, and expands
    what stands between percent signs: only plain names are kept. Prefixes of this studio are replaced whole.
    """
    parts = [_NOT_PLAIN.sub("", part).strip(" .") for part in re.split(r"[/\\]", str(written or ""))]
    own = parts[2:] if parts[0] == OURS else parts
    return "/".join([prefix, *(part[:40] for part in own if part)][:MOST_FOLDERS])


def as_sent(nodes: Mapping[str, Any]) -> Nodes:
    """What a server was told of each node. It writes its own notes beside that into the graph that it keeps
    (`is_changed`), and NaN is among them, which no database takes."""
    return {
        str(key): {name: node[name] for name in ("class_type", "inputs", "_meta") if name in node}
        for key, node in nodes.items()
        if isinstance(node, Mapping)
    }


def as_it_was(nodes: Mapping[str, Any], slots: Slots, prefix: str) -> Nodes:
    """A filled graph of before, to be run again: only its result's name is another.

    ComfyError when the slot map, which says where files go in and come out, is none of this graph any more.
    """
    found = copy.deepcopy(as_sent(nodes))
    for name, targets in slots.targets.items():
        for target in targets:
            if name != PREFIX and not target.upload:
                continue
            inputs = (found.get(target.node) or {}).get("inputs")
            if not isinstance(inputs, dict) or target.input not in inputs:
                text = _("The workflow has changed: its input %(name)s was elsewhere then. It cannot be made again.")
                raise ComfyError(text % {"name": name}, kind="refused", retryable=False)
            if name == PREFIX:
                inputs[target.input] = saved_below(prefix, inputs[target.input])
    return found
