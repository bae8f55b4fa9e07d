"""What one server lacks for a brought graph, node by node, before it is saved."""

from collections.abc import Mapping
from typing import Any

from django.db.models import F
from django.utils.translation import gettext as _

from comfy_adapters.comfyui import graphs
from comfy_adapters.comfyui.client import ComfyClient
from comfy_adapters.comfyui.graphs import Nodes
from comfy_adapters.comfyui.preflight import Finding, check
from renders.models import Worker
from renders.services import fits


def schema_of(worker: Worker) -> dict[str, Any]:
    """What the worker's server can do: as it was stored, else asked now. ComfyError when it does not answer."""
    if worker.schema_id:
        return fits.schema(worker.schema_id)
    return ComfyClient(worker.endpoint).object_info()


def known_schema() -> dict[str, Any] | None:
    """A list of node classes to read a brought graph by: that of the server that was heard last; None when no server
    has told its own yet. Nothing is asked over the network."""
    rows = Worker.objects.exclude(endpoint="").filter(schema__isnull=False)
    sha256 = rows.order_by(F("heartbeat_at").desc(nulls_last=True)).values_list("schema", flat=True).first()
    return fits.schema(sha256) if sha256 else None


def lacking(nodes: Nodes, about: Mapping[str, Any], schema: Mapping[str, Any]) -> list[Finding]:
    """Everything that stands in the way on that server; each message names the node, the input and the remedy."""
    graph, slots = graphs.parse(str(about["name"]), str(about["version"]), nodes, about)
    prompt = {key: {**node, "inputs": dict(node["inputs"])} for key, node in nodes.items()}
    found = check(graph, slots, prompt, schema)
    node = about["output"]["node"]
    told = schema.get(nodes[node]["class_type"])
    if isinstance(told, Mapping) and not told.get("output_node"):
        text = _("Node %(id)s %(class)s saves nothing on this server. Choose another output node.")
        kind = nodes[node]["class_type"]
        found.append(Finding(node, kind, "", text % {"id": node, "class": kind}))
    return found
