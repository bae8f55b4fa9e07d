"""From a graph alone to everything that a slots file says of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from comfy_adapters.comfyui.graphs import Nodes
from comfy_adapters.own.describe import describe
from comfy_adapters.own.extras import find_extras
from comfy_adapters.own.finds import Find, Finds
from comfy_adapters.own.measures import find_measures
from comfy_adapters.own.pictures import find_pictures
from comfy_adapters.own.sampling import find_prompts, find_seeds, find_settings
from comfy_adapters.own.titles import find_titles
from comfy_adapters.own.tracing import Tracer


@dataclass(frozen=True)
class Detected:
    """`about` has the keys of a *.slots.json file; `finds` say why, by slot; `warnings` are for people."""

    about: dict[str, Any]
    finds: Mapping[str, list[Find]]
    warnings: tuple[str, ...]


def detect(nodes: Nodes, *, title: str = "", schema: Mapping[str, Any] | None = None) -> Detected:
    """Look for what goes where. `schema`: a server's `/object_info`, where one is known.

    Evidence in this order: titles of nodes, pictures and clips, prompts, seeds, settings, sizes, the rest.
    """
    tracer, finds = Tracer(nodes), Finds()
    find_titles(tracer, finds)
    find_pictures(tracer, finds)
    find_prompts(tracer, finds)
    find_seeds(tracer, finds)
    find_settings(tracer, finds)
    find_measures(tracer, finds)
    find_extras(tracer, finds)
    about, warnings = describe(tracer, finds, title=title, schema=schema)
    return Detected(about, finds.by_slot(), tuple(warnings))
