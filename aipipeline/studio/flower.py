"""Celery's Flower, reached through the site by those who may; Flower itself listens on this machine only.

Flower must be started with `--url-prefix=flower` and bound to 127.0.0.1.
"""

from collections.abc import Iterator
from http import HTTPStatus
from urllib.parse import quote, urlsplit

import requests
from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import render
from django.urls import path as url
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from aipipeline.projects.errors import NotAllowed, PipelineError
from aipipeline.projects.permissions import require

MAX_BODY = 1024 * 1024
CHUNK = 64 * 1024
TIMEOUT = (2, 60)  # seconds to connect, seconds between bytes
SENT_ON = ("Accept", "Accept-Language", "Content-Type", "If-Modified-Since", "If-None-Match")
# Hop-by-hop headers belong to one connection; cookies and policies are the studio's own.
HELD_BACK = frozenset(
    {
        "connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "te", "trailer", "trailers",
        "transfer-encoding", "upgrade", "set-cookie", "server", "date", "content-security-policy",
        "access-control-allow-origin", "access-control-allow-headers", "access-control-allow-methods",
        "www-authenticate",
    }
)  # fmt: skip


class FlowerAway(PipelineError):
    """Flower does not answer."""

    status = 503
    code = "flower_away"


# Flower's own scripts know nothing of Django's token, so a POST must instead say that it comes from this site.
@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def flower(request: HttpRequest, path: str = "") -> HttpResponseBase:
    """Pass one request on to Flower and its answer back, piece by piece."""
    require(request.user, "flower.view")
    if request.method == "POST":
        _require_same_origin(request)
    try:
        answer = _ask(request, path)
    except requests.RequestException as error:
        away = FlowerAway(_("Flower does not answer. It is started by ./aip up; its log says why it stopped."))
        context = {"error": away, "title": away.message, "status": away.status}
        if request.headers.get("Accept", "").startswith("application/json"):
            raise away from error
        return render(request, "errors/error.html", context, status=HTTPStatus.SERVICE_UNAVAILABLE)
    return _passed_back(request, answer)


def _require_same_origin(request: HttpRequest) -> None:
    source = request.headers.get("Origin") or request.headers.get("Referer") or ""
    if urlsplit(source).netloc != request.get_host():
        raise NotAllowed(_("This request did not come from a page of the studio."))


def _ask(request: HttpRequest, path: str) -> requests.Response:
    if len(request.body) > MAX_BODY:
        raise PipelineError(_("The request is too large."))
    host = f"127.0.0.1:{settings.AIP_FLOWER_PORT}"
    session = requests.Session()
    session.trust_env = False  # a proxy of the environment must never see this
    prepared = requests.Request(
        method=request.method or "GET",
        url=f"http://{host}/",
        headers={name: request.headers[name] for name in SENT_ON if name in request.headers},
        data=request.body or None,
    ).prepare()
    # The address is put together here and not parsed again, so that no path can name another host.
    query = request.META.get("QUERY_STRING", "")
    prepared.url = f"http://{host}{_quoted(path)}" + (f"?{query}" if query else "")
    prepared.headers["Accept-Encoding"] = "identity"
    return session.send(prepared, stream=True, allow_redirects=False, timeout=TIMEOUT)


def _quoted(path: str) -> str:
    return "/flower/" + quote(path, safe="/:@~!$&'()*+,;=")


def _passed_back(request: HttpRequest, answer: requests.Response) -> HttpResponseBase:
    response: HttpResponseBase
    if request.method == "HEAD" or answer.status_code in (204, 304):
        answer.close()
        response = HttpResponse(status=answer.status_code)
    else:
        response = StreamingHttpResponse(_pieces(answer), status=answer.status_code)
    for name, value in answer.headers.items():
        if name.lower() not in HELD_BACK and name.lower() != "location":
            response[name] = value
    if location := answer.headers.get("Location"):
        parts = urlsplit(location)
        if parts.path.startswith("/flower"):
            response["Location"] = parts._replace(scheme="", netloc="").geturl()
    return response


def _pieces(answer: requests.Response) -> Iterator[bytes]:
    try:
        yield from answer.raw.stream(CHUNK, decode_content=False)
    finally:
        answer.close()


urlpatterns = [url("", flower, name="flower"), url("<path:path>", flower, name="flower_path")]
