"""Accounts and groups."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group
from django.contrib.auth.password_validation import validate_password
from django.db import transaction
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.forms import AdminPasswordChangeForm
from unfold.widgets import UnfoldAdminPasswordWidget

from aipipeline.history import people_services
from aipipeline.history.admin.access import colleagues, may
from aipipeline.history.admin.base import ServiceAdmin
from aipipeline.history.admin.display import COLOURS, badge
from aipipeline.history.admin.forms import ServiceForm
from aipipeline.projects.models import Project, User


class UserAddForm(ServiceForm):
    password1 = forms.CharField(
        label=gettext_lazy("Password"), strip=False, widget=UnfoldAdminPasswordWidget({"autocomplete": "new-password"})
    )
    password2 = forms.CharField(
        label=gettext_lazy("Password again"),
        strip=False,
        widget=UnfoldAdminPasswordWidget({"autocomplete": "new-password"}),
    )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        first, second = cleaned.get("password1"), cleaned.get("password2")
        if first and second and first != second:
            self.add_error("password2", _("The two passwords differ."))
        elif first:
            try:
                validate_password(first, User(username=cleaned.get("username", "")))
            except forms.ValidationError as error:
                self.add_error("password1", error)
        return cleaned


@admin.register(User)
class UserAdmin(ServiceAdmin, DjangoUserAdmin):  # type: ignore[type-arg]
    """Managed by superusers; others see the people they work with, so that they can be chosen."""

    form = ServiceForm
    add_form = UserAddForm
    change_password_form = AdminPasswordChangeForm
    project_lookup = ""
    view_operation = "activity.view"
    add_operation = change_operation = "people.manage"
    list_display = ("username", "display_name", "email", "level", "language_badge", "is_active", "last_login")
    list_filter = ("is_active", "is_staff", "is_superuser", "language")
    search_fields = ("username", "display_name", "first_name", "last_name", "email")
    ordering = ("username",)
    date_hierarchy = None
    filter_horizontal = ()
    autocomplete_fields = ("groups",)
    actions = ("deactivate", "activate")
    language_badge = badge("language", gettext_lazy("language"))
    fieldsets = (
        (None, {"fields": ("username", "password", "display_name", ("first_name", "last_name"), "email", "language")}),
        (gettext_lazy("Rights"), {"fields": (("is_active", "is_staff", "is_superuser"), "groups")}),
        (gettext_lazy("Record"), {"fields": ("last_login", "date_joined"), "classes": ["collapse"]}),
    )
    add_fieldsets = (
        (None, {"fields": ("username", "password1", "password2", "display_name", "email", "language")}),
        (gettext_lazy("Rights"), {"fields": (("is_active", "is_staff", "is_superuser"),)}),
    )

    def scope(self, rows: Any, request: HttpRequest) -> Any:
        return rows.filter(pk__in=colleagues(request).values("pk"))

    def within(self, rows: Any, project: Project) -> Any:
        return rows.filter(memberships__project=project)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ("password", "last_login", "date_joined")

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is not None and not may(request, "people.manage"):
            return ((None, {"fields": ("username", "display_name", "email")}),)
        return super().get_fieldsets(request, obj)

    def get_inlines(self, request: HttpRequest, obj: Any) -> Any:
        return []

    @admin.display(description=gettext_lazy("password"))
    def password(self, row: User) -> str:
        from django.utils.html import format_html

        return format_html('<a class="aip-link" href="../password/">{}</a>', _("Set a new password"))

    @admin.display(description=gettext_lazy("rights"))
    def level(self, row: User) -> Any:
        return _("Superuser") if row.is_superuser else _("Staff") if row.is_staff else "—"

    level.label = COLOURS  # type: ignore[attr-defined]

    def create_row(self, request: HttpRequest, values: dict[str, Any]) -> Any:
        password = request.POST["password1"]
        return people_services.create_user(actor=request.user, password=password, fields=values)

    def update_row(self, request: HttpRequest, row: Any, values: dict[str, Any], seen: int | None) -> None:
        people_services.update_user(user=row, actor=request.user, fields=values)

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> Any:
        with transaction.atomic():
            before = User.objects.filter(pk=id).values_list("password", flat=True).first()
            response = super().user_change_password(request, id, form_url)
            user = User.objects.filter(pk=id).first()
            if user is not None and user.password != before:
                people_services.note_password(user=user, actor=request.user)
        return response

    def has_people_permission(self, request: HttpRequest) -> bool:
        return may(request, "people.manage")

    @admin.action(description=gettext_lazy("Switch off: they cannot log in"), permissions=["people"])
    def deactivate(self, request: HttpRequest, queryset: Any) -> None:
        self._activity(request, queryset, active=False)

    @admin.action(description=gettext_lazy("Switch on again"), permissions=["people"])
    def activate(self, request: HttpRequest, queryset: Any) -> None:
        self._activity(request, queryset, active=True)

    def _activity(self, request: HttpRequest, rows: Any, *, active: bool) -> None:
        def change(row: Any) -> None:
            people_services.update_user(user=row, actor=request.user, fields={"is_active": active})

        self.each(request, rows, "people.manage", change, _("Changed."))
        if not active:
            messages.info(request, _("What these people made stays; their sessions end with the next click."))


admin.site.unregister(Group)


@admin.register(Group)
class GroupAdmin(ServiceAdmin):
    """Groups receive grants on projects (project page, object permissions)."""

    project_lookup = ""
    view_operation = add_operation = change_operation = delete_operation = "people.manage"
    list_display = ("name", "size")
    search_fields = ("name",)
    fields = ("name",)

    def get_queryset(self, request: HttpRequest) -> Any:
        from django.db.models import Count

        return super().get_queryset(request).annotate(size=Count("user"))

    @admin.display(description=gettext_lazy("members"), ordering="size")
    def size(self, row: Any) -> int:
        return int(row.size)

    def create_row(self, request: HttpRequest, values: dict[str, Any]) -> Any:
        return people_services.save_group(actor=request.user, name=values["name"])

    def update_row(self, request: HttpRequest, row: Any, values: dict[str, Any], seen: int | None) -> None:
        people_services.save_group(actor=request.user, name=values["name"], group=row)

    def remove_rows(self, request: HttpRequest, rows: Sequence[Any]) -> None:
        for row in rows:
            people_services.remove_group(group=row, actor=request.user)
