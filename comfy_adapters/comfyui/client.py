"""A typed client of ComfyUI's HTTP routes. Every call has a timeout; every failure is a ComfyError.

It never builds a file name and never repeats a prompt id in the dark: before each submit it looks into the server's
queue and history, because the server runs a repeated id a second time.
"""

import time
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Literal
from urllib.parse import quote, unquote, urlencode, urljoin, urlsplit

import requests
from django.conf import settings
from django.utils.translation import gettext as _

from aipipeline.media.storage import storage_errors
from comfy_adapters.comfyui import errors
from comfy_adapters.comfyui.errors import ComfyError
from comfy_adapters.comfyui.graphs import Nodes, is_ui_format, titles
from comfy_adapters.comfyui.sending import FormBody
from renders.endpoints import public

CONNECT_SECONDS = 5.0
READ_SECONDS = 30.0
CHUNK = 1 << 18

Place = Literal["running", "pending", "finished", "unknown"]


@dataclass(frozen=True)
class OutputFile:
    """A file as the history lists it."""

    filename: str
    subfolder: str
    type: str
    node: str = ""

    @property
    def suffix(self) -> str:
        return Path(self.filename).suffix.lower()


@dataclass(frozen=True)
class Queue:
    """Prompt ids, the pending ones in the order in which they will run."""

    running: tuple[str, ...]
    pending: tuple[str, ...]


