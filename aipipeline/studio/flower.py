"""Flower behind the site's own login: it listens on loopback only, and those who may reach it through here."""

from typing import Any

import requests
from django.conf import settings
from django.http import HttpRequest, HttpResponseBase, StreamingHttpResponse
from django.urls import re_path
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_protect

from aipipeline.projects.errors import PipelineError
from aipipeline.projects.permissions import require

_HOP = {
    "connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "te", "trailers", "transfer-encoding",
    "upgrade", "content-length", "content-encoding", "set-cookie", "content-security-policy", "server", "date",
}  # fmt: skip


class FlowerAway(PipelineError):
    status = 503
    code = "flower_away"


@csrf_protect
def proxy(request: HttpRequest, path: str) -> HttpResponseBase:
    """Pass a request on to Flower on this machine; cookies and credentials stay here."""
    require(request.user, "flower.view")
    url = f"http://127.0.0.1:{settings.AIP_FLOWER_PORT}/flower/{path}"
    headers = {name: request.headers[name] for name in ("Accept", "Content-Type") if name in request.headers}
    try:
        answer = requests.request(
            request.method or "GET",
            url,
            params=request.GET.urlencode(),
            data=request.body or None,
            headers=headers,
            stream=True,
            allow_redirects=False,
            timeout=(2, 30),
        )
    except requests.RequestException as error:
        raise FlowerAway(_("Flower is not running. ./aip up starts it; see data/logs/flower.log.")) from error
    response = StreamingHttpResponse(
        answer.iter_content(64 * 1024),
        status=answer.status_code,
        content_type=answer.headers.get("Content-Type"),
    )
    for name, value in answer.headers.items():
        if name.lower() not in _HOP and name.lower() != "content-type":
            response[name] = value
    return response


urlpatterns: list[Any] = [re_path(r"^(?P<path>.*)$", proxy, name="flower")]
