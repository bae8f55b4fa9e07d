"""How far a run is: bytes and files counted, speed held down, cancel noticed, the page told."""

import threading
import time

from django.utils.translation import gettext as _

from aipipeline.ui.templatetags.ui import elapsed, filesize
from celery_workers.ledger import TaskContext

TELL_EVERY = 0.25
CHECK_EVERY = 1.0
NAP = 0.2


class Stopped(Exception):
    """Raised in a helper thread when the run is ending."""


class Meter:
    """Bytes go by at most at `limit` bytes a second (0: no limit). `advance` may be called by any thread."""

    def __init__(self, context: TaskContext, *, limit: float = 0.0) -> None:
        self.context = context
        self.limit = limit
        self.total_bytes = self.total_files = 0
        self.files = 0
        self.phase = ""
        self._bytes = 0
        self._began = time.monotonic()
        self._free_at = 0.0
        self._checked = self._told = time.monotonic()
        self._lock = threading.Lock()
        self._main = threading.get_ident()
        self._stop = threading.Event()

    def begin(self, phase: str, *, files: int = 0, size: int = 0) -> None:
        """A new phase: "compare" (its length is not known), "copy" or "verify"."""
        self.phase, self.total_files, self.total_bytes = phase, files, size
        self.files, self._bytes, self._began = 0, 0, time.monotonic()

    def stop(self) -> None:
        """Let every helper thread end at its next step."""
        self._stop.set()

    def wants_stop(self) -> bool:
        return self._stop.is_set()

    def advance(self, size: int) -> None:
        """`size` more bytes are about to go by: waits while that is too fast. TaskCancelled, LeaseLost or Stopped."""
        with self._lock:
            self._bytes += size
            wait = 0.0
            if self.limit:
                # Each asks for its time on one line: however many ask at once, the whole keeps the limit.
                now = time.monotonic()
                self._free_at = max(self._free_at, now) + size / self.limit
                wait = self._free_at - now
        end = time.monotonic() + wait
        self.tick()
        while (rest := end - time.monotonic()) > 0:
            if self._stop.wait(min(rest, NAP)):
                raise Stopped
            self.tick()

    def file_done(self) -> None:
        self.files += 1
        self.tick()

    def tick(self) -> None:
        """Tell the page and look for a cancel, when it is time. In a helper thread: Stopped when the run ends."""
        if threading.get_ident() != self._main:
            if self._stop.is_set():
                raise Stopped
            return
        now = time.monotonic()
        if now - self._told >= TELL_EVERY:
            self._told = now
            self.context.progress(self.share, self._words())
        if now - self._checked >= CHECK_EVERY:
            self._checked = now
            self.context.check()

    @property
    def share(self) -> float:
        """0..1 of the phase; a file weighs as its bytes and a little, so that many empty files move it too."""
        whole = self.total_bytes + self.total_files * 4096
        return (self._bytes + self.files * 4096) / whole if whole else 0.0

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._began

    def _words(self) -> str:
        if self.phase == "compare":
            return _("Comparing: %(count)s files") % {"count": f"{self.files:,}"}
        seconds = max(self.seconds, 0.001)
        share = self.share
        text = _("Reading back") if self.phase == "verify" else _("Copying")
        parts = [
            f"{text} {self.files:,}/{self.total_files:,}",
            f"{filesize(self._bytes)} / {filesize(self.total_bytes)}",
            _("%(count)s files/s") % {"count": f"{self.files / seconds:.1f}"},
            f"{filesize(round(self._bytes / seconds))}/s",
        ]
        if share > 0.01 and seconds > 2:
            parts.append(_("%(time)s left") % {"time": elapsed(seconds * (1 - share) / share)})
        return " · ".join(parts)
