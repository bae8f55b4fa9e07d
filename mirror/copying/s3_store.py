"""A bucket as a target: listed by pages, put by several at a time, objects that say what they are a copy of."""

import hashlib
import io
import json
import mimetypes
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any, TypeVar

from botocore.exceptions import BotoCoreError, ClientError
from django.utils.translation import gettext as _

from mirror.copying.meter import Meter, Stopped
from mirror.copying.path_place import marker_text
from mirror.copying.s3_client import CONNECTIONS, MULTIPART_BYTES, client_for
from mirror.copying.s3_errors import code_of, readable
from mirror.copying.store import CHUNK, MARKER, Known, Outcome, Planned, Staged, TargetRefused, Verdict
from mirror.copying.tree import File, Tree
from mirror.models import MirrorTarget

_MISSING = frozenset({"NoSuchKey", "404", "NotFound"})
_ERRORS = (BotoCoreError, ClientError)
WAIT = 0.25
END_WITHIN = 2.0
A = TypeVar("A")
R = TypeVar("R")


class S3Store:
    """Compares the server's listing with what was put there; an object that no row knows is asked itself."""

    def __init__(self, target: MirrorTarget, source: Tree, meter: Meter, *, mark: Callable[[], None]) -> None:
        self.target = target
        self.source = source
        self.meter = meter
        self._mark = mark
        self._project = target.project.code
        self._prefix = f"{target.prefix}/" if target.prefix else ""
        self._client = client_for(target)
        self._pool = ThreadPoolExecutor(CONNECTIONS, thread_name_prefix="mirror")

    def prepare(self, *, write: bool) -> None:
        try:
            marker = self._marker()
            if marker is None and not self.target.marked:
                self._refuse_filled()
            if marker is None and write:
                text = marker_text(project=self._project, target=self.target.name)
                self._client.put_object(**self._object(MARKER), Body=text, ContentType="application/json")
        except _ERRORS as error:
            raise readable(error, self.target) from error
        if marker is not None and marker.get("project") != self._project:
            raise TargetRefused(
                _("%(place)s holds the mirror of another project (%(project)s). Choose a prefix of its own.")
                % {"place": self.target.location, "project": str(marker.get("project", "?"))[:40]}
            )
        if marker is not None or write:
            self._mark()

    def _object(self, path: str) -> dict[str, str]:
        return {"Bucket": self.target.bucket, "Key": self._prefix + path}

    def _marker(self) -> dict[str, Any] | None:
        try:
            found = json.loads(self._client.get_object(**self._object(MARKER))["Body"].read(64 * 1024))
        except ClientError as error:
            if code_of(error) in _MISSING:
                return None
            raise
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}

    def _refuse_filled(self) -> None:
        found = self._client.list_objects_v2(Bucket=self.target.bucket, Prefix=self._prefix, MaxKeys=1)
        if found.get("Contents"):
            raise TargetRefused(
                _("%(place)s is not empty and is no mirror (%(name)s lies in it). Choose another prefix.")
                % {"place": self.target.location, "name": found["Contents"][0]["Key"]}
            )

    # --- comparing --------------------------------------------------------------------------------------
    def listing(self) -> Iterator[File]:
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self.target.bucket, Prefix=self._prefix)
        last = ""
        try:
            for page in pages:
                for entry in page.get("Contents", ()):
                    path = entry["Key"][len(self._prefix) :]
                    if path == MARKER or not path or path.endswith("/"):
                        continue
                    if path < last:
                        raise TargetRefused(
                            _("%(place)s is not listed in order, as buckets for directories are. Use a plain bucket.")
                            % {"place": self.target.location}
                        )
                    last = path
                    yield File(path, entry["Size"], 0, etag=entry["ETag"].strip('"'))
        except _ERRORS as error:
            raise readable(error, self.target) from error

    def same(self, source: File, there: File) -> bool:
        return False

    def judge(
        self, doubtful: Sequence[tuple[File, File]], known: Mapping[str, Sequence[Known]]
    ) -> Iterator[tuple[File, File, Verdict, Known | None]]:
        def one(pair: tuple[File, File]) -> tuple[File, File, Verdict, Known | None]:
            source, there = pair
            ours = next((k for k in known.get(source.path, ()) if k.etag == there.etag), None)
            asked = None
            if ours is None:
                ours = asked = self._ask(source.path, there)
            if ours is None:
                return source, there, Verdict.CONFLICT, None
            same = (ours.size, ours.mtime_ns) == (source.size, source.mtime_ns) and there.size == source.size
            return source, there, Verdict.SAME if same else Verdict.CHANGED, asked

        yield from self._each(one, doubtful)

    def _ask(self, path: str, there: File) -> Known | None:
        """What the object itself says it is; None for one that we did not put there."""
        try:
            facts = self._client.head_object(**self._object(path))
        except ClientError as error:
            if code_of(error) in _MISSING:
                return None
            raise
        said = facts.get("Metadata", {})
        try:
            mtime_ns = int(said["aip-mtime-ns"])
        except (KeyError, ValueError):
            return None
        if said.get("aip-project") != self._project or len(said.get("aip-sha256", "")) != 64:
            return None
        return Known(facts["ContentLength"], mtime_ns, said["aip-sha256"], facts["ETag"].strip('"'))

    # --- copying ------------------------------------------------------------------------------------------
    def stage(self, planned: Iterable[Planned]) -> Iterator[Staged]:
        yield from self._each(self._put, planned)

    def _put(self, planned: Planned) -> Staged:
        try:
            fd = self.source.open(planned.file.path, os.O_RDONLY)
        except FileNotFoundError:
            return Staged(planned, Outcome.LEFT)
        except OSError as error:
            return Staged(planned, Outcome.SKIPPED, why=os.strerror(error.errno or 0))
        with open(fd, "rb", buffering=0) as file:
            before = os.fstat(fd)
            facts = (before.st_size, before.st_mtime_ns)
            put = self._small if before.st_size < MULTIPART_BYTES else self._large
            try:
                known = put(planned, file, *facts)
            except OSError as error:
                return Staged(planned, Outcome.SKIPPED, why=os.strerror(error.errno or 0))
            after = os.fstat(fd)
        if known is None or (after.st_size, after.st_mtime_ns) != facts:
            # What was put by then is a state that nobody asked for; it says so itself, and the next run replaces it.
            return Staged(planned, Outcome.LEFT)
        return Staged(planned, Outcome.COPIED, known)

    def _described(self, path: str, digest: str, mtime_ns: int) -> dict[str, Any]:
        kind = mimetypes.guess_type(path)[0] or "application/octet-stream"
        told = {"aip-project": self._project, "aip-sha256": digest, "aip-mtime-ns": str(mtime_ns)}
        return {"Metadata": told, "ContentType": kind}

    def _small(self, planned: Planned, file: io.FileIO, size: int, mtime_ns: int) -> Known | None:
        data = file.read(size + 1)
        if len(data) != size:
            return None
        digest = hashlib.sha256(data).hexdigest()
        self.meter.advance(size)
        path = planned.file.path
        answer = self._client.put_object(**self._object(path), **self._described(path, digest, mtime_ns), Body=data)
        return Known(size, mtime_ns, digest, answer["ETag"].strip('"'))

    def _large(self, planned: Planned, file: io.FileIO, size: int, mtime_ns: int) -> Known | None:
        """By parts, each held in memory once. The checksum goes with the first request, so the file is read twice."""
        from boto3.s3.transfer import TransferConfig

        hashed = hashlib.sha256()
        seen = 0
        while data := file.read(CHUNK):
            if self.meter.wants_stop():
                raise Stopped
            hashed.update(data)
            seen += len(data)
        if seen != size:
            return None
        path, digest = planned.file.path, hashed.hexdigest()
        file.seek(0)
        config = TransferConfig(
            multipart_threshold=MULTIPART_BYTES, multipart_chunksize=MULTIPART_BYTES // 2, use_threads=False
        )
        self._client.upload_fileobj(
            _Metered(file, self.meter), ExtraArgs=self._described(path, digest, mtime_ns), Config=config,
            **self._object(path),
        )  # fmt: skip
        facts = self._client.head_object(**self._object(path))
        if facts["ContentLength"] != size:
            return None
        return Known(size, mtime_ns, digest, facts["ETag"].strip('"'))

    def land(self, staged: Sequence[Staged]) -> Iterator[Staged]:
        return iter(staged)

    def read(self, path: str) -> Iterator[bytes]:
        try:
            yield from self._client.get_object(**self._object(path))["Body"].iter_chunks(CHUNK)
        except _ERRORS as error:
            raise readable(error, self.target) from error

    def close(self) -> None:
        # A helper that is sending a part ends at its next step; nobody has to wait for that.
        self.meter.stop()
        self._pool.shutdown(wait=False, cancel_futures=True)

    # --- several at a time --------------------------------------------------------------------------------
    def _each(self, work: Callable[[A], R], items: Iterable[A]) -> Iterator[R]:
        """`work` of every item in order, a few at a time. After a failure what was done is given, then it is raised."""
        waiting: deque[Future[R]] = deque()
        failed: Exception | None = None
        try:
            for item in items:
                waiting.append(self._pool.submit(work, item))
                if len(waiting) >= CONNECTIONS * 2:
                    yield self._result(waiting)
            while waiting:
                yield self._result(waiting)
        except Exception as error:
            failed = error
        if failed is None:
            return
        self.meter.stop()
        for future in waiting:
            future.cancel()
        for future in wait(waiting, timeout=END_WITHIN).done:
            if not future.cancelled() and future.exception() is None:
                yield future.result()
        raise readable(failed, self.target) if isinstance(failed, _ERRORS) else failed

    def _result(self, waiting: "deque[Future[R]]") -> R:
        """The oldest result, which leaves the queue; an error's stays in it. Ticks while it is waited for."""
        while not waiting[0].done():
            wait([waiting[0]], timeout=WAIT)
            self.meter.tick()
        result = waiting[0].result()
        waiting.popleft()
        return result


class _Metered:
    """A file whose reading counts and keeps the limit. Seeks of the transfer are the file's own."""

    def __init__(self, file: io.FileIO, meter: Meter) -> None:
        self._file = file
        self._meter = meter

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(size) or b""
        for _n in range(0, len(data), CHUNK):
            self._meter.advance(min(CHUNK, len(data) - _n))
        return data

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()
