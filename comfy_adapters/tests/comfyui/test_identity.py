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


def test_what_the_server_lists_of_its_files_is_kept_and_compared(comfy_server: ComfyDouble, tmp_path: Path) -> None:
    """A name that lies in two places is the one that the server loads: the first of them."""
    models = comfy_server.data / "models"
    for place, size in (("unet", 300), ("diffusion_models", 7)):
        (models / place).mkdir(parents=True)
        (models / place / "flux1-dev-fp8.safetensors").write_bytes(b"x" * size)
    comfy_server.faults(backslashes=True)
    (models / "unet" / "night").mkdir()
    (models / "unet" / "night" / "own.sft").write_bytes(b"12")
    (models / "unet" / "night" / ".hidden.sft").write_bytes(b"12")
    (models / "unet" / "night" / "read.me").write_bytes(b"12")
    client = ComfyClient(comfy_server.url)
    found = client.model_files("diffusion_models")
    assert {name: facts["size"] for name, facts in found.items()} == {
        "flux1-dev-fp8.safetensors": 300,
        "night/own.sft": 2,
    }
    assert abs(found["night/own.sft"]["mtime"] - (models / "unet" / "night" / "own.sft").stat().st_mtime) < 0.001
    assert client.model_files("no_such_folder") == client.model_files("") == {}
    wanted = [{"folder": "diffusion_models", "file": "flux1-dev-fp8.safetensors"}, {"folder": "vae", "file": "x.sft"}]
    told = identity.models_at(comfy_server.url, wanted)
    assert [entry.get("size") for entry in told] == [300, None]


def test_files_in_reach_are_looked_for_where_the_server_does(tmp_path: Path, settings: Any) -> None:
    settings.AIP_WORKER_MODELS = str(tmp_path)
    for place in ("diffusion_models", "clip", "vae"):
        (tmp_path / place).mkdir()
        (tmp_path / place / "a.sft").write_bytes(b"a")
    assert identity._local("diffusion_models", "a.sft") == tmp_path / "diffusion_models" / "a.sft"
    (tmp_path / "unet").mkdir()
    (tmp_path / "unet" / "a.sft").write_bytes(b"b")
    assert identity._local("diffusion_models", "a.sft") == tmp_path / "unet" / "a.sft"
    assert identity._local("text_encoders", "a.sft") == tmp_path / "clip" / "a.sft"
    assert identity._local("loras", "..\\vae\\a.sft") is None
    assert identity._local("", "vae/a.sft") is None


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
