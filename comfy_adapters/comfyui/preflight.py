"""Looks before the leap: whether a server has the nodes, inputs, values and model files that a filled graph needs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from comfy_adapters.comfyui.compat import adapt
from comfy_adapters.comfyui.graphs import Graph, ModelFile, Nodes, Slots, Target, titles
from comfy_adapters.comfyui.object_info import InputSpec, inputs_of, matching


@dataclass(frozen=True)
class Finding:
    """One thing that stands in the way. `input` is empty where the whole node is missing.

    `elsewhere`: another server may not have it in its way. `model` is the file where one is missing.
    """

    node: str
    class_type: str
    input: str
    message: str
    elsewhere: bool = True
    model: ModelFile | None = None


def check(
    graph: Graph,
    slots: Slots,
    prompt: Nodes,
    object_info: Mapping[str, Any],
    more_models: Sequence[ModelFile] = (),
) -> list[Finding]:
    """Everything that the server would choke on. What it only spells otherwise is rewritten in `prompt`.

    `more_models`: what was put into the prompt besides the graph's own, the LoRAs of the job.
    """
    adapt(prompt, object_info)
    models = {model.target: model for model in (*slots.models, *more_models)}
    uploads = {(t.node, t.input) for targets in slots.targets.values() for t in targets if t.upload}
    seeds = {(t.node, t.input) for t in slots.targets.get("seed", ())}
    named = titles(prompt)
    found: list[Finding] = []
    for key, node in prompt.items():
        class_type = str(node["class_type"])
        name = f"{named.get(key, class_type)} ({class_type})"
        schema = object_info.get(class_type)
        if schema is None:
            found.append(Finding(key, class_type, "", _missing_class(key, name, slots)))
            continue
        for spec in inputs_of(schema, node["inputs"]):
            target = Target(key, spec.name)
            if (key, spec.name) in uploads:
                continue
            if (key, spec.name) in seeds:
                _shorten(spec, node["inputs"])
            model = models.get(target)
            message = _check_input(key, name, spec, node["inputs"], model)
            if message and model is None and _as_written(graph, key, spec.name, node["inputs"]):
                # A value that the graph itself brings and the server does not know: the server is older than it.
                needs = _("The workflow is made for ComfyUI %(version)s or newer.")
                message = f"{message} {needs % {'version': slots.min_comfyui}}"
            if message:
                bounded = spec.options is None and spec.name in node["inputs"]
                lacking = model if model is not None and not bounded else None
                found.append(Finding(key, class_type, spec.name, message, elsewhere=not bounded, model=lacking))
    return found


def _shorten(spec: InputSpec, inputs: dict[str, Any]) -> None:
    """A node that takes 32 bits gets the lower part of the seed: any seed will do, if it is the same each time."""
    value, most = inputs.get(spec.name), spec.maximum
    if isinstance(value, int) and most is not None and 0 < most < value:
        inputs[spec.name] = value % (int(most) + 1)


def _as_written(graph: Graph, key: str, name: str, inputs: Mapping[str, Any]) -> bool:
    """True for a value that comes from the graph's file, not from a job."""
    written = graph.nodes.get(key, {}).get("inputs", {})
    return name in written and written[name] == inputs.get(name)


def _missing_class(key: str, name: str, slots: Slots) -> str:
    if slots.custom_nodes:
        text = _("Node %(id)s %(name)s is missing on the server. Install %(packs)s there and restart ComfyUI.")
        return text % {"id": key, "name": name, "packs": ", ".join(slots.custom_nodes)}
    text = _("Node %(id)s %(name)s is missing on the server. Update ComfyUI to %(version)s or newer.")
    return text % {"id": key, "name": name, "version": slots.min_comfyui}


def _check_input(key: str, name: str, spec: InputSpec, inputs: dict[str, Any], model: ModelFile | None) -> str:
    if spec.name not in inputs:
        if not spec.required:
            return ""
        text = _("Node %(id)s %(name)s of this server also needs the input %(input)s, which the workflow does not set.")
        return text % {"id": key, "name": name, "input": spec.name}
    value = inputs[spec.name]
    if isinstance(value, list):  # a link to another node
        return ""
    facts = {"id": key, "name": name, "input": spec.name, "value": value}
    if spec.options is not None and not spec.upload:
        spelled = matching(spec.options, value)
        if spelled is not None:
            inputs[spec.name] = spelled
            return ""
        if model is not None:
            source = model.source if value == model.file else ""
            return _missing_model(facts, model.folder, source)
        text = _("Node %(id)s %(name)s: %(input)s does not take “%(value)s”. The server offers: %(options)s.")
        offered = ", ".join(map(str, spec.options[:12])) or "–"
        return text % {**facts, "options": offered}
    if spec.type in ("INT", "FLOAT") and isinstance(value, int | float) and not isinstance(value, bool):
        if spec.minimum is not None and value < spec.minimum:
            return _("Node %(id)s %(name)s: %(input)s is %(value)s, at least %(limit)s is needed.") % {
                **facts,
                "limit": spec.minimum,
            }
        if spec.maximum is not None and value > spec.maximum:
            return _("Node %(id)s %(name)s: %(input)s is %(value)s, at most %(limit)s goes.") % {
                **facts,
                "limit": spec.maximum,
            }
    return ""


def _missing_model(facts: dict[str, Any], folder: str, source: str) -> str:
    text = _("The model file %(value)s is missing on the server (node %(id)s %(name)s, input %(input)s).")
    remedy = _("Put it into ComfyUI's models/%(folder)s folder.") % {"folder": folder}
    if source:
        remedy += " " + _("It comes from %(source)s.") % {"source": source}
    return f"{text % facts} {remedy}"
