"""The double speaks as the real server was measured to, message by message: else the client's tests mean nothing."""

import json
import uuid
from typing import Any

import websocket

from comfy_adapters.comfyui.client import ComfyClient
from comfy_adapters.tests.comfyui.helpers import filled
from tests.doubles.comfyui.process import ComfyDouble

FLAGS = {"type": "feature_flags", "data": {"supports_preview_metadata": True}}


class Listener:
    """A socket as any client opens it."""

    def __init__(self, double: ComfyDouble, client_id: str, *, flags: bool = True) -> None:
        url = ComfyClient(double.url).websocket_url(client_id)
        self.socket = websocket.create_connection(url, timeout=10, suppress_origin=True, http_no_proxy=["*"])
        if flags:
            self.socket.send(json.dumps(FLAGS))

    def until_end(self, prompt_id: str) -> tuple[list[tuple[str, dict[str, Any]]], list[bytes]]:
        """Text messages up to `executing node:null`, and the binary ones."""
        texts: list[tuple[str, dict[str, Any]]] = []
        binaries: list[bytes] = []
        while True:
            message = self.socket.recv()
            if isinstance(message, bytes):
                binaries.append(message)
                continue
            content = json.loads(message)
            texts.append((content["type"], content["data"]))
            if content["type"] == "executing" and content["data"] == {"node": None, "prompt_id": prompt_id}:
                return texts, binaries

    def until(self, kind: str) -> None:
        """Until the server has told of this."""
        while True:
            message = self.socket.recv()
            if not isinstance(message, bytes) and json.loads(message)["type"] == kind:
                return


def run(double: ComfyDouble, prompt: dict[str, Any], client_id: str, prompt_id: str = "") -> str:
    prompt_id = prompt_id or str(uuid.uuid4())
    answer = double.post("/prompt", prompt=prompt, client_id=client_id, prompt_id=prompt_id).json()
    assert answer["prompt_id"] == prompt_id
    assert answer["node_errors"] == {}
    return prompt_id


def test_one_prompt_in_order(each_server: ComfyDouble) -> None:
    listener = Listener(each_server, "one")
    prompt_id = run(each_server, filled(steps=2), "one")
    texts, binaries = listener.until_end(prompt_id)
    empty = {"status": {"exec_info": {"queue_remaining": 0}}}
    assert texts[0] == ("status", {**empty, "sid": "one"})
    assert texts[1][0] == "feature_flags"
    assert texts[1][1]["max_upload_size"] == 104857600
    kinds = [kind for kind, _data in texts if kind not in ("status", "feature_flags", "progress_state")]
    assert kinds[:3] == ["execution_start", "execution_cached", "executing"]
    assert kinds[-3:] == ["executed", "execution_success", "executing"]
    assert texts[-2] == ("status", empty), "to all, without sid"
    by_kind = dict(texts)
    assert set(by_kind["execution_start"]) == set(by_kind["execution_success"]) == {"prompt_id", "timestamp"}
    assert set(by_kind["execution_cached"]) == {"nodes", "prompt_id", "timestamp"}
    assert by_kind["progress"] == {"value": 2, "max": 2, "prompt_id": prompt_id, "node": "40"}
    saved = by_kind["executed"]
    assert set(saved) == {"node", "display_node", "output", "prompt_id"}
    assert set(saved["output"]["images"][0]) == {"filename", "subfolder", "type"}
    state = by_kind["progress_state"]["nodes"]["40"]
    assert set(state) == {
        "value", "max", "state", "node_id", "prompt_id", "display_node_id", "parent_node_id", "real_node_id",
    }  # fmt: skip
    assert (state["value"], state["max"], state["state"]) == (1.0, 1.0, "finished")
    assert binaries
    assert all(message[:4] == b"\0\0\0\4" for message in binaries)
    entry = each_server.get(f"/history/{prompt_id}")[prompt_id]
    assert set(entry) == {"prompt", "outputs", "status", "meta"}
    assert entry["prompt"][1] == prompt_id
    assert entry["prompt"][4] == ["60"]
    assert [kind for kind, _ in entry["status"]["messages"]] == [
        "execution_start", "execution_cached", "execution_success",
    ]  # fmt: skip


def test_a_cached_output_is_told_again_with_the_old_file(comfy_server: ComfyDouble) -> None:
    listener = Listener(comfy_server, "one")
    first, _ = listener.until_end(run(comfy_server, filled(steps=2), "one"))
    second, _ = listener.until_end(run(comfy_server, filled(steps=2), "one"))
    told = [[data["output"] for kind, data in texts if kind == "executed"] for texts in (first, second)]
    assert told[0] == told[1]
    assert [data["node"] for kind, data in second if kind == "executing"] == [None]


