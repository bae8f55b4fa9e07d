"""What every API view begins with: the caller, the project by its code, the permission, the checked body."""

from typing import Any, ClassVar, TypeVar

from django.db import models
from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.response import Response
from rest_framework.views import APIView

from aipipeline.projects.api.pagination import CursorPages
from aipipeline.projects.api.parsers import StrictJSONParser
from aipipeline.projects.errors import NotFound
from aipipeline.projects.models import Project
from aipipeline.projects.permissions import require

M = TypeVar("M", bound=models.Model)


class StrictSerializer(serializers.Serializer[Any]):
    """Refuses fields that it does not know, so that a typing error is not taken for success."""

    def to_internal_value(self, data: Any) -> Any:
        _refuse_unknown(self, data)
        return super().to_internal_value(data)


class StrictModelSerializer(serializers.ModelSerializer[M]):
    """The same for model serializers; read-only fields are refused too, except `revision`."""

    def to_internal_value(self, data: Any) -> Any:
        _refuse_unknown(self, data)
        return super().to_internal_value(data)


def _refuse_unknown(serializer: serializers.Serializer[Any], data: Any) -> None:
    if not hasattr(data, "keys"):
        return
    writable = {name for name, field in serializer.fields.items() if not field.read_only} | {"revision"}
    if unknown := [name for name in data if name not in writable]:
        raise serializers.ValidationError({str(name): [_("This field is unknown or read-only.")] for name in unknown})


class ProjectRelated(serializers.PrimaryKeyRelatedField[Any]):
    """The id of a live row of the project that the view put into the serializer's context."""

    def __init__(self, **kwargs: Any) -> None:
        self.model = kwargs.pop("model", None)
        if self.model is not None and not kwargs.get("read_only"):
            kwargs["queryset"] = self.model.objects.all()
        super().__init__(**kwargs)

    def get_queryset(self) -> Any:
        return self.queryset.live().filter(project=self.context.get("project"))  # type: ignore[union-attr]


class IdField(serializers.IntegerField):
    """An id in a body: a whole number that fits the database."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(min_value=0, max_value=2**63 - 1, **kwargs)

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, (bool, float)):
            self.fail("invalid")
        return super().to_internal_value(data)


class StudioView(APIView):
    """JSON in and out. Subclasses authorise with `project(...)` before they do anything."""

    parser_classes: ClassVar[Any] = [StrictJSONParser]
    ordering: ClassVar[tuple[str, ...]] = ("id",)

    def project(self, operation: str) -> Project:
        """The project of the URL, once the caller may do the operation there; NotFound for strangers."""
        project = Project.objects.visible_to(self.request.user).filter(code=self.kwargs["code"]).first()
        if project is None:
            raise NotFound(_("There is no such project, or you are not a member of it."))
        require(self.request.user, operation, project)
        return project

    @property
    def tab(self) -> str:
        """The browser tab or client that makes the request: undo goes by it."""
        return str(self.request.headers.get("X-AIP-Tab", "")).replace("\x00", "")[:64]

    def body(
        self, serializer_class: type[serializers.BaseSerializer[Any]], *, partial: bool = False, **context: Any
    ) -> dict[str, Any]:
        """The request's body as this serializer takes it; ValidationError names the fields."""
        serializer = serializer_class(
            data=self.request.data, partial=partial, context={"request": self.request, **context}
        )
        serializer.is_valid(raise_exception=True)
        return dict(serializer.validated_data)

    def seen_revision(self) -> int | None:
        """`revision` of a PATCH: what the caller had read. None: the caller wants to write in any case."""
        if self.request.data.get("revision") is None:
            return None
        field = IdField()
        try:
            return int(field.run_validation(self.request.data["revision"]))
        except serializers.ValidationError as error:
            raise serializers.ValidationError({"revision": error.detail}) from error

    def page(
        self, rows: "models.QuerySet[Any]", serializer_class: type[serializers.BaseSerializer[Any]], **context: Any
    ) -> Response:
        """One page of a list, in the view's `ordering`."""
        pager = _pager(self.ordering)
        found = pager.paginate_queryset(rows, self.request, view=self)
        data = serializer_class(found, many=True, context={"request": self.request, **context}).data
        return pager.get_paginated_response(data)


def _pager(ordering: tuple[str, ...]) -> CursorPages:
    pager = CursorPages()
    pager.ordering = ordering  # type: ignore[assignment]
    return pager