class ComfyClient:
    """One server. `endpoint` may carry a user and password and a path; `public` is the same without credentials.

    `authorization` is the header for the websocket, which does not go through `requests`; `ca` names a file of
    certificates besides those that everybody trusts, "" for none.
    """

    def __init__(self, endpoint: str, *, connect: float = CONNECT_SECONDS, read: float = READ_SECONDS) -> None:
        self.public = public(endpoint)
        if not self.public:
            wrong = _("%(url)s is not the address of a ComfyUI server. Use http://host:8188.")
            raise ComfyError(wrong % {"url": endpoint}, kind="unreachable", retryable=False)
        parts = urlsplit(endpoint.strip() if "://" in endpoint else f"http://{endpoint.strip()}")
        self.timeout = (connect, read)
        self.http = requests.Session()
        # Rendering machines are in the studio's own network; a proxy set for the internet would swallow the calls.
        self.http.trust_env = False
        self.ca = str(getattr(settings, "AIP_WORKER_CA", "") or "")
        self.http.verify = self.ca or True
        self.authorization: list[str] = []
        if parts.username:
            pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
            value = f"Basic {b64encode(pair.encode()).decode()}"
            self.http.headers["Authorization"] = value
            self.authorization = [f"Authorization: {value}"]

    def websocket_url(self, client_id: str) -> str:
        scheme, rest = self.public.split("://", 1)
        return f"{'wss' if scheme == 'https' else 'ws'}://{rest}/ws?{urlencode({'clientId': client_id})}"

    # --- facts about the server ---------------------------------------------------------------------

    def system_stats(self) -> dict[str, Any]:
        return self._json("GET", "/system_stats")

    def object_info(self) -> dict[str, Any]:
        return self._json("GET", "/object_info")

    def upload_limit(self) -> int:
        """The largest file that the server takes, in bytes; 0 when it does not say."""
        with self._send("GET", "/features") as answer:
            content = _json_of(answer) if answer.status_code == 200 else None
        limit = (content or {}).get("max_upload_size")
        return int(limit) if isinstance(limit, int | float) else 0

    def model_files(self, folder: str) -> dict[str, dict[str, Any]]:
        """Size (bytes) and time of change by name of the files of a models folder, names with plain slashes.

        A name that lies in several of the folder's places is told once, of the place that the server loads it from.
        Empty on servers that do not list them, for folders they do not know, and where one of the disks is away.
        """
        if not folder:
            return {}
        with self._send("GET", f"/api/experiment/models/{quote(folder, safe='')}") as answer:
            if answer.status_code != 200:
                return {}
            try:
                rows = answer.json()
            except (ValueError, requests.RequestException):
                return {}
        found: dict[str, tuple[float, dict[str, Any]]] = {}
        for row in rows if isinstance(rows, list) else []:
            if not isinstance(row, Mapping) or not row.get("name"):
                continue
            name, place = str(row["name"]).replace("\\", "/"), _number(row.get("pathIndex")) or 0
            facts = {"size": _number(row.get("size")), "mtime": _number(row.get("modified"))}
            if name not in found or place < found[name][0]:
                found[name] = place, {key: value for key, value in facts.items() if value is not None}
        return {name: facts for name, (_place, facts) in found.items()}

    def queue(self) -> Queue:
        body = self._json("GET", "/queue")
        # Pending comes in heap order; the number in front is the order of execution.
        pending = sorted(body.get("queue_pending", []), key=lambda item: item[0])
        return Queue(tuple(str(i[1]) for i in body.get("queue_running", [])), tuple(str(i[1]) for i in pending))

    def history(self, prompt_id: str) -> dict[str, Any] | None:
        """The entry of a finished prompt; None for unknown and unfinished ones alike."""
        return self._json("GET", f"/history/{quote(prompt_id, safe='')}").get(prompt_id)

    def locate(self, prompt_id: str) -> Place:
        """Where a prompt is. History is read again last: a prompt may end between the two questions."""
        if self.history(prompt_id) is not None:
            return "finished"
        queue = self.queue()
        if prompt_id in queue.running:
            return "running"
        if prompt_id in queue.pending:
            return "pending"
        return "finished" if self.history(prompt_id) is not None else "unknown"

    # --- work ---------------------------------------------------------------------------------------

    def submit(self, prompt: Nodes, *, prompt_id: str, client_id: str, unknown_until: float = 0.0) -> Place:
        """Queue a graph under our own id, unless the server has that id already; says where it was found.

        `unknown_until`: up to this moment (time.monotonic()) nobody else can know the id, and nobody looks for it. A
        process that slept longer than that may have been replaced by one that sent it.
        ComfyError when the server refuses any part of it; nothing of it stays queued then.
        """
        if is_ui_format(prompt):
            text = _("This is a workflow in the editor's format. Export it with “Export (API)” in ComfyUI.")
            raise ComfyError(text, kind="refused", retryable=False)
        before = "unknown" if time.monotonic() < unknown_until else self.locate(prompt_id)
        if before != "unknown":
            return before
        body = {"prompt": prompt, "prompt_id": prompt_id, "client_id": client_id}
        try:
            answer = self._send("POST", "/prompt", json=body)
        except ComfyError as error:
            # The connection broke: the prompt may have arrived all the same.
            return self._found_or_raise(prompt_id, error)
        with answer:
            content = _json_of(answer)
            if answer.status_code == 200 and content is not None:
                if (said := str(content.get("prompt_id") or prompt_id)) != prompt_id:
                    self.withdraw(said)
                    raise errors.too_old(self.public)
                if content.get("node_errors"):
                    self.withdraw(prompt_id)
                    raise errors.refused(content, titles(prompt))
                return "pending"
            if answer.status_code == 400 and content is not None:
                raise errors.refused(content, titles(prompt))
            # A bare 500 is no proof that it was not queued.
            return self._found_or_raise(prompt_id, errors.bad_answer(self.public, "/prompt", answer.status_code))

    def _found_or_raise(self, prompt_id: str, error: ComfyError) -> Place:
        place = self.locate(prompt_id)
        if place == "unknown":
            raise error
        return place

    def cancel(self, prompt_id: str) -> None:
        """Take one prompt from the queue or interrupt it while it runs; never anybody else's."""
        self._done("POST", "/queue", json={"delete": [prompt_id]})
        if prompt_id in self.queue().running:
            self._done("POST", "/interrupt", json={"prompt_id": prompt_id})

    def withdraw(self, prompt_id: str, *, seconds: float = 3.0) -> None:
        """Cancel a prompt and see it gone, at most so long: an interrupt from before it began is forgotten."""
        end = time.monotonic() + seconds
        while True:
            self.cancel(prompt_id)
            if self.locate(prompt_id) in ("finished", "unknown") or time.monotonic() > end:
                return
            time.sleep(0.2)

    # --- files --------------------------------------------------------------------------------------

    def has_input(self, name: str, subfolder: str, size: int) -> bool:
        """Whether an uploaded file of that name and size (bytes) is there already."""
        query = {"filename": name, "subfolder": subfolder, "type": "input"}
        with self._send("HEAD", "/view", params=query) as answer:
            return answer.status_code == 200 and answer.headers.get("Content-Length") == str(size)

    def upload_image(self, path: Path, *, name: str, subfolder: str = "aip") -> str:
        """Put a file into the server's input folder; returns the name by which nodes refer to it."""
        body = FormBody("image", name, path, {"type": "input", "subfolder": subfolder, "overwrite": "false"})
        with self._send("POST", "/upload/image", data=body, headers={"Content-Type": body.content_type}) as answer:
            if answer.status_code == 413:
                text = _("%(name)s is too large for the ComfyUI server. Raise its upload limit (--max-upload-size).")
                raise ComfyError(text % {"name": path.name}, kind="refused", retryable=False)
            content = _json_of(answer)
            if answer.status_code != 200 or not content or "name" not in content:
                raise errors.bad_answer(self.public, "/upload/image", answer.status_code)
        folder = str(content.get("subfolder") or "")
        return f"{folder}/{content['name']}" if folder else str(content["name"])

    def download(
        self, file: OutputFile, target: Path, *, limit: int, cancelled: Callable[[], bool] | None = None
    ) -> bool:
        """Stream a result into `target` (at most `limit` bytes). False when `cancelled` said to stop.

        Nothing is left at `target` unless the whole file is there. StorageError when it cannot be written.
        """
        query = {"filename": file.filename, "subfolder": file.subfolder, "type": file.type}
        with self._send("GET", "/view", params=query, stream=True) as answer:
            if answer.status_code == 404:
                text = _("The result %(name)s is no longer on the ComfyUI server. Try again.")
                raise ComfyError(text % {"name": file.filename}, kind="download")
            if answer.status_code != 200:
                raise errors.bad_answer(self.public, "/view", answer.status_code)
            whole = False
            try:
                with storage_errors(target.parent), self._wrapped(), open(target, "wb") as out:
                    whole = _receive(answer, file, out, limit, cancelled)
            finally:
                if not whole:
                    target.unlink(missing_ok=True)
        return whole

    # --- transport ----------------------------------------------------------------------------------

    def _send(self, method: str, path: str, **arguments: Any) -> requests.Response:
        with self._wrapped():
            # A redirected POST becomes a GET, which answers well and queues nothing.
            to = self.public + path
            answer = self.http.request(method, to, timeout=self.timeout, allow_redirects=False, **arguments)
        if answer.is_redirect:
            answer.close()
            raise errors.moved(self.public, urljoin(to, answer.headers["Location"]))
        return answer

    @contextmanager
    def _wrapped(self) -> Iterator[None]:
        try:
            yield
        except requests.Timeout as error:
            raise errors.unreachable(self.public, _("no answer in time")) from error
        except requests.ConnectionError as error:
            reason = _("no connection")
            if isinstance(error, requests.exceptions.SSLError) and "certificate" in str(error).lower():
                reason = _("its certificate is not trusted: name who signed it in AIP_WORKER_CA")
            raise errors.unreachable(self.public, reason) from error
        except requests.RequestException as error:
            raise errors.unreachable(self.public, type(error).__name__) from error

    def _json(self, method: str, path: str) -> dict[str, Any]:
        with self._send(method, path) as answer:
            content = _json_of(answer)
            if answer.status_code != 200 or content is None:
                raise errors.bad_answer(self.public, path, answer.status_code)
            return content

    def _done(self, method: str, path: str, **arguments: Any) -> None:
        with self._send(method, path, **arguments) as answer:
            if answer.status_code != 200:
                raise errors.bad_answer(self.public, path, answer.status_code)


