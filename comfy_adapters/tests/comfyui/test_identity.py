"""Which model files made a version: read where they are reached, listed where they are not, silent where neither."""

import hashlib
import json
import struct
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import websocket

from aipipeline.media.files import sha256_file
from comfy_adapters.comfyui import identity
from comfy_adapters.comfyui.backend import ComfyBackend
from comfy_adapters.comfyui.client import ComfyClient
from comfy_adapters.comfyui.progress import as_jpeg, parse_preview
from comfy_adapters.tests.comfyui.helpers import QUICK, Reporter, context, filled
from tests.doubles.comfyui.process import ComfyDouble


def model(kept: dict[str, Any], file: str) -> dict[str, Any]:
    return dict(next(entry for entry in kept["models"] if entry["file"] == file))


def test_files_in_reach_are_told_by_their_content_read_once(
    shared_server: ComfyDouble, tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.AIP_WORKER_MODELS = str(tmp_path / "models")
    vae = tmp_path / "models" / "vae" / "ae.safetensors"
    vae.parent.mkdir(parents=True)
    vae.write_bytes(b"weights" * 1000)
    read: list[str] = []

    def counted(path: Path) -> str:
        read.append(path.name)
        return sha256_file(path)

    monkeypatch.setattr(identity, "sha256_file", counted)
    for attempt in ("one", "two"):
        kept = ComfyBackend(QUICK).run(context(shared_server.url, tmp_path, attempt=attempt, steps=2), Reporter())
        found = model(kept.provenance, "ae.safetensors")
        assert found["sha256"] == hashlib.sha256(b"weights" * 1000).hexdigest()
        assert (found["size"], found["folder"]) == (7000, "vae")
        assert abs(found["mtime"] - vae.stat().st_mtime) < 0.001
    assert read == ["ae.safetensors"]
    vae.write_bytes(b"other weights")  # replaced: it is read again
    kept = ComfyBackend(QUICK).run(context(shared_server.url, tmp_path, attempt="three", steps=2), Reporter())
    assert model(kept.provenance, "ae.safetensors")["sha256"] == hashlib.sha256(b"other weights").hexdigest()
    assert read == ["ae.safetensors"] * 2


def test_without_reach_and_list_only_the_name_is_told(shared_server: ComfyDouble, tmp_path: Path) -> None:
    kept = ComfyBackend(QUICK).run(context(shared_server.url, tmp_path, steps=2), Reporter()).provenance
    assert {"folder", "file"} <= set(model(kept, "ae.safetensors"))
    assert "sha256" not in model(kept, "ae.safetensors")
    assert kept["loras"] == []
    assert kept["uploads"] == {}


@pytest.mark.parametrize(
    ("status", "body", "known"),
    [
        (200, [{"name": "sub\\a.safetensors", "pathIndex": 0, "size": 12, "modified": 3.5}, {"x": 1}, 7], True),
        (200, {"not": "a list"}, False),
        (404, "Not Found", False),
    ],
)
def test_newer_servers_list_size_and_time(status: int, body: Any, known: bool) -> None:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            content = json.dumps(body).encode() if status == 200 else str(body).encode()
            self.send_response(status if self.path == "/api/experiment/models/loras" else 500)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        found = ComfyClient(f"http://127.0.0.1:{server.server_port}").model_files("loras")
    finally:
        server.shutdown()
        server.server_close()
    expected = {"sub/a.safetensors": {"size": 12, "mtime": 3.5}} if known else {}
    assert {name: facts for name, facts in found.items() if facts} == expected


@pytest.mark.parametrize("metadata", [True, False])
def test_both_encodings_of_previews_are_pictures(comfy_server: ComfyDouble, metadata: bool) -> None:
    comfy_server.faults(step_seconds=0.05)
    client = ComfyClient(comfy_server.url)
    socket = websocket.create_connection(client.websocket_url("eye"), timeout=10, suppress_origin=True)
    if metadata:
        flags = {"type": "feature_flags", "data": {"supports_preview_metadata": True}}
        socket.send(json.dumps(flags))
        time.sleep(0.2)
    client.submit(filled(steps=6, seed=3), prompt_id="p-1", client_id="eye")
    message: Any = ""
    while not isinstance(message, bytes):
        message = socket.recv()
    socket.close()
    assert struct.unpack(">I", message[:4])[0] == (4 if metadata else 1)
    found = parse_preview(message)
    assert found is not None
    about, image = found
    assert about.get("prompt_id") == ("p-1" if metadata else None)
    assert (as_jpeg(image) or b"").startswith(b"\xff\xd8")
