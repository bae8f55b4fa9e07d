"""What row locks can say in the database that runs."""

from django.db import connection


def can_skip() -> bool:
    """Whether rows that others have locked can be passed over."""
    return bool(connection.features.has_select_for_update_skip_locked)


def of_self() -> tuple[str, ...]:
    """Lock the row itself, not what is joined to it."""
    return ("self",) if connection.features.has_select_for_update_of else ()
