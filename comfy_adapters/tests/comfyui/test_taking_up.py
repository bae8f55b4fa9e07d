"""What an attempt takes over of the one before it: only what was sent for just this work, and never blindly."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import requests
from PIL import Image

from aipipeline.media.files import sha256_file
from aipipeline.media.probe import probe
from comfy_adapters.comfyui.backend import ComfyBackend
from comfy_adapters.comfyui.client import ComfyClient
from comfy_adapters.comfyui.errors import ComfyError
from comfy_adapters.tests.comfyui.helpers import QUICK, Reporter, context
from comfy_adapters.tests.comfyui.test_faults import until
from renders.backends import JobCancelled, JobContext, Stop
from tests.doubles.comfyui.process import ComfyDouble


def left_running(double: ComfyDouble, job: JobContext) -> Reporter:
    """An attempt that was taken back while its prompt ran, and what it saved."""
    client = ComfyClient(double.url)
    lost = Reporter(reason=Stop.LOST)
    lost.cancel_when = lambda me: bool(me.state) and me.state["prompt_id"] in client.queue().running
    with pytest.raises(JobCancelled):
        ComfyBackend(QUICK).run(job, lost)
    return lost


@pytest.mark.parametrize("ended", [False, True])
def test_a_prompt_for_another_first_image_is_not_taken_up(
    comfy_server: ComfyDouble, tmp_path: Path, ended: bool
) -> None:
    """The first image was approved anew between the attempts."""
    comfy_server.faults(step_seconds=0.2)
    small: dict[str, Any] = {"workflow": "comfy.wan22_i2v", "steps": 8, "split_step": 4, "frames": 9}
    job = context(comfy_server.url, tmp_path, **small)
    lost = left_running(comfy_server, job)
    client, before = ComfyClient(comfy_server.url), lost.state["prompt_id"]
    comfy_server.faults(step_seconds=0.01)
    if ended:
        until(lambda: client.locate(before) == "finished")
    newer = tmp_path / "newer.png"
    Image.new("RGB", (320, 180), "maroon").save(newer)
    again = context(comfy_server.url, tmp_path, attempt="second", state=lost.state, **small)
    reporter = Reporter()
    result = ComfyBackend(QUICK).run(replace(again, inputs={"first_image": newer}), reporter)
    assert result.provenance["uploads"]["first_image"]["original_sha256"] == sha256_file(newer)
    assert result.provenance["prompt_id"] == reporter.state["prompt_id"] != before
    entry = client.history(before)
    assert entry is not None
    assert (entry["status"]["status_str"] == "success") == ended, "what ran for the old picture was stopped"


def test_other_words_are_another_work(comfy_server: ComfyDouble, tmp_path: Path) -> None:
    reporter = Reporter()
    ComfyBackend(QUICK).run(context(comfy_server.url, tmp_path, steps=2), reporter)
    first = dict(reporter.state)
    again = context(comfy_server.url, tmp_path, attempt="second", state=first, steps=2, prompt="밤의 골목")
    result = ComfyBackend(QUICK).run(again, reporter)
    assert result.provenance["prompt"] == "밤의 골목"
    assert result.provenance["prompt_id"] != first["prompt_id"]


def spoil(double: ComfyDouble, pattern: str) -> None:
    """What the server saved keeps its name, size and headers, and nobody can decode it."""
    for path in (double.data / "output").rglob(pattern):
        whole = path.read_bytes()
        begin = whole.index(b"mdat" if path.suffix == ".mp4" else b"IDAT")
        size = int.from_bytes(whole[begin - 4 : begin], "big")
        with path.open("r+b") as file:
            file.seek(begin + size * 6 // 10)
            file.write(b"\xff" * (size * 3 // 10))


@pytest.mark.parametrize(
    ("values", "pattern"),
    [
        ({"workflow": "comfy.wan22_i2v", "steps": 2, "split_step": 1, "frames": 12}, "*.mp4"),
        ({"steps": 2, "width": 330}, "*.png"),
    ],
)
def test_a_finished_result_of_no_use_is_made_again(
    comfy_server: ComfyDouble, tmp_path: Path, values: dict[str, Any], pattern: str
) -> None:
    """Whatever is wrong with it: it would be collected again at every try."""
    comfy_server.faults(step_seconds=0.1)
    first = left_running(comfy_server, context(comfy_server.url, tmp_path, **values))
    client = ComfyClient(comfy_server.url)
    until(lambda: client.locate(first.state["prompt_id"]) == "finished")
    spoil(comfy_server, pattern)
    job = context(comfy_server.url, tmp_path, attempt="second", state=first.state, **values)
    result = ComfyBackend(QUICK).run(job, Reporter())
    assert result.provenance["prompt_id"] != first.state["prompt_id"]
    assert list(comfy_server.stats()["executed"].values()) == [1, 1]
    assert probe(result.files[0]).frames == values.get("frames", 1)


def test_a_result_that_cannot_be_used_says_nothing_against_the_worker(
    comfy_server: ComfyDouble, tmp_path: Path
) -> None:
    """Errors of kind "error" count against it (`renders.runner`)."""

    class Spoiling(Reporter):
        def progress(self, value: float, message: str = "") -> None:
            if message == "Downloading the result":
                spoil(comfy_server, "*.mp4")

    values: dict[str, Any] = {"workflow": "comfy.wan22_i2v", "steps": 2, "split_step": 1, "frames": 12}
    with pytest.raises(ComfyError, match="could not be converted") as caught:
        ComfyBackend(QUICK).run(context(comfy_server.url, tmp_path, **values), Spoiling())
    assert (caught.value.kind, caught.value.retryable) == ("download", True)


def test_a_useless_result_on_another_machine_is_made_again_here(
    start_comfy: Callable[..., ComfyDouble], tmp_path: Path
) -> None:
    old, new = start_comfy(), start_comfy()
    reporter = Reporter()
    ComfyBackend(QUICK).run(context(old.url, tmp_path, steps=2, width=330), reporter)
    spoil(old, "*.png")
    job = context(new.url, tmp_path, state=reporter.state, attempt="second", steps=2, width=330)
    assert ComfyBackend(QUICK).run(job, Reporter()).provenance["endpoint"] == new.url
    assert (old.stats()["posts"], new.stats()["posts"]) == (1, 1)


@contextmanager
def behind_a_password(double: ComfyDouble) -> Iterator[int]:
    """The server as a proxy shows it to those who know user and password; the port."""

    class Proxy(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.forward()

        def do_POST(self) -> None:
            self.forward()

        def forward(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if self.headers.get("Authorization") != "Basic cmluOnBAc3M=":
                self.send_response(401)
                self.end_headers()
                return
            answer = requests.request(self.command, double.url + self.path, data=body, timeout=10)
            self.send_response(answer.status_code)
            self.send_header("Content-Length", str(len(answer.content)))
            self.end_headers()
            self.wfile.write(answer.content)

        def log_message(self, *_args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Proxy)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_address[1]
    server.shutdown()
    server.server_close()


def test_a_result_on_a_machine_with_a_password_is_fetched(
    start_comfy: Callable[..., ComfyDouble], tmp_path: Path
) -> None:
    old, new = start_comfy(), start_comfy()
    reporter = Reporter()
    ComfyBackend(QUICK).run(context(old.url, tmp_path, steps=2), reporter)
    with behind_a_password(old) as port:
        public = f"http://127.0.0.1:{port}"
        state = {**reporter.state, "endpoint": public}
        job = context(new.url, tmp_path, state=state, attempt="second", steps=2)
        known = ("not an address://", new.url, f"http://rin:p%40ss@127.0.0.1:{port}/")
        result = ComfyBackend(QUICK).run(replace(job, endpoints=known), Reporter())
    assert result.provenance["endpoint"] == public, "and its password is not kept"
    assert new.stats()["posts"] == 0
