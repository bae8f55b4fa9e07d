"""The double's HTTP side against what was measured on the real server: refusals, ids, files, restarts."""

import io
import json
import time
import uuid
from typing import Any

import pytest
import requests
import websocket
from PIL import Image

from comfy_adapters.comfyui import graphs
from comfy_adapters.tests.comfyui.helpers import filled
from comfy_adapters.tests.comfyui.test_protocol import Listener, run
from tests.doubles.comfyui.process import ComfyDouble


def changed(node: str, **inputs: Any) -> dict[str, Any]:
    """The text-to-image graph with some inputs of a node set, or taken away by None."""
    prompt = filled(steps=2)
    given = prompt[node]["inputs"]
    for name, value in inputs.items():
        if value is None:
            given.pop(name)
        else:
            given[name] = value
    return prompt


def heard(listener: Listener) -> list[str]:
    """The kinds of all messages until the socket is closed or silent."""
    found: list[str] = []
    try:
        while message := listener.socket.recv():
            if isinstance(message, str):
                found.append(json.loads(message)["type"])
    except (websocket.WebSocketException, OSError):
        pass
    return found


CASES: list[tuple[str, dict[str, Any], str]] = [
    ("40", {"steps": None}, "required_input_missing"),
    ("40", {"steps": "many"}, "invalid_input_type"),
    ("40", {"steps": 0}, "value_smaller_than_min"),
    ("40", {"steps": 10**6}, "value_bigger_than_max"),
    ("40", {"sampler_name": "nobody"}, "value_not_in_list"),
    ("40", {"model": ["12", 0]}, "return_type_mismatch"),
    ("40", {"model": ["12"]}, "bad_linked_input"),
    ("40", {"model": ["no such node", 0]}, "exception_during_validation"),
    ("40", {"model": ["12", 7]}, "exception_during_validation"),
]


@pytest.mark.parametrize(("node", "inputs", "kind"), CASES, ids=[f"{c[2]}-{n}" for n, c in enumerate(CASES)])
def test_what_is_wrong_in_a_node(shared_server: ComfyDouble, node: str, inputs: dict[str, Any], kind: str) -> None:
    answer = shared_server.post("/prompt", prompt=changed(node, **inputs))
    assert answer.status_code == 400
    body = answer.json()
    assert body["error"]["type"] == "prompt_outputs_failed_validation"
    assert set(body["error"]) == {"type", "message", "details", "extra_info"}
    found = body["node_errors"][node]
    assert (found["class_type"], found["dependent_outputs"]) == ("KSampler", ["60"])
    assert found["errors"][0]["type"] == kind
    assert set(found["errors"][0]) == {"type", "message", "details", "extra_info"}


def test_refusals_of_whole_graphs(each_server: ComfyDouble) -> None:
    modern = each_server.version == "0.33.0"
    prompt = filled(steps=2)
    prompt["99"] = {"class_type": "NoSuchNode", "inputs": {}}
    body = each_server.post("/prompt", prompt=prompt).json()
    assert body["error"]["type"] == ("missing_node_type" if modern else "invalid_prompt")
    assert (body["error"]["details"], body["node_errors"]) == ("Node ID '#99'", {})
    only_loader = {"1": {"class_type": "VAELoader", "inputs": {"vae_name": "ae.safetensors"}}}
    assert each_server.post("/prompt", prompt=only_loader).json()["error"]["type"] == "prompt_no_outputs"
    assert each_server.post("/prompt", nothing=1).json()["error"]["type"] == "no_prompt"
    for body in (b"{", json.dumps({"prompt": []}).encode()):
        answer = requests.post(f"{each_server.url}/prompt", data=body, timeout=5)
        assert answer.status_code == 500
        assert "json" not in answer.headers["Content-Type"]
    editor = each_server.post("/prompt", prompt={"nodes": [], "links": [], "version": 0.4})
    assert editor.status_code == (500 if modern else 400)
    # Numbers as text pass; V3 lists are only looked at by the newer server; missing files are told by either.
    assert each_server.post("/prompt", prompt=changed("40", steps="2")).status_code == 200
    clip = json.loads((graphs.FOLDER / "realesrgan_video.json").read_text(encoding="utf-8"))
    loader = next(key for key, node in clip.items() if node["class_type"] == "LoadVideo")
    refused = each_server.post("/prompt", prompt=clip).json()["node_errors"][loader]["errors"][0]
    assert refused["type"] == "custom_validation_failed"
    assert "example.mp4" in refused["details"]