def test_previews_without_the_flag_and_without_a_client(comfy_server: ComfyDouble) -> None:
    """A prompt without client_id: progress to all, neither executed nor success to anybody."""
    plain = Listener(comfy_server, "plain", flags=False)
    prompt_id = run(comfy_server, filled(steps=2), "plain")
    _texts, binaries = plain.until_end(prompt_id)
    assert all(message[:8] == b"\0\0\0\1\0\0\0\1" and message[8:10] == b"\xff\xd8" for message in binaries)
    nobody = str(uuid.uuid4())
    comfy_server.post("/prompt", prompt=filled(steps=2, seed=5), prompt_id=nobody)
    prompt_id = run(comfy_server, filled(steps=2, seed=6), "plain")
    texts, _binaries = plain.until_end(prompt_id)
    assert {kind for kind, data in texts if data.get("prompt_id") == nobody} == {"progress", "progress_state"}


def test_errors_and_interrupts_have_their_shapes(comfy_server: ComfyDouble) -> None:
    listener = Listener(comfy_server, "one")
    comfy_server.faults(node_error=1)
    prompt_id = run(comfy_server, filled(steps=2), "one")
    texts, _ = listener.until_end(prompt_id)
    error = dict(texts)["execution_error"]
    assert set(error) == {
        "prompt_id", "node_id", "node_type", "executed", "exception_message", "exception_type", "traceback",
        "current_inputs", "current_outputs", "timestamp",
    }  # fmt: skip
    assert (error["node_id"], error["node_type"], error["exception_type"]) == ("40", "KSampler", "RuntimeError")
    assert comfy_server.get(f"/history/{prompt_id}")[prompt_id]["status"]["completed"] is False
    comfy_server.faults(blocked=1)
    texts, _ = listener.until_end(run(comfy_server, filled(steps=2), "one"))
    assert [kind for kind, _data in texts if kind.startswith("execution_")][-2:] == [
        "execution_error", "execution_success",
    ]  # fmt: skip
    comfy_server.faults(step_seconds=0.2)
    prompt_id = run(comfy_server, filled(steps=50, seed=3), "one")
    listener.until("progress")  # what comes before it has begun is lost
    assert comfy_server.post("/interrupt", prompt_id="another").status_code == 200
    comfy_server.post("/interrupt", prompt_id=prompt_id)
    texts, _ = listener.until_end(prompt_id)
    assert set(dict(texts)["execution_interrupted"]) == {
        "prompt_id", "node_id", "node_type", "executed", "timestamp",
    }  # fmt: skip
    status = comfy_server.get(f"/history/{prompt_id}")[prompt_id]["status"]
    assert (status["status_str"], status["messages"][-1][0]) == ("error", "execution_interrupted")


def test_ids_numbers_and_the_queue(comfy_server: ComfyDouble) -> None:
    comfy_server.faults(step_seconds=0.3)
    answers = [comfy_server.post("/prompt", prompt=filled(seed=n), prompt_id=f"p{n}").json() for n in range(3)]
    answers.append(comfy_server.post("/prompt", prompt=filled(seed=9), prompt_id="first", front=True).json())
    assert [repr(answer["number"]) for answer in answers] == ["0", "1", "2", "-3"]
    client = ComfyClient(comfy_server.url)
    assert client.queue().running == ("p0",)
    assert client.queue().pending == ("first", "p1", "p2")
    assert [len(item) for item in comfy_server.get("/queue")["queue_pending"]] == [5, 5, 5]
    deleted = comfy_server.post("/queue", delete=["p1", "p0"])
    assert (deleted.status_code, deleted.content) == (200, b"")
    assert client.queue().pending == ("first", "p2")
    assert client.queue().running == ("p0",), "delete touches pending ones only"
    assert comfy_server.get("/history/p1") == {}
    comfy_server.post("/interrupt", prompt_id="p2")  # pending: ignored
    assert client.queue().running == ("p0",)
    comfy_server.post("/queue", clear=True)
    assert client.queue().pending == ()


def test_the_older_of_two_sockets_is_silent(comfy_server: ComfyDouble) -> None:
    old, new = Listener(comfy_server, "twin"), Listener(comfy_server, "twin")
    texts, _ = new.until_end(run(comfy_server, filled(steps=1), "twin"))
    assert "execution_success" in dict(texts)
    old.socket.settimeout(0.3)
    heard = []
    try:
        while True:
            heard.append(json.loads(old.socket.recv())["type"])
    except websocket.WebSocketTimeoutException:
        pass
    assert set(heard) <= {"status", "feature_flags"}


def test_a_foreign_origin_is_turned_away(comfy_server: ComfyDouble) -> None:
    import requests

    for origin, status in ((f"http://localhost:{comfy_server.port}", 403), (comfy_server.url, 200)):
        answer = requests.get(f"{comfy_server.url}/queue", headers={"Origin": origin}, timeout=5)
        assert answer.status_code == status
