"""Projects and members: made, changed and removed as actions. (They record history, so they live above it.)"""

from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from aipipeline.events import publish
from aipipeline.history.services import lock, recording
from aipipeline.projects.errors import Conflict, Invalid
from aipipeline.projects.models import Membership, Project, User
from aipipeline.projects.permissions import Role

EDITABLE = frozenset(
    {"title", "description", "fps", "width", "height", "steps", "engine", "naming", "storage_root", "language"}
)


def create_project(*, actor: Any, code: str, title: str, **fields: Any) -> Project:
    """A new project; whoever makes it becomes its administrator. Conflict when the code is taken."""
    if unknown := set(fields) - EDITABLE:
        raise Invalid(
            _("Unknown fields: %(names)s.") % {"names": ", ".join(sorted(unknown))},
            fields={key: [_("unknown")] for key in sorted(unknown)},
        )
    if Project.objects.filter(code__iexact=code).exists():
        raise Conflict(
            _("The code %(code)s is taken. Codes are never used again.") % {"code": code},
            details={"code": code},
        )
    project = Project(code=code, title=title, **fields)
    _validate(project)
    with recording(project=None, actor=actor, kind="project.create", undoable=False) as recorder:
        recorder.create(project)
        recorder.action.project = project
        if getattr(actor, "pk", None):
            Membership.objects.create(project=project, user=actor, role=Role.ADMIN)
    return project


def update_project(
    *, project: Project, actor: Any, fields: dict[str, Any], seen: int | None = None, tab: str = ""
) -> Project:
    """Change settings of a project; the code never changes."""
    if unknown := set(fields) - EDITABLE:
        raise Invalid(
            _("Unknown or fixed fields: %(names)s.") % {"names": ", ".join(sorted(unknown))},
            fields={key: [_("unknown or fixed")] for key in sorted(unknown)},
        )
    with recording(project=project, actor=actor, kind="project.update", tab=tab) as recorder:
        row: Project = lock(Project.objects.filter(pk=project.pk)).get()
        for name, value in fields.items():
            setattr(row, name, value)
        _validate(row)
        values = {name: getattr(row, name) for name in fields}
        row.refresh_from_db()
        recorder.update(row, seen=seen, **values)
    return row


def remove_project(*, project: Project, actor: Any) -> None:
    """Take the project out of sight; its rows and files stay until an administrator purges them."""
    with recording(project=project, actor=actor, kind="project.remove") as recorder:
        recorder.remove([lock(Project.objects.filter(pk=project.pk)).get()])


def set_member(*, project: Project, actor: Any, user: User, role: str) -> Membership:
    """Give a person a role in the project; live pages check again what they may hear."""
    if role not in Role.values:
        raise Invalid(_("Unknown role: %(role)s.") % {"role": role}, fields={"role": [_("unknown")]})
    params = {"user": user.username, "role": role}
    with recording(project=project, actor=actor, kind="member.set", undoable=False, params=params):
        member, _made = Membership.objects.update_or_create(project=project, user=user, defaults={"role": role})
        publish(f"project:{project.pk}", "membership.changed", ids=[user.pk])
    return member


def remove_member(*, project: Project, actor: Any, user: User) -> None:
    """Take a person off the project; the last administrator stays."""
    admins = Membership.objects.filter(project=project, role=Role.ADMIN)
    if admins.filter(user=user).exists() and admins.count() == 1:
        raise Conflict(_("A project keeps at least one administrator."))
    params = {"user": user.username}
    with recording(project=project, actor=actor, kind="member.remove", undoable=False, params=params):
        Membership.objects.filter(project=project, user=user).delete()
        publish(f"project:{project.pk}", "membership.changed", ids=[user.pk])


def _validate(project: Project) -> None:
    try:
        project.full_clean(exclude=["code"] if project.pk else None, validate_unique=False)
    except ValidationError as error:
        messages = {name: [str(m) for m in found] for name, found in error.message_dict.items()}
        first = next(iter(messages.items()))
        raise Invalid(f"{first[0]}: {first[1][0]}", fields=messages) from error
