"""Versions and reviews: facts. A version's verdict is given here by the review service."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.admin import TabularInline
from unfold.contrib.filters.admin import ChoicesDropdownFilter

from aipipeline.history.admin.access import AccessMixin
from aipipeline.history.admin.base import ReadOnlyAdmin
from aipipeline.history.admin.display import badge, pretty_json, thumbnail
from renders.models import Review, Verdict, Version, VersionState
from renders.services.reviews import review_version


class ReviewInline(AccessMixin, TabularInline):  # type: ignore[misc]
    model = Review
    project_lookup = "version__project"
    fields = ("verdict", "author", "text", "frame", "auto", "created_at")
    readonly_fields = fields
    extra = 0
    tab = True


@admin.register(Version)
class VersionAdmin(ReadOnlyAdmin):
    """Never edited and never deleted: approve, reject and comments go through reviews."""

    list_display = (
        "picture", "owner_name", "kind", "label", "status_badge", "state_badge", "auto", "length", "project",
        "created_by", "created_at",
    )  # fmt: skip
    list_display_links = ("owner_name", "label")
    list_filter = (
        ("kind", ChoicesDropdownFilter), ("status", ChoicesDropdownFilter), ("state", ChoicesDropdownFilter), "auto",
    )  # fmt: skip
    list_select_related = ("project", "shot", "character", "environment", "created_by")
    search_fields = ("shot__code", "character__name", "environment__name", "comment", "path", "project__code")
    date_hierarchy = "created_at"
    ordering = ("-created_at",)
    inlines = (ReviewInline,)
    actions = ("approve", "reject")
    status_badge = badge("status", gettext_lazy("status"))
    state_badge = badge("state", gettext_lazy("state"))
    readonly_fields = ("picture_large", "owner_name", "label", "files", "made_of", "length")
    fieldsets = (
        (None, {"fields": ("picture_large", ("project", "owner_name"), ("kind", "label"), ("status", "state"))}),
        (
            gettext_lazy("Media"),
            {"fields": (("width", "height"), ("frames", "fps"), "path", "files", "comment")},
        ),
        (
            gettext_lazy("How it was made"),
            {"fields": (("created_by", "auto"), ("created_at", "published_at"), "made_of")},
        ),
    )

    @admin.display(description=gettext_lazy("picture"))
    def picture(self, row: Version) -> str:
        return thumbnail(row.pk if row.state == VersionState.PUBLISHED else None)

    @admin.display(description=gettext_lazy("picture"))
    def picture_large(self, row: Version) -> str:
        return thumbnail(row.pk if row.state == VersionState.PUBLISHED else None, 640)

    @admin.display(description=gettext_lazy("of"))
    def owner_name(self, row: Version) -> str:
        return str(row.owner)

    @admin.display(description=gettext_lazy("number"), ordering="number")
    def label(self, row: Version) -> str:
        return row.label

    @admin.display(description=gettext_lazy("frames"), ordering="frames")
    def length(self, row: Version) -> Any:
        return row.frames or _("still")

    @admin.display(description=gettext_lazy("files"))
    def files(self, row: Version) -> str:
        return pretty_json(row.manifest)

    @admin.display(description=gettext_lazy("provenance"))
    def made_of(self, row: Version) -> str:
        return pretty_json(row.provenance)

    def has_review_permission(self, request: HttpRequest) -> bool:
        return self._may(request, "versions.review", None)

    @admin.action(description=gettext_lazy("Approve"), permissions=["review"])
    def approve(self, request: HttpRequest, queryset: Any) -> None:
        self._review(request, queryset, Verdict.APPROVE, "")

    @admin.action(description=gettext_lazy("Reject"), permissions=["review"])
    def reject(self, request: HttpRequest, queryset: Any) -> None:
        self._review(request, queryset, Verdict.REJECT, str(_("Rejected in the administration.")))

    def _review(self, request: HttpRequest, rows: Any, verdict: str, text: str) -> None:
        def give(row: Any) -> None:
            review_version(version=row, actor=request.user, verdict=verdict, text=text)

        self.each(request, rows, "versions.review", give, _("Reviewed."))


@admin.register(Review)
class ReviewAdmin(ReadOnlyAdmin):
    project_lookup = "version__project"
    list_display = ("version_name", "verdict_badge", "text", "frame", "author", "auto", "created_at")
    list_filter = (("verdict", ChoicesDropdownFilter), "auto")
    list_select_related = (
        "version__project", "version__shot", "version__character", "version__environment", "author",
    )  # fmt: skip
    search_fields = ("text", "author__username", "author__display_name", "version__shot__code")
    date_hierarchy = "created_at"
    verdict_badge = badge("verdict", gettext_lazy("verdict"))
    fields = (("version", "verdict"), "text", ("frame", "region"), ("author", "auto", "created_at"))

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).select_related(*self.list_select_related)

    @admin.display(description=gettext_lazy("version"))
    def version_name(self, row: Review) -> str:
        return str(row.version)
