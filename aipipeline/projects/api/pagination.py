"""Lists by cursor: `{"results": [], "next": url, "previous": url}`."""

from rest_framework.pagination import CursorPagination


class CursorPages(CursorPagination):
    """Stable under inserts; `page_size` up to 500. A view sets `ordering` to a unique order."""

    page_size = 100
    page_size_query_param = "page_size"
    max_page_size = 500
    ordering = "id"
