"""The client against the server's rules, and the double's answers to what the client must never meet unprepared."""

import uuid
from pathlib import Path
from typing import Any

import pytest
import requests
from PIL import Image

from comfy_adapters.comfyui.client import ComfyClient, output_files
from comfy_adapters.comfyui.errors import ComfyError
from comfy_adapters.comfyui.graphs import load
from comfy_adapters.comfyui.watch import Watcher
from comfy_adapters.tests.comfyui.helpers import QUICK, Reporter, filled
from tests.doubles.comfyui.process import ComfyDouble


def send(client: ComfyClient, prompt: dict[str, Any], prompt_id: str = "") -> str:
    prompt_id = prompt_id or str(uuid.uuid4())
    client.submit(prompt, prompt_id=prompt_id, client_id="tests")
    return prompt_id


def finish(client: ComfyClient, prompt_id: str) -> dict[str, Any]:
    ids = {"prompt_id": prompt_id, "client_id": uuid.uuid4().hex}
    with Watcher(client, **ids, nodes={}, reporter=Reporter(), timing=QUICK) as watcher:
        return watcher.wait()


def test_both_servers_accept_our_graphs_and_list_our_models(each_server: ComfyDouble, tmp_path: Path) -> None:
    client = ComfyClient(each_server.url)
    Image.new("RGB", (64, 64)).save(tmp_path / "a.png")
    image = client.upload_image(tmp_path / "a.png", name="a.png")
    assert image == "aip/a.png"
    for name, values in (("flux_t2i", {"steps": 2}), ("wan22_i2v", {"first_image": image, "length": 5, "steps": 2})):
        entry = finish(client, send(client, filled(name, **values)))
        assert entry["status"]["status_str"] == "success"
        assert [file.node for file in output_files(entry)] == [load(name)[1].output_node]
    assert client.system_stats()["system"]["comfyui_version"] == each_server.version


def test_a_second_submit_of_an_id_runs_nothing(comfy_server: ComfyDouble) -> None:
    client = ComfyClient(comfy_server.url)
    prompt_id = send(client, filled(steps=2))
    finish(client, prompt_id)
    assert client.submit(filled(steps=2), prompt_id=prompt_id, client_id="tests") == "finished"
    assert comfy_server.stats()["executed"] == {prompt_id: 1}


def test_the_same_graph_comes_from_the_cache_with_the_old_file(shared_server: ComfyDouble) -> None:
    """Why the backend varies the file prefix."""
    client = ComfyClient(shared_server.url)
    first, second = (output_files(finish(client, send(client, filled(steps=2)))) for _ in range(2))
    assert first == second
    third = output_files(finish(client, send(client, filled(steps=2, filename_prefix="aip/other"))))
    assert third != first


def _broken(**changes: Any) -> dict[str, Any]:
    prompt = filled()
    for place, value in changes.items():
        node, _, name = place.partition("_")
        if value is None:
            del prompt[node[1:]]["inputs"][name]
        else:
            prompt[node[1:]]["inputs"][name] = value
    return prompt


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"n40_steps": None}, "required_input_missing"),
        ({"n40_steps": "many"}, "invalid_input_type"),
        ({"n40_steps": 0}, "value_smaller_than_min"),
        ({"n40_cfg": 1000.0}, "value_bigger_than_max"),
        ({"n40_sampler_name": "nobody"}, "value_not_in_list"),
        ({"n50_samples": ["12", 0]}, "return_type_mismatch"),
        ({"n50_samples": ["40"]}, "bad_linked_input"),
        ({"n50_samples": ["99", 0]}, "exception_during_validation"),
    ],
)
def test_refusals_name_node_and_input(shared_server: ComfyDouble, changes: dict[str, Any], kind: str) -> None:
    prompt = _broken(**changes)
    answer = shared_server.post("/prompt", prompt=prompt)
    assert answer.status_code == 400
    kinds = {e["type"] for found in answer.json()["node_errors"].values() for e in found["errors"]}
    assert kinds == {kind}
    place = next(iter(changes))
    with pytest.raises(ComfyError, match=f"Node {place[1:3]} .*{place[4:]}") as caught:
        send(ComfyClient(shared_server.url), prompt)
    assert not caught.value.retryable


def test_an_unknown_class_is_refused_by_both(each_server: ComfyDouble) -> None:
    prompt = filled()
    prompt["12"]["class_type"] = "VAELoaderOfTomorrow"
    with pytest.raises(ComfyError, match=r"VAELoaderOfTomorrow.*#12"):
        send(ComfyClient(each_server.url), prompt)


