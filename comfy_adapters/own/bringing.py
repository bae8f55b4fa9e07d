"""What page and API do alike with something that people bring: keep the upload for a moment, read it, look into it."""

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext as _

from aipipeline.projects.errors import Invalid
from comfy_adapters.own.correcting import carried_over, corrected
from comfy_adapters.own.detect import Detected, detect
from comfy_adapters.own.reading import Brought, read_file
from comfy_adapters.own.strict import refuse
from renders.models import Workflow

MAX_UPLOAD = 512 << 20


def read_upload(upload: UploadedFile[Any] | None) -> Brought:
    """The graph in an uploaded file; nothing of the file stays. Invalid says what is wrong."""
    if upload is None:
        raise refuse(_("Choose a file first."))
    name = Path(str(upload.name)).name
    if (upload.size or 0) > MAX_UPLOAD:
        raise refuse(_("%(name)s is larger than %(size)d MB.") % {"name": name[:120], "size": MAX_UPLOAD >> 20})
    with tempfile.NamedTemporaryFile() as file:
        for chunk in upload.chunks():
            file.write(chunk)
        file.flush()
        return read_file(Path(file.name), name=name)


def looked_into(
    brought: Brought, *, workflow: Workflow | None = None, title: str = "", schema: Mapping[str, Any] | None = None
) -> tuple[dict[str, Any], Detected]:
    """The slot map to begin with, and the detection behind it.

    For a new version of `workflow` everything that was said of the current one is kept where it still fits; for its
    present graph the map is the one that it has.
    """
    detected = detect(brought.nodes, title=title or Path(brought.source).stem[:160], schema=schema)
    if workflow is None or workflow.graph is None:
        return detected.about, detected
    try:
        if workflow.graph.nodes == brought.nodes:
            corrected(brought.nodes, workflow.graph.about, {})
            return workflow.graph.about, detected
        return carried_over(workflow.graph.about, brought.nodes, detected), detected
    except (Invalid, KeyError, TypeError, AttributeError, ValueError):
        # It came back from a file of the tree that somebody edited: begin anew.
        return detected.about, detected


def evidence(detected: Detected, about: Mapping[str, Any]) -> dict[str, list[dict[str, str]]]:
    """Per slot and target of `about`: how sure, and why; "hand" where a person put it there."""
    why = {(find.slot, find.node, find.input): find for rows in detected.finds.values() for find in rows}
    found: dict[str, list[dict[str, str]]] = {}
    for slot, targets in about["slots"].items():
        for row in targets:
            find = why.get((slot, row["node"], row["input"]))
            told = {"sure": find.sure.value, "why": find.why} if find else {"sure": "hand", "why": _("Put in by hand.")}
            found.setdefault(slot, []).append({"node": row["node"], "input": row["input"], **told})
    return found
