"""One door for everything that may hold a graph: a JSON file, a pasted text, a picture or clip, a server's history."""

from dataclasses import dataclass
from pathlib import Path

from django.utils.translation import gettext as _

from comfy_adapters.comfyui.graphs import Nodes, graph_hash
from comfy_adapters.own import carriers
from comfy_adapters.own.strict import MAX_BYTES, nodes_of, parse, refuse, ui_told


@dataclass(frozen=True)
class Brought:
    """A graph that came from outside; `source` says where from (a file name, a server)."""

    nodes: Nodes
    source: str

    @property
    def sha256(self) -> str:
        return graph_hash(self.nodes)


def read_text(text: bytes | str, *, source: str) -> Brought:
    """A graph from JSON. Invalid says what is wrong and what to do."""
    return Brought(nodes_of(parse(text)), source[:300])


def read_file(path: Path, *, name: str) -> Brought:
    """A graph from a file; its first bytes say what it is, not its name. Invalid as `read_text`."""
    with open(path, "rb") as file:
        head = file.read(64)
    if head.startswith(carriers.PNG):
        return _carried(carriers.png_texts(path), name)
    if carriers.is_movie(head):
        return _carried(carriers.movie_texts(path), name)
    start = head.lstrip(b"\xef\xbb\xbf\xff\xfe\x00 \t\r\n")[:1]
    if start not in (b"{", b"["):
        text = _(
            "%(name)s is neither JSON nor a PNG, MP4 or WebM. Export the workflow with Workflow → Export (API) in "
            "ComfyUI, or drop a picture or clip that it made."
        )
        raise refuse(text % {"name": name[:120]})
    with open(path, "rb") as file:
        return read_text(file.read(MAX_BYTES + 1), source=name)


def _carried(texts: dict[str, str], name: str) -> Brought:
    given = texts.get("prompt") or texts.get("comment")
    if given:
        document = parse(given)
        if isinstance(document, dict) and "prompt" not in document and "workflow" in document:
            given = None
        else:
            return Brought(nodes_of(document), name[:300])
    if "workflow" in texts or "comment" in texts:
        text = _("%(name)s carries only the editor's workflow, not the one that was run.") % {"name": name[:120]}
        raise refuse(f"{text} {ui_told()}")
    text = _(
        "%(name)s carries no workflow. Other programs remove it when they save, and ComfyUI leaves it out when its "
        "metadata is switched off. Take the file as ComfyUI wrote it, or export the workflow with Export (API)."
    )
    raise refuse(text % {"name": name[:120]})
