"""Who sees and edits what in the admin: the table of `aipipeline.projects.permissions`, denied by default.

Django's own model permissions grant nothing here.
"""

from typing import Any

from django.contrib.admin.widgets import AutocompleteSelect
from django.db.models import Q, QuerySet
from django.http import HttpRequest

from aipipeline.history.admin.names import name_fields
from aipipeline.projects.models import Project, User
from aipipeline.projects.permissions import STUDIO_OPERATIONS, allows, operations_of

_OWNERS = ("project", "version", "job", "shot", "edit")


def project_of(row: Any) -> Project | None:
    """The project that a row belongs to; None for what belongs to the whole studio."""
    if isinstance(row, Project):
        return row
    for name in _OWNERS:
        owner = getattr(row, name, None)
        if owner is not None:
            return project_of(owner)
    return None


def may(request: HttpRequest, operation: str, project: Project | None = None) -> bool:
    """`permissions.allows`, remembered for the request. Without a project: in the studio, or in any project."""
    remembered: dict[Any, Any] = request.__dict__.setdefault("_admin_may", {})
    if operation in STUDIO_OPERATIONS:
        if operation not in remembered:
            remembered[operation] = allows(request.user, operation)
        return bool(remembered[operation])
    if project is None:
        if request.user.is_superuser:
            return bool(request.user.is_active)
        if operation not in remembered:
            remembered[operation] = Project.objects.allowing(request.user, operation).exists()
        return bool(remembered[operation])
    if not request.user.is_active:
        return False
    if project.pk not in remembered:
        remembered[project.pk] = operations_of(request.user, project)
    return operation in remembered[project.pk]


class ScopedAutocomplete(AutocompleteSelect):
    """Offers only rows of the project of the row that is edited."""

    def __init__(self, *args: Any, project: Project, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.project = project

    def get_url(self) -> str:
        return f"{super().get_url()}?project={self.project.pk}"


class AccessMixin:
    """Permissions, rows and related rows of a ModelAdmin or an inline, from the one table.

    An operation of None means nobody may. `project_lookup` leads from a row to its project; "" for rows of the
    whole studio, whose operations are then studio operations.
    """

    model: Any
    opts: Any
    admin_site: Any
    project_lookup = "project"
    view_operation: str | None = "project.view"
    add_operation: str | None = None
    change_operation: str | None = None
    delete_operation: str | None = None

    def __init__(self, model: Any, admin_site: Any) -> None:
        super().__init__(model, admin_site)  # type: ignore[call-arg]  # of the admin class beside
        name_fields(self.model)

    def _may(self, request: HttpRequest, operation: str | None, row: Any) -> bool:
        if operation is None or not request.user.is_staff:
            return False
        if operation in STUDIO_OPERATIONS or row is None or isinstance(row, (str, int)):
            return may(request, operation)
        project = project_of(row)
        return may(request, operation, project) if project is not None else bool(request.user.is_superuser)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._may(request, self.view_operation, obj)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._may(request, self.add_operation, obj)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        if obj is not None and getattr(obj, "removed_at", None) is not None:
            return False
        return self._may(request, self.change_operation, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        if obj is not None and getattr(obj, "removed_at", None) is not None:
            return False
        return self._may(request, self.delete_operation, obj)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: QuerySet[Any] = super().get_queryset(request)  # type: ignore[misc]  # of the admin class beside
        return self.scope(rows, request)

    def scope(self, rows: QuerySet[Any], request: HttpRequest) -> QuerySet[Any]:
        """Of these rows, the ones that the person may see."""
        if not self.project_lookup:
            return rows
        return rows.filter(**{f"{self.project_lookup}__in": Project.objects.visible_to(request.user)})

    def within(self, rows: QuerySet[Any], project: Project) -> QuerySet[Any]:
        """Of these rows, the ones that belong to the project."""
        return rows.filter(**{self.project_lookup: project}) if self.project_lookup else rows

    def get_search_results(self, request: HttpRequest, queryset: QuerySet[Any], search_term: str) -> Any:
        rows = queryset
        match = request.resolver_match
        if match is not None and match.url_name == "autocomplete":
            if hasattr(self.model, "removed_at"):
                rows = rows.filter(removed_at__isnull=True)
            wanted = request.GET.get("project", "")
            if wanted.isascii() and wanted.isdigit() and len(wanted) < 19:
                project = Project.objects.visible_to(request.user).filter(pk=int(wanted)).first()
                rows = self.within(rows, project) if project else rows.none()
        return super().get_search_results(request, rows, search_term)  # type: ignore[misc]

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Offer, and accept, only live rows that the person may see, of the project of the row that is edited."""
        edited = getattr(request, "_admin_row", None)
        project = project_of(edited) if edited is not None else None
        if "queryset" not in kwargs:
            kwargs["queryset"] = self._related(request, db_field, edited, project)
        names = self.get_autocomplete_fields(request)  # type: ignore[attr-defined]
        if project is not None and db_field.name in names:
            kwargs.setdefault("widget", ScopedAutocomplete(db_field, self.admin_site, project=project))
        return super().formfield_for_foreignkey(db_field, request, **kwargs)  # type: ignore[misc]

    def _related(self, request: HttpRequest, db_field: Any, edited: Any, project: Project | None) -> QuerySet[Any]:
        model: Any = db_field.remote_field.model
        if model is Project:
            return Project.objects.allowing(request.user, self.add_operation or "project.view")
        admin = self.admin_site._registry.get(model)
        rows: QuerySet[Any] = admin.get_queryset(request) if admin else model._default_manager.all()
        if project is not None and hasattr(admin, "within"):
            rows = admin.within(rows, project)
        if hasattr(model, "removed_at"):
            rows = rows.filter(removed_at__isnull=True)
        if isinstance(edited, self.model) and (held := getattr(edited, db_field.attname)) is not None:
            # What the row holds already stays valid, also when it was removed since.
            rows = model._default_manager.filter(Q(pk__in=rows.values("pk")) | Q(pk=held))
        return rows


def colleagues(request: HttpRequest) -> QuerySet[User]:
    """The people with whom this person shares a project; everybody for those who give roles or manage people."""
    people = User.objects.all()
    if may(request, "people.manage") or may(request, "project.members"):
        return people
    shared = Project.objects.visible_to(request.user)
    mine = Q(memberships__project__in=shared) | Q(pk=request.user.pk)
    return people.filter(pk__in=people.filter(mine).values("pk"))
