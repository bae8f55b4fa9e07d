"""A client for any server of the OpenAI-compatible chat protocol: one question, one answer, both bounded.

It asks nothing without LLM_URL, follows no redirect (the key would go along), and never calls inside a transaction.
"""

import ipaddress
import json
import time
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import requests
import structlog
from django.conf import settings
from django.core.cache import cache
from django.db import transaction
from django.utils.translation import gettext as _
from urllib3.exceptions import HTTPError

from aipipeline.llm.errors import LlmError

CONNECT_SECONDS = 5.0
MAX_QUESTION = 60_000
MAX_ANSWER_BYTES = 1_000_000
# A server that is away is not asked again by everybody in turn: each would wait as long.
REST_SECONDS = 20
_AWAY = "llm.away"
log = structlog.get_logger(__name__)


def configured() -> bool:
    """True when there is a language model to ask."""
    return bool(settings.LLM_URL)


def ask(*, system: str, question: str, max_tokens: int) -> str:
    """The model's answer as text.

    LlmError when none is configured, it is away or slow (LLM_TIMEOUT_SECONDS in all), refuses, or answers with too much
    or with something else than the protocol's. RuntimeError inside a transaction.
    """
    if not configured():
        raise LlmError(_("No language model is set up: set LLM_URL (and LLM_MODEL) and start again."))
    with transaction.atomic(durable=True):
        pass  # raises when somebody holds a transaction open: rows would stay locked as long as the model thinks
    if len(system) + len(question) > MAX_QUESTION:
        raise LlmError(_("This is too much text for one question to the language model."))
    if cache.get(_AWAY):
        raise LlmError(_("The language model was away a moment ago; try again in %(n)s s.") % {"n": REST_SECONDS})
    body = {
        "model": settings.LLM_MODEL or "default",
        "messages": [{"role": "system", "content": system}, {"role": "user", "content": question}],
        "temperature": 0,
        "max_tokens": max_tokens,
        "stream": False,
    }
    try:
        return _content(_post(body))
    except (requests.RequestException, HTTPError, ValueError) as error:
        cache.set(_AWAY, True, REST_SECONDS)
        log.warning("llm_away", url=_public(), error=type(error).__name__)
        what = {"url": _public(), "why": type(error).__name__}
        raise LlmError(
            _("The language model at %(url)s does not answer (%(why)s). Check LLM_URL and that it runs.") % what
        ) from error


def _post(body: dict[str, Any]) -> bytes:
    deadline = time.monotonic() + settings.LLM_TIMEOUT_SECONDS
    headers = {"Authorization": f"Bearer {settings.LLM_API_KEY}"} if settings.LLM_API_KEY else {}
    with requests.Session() as http:
        # Only the proxy of the environment counts; a .netrc would put its own password in place of the key.
        http.trust_env = False
        with http.post(
            _address(),
            json=body,
            headers=headers,
            proxies=_proxies(),
            stream=True,
            allow_redirects=False,
            timeout=(CONNECT_SECONDS, settings.LLM_TIMEOUT_SECONDS),
        ) as answer:
            text = _bounded(answer, deadline)
            if answer.status_code != 200:
                raise _refused(answer.status_code, text)
            return text


def _bounded(answer: requests.Response, deadline: float) -> bytes:
    """The body, unless it is too long or drips too slowly."""
    parts: list[bytes] = []
    size = 0
    # Whatever has arrived: a server that sends a byte a second must not hold the caller for the whole body.
    while part := answer.raw.read1(16_384, decode_content=True):
        size += len(part)
        parts.append(part)
        if size > MAX_ANSWER_BYTES:
            raise LlmError(_("The language model's answer is too long; it was not used."))
        if time.monotonic() > deadline:
            raise requests.ReadTimeout()
    return b"".join(parts)


def _refused(status: int, body: bytes) -> LlmError:
    log.warning("llm_refused", url=_public(), status=status, body=body[:500].decode("utf-8", "replace"))
    remedies = {
        401: _("Check LLM_API_KEY."),
        403: _("Check LLM_API_KEY."),
        404: _("Check LLM_URL (it ends in /v1 for most servers) and LLM_MODEL."),
        429: _("It is asked too often; try again later."),
    }
    remedy = remedies.get(status) or _("The log has its words.")
    return LlmError(
        _("The language model at %(url)s refused with %(status)s. %(remedy)s")
        % {"url": _public(), "status": status, "remedy": remedy}
    )


def _content(body: bytes) -> str:
    """The text of the first choice."""
    try:
        content = json.loads(body)["choices"][0]["message"]["content"]
    except (ValueError, RecursionError, LookupError, TypeError) as error:
        raise _strange() from error
    if not isinstance(content, str):
        raise _strange()
    return content


def _strange() -> LlmError:
    return LlmError(
        _(
            "What answers at %(url)s does not speak the chat protocol. LLM_URL must be its base address, like http://host/v1."
        )
        % {"url": _public()}
    )


def _address() -> str:
    base = settings.LLM_URL.rstrip("/")
    return base if base.endswith("/chat/completions") else f"{base}/chat/completions"


def _public() -> str:
    """The address without what may be secret in it."""
    try:
        parts = urlsplit(settings.LLM_URL)
        return f"{parts.scheme}://{parts.hostname or ''}{f':{parts.port}' if parts.port else ''}{parts.path}"
    except ValueError:
        return "LLM_URL"


def _proxies() -> dict[str, str]:
    host = urlsplit(settings.LLM_URL).hostname or ""
    try:
        near = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        near = False
    return {} if near or proxy_bypass(host) else getproxies()
