"""A server behind a reverse proxy: another path, TLS of the studio's own, a password, no websockets, redirects."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from comfy_adapters.comfyui.backend import ComfyBackend
from comfy_adapters.comfyui.client import ComfyClient
from comfy_adapters.comfyui.errors import ComfyError
from comfy_adapters.tests.comfyui.helpers import QUICK, Reporter, context, filled
from tests.doubles import proxy
from tests.doubles.comfyui.process import ComfyDouble

pytestmark = pytest.mark.timeout(120)


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return proxy.certificate(tmp_path_factory.mktemp("인증서"))


@pytest.mark.parametrize("websockets", [True, False])
def test_a_job_runs_through_a_proxy(
    comfy_server: ComfyDouble, tmp_path: Path, keys: tuple[Path, Path], settings: Any, websockets: bool
) -> None:
    settings.AIP_WORKER_CA = str(keys[0])
    comfy_server.faults(step_seconds=0.05)
    with proxy.before(comfy_server.port, cert=keys[0], key=keys[1], websockets=websockets) as before:
        reporter = Reporter()
        job = context(before.url, tmp_path, workflow="comfy.wan22_i2v", frames=5, steps=4)
        kept = ComfyBackend(QUICK).run(job, reporter).provenance
    assert kept["endpoint"] == f"https://{before.address}/gpu1"
    assert comfy_server.stats()["executed"] == {kept["prompt_id"]: 1}
    assert bool(reporter.previews) == websockets
    assert bool(before.refused) != websockets


def test_a_certificate_that_nobody_signed_is_named(
    comfy_server: ComfyDouble, keys: tuple[Path, Path], settings: Any
) -> None:
    with proxy.before(comfy_server.port, cert=keys[0], key=keys[1]) as before:
        with pytest.raises(ComfyError, match=r"certificate is not trusted.*AIP_WORKER_CA") as caught:
            ComfyClient(before.url).system_stats()
        assert caught.value.later
        assert proxy.PASSWORD not in caught.value.message
        settings.AIP_WORKER_CA = str(keys[0])
        assert ComfyClient(before.url).system_stats()["system"]["comfyui_version"] == comfy_server.version
        with pytest.raises(ComfyError, match="401") as caught:
            ComfyClient(f"https://{before.address}/gpu1").system_stats()
        assert not caught.value.retryable


def test_the_upload_limit_is_known_without_a_websocket(
    comfy_server: ComfyDouble, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    comfy_server.faults(silent=True, max_upload=1 << 20)
    monkeypatch.setattr("comfy_adapters.comfyui.inputs.ASK_LIMIT_ABOVE", 0)
    job = context(comfy_server.url, tmp_path, workflow="comfy.wan22_i2v", frames=5, steps=2)
    Image.effect_noise((1400, 1400), 90).convert("RGB").save(job.inputs["first_image"], compress_level=0)
    with pytest.raises(ComfyError, match="takes at most 1 MB"):
        ComfyBackend(QUICK).run(job, Reporter())
    assert comfy_server.stats()["uploads"] == 0


class _Elsewhere(BaseHTTPRequestHandler):
    """Sends everything on, as a proxy does with http where it wants https; what is followed answers well."""

    def do_GET(self) -> None:
        if self.path.startswith("/there"):
            self.send_response(200)
            body = b'{"queue_running": [], "queue_pending": [], "exec_info": {"queue_remaining": 0}}'
        else:
            self.send_response(301)
            self.send_header("Location", f"/there{self.path}?token=secret")
            body = b""
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET

    def log_message(self, *args: Any) -> None:
        pass


@pytest.fixture
def elsewhere() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Elsewhere)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_a_redirect_is_told_and_not_followed(elsewhere: str) -> None:
    """A POST that is sent on arrives as a GET: it answers well, and nothing is queued."""
    with pytest.raises(ComfyError, match=r"sends on to http://127\.0\.0\.1:\d+/there/history/x\. Enter") as caught:
        ComfyClient(elsewhere).submit(filled(), prompt_id="x", client_id="y")
    assert caught.value.later
    assert "secret" not in caught.value.message


def test_a_server_that_gives_ids_of_its_own_is_too_old(comfy_server: ComfyDouble) -> None:
    comfy_server.faults(own_ids=True, step_seconds=0.5)
    client = ComfyClient(comfy_server.url)
    with pytest.raises(ComfyError, match="too old") as caught:
        client.submit(filled(steps=20), prompt_id="mine", client_id="tests")
    assert caught.value.elsewhere
    assert not caught.value.retryable
    queue = client.queue()
    assert not queue.pending
    assert not queue.running or comfy_server.stats()["executed"].get("mine") is None
