"""Results and uploads: which files count, how large they may be, and that nothing half-written stays."""

import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from aipipeline.media.files import sha256_file
from aipipeline.media.storage import StorageError
from comfy_adapters.comfyui import inputs
from comfy_adapters.comfyui.backend import ComfyBackend
from comfy_adapters.comfyui.client import ComfyClient, OutputFile, output_files
from comfy_adapters.comfyui.errors import ComfyError
from comfy_adapters.comfyui.sending import FormBody
from comfy_adapters.tests.comfyui.helpers import QUICK, Reporter, context, filled
from comfy_adapters.tests.comfyui.test_client import finish, send
from tests.doubles.comfyui.process import ComfyDouble


@pytest.fixture
def client(comfy_server: ComfyDouble) -> ComfyClient:
    return ComfyClient(comfy_server.url)


@pytest.fixture
def result(client: ComfyClient) -> OutputFile:
    """A small picture that the server has made."""
    return output_files(finish(client, send(client, filled(steps=1))))[0]


def test_saved_files_are_found_under_every_key() -> None:
    """By node: SaveImage, SaveVideo, VHS_VideoCombine, SaveAudio, PreviewAny, PreviewImage."""

    def file(name: str, **more: Any) -> dict[str, Any]:
        return {"filename": name, "subfolder": "aip", "type": "output", **more}

    outputs = {
        "1": {"images": [file("a.png"), file("b.png")]},
        "129:2": {"images": [file("c.mp4")], "animated": [True]},
        "3": {"gifs": [file("d.mp4", fullpath="/srv/d.mp4", workflow="d.png", format="video/h264-mp4")]},
        "4": {"audio": [file("e.flac")]},
        "5": {"text": ["some words"]},
        "6": {"images": [file("f.png", type="temp")]},
        "7": {"videos": [{"filename": "g.webm"}]},
    }
    found = output_files({"outputs": outputs})
    assert [f.filename for f in found] == ["a.png", "b.png", "c.mp4", "d.mp4", "e.flac", "g.webm"]
    assert (found[2].node, found[2].subfolder, found[2].suffix) == ("129:2", "aip", ".mp4")
    assert (found[5].subfolder, found[5].type) == ("", "output")
    assert output_files({}) == []


@pytest.mark.parametrize("how", ["sized", "unsized"])
def test_a_result_beyond_the_limit_leaves_no_file(
    comfy_server: ComfyDouble, client: ComfyClient, result: OutputFile, tmp_path: Path, how: str
) -> None:
    if how == "unsized":
        comfy_server.faults(unsized_download=2)
    with pytest.raises(ComfyError, match="larger than") as caught:
        client.download(result, tmp_path / "a.png", limit=10)
    assert (caught.value.kind, caught.value.retryable) == ("size", False)
    assert list(tmp_path.iterdir()) == []
    assert client.download(result, tmp_path / "a.png", limit=1 << 20)
    assert Image.open(tmp_path / "a.png").size == (64, 64)


def test_a_download_that_breaks_off_or_is_cancelled_leaves_no_file(
    comfy_server: ComfyDouble, client: ComfyClient, result: OutputFile, tmp_path: Path
) -> None:
    comfy_server.faults(broken_download=1)
    with pytest.raises(ComfyError) as caught:
        client.download(result, tmp_path / "a.png", limit=1 << 20)
    assert caught.value.retryable
    assert list(tmp_path.iterdir()) == []
    assert not client.download(result, tmp_path / "a.png", limit=1 << 20, cancelled=lambda: True)
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_under_a_result_is_said_and_the_result_collected_later(
    comfy_server: ComfyDouble, tmp_path: Path
) -> None:
    job, reporter = context(comfy_server.url, tmp_path, steps=2), Reporter()
    (job.out_dir / "source.png").symlink_to("/dev/full")
    with pytest.raises(StorageError, match="no space left on the storage"):
        ComfyBackend(QUICK).run(job, reporter)
    assert list(job.out_dir.iterdir()) == []
    again = context(comfy_server.url, tmp_path, state=reporter.state, attempt="second", steps=2)
    assert ComfyBackend(QUICK).run(again, Reporter()).files[0].is_file()
    assert comfy_server.stats()["posts"] == 1


def test_a_large_upload_takes_no_memory_and_arrives_whole(
    comfy_server: ComfyDouble, client: ComfyClient, tmp_path: Path
) -> None:
    size = 90 << 20
    path = tmp_path / "clip.mp4"
    with path.open("wb") as file:
        for number in range(size >> 20):
            file.write(bytes([number]) * (1 << 20))
    tracemalloc.start()
    try:
        name = client.upload_image(path, name='길고 "큰" 클립.mp4')
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert most < 8 << 20, f"{most >> 20} MB for a file of {size >> 20}"
    assert sha256_file(comfy_server.data / "input" / name) == sha256_file(path)


def test_a_file_that_goes_away_while_it_is_sent_is_not_the_servers_fault(client: ComfyClient, tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    path.write_bytes(bytes(1 << 20))
    body = FormBody("image", "clip.mp4", path, {"type": "input"})
    path.write_bytes(bytes(1 << 19))
    with pytest.raises(ComfyError, match=r"clip\.mp4 cannot be read: it became shorter") as caught:
        client._send("POST", "/upload/image", data=body, headers={"Content-Type": body.content_type})
    assert (caught.value.kind, caught.value.later) == ("refused", False)


def test_a_server_that_says_no_limit_gets_no_file_without_bounds(
    comfy_server: ComfyDouble, client: ComfyClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file is sparse: it has the size, and no content."""
    path = tmp_path / "clip.mp4"
    with path.open("wb") as file:
        file.truncate((2 << 30) + 1)
    monkeypatch.setattr(inputs, "content_hash", lambda path: "0" * 64)
    ready = [inputs.Ready("reference_video", path, path, ())]
    with pytest.raises(ComfyError, match=r"clip\.mp4 has 2049 MB, and the ComfyUI server takes at most 2048 MB"):
        inputs.Uploader(client, set(), lambda: 0).put(ready, {})
    assert comfy_server.stats()["uploads"] == 0


def test_a_file_too_large_to_upload_is_refused(comfy_server: ComfyDouble, client: ComfyClient, tmp_path: Path) -> None:
    comfy_server.faults(max_upload=100)
    Image.new("RGB", (640, 640), "red").save(tmp_path / "big.png")
    with pytest.raises(ComfyError, match=r"big\.png is too large.*--max-upload-size") as caught:
        client.upload_image(tmp_path / "big.png", name="x.png")
    assert not caught.value.retryable