def test_v3_lists_and_ranges_of_steps(each_server: ComfyDouble) -> None:
    Image.new("RGB", (64, 64)).save(each_server.data / "input" / "a.png")
    prompt: dict[str, Any] = {
        "1": {"class_type": "LoadImage", "inputs": {"image": "a.png"}},
        "2": {"class_type": "SaveWEBM", "inputs": {
            "images": ["1", 0], "filename_prefix": "x", "codec": "bogus", "fps": 24.0, "crf": 32.0,
        }},
    }  # fmt: skip
    assert each_server.post("/prompt", prompt=prompt).status_code == (400 if each_server.version == "0.33.0" else 200)
    assert each_server.post("/prompt", prompt=changed("30", width=833)).status_code == 200, "step is not enforced"


def test_ids_are_text_repeats_run_and_a_repeated_number_is_a_500(comfy_server: ComfyDouble) -> None:
    comfy_server.faults(hold="KSampler")
    first = comfy_server.post("/prompt", prompt=filled(), prompt_id=7).json()
    assert first == {"prompt_id": "7", "number": 0, "node_errors": {}}
    end = time.monotonic() + 10
    while not comfy_server.get("/queue")["queue_running"]:
        assert time.monotonic() < end
        time.sleep(0.02)
    twice = {"prompt": filled(seed=3), "prompt_id": "twice"}
    same = [{"prompt": filled(seed=n), "prompt_id": "twice", "number": 50} for n in (3, 4)]
    assert [comfy_server.post("/prompt", **body).status_code for body in same] == [200, 500]
    assert len(comfy_server.get("/queue")["queue_pending"]) == 2, "it was queued all the same"
    assert [comfy_server.post("/prompt", **twice).status_code for _ in range(2)] == [200, 200]
    assert comfy_server.post("/prompt", prompt=filled(), prompt_id=None).json()["prompt_id"] == "None"
    told = [item[1] for item in comfy_server.get("/queue")["queue_pending"]]
    assert sorted(told) == ["None", "twice", "twice", "twice", "twice"]


def test_every_route_is_there_below_api_too(shared_server: ComfyDouble) -> None:
    for path in ("/queue", "/history", "/system_stats", "/models", "/models/vae", "/embeddings", "/prompt"):
        assert type(shared_server.get(f"/api{path}")) is type(shared_server.get(path))
    assert shared_server.get("/api/object_info/KSampler").keys() == {"KSampler"}
    assert requests.get(f"{shared_server.url}/models/nothing", timeout=5).status_code == 404
    assert "ae.safetensors" in shared_server.get("/models/vae")
    assert requests.post(f"{shared_server.url}/free", timeout=5).status_code == 500, "without a body"
    assert shared_server.post("/free", unload_models=True, free_memory=True).status_code == 200


def test_uploads(comfy_server: ComfyDouble) -> None:
    def send(name: str, content: bytes, path: str = "/upload/image", **form: str) -> requests.Response:
        files = {"image": (name, content, "image/png")}
        return requests.post(comfy_server.url + path, files=files, data=form, timeout=5)

    where = {"subfolder": "aip", "type": "input"}
    assert send("in.png", b"one", **where).json() == {"name": "in.png", "subfolder": "aip", "type": "input"}
    assert send("in.png", b"one", **where).json()["name"] == "in.png"
    assert send("in.png", b"two", **where).json()["name"] == "in (1).png"
    assert send("in.png", b"two", **where, overwrite="true").json()["name"] == "in.png"
    assert (comfy_server.data / "input" / "aip" / "in.png").read_bytes() == b"two"
    assert send("a.png", b"x", subfolder="../..").status_code == 400
    original = json.dumps({"filename": "nobody.png", "type": "input"})
    assert send("m.png", b"x", "/upload/mask", original_ref=original).status_code == 200
    assert not (comfy_server.data / "input" / "m.png").exists(), "said yes, wrote nothing"
    assert send("m.png", b"x", "/upload/mask").status_code == 500


