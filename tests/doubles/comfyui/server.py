"""The HTTP routes, each also under `/api`."""

import asyncio
import io
import json
import os
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import tornado.web
from PIL import Image
from tornado.httpserver import HTTPServer
from tornado.ioloop import IOLoop
from tornado.netutil import bind_sockets

from tests.doubles.comfyui.execution import Executor
from tests.doubles.comfyui.faults import Faults
from tests.doubles.comfyui.schema import MODELS, Schema
from tests.doubles.comfyui.sockets import MAX_UPLOAD, Socket, Sockets
from tests.doubles.comfyui.validate import UIFormat, Verdict, validate

_LOOPBACK = ("127.0.0.1", "localhost", "::1")


class Double:
    """The whole server: folders, queue, sockets, faults and counters."""

    def __init__(self, folder: Path, version: str, faults: Faults) -> None:
        self.folders = {name: folder / name for name in ("input", "output", "temp")}
        for place in self.folders.values():
            place.mkdir(parents=True, exist_ok=True)
        for leftover in self.folders["temp"].iterdir():
            leftover.unlink()
        self.version, self.faults = version, faults
        self.schema = Schema(version, self.folders["input"], faults)
        classes = self.schema.classes()
        self.executor = Executor(self.folders, lambda name: bool(classes[name]["output_node"]), faults)
        self.sockets = Sockets(IOLoop.current(), self.executor, faults)
        self.executor.sender = self.sockets
        self.counts = {"posts": 0, "uploads": 0, "downloads": 0, "freed": 0, "object_info": 0}
        self.port = 0
        self._server: HTTPServer | None = None

    def listen(self, port: int) -> int:
        """On loopback; returns the port."""
        bound = bind_sockets(port, "127.0.0.1", reuse_port=False)
        self._server = HTTPServer(self.application(), max_body_size=MAX_UPLOAD + (1 << 20))
        self._server.add_sockets(bound)
        self.port = int(bound[0].getsockname()[1])
        return self.port

    async def restart(self, seconds: float) -> None:
        """Lose queue, history and counter, drop every connection, be away for a while, come back."""
        assert self._server is not None
        self.executor.forget(history=True)
        self._server.stop()
        self.sockets.drop_all()
        await self._server.close_all_connections()
        await asyncio.sleep(seconds)
        self.listen(self.port)

    def application(self) -> tornado.web.Application:
        about = {"double": self}
        routes: list[tuple[str, Any, dict[str, Any]]] = [
            ("/ws", Socket, {"sockets": self.sockets}),
            ("/prompt", PromptHandler, about),
            ("/queue", QueueHandler, about),
            (r"/history(?:/([^/]+))?", HistoryHandler, about),
            ("/interrupt", InterruptHandler, about),
            ("/free", FreeHandler, about),
            ("/upload/image", UploadHandler, about),
            ("/view", ViewHandler, {**about, "path": str(self.folders["output"])}),
            ("/system_stats", StatsHandler, about),
            (r"/object_info(?:/(.+))?", ObjectInfoHandler, about),
            (r"/models(?:/([^/]+))?", ModelsHandler, about),
            ("/embeddings", EmbeddingsHandler, about),
            ("/_double/faults", FaultsHandler, about),
            ("/_double/stats", CountsHandler, about),
        ]
        return tornado.web.Application([*routes, *((f"/api{path}", *rest) for path, *rest in routes)])


