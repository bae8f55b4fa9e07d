"""Text that may be anything becomes a graph, or a message that says what is wrong with it and what to do.

Bounded: a text is at most MAX_BYTES, a graph has at most MAX_NODES nodes. Nothing here recurses over foreign data.
"""

import json
import math
import re
from collections import deque
from collections.abc import Mapping
from typing import Any, TypeGuard

from django.utils.translation import gettext as _

from aipipeline.projects.errors import Invalid
from comfy_adapters.comfyui.graphs import Nodes, is_ui_format

MAX_BYTES = 8 << 20
MAX_NODES = 2000
MAX_INPUTS = 400
MAX_TEXT = 100_000
MAX_NAME = 200
MAX_DEPTH = 60
MAX_SEED = 2**64 - 1

# Texts that people write; a slash at their beginning means nothing.
_PROSE = frozenset({"text", "prompt", "t5xxl", "clip_l", "clip_g", "text_g", "text_l", "value", "string", "expression"})
_OUTSIDE = re.compile(r"^\s*(/|\\|~|[A-Za-z]:[\\/]|file:)|(^|[\\/])\.\.([\\/]|$)")


def refuse(text: str) -> Invalid:
    """The refusal of a brought file, at its field."""
    return Invalid(text, fields={"file": [_("cannot be taken")]})


def parse(data: bytes | str) -> Any:
    """The JSON in it, whatever the byte order mark; Invalid names the line. No double keys, no depth.

    NaN passes here: ComfyUI itself writes it beside the inputs of a node. `check_values` refuses it in what is kept.
    """
    if len(data) > MAX_BYTES:
        raise refuse(
            _("The file holds more than %(size)d MB of JSON. That is no workflow.") % {"size": MAX_BYTES >> 20}
        )
    text = data if isinstance(data, str) else _decoded(data)
    text = text.removeprefix("\ufeff").strip()
    if not text:
        raise refuse(_("The file is empty. Export the workflow again with “Export (API)” in ComfyUI."))
    if _depth(text) > MAX_DEPTH:
        raise refuse(_("The JSON nests deeper than %(limit)d levels. That is no workflow.") % {"limit": MAX_DEPTH})
    try:
        return json.loads(text, parse_constant=float, object_pairs_hook=_once)
    except json.JSONDecodeError as error:
        facts = {"line": error.lineno, "column": error.colno, "reason": error.msg}
        raise refuse(_("This is not JSON: line %(line)d, column %(column)d: %(reason)s.") % facts) from error
    except (ValueError, RecursionError) as error:
        raise refuse(_("This JSON cannot be read: %(reason)s.") % {"reason": str(error)[:200]}) from error


