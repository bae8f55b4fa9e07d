"""Headers and errors that every page shares."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext as _

from aipipeline.projects.errors import Invalid, PipelineError

_STRICT = (
    "default-src 'self'; img-src 'self' data: blob:; media-src 'self' blob:; style-src 'self'; script-src 'self'; "
    "connect-src 'self' ws: wss:; font-src 'self'; object-src 'none'; base-uri 'self'; form-action 'self'; "
    "frame-ancestors 'self'"
)
# The admin's theme and the API browser bring inline scripts of their own; the studio's pages have none.
_LOOSE = _STRICT.replace("script-src 'self'", "script-src 'self' 'unsafe-inline' 'unsafe-eval'").replace(
    "style-src 'self'", "style-src 'self' 'unsafe-inline'"
)
_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")
_LOOSE_PATHS = ("/admin/", "/api/docs/", "/flower/")


class ContentSecurityPolicy:
    """A strict policy on the studio's pages: no inline script, no eval, nothing from elsewhere."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        loose = request.path.startswith(_LOOSE_PATHS)
        response.headers.setdefault("Content-Security-Policy", _LOOSE if loose else _STRICT)
        return response


class PipelineErrors:
    """Turns a refusal raised anywhere in a page's view into its answer: a fragment, a page or JSON."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, _view: Any, _args: Any, kwargs: Any) -> HttpResponse | None:
        """No database takes a NUL character, so no page needs to look for one in its address or its form."""
        if request.path.startswith("/api/"):
            return None
        texts = [*map(str, kwargs.values()), *(text for _name, found in request.GET.lists() for text in found)]
        if request.method == "POST" and request.content_type in _FORMS:
            texts += [text for _name, found in request.POST.lists() for text in map(str, found)]
        if any("\x00" in text for text in texts):
            return self.process_exception(request, Invalid(_("NUL characters are not allowed.")))
        return None

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if not isinstance(exception, PipelineError):
            return None
        if request.path.startswith("/api/") or request.headers.get("Accept") == "application/json":
            return JsonResponse(exception.as_json(), status=exception.status)
        from aipipeline.ui.htmx import error_response

        return error_response(request, exception)
