"""Which model files made a version: size, time and SHA-256 where this worker reaches the server's models folder.

A model has tens of gigabytes, so its checksum is computed once, beside the sampling, and kept by path, size and time.
"""

import hashlib
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import structlog
from django.core.cache import cache

from aipipeline.media.files import sha256_file
from comfy_adapters.comfyui.client import ComfyClient
from comfy_adapters.comfyui.errors import ComfyError
from comfy_adapters.comfyui.lora_files import models_folder
from comfy_adapters.comfyui.servers import Server
from comfy_adapters.comfyui.work import Work

log = structlog.get_logger(__name__)
ASK_SECONDS = 4.0
WAIT_SECONDS = 2.0  # how long a finished job waits for a checksum; later jobs find it
_reading = threading.Lock()  # one disk, one reader


class Identity:
    """The models of one job. `begin` while the server works, `of` afterwards."""

    def __init__(self, client: ComfyClient, server: Server) -> None:
        self._client, self._server = client, server
        self._thread: threading.Thread | None = None

    def begin(self, work: Work) -> None:
        """Compute the checksums that are not known yet, in the background."""
        named = [(model.folder, _value(work, model)) for model in work.slots.models]
        named += [("loras", _value(work, model)) for entry in work.chained for model in entry.models]
        files = {path for folder, file in named if (path := _local(folder, file)) is not None}
        unknown = sorted(path for path in files if cache.get(_key(path)) is None)
        if unknown:
            self._thread = threading.Thread(target=_hash_all, args=(unknown,), daemon=True)
            self._thread.start()

    def of(self, folder: str, file: str) -> dict[str, Any]:
        """`size` in bytes, `mtime` in seconds, `sha256`: as far as they are known; empty when nothing is."""
        path = _local(folder, file)
        if path is None:
            return self._listed(folder, file)
        if self._thread is not None:
            self._thread.join(WAIT_SECONDS)
            self._thread = None
        facts = path.stat()
        known = {"size": facts.st_size, "mtime": round(facts.st_mtime, 3)}
        sha = cache.get(_key(path))
        return known | ({"sha256": sha} if sha else {})

    def _listed(self, folder: str, file: str) -> dict[str, Any]:
        try:
            return dict(self._server.listing(self._client, folder).get(file.replace("\\", "/"), {}))
        except ComfyError as error:  # the version is made; that it says a little less is no reason to lose it
            log.info("comfyui_models_unlisted", folder=folder, error=error.message)
            return {}


def models_at(endpoint: str, wanted: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Size, time and SHA-256 of the files that the server behind an endpoint has under these names, as far as known.

    A checksum that nobody computed yet is left out: that takes minutes. ComfyError when the server does not answer.
    """
    client = ComfyClient(endpoint, connect=ASK_SECONDS, read=ASK_SECONDS)
    client.system_stats()  # the rest is glad of what it gets; whether anybody is there shall be told
    identity = Identity(client, Server())
    found = []
    for entry in wanted:
        folder, file = str(entry.get("folder") or ""), str(entry["file"])
        found.append({"folder": folder, "file": file, **identity.of(folder, file)})
    return found


def _value(work: Work, model: Any) -> str:
    value = work.filled.prompt.get(model.target.node, {}).get("inputs", {}).get(model.target.input)
    return value if isinstance(value, str) else str(model.file)


# Where ComfyUI looks for the files of a folder, in this order; elsewhere only in the folder itself.
_PLACES = {
    "diffusion_models": ("unet", "diffusion_models"),
    "text_encoders": ("text_encoders", "clip"),
    "controlnet": ("controlnet", "t2i_adapter"),
}


def _local(folder: str, file: str) -> Path | None:
    root = models_folder()
    parts = [part for part in file.replace("\\", "/").split("/") if part]
    if root is None or not folder or ".." in parts:
        return None
    paths = (root.joinpath(place, *parts) for place in _PLACES.get(folder, (folder,)))
    return next((path for path in paths if path.is_file()), None)


def _key(path: Path) -> str:
    facts = path.stat()
    text = f"{path}\0{facts.st_size}\0{facts.st_mtime_ns}"
    return f"model-sha:{hashlib.sha256(text.encode()).hexdigest()}"


def _hash_all(paths: list[Path]) -> None:
    for path in paths:
        with _reading:
            try:
                key = _key(path)
                if cache.get(key) is None:
                    cache.set(key, sha256_file(path), timeout=None)
            except OSError as error:
                log.warning("model_unreadable", path=str(path), error=str(error))