def test_a_partly_invalid_graph_is_a_refusal_and_leaves_nothing_queued(comfy_server: ComfyDouble) -> None:
    comfy_server.faults(step_seconds=0.2)
    prompt = filled()
    prompt["61"] = {"class_type": "SaveImage", "inputs": {"images": ["50", 0]}}
    assert comfy_server.post("/prompt", prompt=prompt, prompt_id="probe").status_code == 200
    comfy_server.post("/interrupt", prompt_id="probe")
    client = ComfyClient(comfy_server.url)
    with pytest.raises(ComfyError, match="Node 61 SaveImage, filename_prefix"):
        send(client, prompt, "mine")
    entry = finish(client, "mine") if client.locate("mine") != "unknown" else None
    assert entry is None or entry["status"]["status_str"] == "error"


def test_a_refused_prompt_does_not_run_on_when_it_was_just_beginning(comfy_server: ComfyDouble) -> None:
    comfy_server.faults(step_seconds=0.3, begin_seconds=0.4)
    prompt = filled(steps=40)
    prompt["61"] = {"class_type": "SaveImage", "inputs": {"images": ["50", 0]}}
    client = ComfyClient(comfy_server.url)
    with pytest.raises(ComfyError, match="Node 61 SaveImage, filename_prefix"):
        send(client, prompt, "mine")
    assert client.locate("mine") in ("finished", "unknown")
    assert client.queue().running == ()


def test_an_editor_file_is_recognised_before_it_is_sent(comfy_server: ComfyDouble) -> None:
    editor: dict[str, Any] = {"nodes": [], "links": [], "version": 0.4}
    with pytest.raises(ComfyError, match=r"Export \(API\)"):
        send(ComfyClient(comfy_server.url), editor)
    assert comfy_server.stats()["posts"] == 0
    assert comfy_server.post("/prompt", prompt=editor).status_code == 500


@pytest.mark.parametrize(("fault", "runs"), [("broken_posts", 0), ("swallowed_posts", 1)])
def test_a_bare_500_is_looked_into(comfy_server: ComfyDouble, fault: str, runs: int) -> None:
    """Sometimes the prompt was queued all the same."""
    client = ComfyClient(comfy_server.url)
    comfy_server.faults(**{fault: 1})
    if runs:
        finish(client, send(client, filled(steps=2), "mine"))
    else:
        with pytest.raises(ComfyError, match="500") as caught:
            send(client, filled(steps=2), "mine")
        assert caught.value.retryable
    assert comfy_server.stats()["executed"].get("mine", 0) == runs


def test_nobody_listening_is_said_within_seconds(comfy_server: ComfyDouble) -> None:
    comfy_server.kill()
    with pytest.raises(ComfyError, match=r"127\.0\.0\.1:\d+ does not answer") as caught:
        ComfyClient(comfy_server.url).system_stats()
    assert caught.value.kind == "unreachable"
    assert caught.value.retryable
    with pytest.raises(ComfyError, match="not the address"):
        ComfyClient("ftp://somewhere")


def test_credentials_are_sent_and_never_shown() -> None:
    client = ComfyClient("https://rin:p%40ss@gpu.example:8443/comfy/")
    assert client.public == "https://gpu.example:8443/comfy"
    assert client.authorization == ["Authorization: Basic cmluOnBAc3M="]
    assert client.websocket_url("x") == "wss://gpu.example:8443/comfy/ws?clientId=x"


def test_files_come_in_ranges_and_within_a_limit(shared_server: ComfyDouble, tmp_path: Path) -> None:
    client = ComfyClient(shared_server.url)
    file = output_files(finish(client, send(client, filled(steps=2))))[0]
    assert client.download(file, tmp_path / "whole.png", limit=1 << 20)
    with pytest.raises(ComfyError, match="larger than"):
        client.download(file, tmp_path / "small.png", limit=10)
    query = {"filename": file.filename, "subfolder": file.subfolder, "type": file.type}
    part = requests.get(f"{shared_server.url}/view", params=query, headers={"Range": "bytes=0-7"}, timeout=5)
    assert (part.status_code, part.content) == (206, b"\x89PNG\r\n\x1a\n")
    small = requests.get(f"{shared_server.url}/view", params={**query, "preview": "webp;70"}, timeout=5)
    assert small.headers["Content-Type"] == "image/webp"
    for wrong, status in (({"filename": "no.png"}, 404), ({"filename": "../x"}, 400), ({"subfolder": "../.."}, 403)):
        assert requests.get(f"{shared_server.url}/view", params={**query, **wrong}, timeout=5).status_code == status


def test_uploads_of_the_same_bytes_share_a_file(shared_server: ComfyDouble, tmp_path: Path) -> None:
    client = ComfyClient(shared_server.url)
    path = tmp_path / "x.png"
    names = []
    for colour in ("red", "red", "blue"):
        Image.new("RGB", (8, 8), colour).save(path)
        names.append(client.upload_image(path, name="x.png"))
    assert names == ["aip/x.png", "aip/x.png", "aip/x (1).png"]
    Image.new("RGB", (8, 8), "red").save(path)
    assert client.has_input("x.png", "aip", path.stat().st_size)
    assert not client.has_input("y.png", "aip", 1)
