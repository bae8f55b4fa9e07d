"""The queue, the history and the one thread that executes prompts."""

import contextlib
import copy
import hashlib
import heapq
import json
import os
import threading
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from PIL import Image

from aipipeline.media.files import sha256_file
from tests.doubles.comfyui import nodes, produce
from tests.doubles.comfyui.faults import Faults
from tests.doubles.comfyui.media import Blocked, NodeError, Run, input_path

Item = tuple[Any, ...]

_SAMPLERS = ("KSampler", "SamplerCustom")
_KEPT = 10_000  # history entries


class Sender(Protocol):
    """How events reach the sockets; `client` None means all of them."""

    def event(self, kind: str, data: dict[str, Any], client: str | None) -> None: ...

    def preview(self, metadata: dict[str, Any], jpeg: bytes, client: str | None) -> None: ...


class Interrupted(Exception):
    pass


class Gone(Exception):
    """The server "restarted" or lost its queue under the running prompt: nothing more is told of it."""


def _now() -> int:
    return int(time.time() * 1000)


class Executor:
    """One prompt at a time, lowest number first. All fields are guarded by `lock`."""

    def __init__(
        self, folders: dict[str, Path], outputs_of: Callable[[str], bool], faults: Faults, *, modern: bool
    ) -> None:
        self.folders, self.is_output, self.faults, self.modern = folders, outputs_of, faults, modern
        self.sender: Sender | None = None
        self.lock = threading.RLock()
        self.wake = threading.Condition(self.lock)
        self.pending: list[Item] = []
        self.running: Item | None = None
        self.history: dict[str, Any] = {}
        self.cache: dict[str, tuple[tuple[Any, ...], dict[str, Any]]] = {}
        self.executed: dict[str, int] = {}
        self.loaded: set[str] = set()
        self.model_loads = 0
        self.counter = 0
        self.generation = 0
        self.interrupt = False
        self.node: str | None = None
        threading.Thread(target=self._work, daemon=True).start()

    # --- queue ----------------------------------------------------------------------------------------

    def put(self, item: Item) -> None:
        """The heap compares whole items, as the real one: the same number and id end in a comparison of two graphs."""
        with self.wake:
            try:
                heapq.heappush(self.pending, item)
            finally:
                self.wake.notify()
        self.tell_status()

    def delete(self, ids: list[str]) -> None:
        with self.lock:
            self.pending = [item for item in self.pending if item[1] not in ids]
            heapq.heapify(self.pending)
        self.tell_status()

    def stop_running(self, prompt_id: str | None) -> None:
        with self.lock:
            if self.running and prompt_id in (None, self.running[1]):
                self.interrupt = True

    def forget(self, *, history: bool) -> None:
        """Lose the queue and the running prompt; with `history` all that a restart loses."""
        with self.lock:
            self.pending, self.running, self.node = [], None, None
            self.generation += 1
            if history:
                self.history, self.cache, self.counter = {}, {}, 0
                self.loaded.clear()

    def unload(self) -> None:
        """What `/free` does: models and results are gone from memory."""
        with self.lock:
            self.cache.clear()
            self.loaded.clear()

    def remaining(self) -> int:
        with self.lock:
            return len(self.pending) + (self.running is not None)

    def tell_status(self) -> None:
        if self.sender:
            self.sender.event("status", {"status": {"exec_info": {"queue_remaining": self.remaining()}}}, None)

    # --- execution ------------------------------------------------------------------------------------

    def _work(self) -> None:
        while True:
            with self.wake:
                while not self.pending:
                    self.wake.wait()
                item = heapq.heappop(self.pending)
                self.running = item
                generation = self.generation
                self.executed[item[1]] = self.executed.get(item[1], 0) + 1
            time.sleep(self.faults.begin_seconds)
            with self.lock:
                self.interrupt = False  # an execution begins by forgetting what was said before
            execution = _Execution(self, item, generation)
            try:
                status = execution.run()
            except Gone:
                continue
            with self.lock:
                if self.generation != generation:
                    continue
                self.history[item[1]] = {
                    "prompt": list(item),
                    "outputs": execution.outputs,
                    "status": {**status, "messages": execution.messages},
                    "meta": execution.meta,
                }
                while len(self.history) > _KEPT:
                    del self.history[next(iter(self.history))]
                self.running, self.node = None, None
            self.tell_status()
            with contextlib.suppress(Gone):
                execution.send("executing", {"node": None, "prompt_id": item[1]})