def test_files_come_whole_in_parts_and_not_from_elsewhere(comfy_server: ComfyDouble) -> None:
    listener = Listener(comfy_server, "one")
    prompt_id = run(comfy_server, filled(steps=2), "one")
    listener.until_end(prompt_id)
    (saved,) = comfy_server.get(f"/history/{prompt_id}")[prompt_id]["outputs"]["60"]["images"]
    url = f"{comfy_server.url}/view"
    whole = requests.get(url, params=saved, timeout=5)
    part = requests.get(url, params=saved, headers={"Range": "bytes=2-5"}, timeout=5)
    assert (part.status_code, part.content) == (206, whole.content[2:6])
    head = requests.head(url, params=saved, timeout=5)
    assert (head.content, int(head.headers["Content-Length"])) == (b"", len(whole.content))
    again = requests.get(url, params=saved, headers={"If-None-Match": whole.headers["Etag"]}, timeout=5)
    assert again.status_code == 304
    small = requests.get(url, params={**saved, "preview": "webp;70"}, timeout=5)
    assert Image.open(io.BytesIO(small.content)).format == "WEBP"
    for asked, status in (
        ({"filename": "nothing.png"}, 404),
        ({"filename": "../x.png"}, 400),
        ({"filename": "x.png", "subfolder": "../.."}, 403),
    ):
        assert requests.get(url, params=asked, timeout=5).status_code == status


def test_a_restart_forgets_the_queue_and_keeps_the_files(comfy_server: ComfyDouble) -> None:
    listener = Listener(comfy_server, "one")
    done = run(comfy_server, filled(steps=1), "one")
    listener.until_end(done)
    kept = comfy_server.get(f"/history/{done}")[done]["outputs"]["60"]["images"][0]
    comfy_server.faults(hold="KSampler")
    run(comfy_server, filled(steps=1, seed=2), "one")
    comfy_server.faults(restart=0.2)
    assert not {"execution_error", "execution_success"} & set(heard(listener)), "no final event"
    end = time.monotonic() + 10
    while True:
        try:
            assert comfy_server.get("/history") == {}
            break
        except requests.ConnectionError:
            assert time.monotonic() < end
            time.sleep(0.05)
    assert comfy_server.get("/queue") == {"queue_running": [], "queue_pending": []}
    assert requests.get(f"{comfy_server.url}/view", params=kept, timeout=5).status_code == 200
    assert comfy_server.post("/prompt", prompt=filled()).json()["number"] == 0, "it counts from the start"


def test_who_comes_back_in_the_middle_hears_what_runs(comfy_server: ComfyDouble) -> None:
    comfy_server.faults(hold="KSampler")
    first = Listener(comfy_server, "one")
    prompt_id = run(comfy_server, filled(steps=1), "one")
    while first.socket.recv().find('"node": "40"') < 0:
        pass
    first.socket.close()
    again = Listener(comfy_server, "one", flags=False)
    assert json.loads(again.socket.recv())["type"] == "status"
    assert json.loads(again.socket.recv()) == {"type": "executing", "data": {"node": "40"}}
    comfy_server.faults(hold="")
    texts, _ = again.until_end(prompt_id)
    assert "execution_success" in dict(texts)


def test_the_survivor_of_two_sockets_is_deaf(comfy_server: ComfyDouble) -> None:
    old, new = Listener(comfy_server, "twin"), Listener(comfy_server, "twin")
    time.sleep(0.2)
    old.socket.close()
    time.sleep(0.2)
    prompt_id = run(comfy_server, filled(steps=1), "twin")
    end = time.monotonic() + 10
    while not comfy_server.get(f"/history/{prompt_id}"):
        assert time.monotonic() < end
        time.sleep(0.02)
    new.socket.settimeout(0.3)
    assert set(heard(new)) <= {"status", "feature_flags"}


def test_the_history_can_be_read_in_parts(comfy_server: ComfyDouble) -> None:
    ids = [str(uuid.uuid4()) for _ in range(3)]
    for number, prompt_id in enumerate(ids):
        comfy_server.post("/prompt", prompt=filled(steps=1, seed=number), prompt_id=prompt_id)
    end = time.monotonic() + 10
    while len(comfy_server.get("/history")) < 3:
        assert time.monotonic() < end
        time.sleep(0.02)
    assert list(comfy_server.get("/history?max_items=2")) == ids[1:]
    assert list(comfy_server.get("/history?max_items=1&offset=0")) == ids[:1]
    assert comfy_server.get("/history/unknown") == {}
