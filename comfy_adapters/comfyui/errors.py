"""What can go wrong with a ComfyUI server, in words that say what to do."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from django.utils.translation import gettext as _

from renders.backends import BackendError

_MEMORY_WORDS = ("out of memory", "outofmemory", "allocation on device", "would exceed allowed memory")


class ComfyError(BackendError):
    """Something at the server or in the graph; `message` is for the user.

    `kind` tells callers apart what happened: "error", "unreachable", "refused", "missing", "lost", "interrupted",
    "download", "size".
    """

    def __init__(
        self,
        message: str,
        *,
        kind: str = "error",
        retryable: bool = True,
        out_of_memory: bool = False,
        later: bool = False,
        elsewhere: bool = False,
    ) -> None:
        # What nodes raise may hold anything, and a database takes neither NUL nor halves of characters.
        message = message.replace("\x00", "\ufffd").encode("utf-8", "replace").decode("utf-8")
        super().__init__(message, retryable=retryable, out_of_memory=out_of_memory, later=later, elsewhere=elsewhere)
        self.kind = kind


def unreachable(endpoint: str, reason: str) -> ComfyError:
    """Nothing answers at the address."""
    text = _("The ComfyUI server at %(url)s does not answer (%(reason)s). Start it, or correct the worker's address.")
    return ComfyError(text % {"url": endpoint, "reason": reason}, kind="unreachable", later=True)


def moved(endpoint: str, location: str) -> ComfyError:
    """A redirect: the worker knows the server by another address, or a page for signing in is before it."""
    parts = urlsplit(location)
    place = urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))[:200]
    text = _(
        "%(url)s sends on to %(place)s. Enter the address at which ComfyUI itself answers as the worker's address, "
        "with user and password where it needs them."
    )
    return ComfyError(text % {"url": endpoint, "place": place}, kind="unreachable", later=True)


def too_old(endpoint: str) -> ComfyError:
    """It gave the prompt an id of its own: what it makes could not be found again."""
    text = _("The ComfyUI server at %(url)s is too old: it does not take the ids of prompts. Update ComfyUI.")
    return ComfyError(text % {"url": endpoint}, kind="refused", retryable=False, elsewhere=True)


def bad_answer(endpoint: str, path: str, status: int) -> ComfyError:
    """An HTTP status that the protocol does not know at this place."""
    text = _(
        "The ComfyUI server at %(url)s answered %(status)d to %(path)s. "
        "Its console has the reason; restart it when this repeats."
    )
    # A proxy's refusal of the credentials does not go away by trying again.
    facts = {"url": endpoint, "status": status, "path": path}
    return ComfyError(text % facts, kind="refused", retryable=status not in (401, 403))


def is_out_of_memory(kind: str, message: str) -> bool:
    """Whether an exception's type and text speak of exhausted memory."""
    text = f"{kind} {message}".lower()
    return any(word in text for word in _MEMORY_WORDS)


def refused(body: Mapping[str, Any], titles: Mapping[str, str]) -> ComfyError:
    """The server's own validation said no; `titles` are the graph's node titles by id."""
    lines: list[str] = []
    for node, found in dict(body.get("node_errors") or {}).items():
        for error in found.get("errors", []):
            info = error.get("extra_info") or {}
            what = " ".join(str(part) for part in (error.get("message"), error.get("details")) if part)
            lines.append(_where(node, titles, str(found.get("class_type", "")), str(info.get("input_name", ""))) + what)
    error = body.get("error") or {}
    if not lines:
        about = error if isinstance(error, Mapping) else {"message": str(error)}
        lines.append(" ".join(str(about[part]) for part in ("message", "details") if about.get(part)))
    text = _("ComfyUI refused the workflow: %(reasons)s. Correct the named inputs, or update ComfyUI.")
    return ComfyError(text % {"reasons": "; ".join(lines)[:1500]}, kind="refused", retryable=False)


def failed(message: Mapping[str, Any], titles: Mapping[str, str]) -> ComfyError:
    """A node raised an exception while it ran: the `execution_error` message of the history."""
    kind, text = str(message.get("exception_type", "")), str(message.get("exception_message", "")).strip()
    node = str(message.get("node_id", ""))
    where = _where(node, titles, str(message.get("node_type", "")), "")
    if is_out_of_memory(kind, text):
        advice = _(
            "The GPU ran out of memory. %(where)s%(error)s. Use a card with more memory, a smaller picture or "
            "fewer frames."
        )
        return ComfyError(advice % {"where": where, "error": text[:600]}, out_of_memory=True)
    advice = _("ComfyUI stopped with an error. %(where)s%(error)s. The server's console has the details.")
    return ComfyError(advice % {"where": where, "error": (f"{kind}: {text}" if kind else text)[:1000]})


def interrupted() -> ComfyError:
    return ComfyError(_("Somebody interrupted the work on the ComfyUI server. Try again."), kind="interrupted")


def too_large(name: str, size: int, limit: int) -> ComfyError:
    """An input is larger than the server takes; bytes."""
    text = _(
        "%(name)s has %(size)d MB, and the ComfyUI server takes at most %(limit)d MB. "
        "Start it with a larger --max-upload-size, or use a smaller file."
    )
    facts = {"name": name, "size": -(-size >> 20), "limit": limit >> 20}
    return ComfyError(text % facts, kind="refused", retryable=False, elsewhere=True)


def lost() -> ComfyError:
    """Neither queued nor finished: the server was restarted or its queue was cleared."""
    text = _("The ComfyUI server no longer knows this work: it was restarted, or its queue was cleared. Try again.")
    return ComfyError(text, kind="lost")


def no_output(blocked: str = "") -> ComfyError:
    """The graph ended well and saved nothing; `blocked` is what a blocking node said."""
    if blocked:
        text = _("ComfyUI finished without a result: %(reason)s. Check the workflow's inputs.")
        return ComfyError(text % {"reason": blocked}, retryable=False)
    return ComfyError(_("ComfyUI finished without a result: no node of the workflow saved a file."), retryable=False)


def missing(lines: Sequence[str], *, elsewhere: bool = False) -> ComfyError:
    """Preflight found what the server cannot do; each line names it and the remedy.

    `elsewhere`: it all is of a kind that another server may have.
    """
    return ComfyError("\n".join(lines), kind="missing", retryable=False, elsewhere=elsewhere)


def _where(node: str, titles: Mapping[str, str], class_type: str, field: str) -> str:
    if not node:
        return ""
    title = titles.get(node) or class_type
    named = f"{title} ({class_type})" if class_type and class_type != title else title
    where = _("Node %(id)s %(name)s") % {"id": node, "name": named}
    return f"{where}, {field}: " if field else f"{where}: "
