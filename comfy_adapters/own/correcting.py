"""What people say of a brought graph, checked against it: the result is a whole slot map, or a refusal by field."""

import math
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from django.utils.translation import gettext as _

from aipipeline.projects.errors import Invalid
from comfy_adapters.comfyui.graphs import Constraints, Nodes, Target
from comfy_adapters.own.describe import FAMILIES, inputs_for
from comfy_adapters.own.detect import Detected
from comfy_adapters.own.strict import is_link
from comfy_adapters.own.tables import release
from comfy_adapters.own.titles import SLOT_NAME, UPLOADED
from renders.models import VersionKind
from shots.models import Step

EDITABLE = (
    "title", "family", "makes", "step", "vram_gb", "min_comfyui", "custom_nodes", "constraints", "output", "models",
    "lora_chain", "slots",
)  # fmt: skip
MAX_SLOTS = 120
MAX_TARGETS = 60
MAX_LINES = 200


def corrected(nodes: Nodes, about: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """`about` with these of its keys replaced, whole and checked; the inputs of jobs follow from the slots.

    Invalid by field. `about` is what detection or an earlier version said.
    """
    if unknown := [name for name in changes if name not in EDITABLE]:
        raise _wrong(unknown[0], _("Unknown or read-only fields: %(names)s.") % {"names": ", ".join(unknown)})
    found = {**about, **changes}
    makes = _choice(found, "makes", VersionKind.values)
    step = _choice(found, "step", ["", *Step.values])
    slots = _slots(nodes, found["slots"])
    kinds = {row["role"]: row for row in about.get("inputs") or () if isinstance(row, Mapping)}
    same = makes == about.get("makes")
    return {
        "name": str(about.get("name") or ""),
        "version": "1",
        "title": _text(found, "title", limit=160) or _("Workflow without a name"),
        "family": _choice(found, "family", FAMILIES),
        "makes": makes,
        "step": step,
        "vram_gb": _number(found["vram_gb"], "vram_gb", low=0, high=1024),
        "min_comfyui": _text(found, "min_comfyui", limit=20),
        "custom_nodes": _lines(found["custom_nodes"]),
        "constraints": _constraints(found["constraints"]),
        "inputs": [
            dict(kinds[row["role"]]) if same and row["role"] in kinds else row for row in inputs_for(slots, makes=makes)
        ],
        "output": _output(nodes, found["output"]),
        "models": _models(nodes, found["models"]),
        "lora_chain": _lora_chain(nodes, found["lora_chain"]),
        "slots": slots,
    }


def carried_over(about: Mapping[str, Any], nodes: Nodes, detected: Detected) -> dict[str, Any]:
    """What was said of an older graph, for a newer one: every part that still fits; what does not is as detected."""
    slots: dict[str, list[dict[str, Any]]] = {}
    for slot, targets in about["slots"].items():
        if kept := [dict(row) for row in targets if row["input"] in nodes.get(row["node"], {}).get("inputs", {})]:
            slots[slot] = kept
    taken = {(row["node"], row["input"]) for rows in slots.values() for row in rows}
    for slot, targets in detected.about["slots"].items():
        free = [row for row in targets if (row["node"], row["input"]) not in taken]
        if slot not in slots and free:
            slots[slot] = free
    output = about["output"] if about["output"]["node"] in nodes else detected.about["output"]
    sources = {(row["folder"], row["file"]): row["source"] for row in about["models"]}
    models = [{**row, "source": sources.get((row["folder"], row["file"]), row["source"])}
              for row in detected.about["models"]]  # fmt: skip
    stays = {name: about[name] for name in ("title", "family", "makes", "step", "vram_gb", "constraints")}
    changes = {**stays, "slots": slots, "output": output, "models": models}
    if not about["lora_chain"]:  # somebody said that it takes none
        changes["lora_chain"] = {}
    changes["min_comfyui"] = max(about["min_comfyui"], detected.about["min_comfyui"], key=release)
    changes["custom_nodes"] = list(dict.fromkeys([*about["custom_nodes"], *detected.about["custom_nodes"]]))
    return corrected(nodes, {**detected.about, "inputs": about["inputs"]}, changes)


def _slots(nodes: Nodes, given: Any) -> dict[str, list[dict[str, Any]]]:
    if not isinstance(given, Mapping) or len(given) > MAX_SLOTS:
        raise _wrong("slots", _("slots: an object of at most %(limit)d slots is needed.") % {"limit": MAX_SLOTS})
    found: dict[str, list[dict[str, Any]]] = {}
    owner: dict[tuple[str, str], str] = {}
    for slot, targets in given.items():
        if not SLOT_NAME.match(str(slot)):
            text = _("The slot name “%(slot)s” must be small letters, digits and underscores, a letter first.")
            raise _wrong("slots", text % {"slot": str(slot)[:60]})
        if not isinstance(targets, list) or not targets or len(targets) > MAX_TARGETS:
            raise _wrong("slots", _("Slot %(slot)s: a list of inputs is needed.") % {"slot": slot})
        found[slot] = [_target(nodes, slot, row) for row in targets]
        for row in found[slot]:
            place = (row["node"], row["input"])
            if place in owner:
                text = _("Node %(node)s, %(input)s belongs to two slots, %(one)s and %(other)s. Take it out of one.")
                facts = {"node": place[0], "input": place[1], "one": owner[place], "other": slot}
                raise _wrong("slots", text % facts)
            owner[place] = slot
    return found


def _target(nodes: Nodes, slot: str, row: Any) -> dict[str, Any]:
    known = {field.name for field in fields(Target)}
    if not isinstance(row, Mapping) or not {"node", "input"} <= set(row) <= known:
        text = _(
            "Slot %(slot)s: every input is {“node”, “input”}, with upload, scale and offset where they are needed."
        )
        raise _wrong("slots", text % {"slot": slot})
    node, name = str(row["node"]), str(row["input"])
    inputs = nodes.get(node, {}).get("inputs", {})
    facts = {"slot": slot, "node": node[:80], "input": name[:80]}
    if name not in inputs:
        raise _wrong("slots", _("Slot %(slot)s: node %(node)s has no input %(input)s.") % facts)
    if isinstance(inputs[name], dict):
        raise _wrong("slots", _("Slot %(slot)s: %(input)s of node %(node)s takes no single value.") % facts)
    target: dict[str, Any] = {"node": node, "input": name}
    upload = row.get("upload", bool(UPLOADED.search(slot)) and isinstance(inputs[name], str))
    scale, offset = row.get("scale", 1.0), row.get("offset", 0)
    if not isinstance(upload, bool):
        raise _wrong("slots", _("Slot %(slot)s: upload is true or false.") % facts)
    if isinstance(scale, bool) or not isinstance(scale, int | float) or not 0 < scale <= 64:
        raise _wrong("slots", _("Slot %(slot)s: scale is a number above 0, at most 64.") % facts)
    if isinstance(offset, bool) or not isinstance(offset, int) or not -(2**31) < offset < 2**31:
        raise _wrong("slots", _("Slot %(slot)s: offset is a whole number.") % facts)
    if upload:
        target["upload"] = True
    if scale != 1:
        target["scale"] = float(scale)
    if offset:
        target["offset"] = offset
    return target


def _output(nodes: Nodes, given: Any) -> dict[str, str]:
    node = str(given.get("node") or "") if isinstance(given, Mapping) else ""
    kind = given.get("kind") if isinstance(given, Mapping) else ""
    if node not in nodes:
        raise _wrong("output", _("Choose the node that saves the result."))
    if kind not in ("image", "video"):
        raise _wrong("output", _("The result is an image or a video."))
    return {"node": node, "kind": kind}


def _models(nodes: Nodes, given: Any) -> list[dict[str, str]]:
    if not isinstance(given, list) or len(given) > MAX_LINES:
        raise _wrong("models", _("models: a list of at most %(limit)d files is needed.") % {"limit": MAX_LINES})
    found = []
    for row in given:
        names = ("folder", "file", "source", "node", "input")
        if not isinstance(row, Mapping) or set(row) != set(names):
            raise _wrong("models", _("Every model has folder, file, source, node and input."))
        made = {name: _text(row, name, limit=400, field="models") for name in names}
        if made["input"] not in nodes.get(made["node"], {}).get("inputs", {}):
            text = _("Model %(file)s: node %(node)s has no input %(input)s.")
            raise _wrong("models", text % {name: made[name][:120] for name in ("file", "node", "input")})
        found.append(made)
    return found


def _lora_chain(nodes: Nodes, given: Any) -> dict[str, Any]:
    if given == {}:
        return {}
    after = given.get("after") if isinstance(given, Mapping) and set(given) == {"class", "after"} else None
    fits = isinstance(after, Mapping) and 0 < len(after) <= 4 and isinstance(given["class"], str)
    if not fits or not all(is_link(link) and link[0] in nodes for link in (after or {}).values()):
        text = _("lora_chain: {“class”, “after”: {chain: [node, output]}} with nodes of the graph, or {}, is needed.")
        raise _wrong("lora_chain", text)
    return {"class": given["class"][:80], "after": {str(k)[:20]: list(link) for k, link in (after or {}).items()}}


def _constraints(given: Any) -> dict[str, int]:
    known = [field.name for field in fields(Constraints)]
    if not isinstance(given, Mapping) or (set(given) - set(known)):
        raise _wrong("constraints", _("constraints may have: %(names)s.") % {"names": ", ".join(known)})
    found = {}
    for name, value in given.items():
        number = _number(value, "constraints", low=0, high=2**31)
        if number or name not in ("size_multiple", "clips"):
            found[name] = number
    return {name: value for name, value in found.items() if value}


def _lines(given: Any) -> list[str]:
    if not isinstance(given, list) or len(given) > MAX_LINES or not all(isinstance(row, str) for row in given):
        raise _wrong("custom_nodes", _("custom_nodes: a list of names is needed."))
    return [row.strip()[:200] for row in given if row.strip()]


def _text(found: Mapping[str, Any], name: str, *, limit: int, field: str = "") -> str:
    value = found.get(name)
    if not isinstance(value, str) or len(value) > limit or "\x00" in value:
        text = _("%(name)s: a text of at most %(limit)s characters is needed.")
        raise _wrong(field or name, text % {"name": name, "limit": limit})
    return value.strip()


def _choice(found: Mapping[str, Any], name: str, values: Any) -> str:
    value = found.get(name)
    if not isinstance(value, str) or value not in values:
        told = ", ".join(str(known) or "–" for known in values)
        raise _wrong(name, _("%(name)s: one of %(values)s is needed.") % {"name": name, "values": told})
    return value


def _number(value: Any, name: str, *, low: int, high: int) -> int:
    whole = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    if not whole or value != int(value) or not low <= value <= high:
        text = _("%(name)s: a whole number from %(low)d to %(high)d is needed.")
        raise _wrong(name, text % {"name": name, "low": low, "high": high})
    return int(value)


def _wrong(name: str, text: str) -> Invalid:
    return Invalid(text, fields={name: [_("not accepted")]})