def _receive(
    answer: requests.Response,
    file: OutputFile,
    out: BinaryIO,
    limit: int,
    cancelled: Callable[[], bool] | None,
) -> bool:
    """Copy a body piece by piece; False when told to stop, ComfyError when it is too large or breaks off."""
    expected, written = int(answer.headers.get("Content-Length") or 0), 0
    for chunk in answer.iter_content(CHUNK):
        written += len(chunk)
        if max(written, expected) > limit:
            text = _("The result %(name)s is larger than %(limit)d MB.")
            facts = {"name": file.filename, "limit": limit >> 20}
            raise ComfyError(text % facts, kind="size", retryable=False)
        if cancelled is not None and cancelled():
            return False
        out.write(chunk)
    out.flush()
    if expected and written != expected and "Content-Encoding" not in answer.headers:
        text = _("The download of %(name)s broke off. Try again.")
        raise ComfyError(text % {"name": file.filename}, kind="download")
    return True


def _json_of(answer: requests.Response) -> dict[str, Any] | None:
    try:
        content = answer.json()
    except (ValueError, requests.RequestException):
        return None
    return content if isinstance(content, dict) else None


def output_files(entry: Mapping[str, Any]) -> list[OutputFile]:
    """All saved files of a history entry, whatever key their node used; temporary previews are left out."""
    found = []
    for node, output in dict(entry.get("outputs") or {}).items():
        for value in output.values():
            for item in value if isinstance(value, list) else []:
                if isinstance(item, Mapping) and item.get("filename") and item.get("type") != "temp":
                    place = str(item.get("subfolder") or ""), str(item.get("type") or "output")
                    found.append(OutputFile(str(item["filename"]), *place, node=str(node)))
    return found


def _number(value: Any) -> int | float | None:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None