class _Execution:
    def __init__(self, owner: Executor, item: Item, generation: int) -> None:
        self.owner, self.generation = owner, generation
        _number, self.prompt_id, self.prompt, self.extra, self.targets = item
        self.client: str | None = self.extra.get("client_id")
        self.outputs: dict[str, Any] = {}
        self.meta: dict[str, Any] = {}
        self.messages: list[list[Any]] = []
        self.states: dict[str, dict[str, Any]] = {}
        self.values: dict[str, tuple[Any, ...]] = {}
        self.done: list[str] = []

    def send(self, kind: str, data: dict[str, Any], *, always: bool = False) -> None:
        """Progress without a client goes to everybody; the rest then goes to nobody."""
        with self.owner.lock:
            if self.owner.generation != self.generation:
                raise Gone
        if self.owner.sender and (self.client is not None or always):
            self.owner.sender.event(kind, data, self.client)

    def message(self, kind: str, data: dict[str, Any]) -> None:
        data = {"prompt_id": self.prompt_id, **data, "timestamp": _now()}
        self.messages.append([kind, data])
        self.send(kind, data)

    def run(self) -> dict[str, Any]:
        self.message("execution_start", {})
        order = self._order()
        known: dict[str, str] = {}
        signatures = {key: self._signature(key, known) for key in order}
        cached = [key for key in order if signatures[key] in self.owner.cache]
        self.message("execution_cached", {"nodes": cached})
        key = ""
        try:
            for key in order:
                if key in cached:
                    self.values[key], shown = self.owner.cache[signatures[key]]
                else:
                    self.values[key], shown = self._node(key)
                if shown:
                    self.outputs[key] = shown
                    self.meta[key] = dict.fromkeys(("node_id", "display_node", "real_node_id"), key) | {
                        "parent_node": None
                    }
                    self.send("executed", self._named(key) | {"output": shown, "prompt_id": self.prompt_id})
                self.done.append(key)
        except Interrupted:
            self.message("execution_interrupted", self._facts(key))
            return {"status_str": "error", "completed": False}
        except Blocked as blocker:
            self.message("execution_error", self._failure(key, "ExecutionBlocked", str(blocker)))
        except NodeError as error:
            self.message("execution_error", self._failure(key, error.kind, str(error)))
            return {"status_str": "error", "completed": False}
        except Gone:
            raise
        except Exception as error:
            self.message("execution_error", self._failure(key, type(error).__name__, str(error)))
            return {"status_str": "error", "completed": False}
        finally:
            with self.owner.lock:  # also after a failure: what was done is not done again
                self.owner.cache = {signatures[key]: (self.values[key], self.outputs.get(key, {})) for key in self.done}
        self.message("execution_success", {})
        return {"status_str": "success", "completed": True}

    def _named(self, key: str) -> dict[str, Any]:
        return {"node": key, "display_node": key}

    def _facts(self, key: str) -> dict[str, Any]:
        return {"node_id": key, "node_type": self.prompt[key]["class_type"], "executed": list(self.done)}

    def _failure(self, key: str, kind: str, text: str) -> dict[str, Any]:
        return self._facts(key) | {
            "exception_message": text,
            "exception_type": kind,
            "traceback": traceback.format_exc().splitlines(keepends=True),
            "current_inputs": {},
            "current_outputs": list(self.done),
        }

    def _order(self) -> list[str]:
        found: list[str] = []

        def visit(key: str) -> None:
            if key in found:
                return
            for value in self.prompt[key]["inputs"].values():
                if isinstance(value, list):
                    visit(str(value[0]))
            found.append(key)

        for target in self.targets:
            visit(target)
        return found

    def _signature(self, key: str, known: dict[str, str]) -> str:
        """Of a node with all that is above it; a loader of a file also by that file's content."""
        if key not in known:
            node = self.prompt[key]
            inputs = {
                name: [self._signature(str(value[0]), known), value[1]] if isinstance(value, list) else value
                for name, value in node["inputs"].items()
            }
            changed = self._changed(node)
            content = [node["class_type"], inputs, os.urandom(8).hex() if changed != changed else changed]
            known[key] = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
        return known[key]

    def _changed(self, node: dict[str, Any]) -> Any:
        """What a node says of its input files; written into the very graph that the history keeps and the files carry.

        What came with the graph is believed. NaN is equal to nothing: such a node is never taken from the cache.
        """
        class_type, inputs = node["class_type"], node["inputs"]
        if class_type in self.owner.faults.always_changed:
            node.setdefault("is_changed", [float("nan")])
        elif class_type.startswith(("Load", "VHS_Load")):
            name = next((inputs[key] for key in ("image", "file", "video") if key in inputs), None)
            path = input_path(self.owner.folders, name) if isinstance(name, str) else None
            if path is not None and path.is_file():
                told = path.stat().st_mtime if "Video" in class_type else sha256_file(path)
                node.setdefault("is_changed", [told])
        said = node.get("is_changed")
        return float("nan") if isinstance(said, list) and any(value != value for value in said) else said

    def _node(self, key: str) -> tuple[tuple[Any, ...], dict[str, Any]]:
        node, faults = self.prompt[key], self.owner.faults
        with self.owner.lock:
            self.owner.node = key
            if self.owner.interrupt:
                raise Interrupted
        self._state(key, 0.0, 1.0, "running")
        self.send("executing", self._named(key) | {"prompt_id": self.prompt_id})
        while faults.hold and faults.hold in (key, node["class_type"]):
            self._wait(0.02)
        inputs = {
            name: self.values[str(value[0])][value[1]] if isinstance(value, list) else value
            for name, value in node["inputs"].items()
        }
        if self.owner.is_output(node["class_type"]) and faults.take("blocked"):
            raise Blocked("The input of this node was blocked.")
        if node["class_type"].startswith(_SAMPLERS) and faults.take("node_error"):
            raise NodeError("RuntimeError", "mat1 and mat2 shapes cannot be multiplied")
        result = nodes.execute(node["class_type"], inputs, self._tools(key))
        self._state(key, 1.0, 1.0, "finished")
        return result

    def _tools(self, key: str) -> Run:
        owner, faults = self.owner, self.owner.faults

        def step(value: int, maximum: int, image: Image.Image) -> None:
            self._wait(faults.step_seconds)
            self._state(key, float(value), float(maximum), "running")
            data = {"value": value, "max": maximum, "prompt_id": self.prompt_id, "node": key}
            self.send("progress", data, always=True)
            if owner.sender:
                metadata = {"prompt_id": self.prompt_id, **self._ids(key), "image_type": "image/jpeg"}
                owner.sender.preview(metadata, produce.preview(image, value, maximum), self.client)

        def check_memory(pixels: int) -> None:
            if faults.take("out_of_memory") or (faults.memory_pixels and pixels > faults.memory_pixels):
                raise NodeError("torch.OutOfMemoryError", "Allocation on device 0 would exceed allowed memory.")

        def load(file: str) -> None:
            with owner.lock:
                owner.loaded.add(file)
                owner.model_loads += 1
            self._wait(faults.load_seconds)

        prompt = copy.deepcopy(self.prompt)
        return Run(key, prompt, self.extra, owner.folders, owner.modern, step, check_memory, load)

    def _wait(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            time.sleep(min(left, 0.02))
            self._alive()
        self._alive()

    def _alive(self) -> None:
        with self.owner.lock:
            if self.owner.generation != self.generation:
                raise Gone
            if self.owner.interrupt:
                raise Interrupted

    def _ids(self, key: str) -> dict[str, Any]:
        return {"node_id": key, "display_node_id": key, "parent_node_id": None, "real_node_id": key}

    def _state(self, key: str, value: float, maximum: float, state: str) -> None:
        about = {"value": value, "max": maximum, "state": state, "prompt_id": self.prompt_id, **self._ids(key)}
        self.states[key] = about
        data = {"prompt_id": self.prompt_id, "nodes": dict(self.states)}
        self.send("progress_state", data, always=True)
