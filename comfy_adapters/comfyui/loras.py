"""LoRAs are chained into a graph when it is filled: any number of them, each with its own strength.

They go between a model's loader and everything that used it, in the order of the job. A graph that samples with two
experts (WAN 2.2) has two chains: a LoRA whose file name says for which noise it was trained goes into that chain only.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from comfy_adapters.comfyui.errors import ComfyError
from comfy_adapters.comfyui.graphs import ModelFile, Nodes, Slots, Target

_EXPERTS = ("high", "low")
# "high_noise", or a lone "HIGH" at the end or before what only such files say (…_HIGH_lora_rank_128, …-low-v2).
_NOISE = re.compile(
    r"(?<![a-z])(high|low)(?:[-_. ]?noise|(?=$|[-_. ]+(?:lora|rank|r?\d|v\d|e\d|fp16|bf16|fp8|expert)))"
)


@dataclass(frozen=True)
class Lora:
    """One LoRA of a job. `file` is below the server's loras folder; `path` is where the studio keeps it, "" unknown."""

    file: str
    strength: float
    name: str = ""
    path: str = ""


@dataclass(frozen=True)
class Chained:
    """What was put into a graph: a LoRA and the inputs that name it. No inputs: the graph takes no LoRAs."""

    lora: Lora
    targets: tuple[Target, ...]

    @property
    def models(self) -> tuple[ModelFile, ...]:
        return tuple(ModelFile("loras", self.lora.file, "", target) for target in self.targets)


def of_params(params: Mapping[str, Any]) -> list[Lora]:
    """The LoRAs of a job, those of no strength left out. ComfyError on an entry that is none."""
    found = []
    for entry in params.get("loras") or ():
        try:
            file, strength = str(entry["file"]).strip(), float(entry.get("strength", 1.0))
        except (TypeError, KeyError, ValueError, AttributeError):
            text = _("A LoRA of the job is not understood: %(entry)s. It needs a file and a strength.")
            raise ComfyError(text % {"entry": str(entry)[:200]}, kind="refused", retryable=False) from None
        if entry.get("path") and file.startswith("/"):
            file = file.rpartition("/")[2]  # written as the studio's own file: the server knows it by its name
        if file and strength:
            found.append(Lora(file, strength, str(entry.get("name") or ""), str(entry.get("path") or "")))
    return found


def chain(prompt: Nodes, slots: Slots, loras: Sequence[Lora]) -> list[Chained]:
    """Put the LoRAs into the prompt. ComfyError when the slot map names a loader that is not in the graph."""
    after: dict[str, list[Any]] = dict(slots.lora_chain.get("after") or {})
    class_type = str(slots.lora_chain.get("class") or "")
    if not after or not class_type:
        return [Chained(lora, ()) for lora in loras]
    for link in after.values():
        if str(link[0]) not in prompt:
            text = _("The slot map chains LoRAs after the node %(node)s, which is not in the graph.")
            raise ComfyError(text % {"node": link[0]}, kind="refused", retryable=False)
    # With a text encoder in it, model and clip are the two strands of one chain; else each name is a chain.
    strands = [after] if "clip" in after else [{name: link} for name, link in after.items()]
    targets: dict[int, list[Target]] = {index: [] for index in range(len(loras))}
    for strand in strands:
        name = next(iter(strand))
        wanted = [(index, lora) for index, lora in enumerate(loras) if _belongs(lora.file, name, after)]
        for index, target in _thread(prompt, class_type, name, strand, wanted):
            targets[index].append(target)
    return [Chained(lora, tuple(targets[index])) for index, lora in enumerate(loras)]


def _belongs(file: str, chain_name: str, chains: Mapping[str, Any]) -> bool:
    noise = noise_of(file)
    return not noise or chain_name not in _EXPERTS or noise == chain_name or not set(_EXPERTS) <= set(chains)


def noise_of(file: str) -> str:
    """ "high" or "low" for a LoRA of one expert, "" for one of both."""
    stem = file.replace("\\", "/").rpartition("/")[2].rpartition(".")[0].lower()
    found = set(_NOISE.findall(stem))
    return found.pop() if len(found) == 1 else ""


def _thread(
    prompt: Nodes, class_type: str, name: str, strand: Mapping[str, list[Any]], loras: Sequence[tuple[int, Lora]]
) -> list[tuple[int, Target]]:
    """Nodes one after the other; what used the loader uses the last of them."""
    if not loras:
        return []
    kinds = list(strand) if "clip" in strand else ["model"]
    links = dict(zip(kinds, strand.values(), strict=True))
    users = [
        (node["inputs"], key, kind)
        for node in prompt.values()
        for key, value in node["inputs"].items()
        for kind, link in links.items()
        if isinstance(value, list) and value == link
    ]
    last, made = dict(links), []
    for index, lora in loras:
        key = _free(prompt, f"aip_lora_{name}_{index + 1}")
        inputs: dict[str, Any] = {kind: last[kind] for kind in kinds}
        inputs |= {"lora_name": lora.file, "strength_model": lora.strength}
        if "clip" in kinds:
            inputs["strength_clip"] = lora.strength
        title = f"LoRA {lora.name or lora.file}"
        prompt[key] = {"class_type": class_type, "inputs": inputs, "_meta": {"title": title}}
        last = {kind: [key, slot] for slot, kind in enumerate(kinds)}
        made.append((index, Target(key, "lora_name")))
    for inputs, key, kind in users:
        inputs[key] = last[kind]
    return made


def _free(prompt: Nodes, key: str) -> str:
    while key in prompt:
        key += "_"
    return key
