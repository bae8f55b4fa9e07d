"""What every page view begins with: the project by its code, and the permission."""

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec

from django.http import HttpRequest, HttpResponseBase, QueryDict
from django.utils.translation import gettext as _

from aipipeline.projects.checks import check_clean, json_object, whole_number
from aipipeline.projects.errors import Invalid, NotFound
from aipipeline.projects.models import Project
from aipipeline.projects.permissions import require

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, Project, P], HttpResponseBase]


def project_for(actor: Any, code: str) -> Project:
    """The live project with this code that the actor may see; NotFound otherwise."""
    project = Project.objects.one_visible_to(actor, code)
    if project is None:
        raise NotFound(_("There is no such project, or you are not a member of it."))
    return project


def project_page(operation: str) -> Callable[[View[P]], Callable[..., HttpResponseBase]]:
    """The view gets the Project in place of the `code` of the URL, once `operation` is allowed."""

    def decorate(view: View[P]) -> Callable[..., HttpResponseBase]:
        @wraps(view)
        def wrapped(request: HttpRequest, code: str, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            project = project_for(request.user, code)
            require(request.user, operation, project)
            return view(request, project, *args, **kwargs)

        return wrapped

    return decorate


def tab_of(request: HttpRequest) -> str:
    """The browser tab that made this request: undo goes by it."""
    return request.headers.get("X-AIP-Tab", "")[:64]


def body_of(request: HttpRequest) -> dict[str, Any]:
    """The JSON object of the body, or the form's fields; Invalid for anything else."""
    if request.content_type == "application/json":
        return json_object(request.body or b"{}")
    patched = request.method in ("PATCH", "PUT", "DELETE")
    fields = QueryDict(request.body, encoding="utf-8") if patched else request.POST
    check_clean(fields.dict())
    return fields.dict()


def number_in(body: dict[str, Any], name: str, *, required: bool = True) -> int | None:
    """A whole number from a form or JSON body."""
    value = body.get(name)
    if value in (None, "", "null") and not required:
        return None
    number = whole_number(value)
    if number is None:
        raise Invalid(_("%(name)s: a whole number is needed.") % {"name": name}, fields={name: [_("not a number")]})
    return number
