"""Lists by cursor: `{"results": [], "next": url, "previous": url}`."""

from typing import Any

from django.core.exceptions import ValidationError
from rest_framework.exceptions import NotFound
from rest_framework.pagination import CursorPagination


class CursorPages(CursorPagination):
    """Stable under inserts; `page_size` up to 500. A view sets `ordering` to a unique order."""

    page_size = 100
    page_size_query_param = "page_size"
    max_page_size = 500
    ordering = "id"

    def paginate_queryset(self, queryset: Any, request: Any, view: Any = None) -> Any:
        """One page; NotFound for a cursor that names no place in this order."""
        try:
            return super().paginate_queryset(queryset, request, view)
        except (ValueError, TypeError, OverflowError, ValidationError) as error:
            if self.cursor_query_param not in request.query_params:
                raise
            raise NotFound(self.invalid_cursor_message) from error
