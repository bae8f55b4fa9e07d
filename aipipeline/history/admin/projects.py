"""Projects, their members and what is granted beyond roles."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.widgets import AutocompleteSelect
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from guardian.admin import AdminGroupObjectPermissionsForm, AdminUserObjectPermissionsForm, GuardedModelAdminMixin
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from aipipeline.history import project_services
from aipipeline.history.admin.access import may
from aipipeline.history.admin.base import ServiceAdmin, ServiceInline, TrackedAdmin
from aipipeline.history.admin.display import badge
from aipipeline.history.admin.filters import ProjectFilter
from aipipeline.history.admin.forms import ServiceForm
from aipipeline.history.people_services import set_grants
from aipipeline.projects.errors import NotAllowed
from aipipeline.projects.models import Membership, Project, User

STEP_CHOICES = [
    ("first_image", gettext_lazy("First image")),
    ("layout", gettext_lazy("Layout")),
    ("render", gettext_lazy("Render")),
    ("post", gettext_lazy("Post")),
]


class ProjectForm(ServiceForm):
    steps = forms.MultipleChoiceField(
        label=gettext_lazy("Steps"),
        choices=STEP_CHOICES,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        initial=["first_image", "render"],
    )


class MemberForm(ServiceForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk is not None and "user" in self.fields:
            self.fields["user"].disabled = True  # a member is taken off and another one added


class MemberInline(ServiceInline):
    model = Membership
    form = MemberForm
    fields = ("user", "role", "seen_at")
    autocomplete_fields = ("user",)
    verbose_name_plural = gettext_lazy("members")
    add_operation = change_operation = delete_operation = "project.members"

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        return super().formfield_for_foreignkey(db_field, request, **_anybody(self, db_field, kwargs))

    def create_row(self, request: HttpRequest, parent: Any, values: dict[str, Any]) -> Any:
        return project_services.set_member(
            project=parent, actor=request.user, user=values["user"], role=values.get("role", "artist")
        )

    def update_row(self, request: HttpRequest, row: Any, values: dict[str, Any], seen: int | None) -> None:
        project_services.set_member(project=row.project, actor=request.user, user=row.user, role=row.role)

    def remove_row(self, request: HttpRequest, row: Any) -> None:
        project_services.remove_member(project=row.project, actor=request.user, user=row.user)


def _anybody(model_admin: Any, db_field: Any, kwargs: dict[str, Any]) -> dict[str, Any]:
    """A member to be need not work on the project yet."""
    if db_field.name != "user":
        return kwargs
    widget = AutocompleteSelect(db_field, model_admin.admin_site)
    return {**kwargs, "queryset": User.objects.filter(is_active=True), "widget": widget}


class _Grants:
    """guardian's forms write the rows themselves; these go through the service."""

    request: HttpRequest

    def save_obj_perms(self) -> None:
        to = getattr(self, "user", None) or self.group  # type: ignore[attr-defined]
        set_grants(
            project=self.obj,  # type: ignore[attr-defined]
            actor=self.request.user,
            to=to,
            codenames=self.cleaned_data[self.get_obj_perms_field_name()],  # type: ignore[attr-defined]
        )