class Base(tornado.web.RequestHandler):
    def initialize(self, double: Double) -> None:
        self.double = double

    def prepare(self) -> None:
        """A loopback Host takes an Origin only when it is literally the same host and port."""
        origin = self.request.headers.get("Origin")
        if not origin:
            return
        host = urlsplit(f"//{self.request.host}")
        if host.hostname in _LOOPBACK and urlsplit(origin).netloc != self.request.host:
            self.set_status(403)
            self.finish()

    def json(self, content: Any, status: int = 200) -> None:
        self.set_status(status)
        self.set_header("Content-Type", "application/json; charset=utf-8")
        self.finish(json.dumps(content))

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Plain text, never JSON."""
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        self.finish("500 Internal Server Error" if status_code == 500 else f"{status_code}")

    def body(self) -> Any:
        return json.loads(self.request.body)


class PromptHandler(Base):
    def get(self) -> None:
        self.json({"exec_info": {"queue_remaining": self.double.executor.remaining()}})

    def post(self) -> None:
        double, executor = self.double, self.double.executor
        double.counts["posts"] += 1
        if double.faults.take("broken_posts"):
            raise tornado.web.HTTPError(500)
        body = self.body()
        if "prompt" not in body:
            error = {"type": "no_prompt", "message": "No prompt provided", "details": "", "extra_info": {}}
            self.json({"error": error, "node_errors": {}}, 400)
            return
        try:
            verdict: Verdict = validate(body["prompt"], double.schema, double.folders["input"])
        except UIFormat:
            raise tornado.web.HTTPError(500) from None
        if verdict.error:
            self.json({"error": verdict.error, "node_errors": verdict.node_errors}, 400)
            return
        number: float
        if "number" in body:
            number = float(body["number"])
        else:
            number = -executor.counter if body.get("front") else executor.counter
            executor.counter += 1
        prompt_id = str(body.get("prompt_id", os.urandom(16).hex()))
        extra = dict(body.get("extra_data") or {})
        if "client_id" in body:
            extra["client_id"] = body["client_id"]
        executor.put((number, prompt_id, body["prompt"], extra, verdict.outputs))
        if double.faults.take("swallowed_posts"):
            raise tornado.web.HTTPError(500)
        self.json({"prompt_id": prompt_id, "number": number, "node_errors": verdict.node_errors})


class QueueHandler(Base):
    def get(self) -> None:
        executor = self.double.executor
        with executor.lock:
            running = [list(executor.running)] if executor.running else []
            self.json({"queue_running": running, "queue_pending": [list(item) for item in executor.pending]})

    def post(self) -> None:
        body = self.body()
        executor = self.double.executor
        if body.get("clear"):
            executor.delete([item[1] for item in executor.pending])
        executor.delete(list(body.get("delete", [])))


class HistoryHandler(Base):
    def get(self, prompt_id: str | None) -> None:
        with self.double.executor.lock:
            known = self.double.executor.history
            self.json(known if prompt_id is None else {k: v for k, v in known.items() if k == prompt_id})


class InterruptHandler(Base):
    def post(self) -> None:
        body = self.body() if self.request.body else {}
        self.double.executor.stop_running(body.get("prompt_id"))


class FreeHandler(Base):
    def post(self) -> None:
        self.body()  # without a body: 500
        self.double.counts["freed"] += 1
        self.double.executor.cache.clear()


class UploadHandler(Base):
    def post(self) -> None:
        files = self.request.files.get("image")
        if not files:
            raise tornado.web.HTTPError(400)
        if len(files[0]["body"]) > self.double.faults.max_upload:
            raise tornado.web.HTTPError(413)
        name, kind = files[0]["filename"], self.get_body_argument("type", "input")
        subfolder = self.get_body_argument("subfolder", "")
        root = self.double.folders[kind]
        place = (root / subfolder).resolve()
        if not place.is_relative_to(root.resolve()) or name.startswith("../"):
            raise tornado.web.HTTPError(400)
        if "/" in name:
            raise tornado.web.HTTPError(500)
        place.mkdir(parents=True, exist_ok=True)
        target, number = place / name, 1
        same = target.exists() and target.read_bytes() == files[0]["body"]
        overwrite = self.get_body_argument("overwrite", "") in ("true", "1")
        while target.exists() and not same and not overwrite:
            target = place / f"{Path(name).stem} ({number}){Path(name).suffix}"
            number += 1
        target.write_bytes(files[0]["body"])
        self.double.counts["uploads"] += 1
        self.json({"name": target.name, "subfolder": subfolder, "type": kind})


class ViewHandler(tornado.web.StaticFileHandler):
    """Range, HEAD and ETag come with the static file handler."""

    double: Double

    def initialize(self, double: Double, path: str) -> None:  # type: ignore[override]
        self.double = double
        super().initialize(path)

    async def get(self, path: str = "", include_body: bool = True) -> None:
        name, kind = self.get_query_argument("filename"), self.get_query_argument("type", "output")
        subfolder = self.get_query_argument("subfolder", "")
        if name.startswith("/") or ".." in name or kind not in self.double.folders:
            raise tornado.web.HTTPError(400)
        self.root = str(self.double.folders[kind].resolve())
        target = (Path(self.root) / subfolder / name).resolve()
        if not target.is_relative_to(self.root):
            raise tornado.web.HTTPError(403)
        if not target.is_file():
            raise tornado.web.HTTPError(404)
        wanted = self.get_query_argument("preview", "")
        if wanted:
            self._preview(target, wanted)
            return
        if include_body:
            self.double.counts["downloads"] += 1
            if self.double.faults.take("cut_download"):
                self.finish(target.read_bytes()[: target.stat().st_size // 2])
                return
            if self.double.faults.take("unsized_download"):
                self.write(target.read_bytes())
                await self.flush()
                return
            if self.double.faults.take("broken_download"):
                await self._break_off(target)
                return
        await super().get(str(target.relative_to(self.root)), include_body)

    def compute_etag(self) -> str | None:
        """Only whole files have one; what is made on the fly does not."""
        return super().compute_etag() if hasattr(self, "absolute_path") else None

    async def head(self, path: str = "") -> None:
        await self.get(path, include_body=False)

    async def _break_off(self, target: Path) -> None:
        """Promise the whole file, send half of it, and cut the connection."""
        content = target.read_bytes()
        self.set_header("Content-Length", str(len(content)))
        self.write(content[: len(content) // 2])
        await self.flush()
        stream = self.request.connection.stream  # type: ignore[attr-defined]
        stream.close()

    def _preview(self, target: Path, wanted: str) -> None:
        form, _, quality = wanted.partition(";")
        try:
            with Image.open(target) as image:
                out = io.BytesIO()
                image.convert("RGB").save(out, form, quality=int(quality or 90))
        except OSError as error:
            raise tornado.web.HTTPError(500) from error
        self.set_header("Content-Type", f"image/{form}")
        self.finish(out.getvalue())


class StatsHandler(Base):
    def get(self) -> None:
        memory, kind = self.double.faults.vram, self.double.faults.device
        system = {
            "os": sys.platform,
            "ram_total": 64 << 30,
            "ram_free": 48 << 30,
            "comfyui_version": self.double.version,
            "python_version": sys.version,
            "pytorch_version": "2.9.0",
            "embedded_python": False,
            "argv": ["main.py"],
        }
        device = {
            "name": "cpu" if kind == "cpu" else f"{kind}:0 Test GPU",
            "type": kind,
            "index": None if kind == "cpu" else 0,
            "vram_total": memory,
            "vram_free": memory // 12 * 11,
            "torch_vram_total": 2 << 30,
            "torch_vram_free": 1 << 30,
        }
        self.json({"system": system, "devices": [device]})


class ObjectInfoHandler(Base):
    def get(self, name: str | None) -> None:
        self.double.counts["object_info"] += 1
        classes = self.double.schema.classes()
        self.json(classes if name is None else {key: info for key, info in classes.items() if key == name})


class ModelsHandler(Base):
    def get(self, folder: str | None) -> None:
        if folder is None:
            self.json(list(MODELS))
            return
        names = self.double.schema.models(folder)
        if names is None:
            raise tornado.web.HTTPError(404)
        self.json(names)


class EmbeddingsHandler(Base):
    def get(self) -> None:
        self.json([])


class FaultsHandler(Base):
    """`restart` (seconds), `lose_queue` and `drop_sockets` act at once; everything else sets a field of Faults."""

    def post(self) -> None:
        body = self.body()
        restart, lose = body.pop("restart", None), body.pop("lose_queue", False)
        drop = body.pop("drop_sockets", False)
        try:
            self.double.faults.update(body)
        except KeyError as error:
            self.json({"unknown": str(error)}, 400)
            return
        if lose:
            self.double.executor.forget(history=False)
        if drop:
            self.double.sockets.drop_all()
        if restart is not None:
            IOLoop.current().add_callback(self.double.restart, float(restart))
        self.json({})


class CountsHandler(Base):
    def get(self) -> None:
        executor = self.double.executor
        with executor.lock:
            self.json({**self.double.counts, "executed": executor.executed, "sockets": list(self.double.sockets.by_id)})
