"""The correction page: a form with one line per slot's input, between a graph and its slot map."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.http import QueryDict
from django.utils.translation import gettext as _

from aipipeline.projects.checks import whole_number
from aipipeline.projects.errors import Invalid
from comfy_adapters.comfyui.graphs import Nodes
from comfy_adapters.own.bringing import evidence
from comfy_adapters.own.describe import outputs_of
from comfy_adapters.own.detect import Detected
from comfy_adapters.own.strict import is_link
from comfy_adapters.own.titles import SLOTS
from comfy_adapters.own.tracing import Tracer

LATTICE = ("size_multiple", "max_pixels", "length_step", "fps", "max_length")


@dataclass(frozen=True)
class Line:
    """One input of a slot as the page shows it."""

    slot: str
    place: str
    label: str
    value: str
    scale: str
    offset: str
    sure: str
    why: str


def lines_of(nodes: Nodes, about: Mapping[str, Any], detected: Detected) -> list[Line]:
    """The lines of the table, slots together."""
    tracer, told = Tracer(nodes), evidence(detected, about)
    found = []
    order = {name: place for place, name in enumerate(SLOTS)}
    # The database keeps no order of keys: the slots that everybody knows come first, then by name.
    for slot, targets in sorted(about["slots"].items(), key=lambda row: (order.get(row[0], len(order)), row[0])):
        for row, why in zip(targets, told[slot], strict=True):
            value = nodes[row["node"]]["inputs"][row["input"]]
            scale = row.get("scale", 1)
            found.append(
                Line(
                    slot=slot,
                    place=place_of(row),
                    label=f"{row['input']} · {tracer.named(row['node'])}",
                    value=shown(value),
                    scale="" if scale == 1 else f"{scale:g}",
                    offset=str(row.get("offset") or ""),
                    sure=why["sure"],
                    why=why["why"],
                )
            )
    return found


def place_of(row: Mapping[str, Any]) -> str:
    """An input of a node as the form names it: the JSON of [node, input], as the browser writes it too."""
    return json.dumps([row["node"], row["input"]], ensure_ascii=False, separators=(",", ":"))


def candidates(nodes: Nodes) -> list[dict[str, Any]]:
    """Every input that a slot could set, node by node: [{"label", "inputs": [[name, value, type]]}]."""
    tracer = Tracer(nodes)
    found = []
    for key, node in nodes.items():
        inputs = [
            [name, shown(value), _type(value)] for name, value in node["inputs"].items() if not isinstance(value, dict)
        ]
        if inputs:
            found.append({"node": key, "label": tracer.named(key), "inputs": inputs})
    return found


def output_choices(nodes: Nodes, schema: Mapping[str, Any] | None, chosen: str) -> list[tuple[str, str]]:
    """(node, name) of what may save the result; without any, every node that feeds no other."""
    tracer = Tracer(nodes)
    found = [key for key, _kind in outputs_of(tracer, schema)] or [key for key in nodes if not tracer.down.get(key)]
    if chosen and chosen not in found:
        found.append(chosen)
    return [(key, tracer.named(key)) for key in found]


def shown(value: Any) -> str:
    """A value in a few words."""
    if is_link(value):
        return f"← #{value[0]}"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 80 else f"{text[:77]}…"


def _type(value: Any) -> str:
    if isinstance(value, bool):
        return "switch"
    if isinstance(value, int | float):
        return "number"
    return "link" if is_link(value) else "text" if isinstance(value, str) else "other"


def changes_in(post: QueryDict, about: Mapping[str, Any], detected: Detected) -> dict[str, Any]:
    """What the form says, as keys of a slot map that are laid over `about`. Invalid by field where a number is none."""
    sources = dict(zip(post.getlist("model_place"), post.getlist("model_source"), strict=False))
    models = [{**row, "source": sources.get(place_of(row), row["source"])} for row in about["models"]]
    lattice = {name: _number(post, name) for name in LATTICE}
    # What the form does not show of the lattice stays (clips and their overlap, a range of rates).
    others = {name: value for name, value in about["constraints"].items() if name not in LATTICE}
    packs = [line for line in post.get("custom_nodes", "").splitlines() if line.strip()]
    return {
        "title": post.get("title", ""),
        "family": post.get("family", ""),
        "makes": post.get("makes", ""),
        "step": post.get("step", ""),
        "vram_gb": _number(post, "vram_gb"),
        "min_comfyui": post.get("min_comfyui", ""),
        "custom_nodes": packs,
        "constraints": {**others, **{name: value for name, value in lattice.items() if value}},
        "output": {"node": post.get("output_node", ""), "kind": post.get("output_kind", "")},
        "models": models,
        "lora_chain": (about["lora_chain"] or detected.about["lora_chain"]) if post.get("loras") else {},
        "slots": _slots(post, about),
    }


def _slots(post: QueryDict, about: Mapping[str, Any]) -> dict[str, list[dict[str, Any]]]:
    columns = [post.getlist(name) for name in ("slot", "place", "scale", "offset")]
    if len({len(column) for column in columns}) != 1:
        raise _wrong(_("The table of slots arrived in pieces. Load the page again."))
    uploads = {
        (slot, row["node"], row["input"]): row.get("upload", False)
        for slot, rows in about["slots"].items()
        for row in rows
    }
    found: dict[str, list[dict[str, Any]]] = {}
    for slot, place, scale, offset in zip(*columns, strict=True):
        if not slot.strip() and not place:
            continue  # a line that was added and left empty
        node, name = _place(slot, place)
        row: dict[str, Any] = {"node": node, "input": name}
        if (known := uploads.get((slot.strip(), node, name))) is not None:
            row["upload"] = known
        if scale.strip():
            row["scale"] = _decimal(scale, slot)
        if offset.strip():
            row["offset"] = whole_number(offset)
        found.setdefault(slot.strip().lower(), []).append(row)
    return found


def _place(slot: str, place: str) -> tuple[str, str]:
    try:
        node, name = json.loads(place or "null")
    except (ValueError, TypeError, RecursionError):
        raise _wrong(_("Slot %(slot)s: choose the input that it goes into.") % {"slot": slot[:60] or "–"}) from None
    return str(node), str(name)


def _decimal(text: str, slot: str) -> float:
    try:
        return float(text.replace(",", "."))
    except ValueError:
        raise _wrong(_("Slot %(slot)s: the factor is no number.") % {"slot": slot[:60]}) from None


def _number(post: QueryDict, name: str) -> int:
    text = post.get(name, "").strip()
    number = whole_number(text) if text else 0
    if number is None:
        told = _("%(name)s: a whole number is needed.") % {"name": name}
        raise Invalid(told, fields={name: [_("not a number")]})
    return number


def _wrong(text: str) -> Invalid:
    return Invalid(text, fields={"slots": [_("not accepted")]})