@admin.register(Project)
class ProjectAdmin(GuardedModelAdminMixin, TrackedAdmin):  # type: ignore[misc]
    form = ProjectForm
    project_lookup = ""
    add_operation = "project.create"
    change_operation = "project.edit"
    delete_operation = "project.delete"
    list_display = ("code", "title", "engine_badge", "fps", "size", "people", "confirmed_at", "updated_at")
    list_display_links = ("code", "title")
    list_filter = ("engine", "language", "is_sample")
    search_fields = ("code", "title", "description")
    date_hierarchy = "created_at"
    inlines = (MemberInline,)
    engine_badge = badge("engine", gettext_lazy("engine"))
    fieldsets = (
        (None, {"fields": ("code", "title", "description")}),
        (gettext_lazy("Picture"), {"fields": (("fps", "width", "height"), "steps", ("engine", "language"))}),
        (
            gettext_lazy("On disk"),
            {"fields": ("storage_root", "naming", "confirmed_at"), "classes": ["collapse"]},
        ),
    )
    add_fieldsets = (
        (None, {"fields": ("code", "title", "description")}),
        (gettext_lazy("Picture"), {"fields": (("fps", "width", "height"), "steps", ("engine", "language"))}),
    )

    def scope(self, rows: Any, request: HttpRequest) -> Any:
        if request.user.is_superuser:
            return rows
        return rows.filter(pk__in=Project.objects.visible_to(request.user).values("pk"))

    def get_queryset(self, request: HttpRequest) -> Any:
        from django.db.models import Count

        return super().get_queryset(request).annotate(member_count=Count("memberships"))

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        fixed = ("code",) if obj is not None else ()
        return (*super().get_readonly_fields(request, obj), *fixed, "storage_root", "naming", "confirmed_at")

    @admin.display(description=gettext_lazy("frame size"))
    def size(self, row: Project) -> str:
        return f"{row.width}×{row.height}"

    @admin.display(description=gettext_lazy("members"), ordering="member_count")
    def people(self, row: Any) -> int:
        return int(row.member_count)

    def action_project(self, row: Any) -> Project | None:
        return row if row.pk else None

    def create_row(self, request: HttpRequest, values: dict[str, Any]) -> Any:
        return project_services.create_project(actor=request.user, **values)

    def update_row(self, request: HttpRequest, row: Any, values: dict[str, Any], seen: int | None) -> None:
        project_services.update_project(project=row, actor=request.user, fields=values, seen=seen)

    def remove_rows(self, request: HttpRequest, rows: Sequence[Any]) -> None:
        for row in rows:
            project_services.remove_project(project=row, actor=request.user)

    def has_restore_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.is_superuser)  # nobody else sees a removed project

    @admin.action(description=gettext_lazy("Bring removed rows back"), permissions=["restore"])
    def restore(self, request: HttpRequest, queryset: Any) -> None:
        rows = list(queryset.filter(removed_at__isnull=False))
        for row in rows:
            project_services.restore_project(project=row, actor=request.user)
        messages.success(request, _("%(count)d brought back.") % {"count": len(rows)})

    # --- grants beyond roles ---------------------------------------------------------------------------
    def _guard(self, request: HttpRequest, object_pk: Any) -> None:
        project = self.get_object(request, object_pk)
        if project is None or not may(request, "project.members", project):
            raise NotAllowed()

    def obj_perms_manage_view(self, request: HttpRequest, object_pk: Any) -> Any:
        self._guard(request, object_pk)
        return super().obj_perms_manage_view(request, object_pk)

    def obj_perms_manage_user_view(self, request: HttpRequest, object_pk: Any, user_id: Any) -> Any:
        self._guard(request, object_pk)
        return super().obj_perms_manage_user_view(request, object_pk, user_id)

    def obj_perms_manage_group_view(self, request: HttpRequest, object_pk: Any, group_id: Any) -> Any:
        self._guard(request, object_pk)
        return super().obj_perms_manage_group_view(request, object_pk, group_id)

    def get_obj_perms_manage_user_form(self, request: HttpRequest) -> Any:
        return type("UserGrants", (_Grants, _OnlyOperations, AdminUserObjectPermissionsForm), {"request": request})

    def get_obj_perms_manage_group_form(self, request: HttpRequest) -> Any:
        return type("GroupGrants", (_Grants, _OnlyOperations, AdminGroupObjectPermissionsForm), {"request": request})


class _OnlyOperations:
    """The operations of the table; Django's add, change, delete and view grant nothing in this studio."""

    def get_obj_perms_field_choices(self) -> list[tuple[str, str]]:
        choices = super().get_obj_perms_field_choices()  # type: ignore[misc]
        return [choice for choice in choices if choice[0].startswith("may_")]


@admin.register(Membership)
class MembershipAdmin(ServiceAdmin):
    form = MemberForm
    add_operation = change_operation = delete_operation = "project.members"
    list_display = ("user", "project", "role_badge", "created_at")
    list_filter = (ProjectFilter, "role")
    list_select_related = ("user", "project")
    search_fields = ("user__username", "user__display_name", "project__code", "project__title")
    autocomplete_fields = ("user",)
    fields = ("project", "user", "role")
    date_hierarchy = "created_at"
    role_badge = badge("role", gettext_lazy("role"))

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ("project",) if obj is not None else ()

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        return super().formfield_for_foreignkey(db_field, request, **_anybody(self, db_field, kwargs))

    def create_row(self, request: HttpRequest, values: dict[str, Any]) -> Any:
        return project_services.set_member(actor=request.user, **values)

    def update_row(self, request: HttpRequest, row: Any, values: dict[str, Any], seen: int | None) -> None:
        project_services.set_member(project=row.project, actor=request.user, user=row.user, role=values["role"])

    def remove_rows(self, request: HttpRequest, rows: Sequence[Any]) -> None:
        for row in rows:
            project_services.remove_member(project=row.project, actor=request.user, user=row.user)