def _decoded(data: bytes) -> str:
    wide = data[:2] in (b"\xff\xfe", b"\xfe\xff")
    try:
        return data.decode("utf-16" if wide else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise refuse(_("The text is not in UTF-8. Save the file as UTF-8, or export it again.")) from error


def _depth(text: str) -> int:
    """How deep brackets nest, outside of strings; counted before a parser sees the text."""
    deepest = depth = 0
    for token in re.finditer(r'"(?:[^"\\]|\\.)*"|[\[\]{}]', text):
        mark = token.group()
        if mark in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif mark in "]}":
            depth -= 1
    return deepest


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        double = next(key for key, _value in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise ValueError(_("“%(key)s” is there twice in the same object") % {"key": double[:80]})
    return found


def nodes_of(document: Any) -> Nodes:
    """The graph of a document, also of `{"prompt": {…}}`. Invalid for everything that a server could not run.

    Only what a server reads is kept of each node: class_type, inputs, and the title that a person gave it.
    """
    found = document
    for _layer in range(3):
        if isinstance(found, Mapping) and is_ui_format(found):
            raise refuse(ui_told())
        inner = found.get("prompt") if isinstance(found, Mapping) and "class_type" not in found else None
        if isinstance(inner, str):
            inner = parse(inner)
        if not isinstance(inner, Mapping) or "class_type" in inner:
            break
        found = inner
    if not isinstance(found, Mapping) or not found:
        raise refuse(_("This is no ComfyUI workflow: an object of nodes with “class_type” and “inputs” is needed."))
    if len(found) > MAX_NODES:
        facts = {"count": len(found), "limit": MAX_NODES}
        raise refuse(_("The workflow has %(count)d nodes, at most %(limit)d are taken.") % facts)
    nodes = {str(key): _node(str(key), value) for key, value in found.items()}
    _check_links(nodes)
    return nodes


def ui_told() -> str:
    """What to do about a workflow in the editor's own format."""
    return _(
        "This is a workflow as ComfyUI's editor saves it; a server cannot run it. Open it in ComfyUI and choose "
        "Workflow → Export (API), or drop a picture or clip that it made."
    )


def _node(key: str, value: Any) -> dict[str, Any]:
    place = {"id": key[:80]}
    if not isinstance(value, Mapping):
        raise refuse(_("Node %(id)s is not an object. Export the workflow with “Export (API)”.") % place)
    class_type, inputs = value.get("class_type"), value.get("inputs", {})
    if not isinstance(class_type, str) or not class_type.strip():
        raise refuse(_("Node %(id)s has no “class_type”. Export the workflow with “Export (API)”.") % place)
    if len(key) > MAX_NAME or len(class_type) > MAX_NAME or "\x00" in key + class_type:
        raise refuse(_("The name of node %(id)s is too long or holds odd characters.") % place)
    if not isinstance(inputs, Mapping) or len(inputs) > MAX_INPUTS:
        text = _("The “inputs” of node %(id)s must be an object of at most %(limit)d entries.")
        raise refuse(text % {**place, "limit": MAX_INPUTS})
    meta = value.get("_meta")
    title = str(meta.get("title") or "")[:MAX_NAME] if isinstance(meta, Mapping) else ""
    check_values([key, title])
    for name, given in inputs.items():
        _check_input(key, class_type, name, given)
    node: dict[str, Any] = {"inputs": dict(inputs), "class_type": class_type}
    return {**node, "_meta": {"title": title}} if title else node


def _check_input(key: str, class_type: str, name: str, value: Any) -> None:
    place = {"id": key, "class": class_type, "input": name[:80]}
    if len(name) > MAX_NAME or (isinstance(value, str) and len(value) > MAX_TEXT):
        text = _("Node %(id)s %(class)s: the text of %(input)s is longer than %(limit)d characters.")
        raise refuse(text % {**place, "limit": MAX_TEXT})
    check_values([name, value])
    if isinstance(value, str) and name not in _PROSE and "\n" not in value and _OUTSIDE.search(value):
        text = _(
            "Node %(id)s %(class)s: %(input)s names a place on one computer (%(value)s). Put the file into ComfyUI's "
            "own folders, choose it there by its name, and export again."
        )
        raise refuse(text % {**place, "value": value[:120]})


def check_values(waiting: list[Any]) -> None:
    """No NUL, no half surrogates, no NaN, no number beyond 64 bits: a database would choke on them later."""
    while waiting:
        value = waiting.pop()
        if isinstance(value, str):
            if "\x00" in value or any("\ud800" <= char <= "\udfff" for char in value):
                raise refuse(_("A text of the workflow holds characters that cannot be stored."))
        elif isinstance(value, Mapping):
            waiting.extend([*value, *value.values()])
        elif isinstance(value, list):
            waiting.extend(value)
        elif isinstance(value, float) and not math.isfinite(value):
            raise refuse(_("A value of the workflow is %(name)s, which is no number.") % {"name": value})
        elif isinstance(value, int) and abs(value) > MAX_SEED:
            raise refuse(_("A number of the workflow is too large."))


def is_link(value: Any) -> TypeGuard[list[Any]]:
    """True for `["id", output]`: the value comes from another node."""
    return (
        isinstance(value, list)
        and len(value) == 2
        and isinstance(value[0], str)
        and isinstance(value[1], int)
        and not isinstance(value[1], bool)
    )


def _check_links(nodes: Nodes) -> None:
    waits: dict[str, int] = dict.fromkeys(nodes, 0)
    feeds: dict[str, list[str]] = {key: [] for key in nodes}
    for key, node in nodes.items():
        for name, value in node["inputs"].items():
            if not is_link(value):
                continue
            if value[0] not in nodes:
                text = _("Node %(id)s %(class)s: %(input)s comes from node %(source)s, which is not there.")
                facts = {"id": key, "class": node["class_type"], "input": name, "source": value[0][:80]}
                remedy = _("Export the whole workflow again.")
                raise refuse(f"{text % facts} {remedy}")
            waits[key] += 1
            feeds[value[0]].append(key)
    ready = deque(key for key, count in waits.items() if not count)
    done = 0
    while ready:
        done += 1
        for target in feeds[ready.popleft()]:
            waits[target] -= 1
            if not waits[target]:
                ready.append(target)
    if done < len(nodes):
        circle = ", ".join([key for key, count in waits.items() if count][:8])
        raise refuse(_("The nodes %(ids)s feed each other in a circle. A server cannot run that.") % {"ids": circle})
