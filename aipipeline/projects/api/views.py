"""What every API view begins with, and the views of projects and tickets."""

from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import ScopedRateThrottle
from rest_framework.views import APIView
from rest_framework_simplejwt.views import TokenObtainPairView, TokenRefreshView

from aipipeline.projects import tickets
from aipipeline.projects.errors import Invalid, NotFound
from aipipeline.projects.models import Project
from aipipeline.projects.permissions import require

OBJECT = OpenApiTypes.OBJECT
MAX_ROWS = 1000


@method_decorator(login_not_required, name="dispatch")
@extend_schema(request=OBJECT, responses={200: OBJECT})
class Endpoint(APIView):
    """DRF answers 401 itself, in JSON: the page's login redirect stays away."""

    def project(self, code: str, operation: str) -> Project:
        """The live project of the URL, once the operation is allowed; NotFound for strangers."""
        found: Project | None = Project.objects.visible_to(self.request.user).filter(code=code).first()
        if found is None:
            raise NotFound(_("There is no such project, or you are not a member of it."))
        require(self.request.user, operation, found)
        return found

    @property
    def tab(self) -> str:
        return str(self.request.headers.get("X-AIP-Tab", ""))[:64]

    def body(self) -> dict[str, Any]:
        """The body as an object; Invalid for lists and bare values."""
        data = self.request.data
        if not hasattr(data, "items"):
            raise Invalid(_("The body must be an object."))
        return {str(name): value for name, value in data.items()}

    def page(self, queryset: Any, serialize: Any, *, ordering: str = "id") -> Response:
        """One page by cursor."""
        from aipipeline.projects.api.pagination import CursorPages

        pages = CursorPages()
        pages.ordering = ordering
        rows: Any = pages.paginate_queryset(queryset, self.request, view=self)
        return pages.get_paginated_response(serialize(rows or []))


def integer(value: Any, name: str) -> int | None:
    """A whole number or None; Invalid names the field."""
    if value is None or value == "":
        return None
    if isinstance(value, bool) or not str(value).lstrip("-").isdigit() or len(str(value)) > 18:
        raise Invalid(_("%(name)s: a whole number is needed.") % {"name": name}, fields={name: [_("not a number")]})
    return int(value)


def integers(value: Any, name: str) -> list[int]:
    """A list of whole numbers, at most a thousand."""
    if not isinstance(value, list) or len(value) > MAX_ROWS:
        raise Invalid(
            _("%(name)s: a list of at most 1000 ids is needed.") % {"name": name}, fields={name: [_("not a list")]}
        )
    return [found for found in (integer(part, name) for part in value) if found is not None]


class LoginThrottle(ScopedRateThrottle):
    scope = "login"


@method_decorator(login_not_required, name="dispatch")
class Token(TokenObtainPairView):  # type: ignore[misc]  # the library has no types
    """username and password to access and refresh tokens; ten tries a minute."""

    throttle_classes = (LoginThrottle,)
    throttle_scope = "login"


@method_decorator(login_not_required, name="dispatch")
class Refresh(TokenRefreshView):  # type: ignore[misc]
    throttle_classes = (LoginThrottle,)
    throttle_scope = "login"


class Ticket(Endpoint):
    """A one-use ticket that opens the live socket within 30 seconds."""

    def post(self, request: Request) -> Response:
        return Response({"ticket": tickets.issue(int(request.user.pk or 0))}, status=201)
