"""What a graph is as a whole: its output, family, models, lattice, and what it needs of a server."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from django.utils.translation import gettext as _

from comfy_adapters.comfyui import graphs
from comfy_adapters.own import tables
from comfy_adapters.own.finds import Finds
from comfy_adapters.own.sampling import model_loaders, samplers
from comfy_adapters.own.tracing import Tracer

FAMILIES = ("flux", "sd", "qwen", "edit", "wan", "ltx", "none")
VRAM = {"flux": 16, "sd": 8, "qwen": 24, "edit": 24, "wan": 24, "ltx": 48, "none": 8}
LATTICE: dict[str, dict[str, int]] = {
    "flux": {"size_multiple": 16, "max_pixels": 2097152},
    "sd": {"size_multiple": 8, "max_pixels": 1048576},
    "qwen": {"size_multiple": 16, "max_pixels": 2097152},
    "edit": {"size_multiple": 16, "max_pixels": 1048576},
    "wan": {"size_multiple": 16, "max_pixels": 921600, "length_step": 4, "fps": 16},
    "ltx": {"size_multiple": 32, "max_pixels": 2097152, "length_step": 8, "fps": 24},
    "none": {},
}
_KINDS = {"mask_image": "mask", "control_image": "layout", "style_image": "reference", "reference_image": "reference",
          "reference_image_2": "reference"}  # fmt: skip


def describe(
    tracer: Tracer, finds: Finds, *, title: str, schema: Mapping[str, Any] | None
) -> tuple[dict[str, Any], list[str]]:
    """The whole `about` and what people should know about it."""
    warnings: list[str] = []
    node, kind = output_of(tracer, schema)
    if not node:
        warnings.append(_("No node saves a picture or a clip. Add a Save Image or Save Video node and export again."))
    family, made = family_of(tracer), bool(samplers(tracer))
    video = kind == "video"
    makes, step = ("render", "render") if video else ("previz", "first_image")
    if video and not made:
        makes, step = "comp", "post"
    if made and not finds.has("positive_prompt"):
        warnings.append(_("No prompt was found. Choose its input below, or the shot's text goes nowhere."))
    if made and not finds.has("seed"):
        warnings.append(_("No seed was found: every render of a shot would be the same."))
    if video and made and not finds.has("length"):
        warnings.append(_("No length was found: every clip has as many frames as the workflow says."))
    slots = {slot: [find.as_target() for find in rows] for slot, rows in finds.by_slot().items()}
    about = {
        "name": "",
        "version": "1",
        "title": title,
        "family": family,
        "makes": makes,
        "step": step,
        "vram_gb": _vram(tracer, finds, family),
        "min_comfyui": _oldest(tracer),
        "custom_nodes": packs_of(tracer, schema),
        "constraints": _constraints(tracer, finds, family, video),
        "inputs": inputs_for(slots, makes=makes),
        "output": {"node": node, "kind": kind},
        "models": models_of(tracer),
        "lora_chain": _lora_chain(tracer),
        "slots": slots,
    }
    return about, warnings


def outputs_of(tracer: Tracer, schema: Mapping[str, Any] | None) -> list[tuple[str, str]]:
    """(node, image or video) of every node that saves a result, the likeliest first."""
    found = []
    for key in tracer.nodes:
        kind = tracer.kind(key)
        told = (schema or {}).get(kind)
        saves = bool(told.get("output_node")) if isinstance(told, Mapping) else None
        known = kind in tables.VIDEO_OUTPUTS or kind in tables.IMAGE_OUTPUTS
        side = kind in tables.SIDE_OUTPUTS
        looks = "filename_prefix" in tracer.inputs(key) and not tracer.down.get(key)
        if known or saves or side or (saves is None and looks):
            video = kind in tables.VIDEO_OUTPUTS or (not known and "video" in kind.lower())
            rank = (side, not known, not looks)
            found.append((rank, key, "video" if video else "image"))
    # Of equals the later one: people save in between and at the end.
    order = {key: place for place, key in enumerate(tracer.nodes)}
    found.sort(key=lambda row: (row[0], row[2] != "video", -order[row[1]]))
    return [(key, kind) for _rank, key, kind in found]


def output_of(tracer: Tracer, schema: Mapping[str, Any] | None) -> tuple[str, str]:
    """The node that saves the result, "" when there is none, and what it saves."""
    found = outputs_of(tracer, schema)
    return found[0] if found else ("", "image")


def family_of(tracer: Tracer) -> str:
    """The dialect of prompts that the model reads, by classes, encoder types and names of model files."""
    if not samplers(tracer):
        return "none"
    kinds = " ".join(tracer.kind(key) for key in tracer.nodes)
    names = " ".join(
        value.lower()
        for key in tracer.nodes
        for name, value in tracer.inputs(key).items()
        if isinstance(value, str) and tables.folder_of(tracer.kind(key), name, value) not in (None, "loras")
    )
    types = {str(tracer.inputs(key).get("type", "")).lower() for key in tracer.nodes}
    if "TeleStyle" in kinds:
        return "none"
    if "QwenImageEdit" in kinds or "InstructPixToPix" in kinds or "kontext" in names:
        return "edit"
    if "LTXV" in kinds or "ltxv" in types or "ltx" in names:
        return "ltx"
    if "Wan" in kinds or "wan" in types or "wan2" in names:
        return "wan"
    if "qwen_image" in types or "qwen" in names:
        return "qwen"
    if "flux" in types or "flux" in names or "Flux" in kinds:
        return "flux"
    return "sd"


def packs_of(tracer: Tracer, schema: Mapping[str, Any] | None) -> list[str]:
    """Packs that the nodes come from: a server says in which folder it has a class; else by their names."""
    found: list[str] = []
    for key in tracer.nodes:
        kind = tracer.kind(key)
        told = (schema or {}).get(kind)
        module = str(told.get("python_module", "")) if isinstance(told, Mapping) else ""
        named = next((pack for pattern, pack in tables.PACKS if pattern.search(kind)), "")
        pack = named or (module.removeprefix("custom_nodes.") if module.startswith("custom_nodes.") else "")
        if pack and pack not in found and not module.startswith(("nodes", "comfy_extras")):
            found.append(pack)
    return found


def models_of(tracer: Tracer) -> list[dict[str, Any]]:
    """Every model file that the graph names, in the order of its nodes."""
    found = []
    for key in tracer.nodes:
        for name, value in tracer.inputs(key).items():
            folder = tables.folder_of(tracer.kind(key), name, value)
            if isinstance(value, str) and value and folder:
                source = known_sources().get((folder, value.replace("\\", "/").rpartition("/")[2]), "")
                found.append({"folder": folder, "file": value, "source": source, "node": key, "input": name})
    return found


@cache
def known_sources() -> dict[tuple[str, str], str]:
    """Where the files of the built-in graphs come from, by folder and name."""
    return {
        (model.folder, model.file): model.source for name in graphs.names() for model in graphs.load(name)[1].models
    }


def inputs_for(slots: Mapping[str, Any], *, makes: str) -> list[dict[str, Any]]:
    """The files that a job must bring: one per slot that takes an upload."""
    found = []
    for slot, targets in slots.items():
        if not any(target.get("upload") for target in targets):
            continue
        kind = _KINDS.get(slot, "previz")
        if slot == "style_image" and makes == "render":
            kind = "previz"  # a clip takes its look from the shot's own picture
        if slot.endswith("_video"):
            kind = "render" if makes in ("comp", "final") else "playblast"
        row: dict[str, Any] = {"role": slot, "kind": kind, "required": True}
        if slot == "first_image" and makes == "render":
            row["also"] = {"clean_image": "clean.png"}
        found.append(row)
    return found


def _vram(tracer: Tracer, finds: Finds, family: str) -> int:
    """A guess by what models of the family need; people correct it, and the queue learns."""
    if family == "edit":  # it may be any family's model
        kinds = {tracer.kind(key) for key in tracer.nodes}
        family = "sd" if "InstructPixToPixConditioning" in kinds else "flux" if "FluxGuidance" in kinds else "edit"
    return 24 if family == "flux" and finds.has("control_strength") else VRAM[family]


def _oldest(tracer: Tracer) -> str:
    needed = [since for key in tracer.nodes for pattern, since in tables.SINCE if pattern.search(tracer.kind(key))]
    return max([tables.OLDEST, *needed], key=tables.release)


def _constraints(tracer: Tracer, finds: Finds, family: str, video: bool) -> dict[str, int]:
    found = dict(LATTICE[family])
    if not video:
        return {name: value for name, value in found.items() if name in ("size_multiple", "max_pixels")}
    if family == "ltx" and any(find.scale == 0.5 for find in finds.of("width")):
        found["size_multiple"] = 64
    rates = [tracer.inputs(find.node).get(find.input) for find in finds.of("fps")]
    if rates and isinstance(rates[0], int | float) and rates[0] == int(rates[0]) and finds.has("length"):
        found["fps"] = int(rates[0])  # the clip's length is counted at the workflow's own rate
    if any("Animate" in tracer.kind(key) for key in tracer.nodes):
        lengths = [tracer.inputs(find.node).get(find.input) for find in finds.of("length")]
        if lengths and isinstance(lengths[0], int):
            found["max_length"] = lengths[0]
    elif family == "wan" and finds.has("last_image"):
        found["good_length"] = 81  # what WAN was trained on; a chain cannot end with a picture
    return found


def _lora_chain(tracer: Tracer) -> dict[str, Any]:
    after = {chain: [keys[0], 0] for chain, keys in model_loaders(tracer).items() if keys}
    # What a pack's own loader gives may be anything but a model that LoRAs go onto.
    if not after or not all({"unet_name", "ckpt_name"} & set(tracer.inputs(str(link[0]))) for link in after.values()):
        return {}
    loader = str(next(iter(after.values()))[0])
    if list(after) == ["model"] and family_of(tracer) in ("sd", "edit") and "ckpt_name" in tracer.inputs(loader):
        # LoRAs of Stable Diffusion change the text encoder too, which comes from the same checkpoint.
        return {"class": "LoraLoader", "after": {"model": [loader, 0], "clip": [loader, 1]}}
    return {"class": "LoraLoaderModelOnly", "after": after}
