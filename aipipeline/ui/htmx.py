"""Answers to the browser: one address gives a page or its fragment; errors come in the shape of the asker."""

import json
from collections.abc import Mapping
from typing import Any, Literal

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext as _
from django_htmx.http import HttpResponseClientRedirect, trigger_client_event
from django_htmx.middleware import HtmxDetails

from aipipeline.projects.errors import NotAllowed, NotFound, PipelineError

ToastLevel = Literal["success", "info", "warning", "error"]


def wants_fragment(request: HttpRequest) -> bool:
    """True for an htmx request that replaces a part of the page (not boosted, not a history restore)."""
    details: HtmxDetails | None = getattr(request, "htmx", None)
    if details is None or not details:
        return False
    return not details.boosted and not details.history_restore_request


def render_page_or_fragment(
    request: HttpRequest,
    page_template: str,
    fragment_template: str,
    context: Mapping[str, Any],
    *,
    status: int = 200,
) -> HttpResponse:
    """The page, which includes the fragment, or the fragment alone when htmx asks for it."""
    name = fragment_template if wants_fragment(request) else page_template
    response = render(request, name, dict(context), status=status)
    patch_vary_headers(response, ("HX-Request", "HX-Boosted", "HX-History-Restore-Request"))
    return response


def hx_toast(
    response: HttpResponse, message: Any, level: ToastLevel = "success", *, link: tuple[str, str] | None = None
) -> HttpResponse:
    """Show a short message when the browser has received this response; `link`: an address here, and its words."""
    told: dict[str, Any] = {"message": str(message), "level": level}
    if link is not None:
        told["link"] = {"href": link[0], "text": link[1]}
    return trigger_client_event(response, "aip:toast", told)


def hx_refresh(response: HttpResponse) -> HttpResponse:
    """The page's live parts fetch themselves anew when the browser has received this response."""
    return trigger_client_event(response, "aip:refresh", {})


def hx_location(url: str) -> HttpResponseClientRedirect:
    """Go to another page after success: a real navigation, so that the page's own modules are loaded."""
    return HttpResponseClientRedirect(url)


def error_fragment(request: HttpRequest, error: PipelineError) -> HttpResponse:
    """The error as a fragment: the page's scripts put it beside the form that asked, else in a toast."""
    response = render(
        request,
        "errors/_error.html",
        {"error": error, "details": json.dumps(error.as_json(), default=str)},
        status=error.status,
    )
    response["X-AIP-Error"] = error.code
    patch_vary_headers(response, ("HX-Request",))
    return response


def error_response(request: HttpRequest, error: PipelineError) -> HttpResponse:
    """The error as a fragment for htmx and as a whole page for a navigation."""
    if wants_fragment(request):
        return error_fragment(request, error)
    context = {"error": error, "title": error.message, "status": error.status}
    template = {403: "errors/403.html", 404: "errors/404.html"}.get(error.status, "errors/error.html")
    return render(request, template, context, status=error.status)


def page_not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """handler404."""
    return error_response(request, NotFound(_("There is nothing at this address.")))


def permission_denied(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """handler403."""
    return error_response(request, NotAllowed())


def server_error(request: HttpRequest) -> HttpResponse:
    """handler500: asks neither the database nor the session, which may be what failed."""
    return HttpResponse(render_to_string("errors/500.html"), status=500)
