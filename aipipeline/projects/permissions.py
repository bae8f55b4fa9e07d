"""Who may do what: one table, asked by views, API, consumers and templates alike.

`allows(actor, operation, project)` is the only question. It is denied by default: an operation that is not
in the table raises. A django-guardian object permission on the project (given in the admin) grants one
operation beyond the role.
"""

from typing import TYPE_CHECKING, Any

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

from aipipeline.projects.errors import NotAllowed, NotFound

if TYPE_CHECKING:
    from aipipeline.projects.models import Project


class Role(TextChoices):
    ADMIN = "admin", _("Administrator")
    DIRECTOR = "director", _("Director")
    ARTIST = "artist", _("Artist")
    GUEST = "guest", _("Guest")


_ADMIN = frozenset({Role.ADMIN})
_LEADS = frozenset({Role.ADMIN, Role.DIRECTOR})
_CREW = frozenset({Role.ADMIN, Role.DIRECTOR, Role.ARTIST})
_ALL = frozenset(Role)

OPERATIONS: dict[str, frozenset[Role]] = {
    "project.view": _ALL,
    "project.edit": _LEADS,
    "project.members": _ADMIN,
    "project.delete": _ADMIN,
    "scenario.edit": _LEADS,
    "shots.edit": _CREW,
    "shots.delete": _LEADS,
    "shots.approve": _LEADS,
    "shots.confirm": _LEADS,
    "shots.unlock": _LEADS,
    "assets.edit": _CREW,
    "sheets.export": _CREW,
    "sheets.import": _CREW,
    "versions.upload": _CREW,
    "versions.review": _LEADS,
    "notes.write": _ALL,
    "renders.start": _CREW,
    "renders.cancel": _CREW,
    "renders.manage": _LEADS,
    "workflows.manage": _LEADS,
    "timeline.edit": _CREW,
    "timeline.export": _CREW,
    "timeline.download": _ALL,
    "tree.manage": _LEADS,
    "mirror.manage": _ADMIN,
}
STUDIO_OPERATIONS: dict[str, str] = {
    "project.create": "staff",
    "farm.view": "crew",
    "farm.manage": "staff",
    "workflows.manage": "staff",
    "flower.view": "staff",
    "paths.manage": "staff",
    "activity.view": "member",
    "people.manage": "superuser",
    "schedules.manage": "superuser",
}


def codename(operation: str) -> str:
    """The guardian codename that grants `operation` on one project."""
    return "may_" + operation.replace(".", "_")


def guardian_permissions() -> list[tuple[str, Any]]:
    """Project's Meta.permissions: one per operation, so that the admin can grant each."""
    return [(codename(operation), f"May: {operation}") for operation in OPERATIONS]


def role_of(actor: Any, project: "Project") -> Role | None:
    """The actor's role in the project; superusers are administrators everywhere."""
    if not getattr(actor, "is_authenticated", False) or not actor.is_active:
        return None
    if actor.is_superuser:
        return Role.ADMIN
    role = project.memberships.filter(user=actor).values_list("role", flat=True).first()
    return Role(role) if role else None


def allows(actor: Any, operation: str, project: "Project | None" = None) -> bool:
    """True when the actor may do the operation, in this project or (project=None) in the studio."""
    if not getattr(actor, "is_authenticated", False) or not actor.is_active:
        return False
    if project is None:
        return _allows_in_studio(actor, operation)
    roles = OPERATIONS[operation]
    role = role_of(actor, project)
    return (role is not None and role in roles) or actor.has_perm(f"projects.{codename(operation)}", project)


def _allows_in_studio(actor: Any, operation: str) -> bool:
    needs = STUDIO_OPERATIONS[operation]
    if actor.is_superuser or (actor.is_staff and needs != "superuser"):
        return True
    if needs == "crew":
        return bool(actor.memberships.filter(role__in=_CREW).exists())
    return needs == "member"


def operations_of(actor: Any, project: "Project") -> frozenset[str]:
    """Every operation that the actor may do in the project: templates hide buttons by the same table."""
    role = role_of(actor, project)
    granted = {operation for operation, roles in OPERATIONS.items() if role in roles}
    if role is not Role.ADMIN:
        from guardian.shortcuts import get_perms

        object_permissions = set(get_perms(actor, project))
        granted |= {op for op in OPERATIONS if codename(op) in object_permissions}
    return frozenset(granted)


def require(actor: Any, operation: str, project: "Project | None" = None) -> None:
    """Raise unless allowed: NotFound when the actor may not even see the project, else NotAllowed."""
    if allows(actor, operation, project):
        return
    if project is not None and not allows(actor, "project.view", project):
        raise NotFound(_("There is no such project, or you are not a member of it."))
    raise NotAllowed()
