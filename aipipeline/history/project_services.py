"""Projects and members: made, changed and removed as actions. (They record history, so they live above it.)"""

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError
from django.utils.translation import gettext as _

from aipipeline.events import publish
from aipipeline.history.plain import remove_plain
from aipipeline.history.services import lock, recording
from aipipeline.projects.checks import check_types
from aipipeline.projects.errors import Conflict, Invalid, NotFound
from aipipeline.projects.models import Membership, Project, User
from aipipeline.projects.permissions import Role

# The storage folder and the naming templates are not here: they name places on the server's disk.
EDITABLE = frozenset({"title", "description", "fps", "width", "height", "steps", "engine", "language"})
STEPS = ("first_image", "layout", "render", "post")


def create_project(*, actor: Any, code: str, title: str, tab: str = "", **fields: Any) -> Project:
    """A new project; whoever makes it becomes its administrator. Conflict when the code is taken."""
    _check({"code": code, "title": title, **fields}, EDITABLE | {"code"})
    project = Project(code=code, title=title, **fields)
    _validate(project)
    try:
        with recording(project=None, actor=actor, kind="project.create", tab=tab, undoable=False) as recorder:
            # Codes name folders, and some filesystems do not tell capitals from small letters.
            if Project.objects.filter(code__iexact=code).exists():
                raise _taken(code)
            recorder.create(project)
            recorder.action.project = project
            if getattr(actor, "pk", None):
                Membership.objects.create(project=project, user=actor, role=Role.ADMIN)
    except IntegrityError as error:
        raise _taken(code) from error
    return project


def _taken(code: str) -> Conflict:
    return Conflict(
        _("The code %(code)s is taken. Codes are never used again.") % {"code": code},
        fields={"code": [_("taken")]},
        details={"code": code},
    )


def update_project(
    *, project: Project, actor: Any, fields: dict[str, Any], seen: int | None = None, tab: str = ""
) -> Project:
    """Change settings of a project; the code never changes."""
    _check(fields, EDITABLE)
    with recording(project=project, actor=actor, kind="project.update", tab=tab) as recorder:
        row: Project = lock(Project.objects.filter(pk=project.pk)).get()
        for name, value in fields.items():
            setattr(row, name, value)
        _validate(row)
        values = {name: getattr(row, name) for name in fields}
        row.refresh_from_db()
        recorder.update(row, seen=seen, **values)
    return row


def remove_project(*, project: Project, actor: Any, tab: str = "") -> None:
    """Take the project out of sight; its rows and files stay until an administrator purges them."""
    with recording(project=project, actor=actor, kind="project.remove", tab=tab, undoable=False) as recorder:
        recorder.remove([lock(Project.objects.filter(pk=project.pk)).get()])
        publish(f"project:{project.pk}", "membership.changed", ids=[])


def restore_project(*, project: Project, actor: Any, tab: str = "") -> None:
    """Bring a removed project back as it was."""
    with recording(project=project, actor=actor, kind="project.restore", tab=tab, undoable=False) as recorder:
        recorder.restore([lock(Project.objects.filter(pk=project.pk)).get()])
        publish(f"project:{project.pk}", "membership.changed", ids=[])


def set_member(*, project: Project, actor: Any, user: User, role: str, tab: str = "") -> Membership:
    """Give a person a role in the project; live pages check again what they may hear. Conflict: the last admin."""
    if role not in Role.values:
        raise Invalid(_("Unknown role: %(role)s.") % {"role": role}, fields={"role": [_("unknown")]})
    params = {"user": user.username, "role": role}
    with recording(project=project, actor=actor, kind="member.set", tab=tab, undoable=False, params=params) as recorder:
        if role != Role.ADMIN:
            _keep_an_admin(project, user)
        before = Membership.objects.filter(project=project, user=user).values_list("role", flat=True).first()
        member, _made = Membership.objects.update_or_create(project=project, user=user, defaults={"role": role})
        recorder.note(member, {"role": [before, role]})
        publish(f"project:{project.pk}", "membership.changed", ids=[user.pk])
    return member


def remove_member(*, project: Project, actor: Any, user: User, tab: str = "") -> None:
    """Take a person off the project; the last administrator stays (Conflict)."""
    params = {"user": user.username}
    with recording(
        project=project, actor=actor, kind="member.remove", tab=tab, undoable=False, params=params
    ) as recorder:
        _keep_an_admin(project, user)
        member = Membership.objects.filter(project=project, user=user).first()
        if member is None:
            raise NotFound(_("This person is not a member of the project."))
        remove_plain(recorder, member)
        publish(f"project:{project.pk}", "membership.changed", ids=[user.pk])


def _keep_an_admin(project: Project, leaving: User) -> None:
    lock(Project.objects.filter(pk=project.pk)).first()
    admins = Membership.objects.filter(project=project, role=Role.ADMIN)
    if admins.filter(user=leaving).exists() and not admins.exclude(user=leaving).exists():
        raise Conflict(_("A project keeps at least one administrator."))


def _check(fields: Mapping[str, Any], known: frozenset[str]) -> None:
    if unknown := sorted(set(fields) - known):
        raise Invalid(
            _("Unknown or fixed fields: %(names)s.") % {"names": ", ".join(unknown)},
            fields={name: [_("unknown or fixed")] for name in unknown},
        )
    check_types(Project, fields)
    steps = fields.get("steps", ["render"])
    if not isinstance(steps, list) or not steps or any(step not in STEPS for step in steps):
        raise Invalid(
            _("Steps are a list of %(names)s.") % {"names": ", ".join(STEPS)}, fields={"steps": [_("unknown")]}
        )


def _validate(project: Project) -> None:
    try:
        project.full_clean(exclude=["code"] if project.pk else None, validate_unique=False)
    except ValidationError as error:
        messages = {name: [str(m) for m in found] for name, found in error.message_dict.items()}
        first = next(iter(messages.items()))
        raise Invalid(f"{first[0]}: {first[1][0]}", fields=messages) from error
