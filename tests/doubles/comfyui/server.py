"""The HTTP routes, each also under `/api`."""

import asyncio
import io
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import tornado.web
from PIL import Image
from tornado.httpserver import HTTPServer
from tornado.ioloop import IOLoop
from tornado.netutil import bind_sockets

from tests.doubles.comfyui.base import Base, misbehave
from tests.doubles.comfyui.controls import CountsHandler, FaultsHandler
from tests.doubles.comfyui.execution import Executor
from tests.doubles.comfyui.faults import MAX_UPLOAD, Faults
from tests.doubles.comfyui.schema import Schema
from tests.doubles.comfyui.sockets import Socket, Sockets
from tests.doubles.comfyui.validate import UIFormat, Verdict, validate


class Double:
    """The whole server: folders, queue, sockets, faults and counters."""

    def __init__(self, folder: Path, version: str, faults: Faults) -> None:
        self.folders = {name: folder / name for name in ("input", "output", "temp")}
        for place in self.folders.values():
            place.mkdir(parents=True, exist_ok=True)
        for leftover in self.folders["temp"].iterdir():
            leftover.unlink()
        self.version, self.faults = version, faults
        self.schema = Schema(version, folder, faults)
        self.executor = Executor(self.folders, self.schema.is_output, faults, modern=self.schema.modern)
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
            ("/upload/mask", UploadHandler, {**about, "mask": True}),
            ("/view", ViewHandler, {**about, "path": str(self.folders["output"])}),
            ("/system_stats", StatsHandler, about),
            ("/features", FeaturesHandler, about),
            (r"/object_info(?:/(.+))?", ObjectInfoHandler, about),
            (r"/models(?:/([^/]+))?", ModelsHandler, about),
            (r"/experiment/models(?:/([^/]+))?", ModelFilesHandler, about),
            ("/embeddings", EmbeddingsHandler, about),
            ("/_double/faults", FaultsHandler, about),
            ("/_double/stats", CountsHandler, about),
        ]
        return tornado.web.Application([*routes, *((f"/api{path}", *rest) for path, *rest in routes)])


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
            verdict: Verdict = validate(body["prompt"], double.schema, double.folders)
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
        given = {} if double.faults.own_ids else body
        prompt_id = str(given.get("prompt_id", os.urandom(16).hex()))
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
        limit, offset = self.get_query_argument("max_items", ""), int(self.get_query_argument("offset", "-1"))
        with self.double.executor.lock:
            known = list(self.double.executor.history.items())
            if prompt_id is not None:
                known = [(key, entry) for key, entry in known if key == prompt_id]
            elif limit:
                start = offset if offset >= 0 else max(len(known) - int(limit), 0)
                known = known[start : start + int(limit)]
            self.json(dict(known))

    def post(self, prompt_id: str | None) -> None:
        body = self.body()
        with self.double.executor.lock:
            if body.get("clear"):
                self.double.executor.history.clear()
            for key in body.get("delete", []):
                self.double.executor.history.pop(key, None)


class InterruptHandler(Base):
    def post(self) -> None:
        body = self.body() if self.request.body else {}
        self.double.executor.stop_running(body.get("prompt_id"))


class FreeHandler(Base):
    def post(self) -> None:
        self.body()  # without a body: 500
        self.double.counts["freed"] += 1
        self.double.executor.unload()


class UploadHandler(Base):
    """`/upload/mask` needs the image that the mask is for; when that is missing it answers as if it had written."""

    def initialize(self, double: Double, mask: bool = False) -> None:
        super().initialize(double)
        self.mask = mask

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
        if self.mask and not self._original().is_file():
            self.json({"name": name, "subfolder": subfolder, "type": kind})
            return
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

    def _original(self) -> Path:
        """Without `original_ref` in the form: a bare 500."""
        about = json.loads(self.get_body_argument("original_ref", ""))
        return self.double.folders[about.get("type", "input")] / about.get("subfolder", "") / about["filename"]


class ViewHandler(tornado.web.StaticFileHandler):
    """Range, HEAD and ETag come with the static file handler."""

    double: Double

    def initialize(self, double: Double, path: str) -> None:  # type: ignore[override]
        self.double = double
        super().initialize(path)

    async def prepare(self) -> None:
        await misbehave(self.double.faults)

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
            if self.double.faults.download_seconds:
                await self._dribble(target)
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

    async def _dribble(self, target: Path) -> None:
        """The whole file in twenty pieces, quicker when the switch is turned back meanwhile."""
        content = target.read_bytes()
        self.set_header("Content-Length", str(len(content)))
        size = max(len(content) // 20, 1)
        for start in range(0, len(content), size):
            self.write(content[start : start + size])
            await self.flush()
            end = time.monotonic() + self.double.faults.download_seconds / 20
            while time.monotonic() < end and self.double.faults.download_seconds:
                await asyncio.sleep(0.02)

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


class FeaturesHandler(Base):
    """What the websocket says too, to whoever names its own features there."""

    def get(self) -> None:
        self.json({"supports_preview_metadata": True, "max_upload_size": self.double.faults.max_upload})


class StatsHandler(Base):
    def get(self) -> None:
        memory, kind = self.double.faults.vram, self.double.faults.device
        loaded = bool(self.double.executor.loaded)
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
            "name": "cpu" if kind == "cpu" else f"{kind}:0 {self.double.faults.gpu}",
            "type": kind,
            "index": None if kind == "cpu" else 0,
            "vram_total": memory,
            "vram_free": memory // 4 if loaded else memory // 12 * 11,
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
            self.json(self.double.schema.folders())
            return
        names = self.double.schema.models(folder)
        if names is None:
            raise tornado.web.HTTPError(404)
        self.json(names)


class ModelFilesHandler(Base):
    """Every folder with its places, or the files of one: those that really lie there."""

    def get(self, folder: str | None) -> None:
        schema = self.double.schema
        if folder is None:
            self.json([{"name": name, "folders": schema.places(name)} for name in schema.folders()])
        elif folder in schema.folders():
            self.json(schema.files(folder))
        else:
            self.set_status(404)


class EmbeddingsHandler(Base):
    def get(self) -> None:
        self.json([])
