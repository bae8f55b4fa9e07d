"""What ran on a registered server lately, to bring along: its history, read in bounded pieces.

What the studio itself ran there for a project is shown to those who see that project, and to nobody else. Only
endpoints of workers are asked, and no answer leads anywhere else: redirects are not followed.
"""

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import requests
from django.utils.translation import gettext as _
from PIL import Image, ImageOps

from aipipeline.projects.errors import Invalid, NotFound
from comfy_adapters.comfyui.client import ComfyClient, OutputFile, output_files
from comfy_adapters.comfyui.errors import ComfyError
from comfy_adapters.own.reading import Brought
from comfy_adapters.own.strict import nodes_of
from comfy_adapters.selectors import prompts_visible_to
from renders.models import Worker

SHOWN = 24
MAX_LISTING = 48 << 20
MAX_PICTURE = 48 << 20
MAX_PIXELS = 40_000_000
THUMB = 240
_STILLS = (".png", ".jpg", ".jpeg", ".webp")


@dataclass(frozen=True)
class Entry:
    """One finished prompt. `output` is its first saved file, `picture` when a thumbnail can be made of it."""

    prompt_id: str
    nodes: int
    succeeded: bool
    when: datetime | None
    output: str
    picture: bool
    classes: str


def recent(worker: Worker, actor: Any) -> list[Entry]:
    """What the actor may see of it, the newest first. Invalid when the server does not answer or answers nonsense."""
    found = _ask(worker, f"/history?max_items={SHOWN}")
    told = {str(key): entry for key, entry in found.items() if isinstance(entry, Mapping)}
    seen = prompts_visible_to(actor, {key: _client(entry) for key, entry in told.items()})
    entries = [_entry(key, entry) for key, entry in told.items() if key in seen]
    return [entry for entry in reversed(entries) if entry is not None][:SHOWN]


def from_history(worker: Worker, prompt_id: str, actor: Any) -> Brought:
    """The graph that one of them ran. NotFound when the server forgot it or the actor may not see it.

    Invalid as for a file.
    """
    graph = _graph(_of(worker, prompt_id, actor))
    return Brought(nodes_of(graph), f"{worker.name} · {prompt_id}"[:300])


def thumbnail(worker: Worker, prompt_id: str, actor: Any) -> bytes:
    """A small WebP of the first saved picture. NotFound when there is none."""
    pictures = [file for file in output_files(_of(worker, prompt_id, actor)) if file.suffix in _STILLS]
    if not pictures:
        raise NotFound(_("There is no picture of this entry."))
    with io.BytesIO(_download(worker, pictures[0])) as data, io.BytesIO() as out:
        try:
            with Image.open(data) as image:
                if image.width * image.height > MAX_PIXELS:
                    raise NotFound(_("There is no picture of this entry."))
                image.draft("RGB", (THUMB * 2, THUMB * 2))
                ImageOps.contain(image.convert("RGB"), (THUMB, THUMB)).save(out, "WEBP", quality=72)
        except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
            raise NotFound(_("There is no picture of this entry.")) from error
        return out.getvalue()


def _of(worker: Worker, prompt_id: str, actor: Any) -> Mapping[str, Any]:
    entry = _ask(worker, f"/history/{quote(prompt_id, safe='')}").get(prompt_id)
    if not isinstance(entry, Mapping) or not prompts_visible_to(actor, {prompt_id: _client(entry)}):
        raise NotFound(_("The server does not know this entry any more. It forgets its history when it restarts."))
    return entry


def _entry(prompt_id: str, entry: Mapping[str, Any]) -> Entry | None:
    graph = _graph(entry)
    if not isinstance(graph, Mapping):
        return None
    files = output_files(entry)
    status = entry.get("status") if isinstance(entry.get("status"), Mapping) else {}
    classes = {str(node.get("class_type", ""))[:60] for node in graph.values() if isinstance(node, Mapping)}
    telling = sorted(name for name in classes if any(word in name for word in ("Sampler", "ToVideo", "Upscale", "VFI")))
    return Entry(
        prompt_id=prompt_id,
        nodes=len(graph),
        succeeded=(status or {}).get("status_str") == "success",
        when=_when(status or {}),
        output=files[0].filename[:120] if files else "",
        picture=any(file.suffix in _STILLS for file in files),
        classes=", ".join(telling[:4]),
    )


def _graph(entry: Mapping[str, Any]) -> Any:
    parts = entry.get("prompt")
    return parts[2] if isinstance(parts, list) and len(parts) > 2 else None


def _client(entry: Mapping[str, Any]) -> str:
    """Who sent it, as they named themselves."""
    parts = entry.get("prompt")
    extra = parts[3] if isinstance(parts, list) and len(parts) > 3 else None
    return str(extra.get("client_id") or "") if isinstance(extra, Mapping) else ""


def _when(status: Mapping[str, Any]) -> datetime | None:
    for message in status.get("messages") or []:
        stamp = message[1].get("timestamp") if isinstance(message, list) and len(message) == 2 else None
        if isinstance(stamp, int | float) and 0 < stamp < 1e14:
            return datetime.fromtimestamp(stamp / 1000, tz=UTC)
    return None


def _ask(worker: Worker, path: str) -> dict[str, Any]:
    try:
        found = json.loads(_fetch(worker, path, MAX_LISTING))
    except (ValueError, RecursionError) as error:
        raise _odd(worker) from error
    if not isinstance(found, dict):
        raise _odd(worker)
    return found


def _download(worker: Worker, file: OutputFile) -> bytes:
    query = {"filename": file.filename, "subfolder": file.subfolder, "type": file.type}
    return _fetch(worker, "/view", MAX_PICTURE, params=query)


def _fetch(worker: Worker, path: str, limit: int, **arguments: Any) -> bytes:
    """A body of at most `limit` bytes. Invalid when the server is away, NotFound for anything but 200."""
    try:
        client = ComfyClient(worker.endpoint, connect=4.0, read=15.0)
        with client.http.get(
            client.public + path, timeout=client.timeout, stream=True, allow_redirects=False, **arguments
        ) as answer:
            if answer.status_code != requests.codes.ok:
                raise NotFound(_("The server of %(worker)s has nothing there.") % {"worker": worker.name})
            parts, size = [], 0
            for part in answer.iter_content(1 << 18):
                size += len(part)
                if size > limit:
                    raise _odd(worker)
                parts.append(part)
            return b"".join(parts)
    except (requests.RequestException, ComfyError) as error:
        text = _("The ComfyUI server of %(worker)s does not answer. Start it, or drop a file instead.")
        raise Invalid(text % {"worker": worker.name}, fields={"worker": [_("does not answer")]}) from error


def _odd(worker: Worker) -> Invalid:
    text = _("The ComfyUI server of %(worker)s sent a history that cannot be read. Drop a file instead.")
    return Invalid(text % {"worker": worker.name}, fields={"worker": [_("cannot be read")]})
