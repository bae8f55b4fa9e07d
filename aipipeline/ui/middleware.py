"""Headers and errors that every page shares."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, JsonResponse

from aipipeline.projects.errors import PipelineError

_STRICT = (
    "default-src 'self'; img-src 'self' data: blob:; media-src 'self' blob:; style-src 'self'; script-src 'self'; "
    "connect-src 'self' ws: wss:; font-src 'self'; object-src 'none'; base-uri 'self'; form-action 'self'; "
    "frame-ancestors 'self'"
)
# The admin's theme and the API browser bring inline scripts of their own; the studio's pages have none.
_LOOSE = _STRICT.replace("script-src 'self'", "script-src 'self' 'unsafe-inline' 'unsafe-eval'").replace(
    "style-src 'self'", "style-src 'self' 'unsafe-inline'"
)
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

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if not isinstance(exception, PipelineError):
            return None
        if request.path.startswith("/api/") or request.headers.get("Accept") == "application/json":
            return JsonResponse(exception.as_json(), status=exception.status)
        from aipipeline.ui.htmx import error_response

        return error_response(request, exception)
