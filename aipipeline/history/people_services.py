"""People and groups: made, changed and switched off, each seen in the history. (They live above it, like projects.)"""

from collections.abc import Iterable, Mapping
from typing import Any

from django.contrib.auth.models import Group
from django.db import models
from django.utils.translation import gettext as _
from guardian.shortcuts import assign_perm, get_group_perms, get_user_perms, remove_perm

from aipipeline.events import publish
from aipipeline.history.plain import HIDDEN, create_plain, remove_plain, update_plain
from aipipeline.history.services import lock, recording
from aipipeline.projects.errors import Conflict, Invalid
from aipipeline.projects.models import Project, User
from aipipeline.projects.permissions import OPERATIONS, codename

EDITABLE = (
    "username", "display_name", "first_name", "last_name", "email", "language", "is_active", "is_staff",
    "is_superuser", "groups",
)  # fmt: skip


def create_user(*, actor: Any, password: str, fields: Mapping[str, Any]) -> User:
    """A new account. Invalid by field."""
    values = _known(fields)
    groups = values.pop("groups", [])
    with recording(project=None, actor=actor, kind="user.create", undoable=False) as recorder:
        user = User(**values)
        user.set_password(password)
        create_plain(recorder, user, groups=groups)
    return user


def update_user(*, user: User, actor: Any, fields: Mapping[str, Any]) -> User:
    """Change an account; the last active superuser stays one (Conflict)."""
    values = _known(fields)
    with recording(project=None, actor=actor, kind="user.update", undoable=False) as recorder:
        row: User = lock(User.objects.filter(pk=user.pk)).get()  # type: ignore[type-var]
        if not values.get("is_active", True) or not values.get("is_superuser", True):
            _keep_a_superuser(row)
        update_plain(recorder, row, **values)
        publish(f"user:{row.pk}", "user.changed", ids=[row.pk])
        for project_id in row.memberships.values_list("project_id", flat=True):
            publish(f"project:{project_id}", "membership.changed", ids=[row.pk])
    return row


def note_password(*, user: User, actor: Any) -> None:
    """A password was set: that it was is history, what it is is not."""
    with recording(project=None, actor=actor, kind="user.password", undoable=False) as recorder:
        recorder.note(user, {"password": [HIDDEN, HIDDEN]})


def save_group(*, actor: Any, name: str, group: Group | None = None) -> Group:
    """Make or rename a group. Its rights are what projects grant it."""
    kind = "group.create" if group is None else "group.update"
    with recording(project=None, actor=actor, kind=kind, undoable=False) as recorder:
        if group is None:
            group = Group(name=name)
            create_plain(recorder, group)
        else:
            update_plain(recorder, Group.objects.select_for_update().get(pk=group.pk), name=name)
    return group


def remove_group(*, group: Group, actor: Any) -> None:
    """Delete a group and what was granted to it."""
    with recording(project=None, actor=actor, kind="group.remove", undoable=False) as recorder:
        remove_plain(recorder, Group.objects.select_for_update().get(pk=group.pk))


def set_grants(*, project: Project, actor: Any, to: User | Group, codenames: Iterable[str]) -> None:
    """Grant a person or group exactly these operations of one project, beyond the roles. Invalid: unknown ones."""
    wanted = set(codenames)
    if unknown := wanted - {codename(operation) for operation in OPERATIONS}:
        raise Invalid(_("Unknown permissions: %(names)s.") % {"names": ", ".join(sorted(unknown))})
    who = "user" if isinstance(to, User) else "group"
    params = {who: str(to), "granted": sorted(wanted)}
    with recording(project=project, actor=actor, kind="project.grants", undoable=False, params=params) as recorder:
        held = set(get_user_perms(to, project) if isinstance(to, User) else get_group_perms(to, project))
        for name in wanted - held:
            assign_perm(name, to, project)
        for name in held - wanted:
            remove_perm(name, to, project)
        if held != wanted:
            recorder.note(project, {f"grants of {to}": [sorted(held), sorted(wanted)]})
        publish(f"project:{project.pk}", "membership.changed", ids=[to.pk] if who == "user" else [])


def _known(fields: Mapping[str, Any]) -> dict[str, Any]:
    if unknown := [name for name in fields if name not in EDITABLE]:
        raise Invalid(
            _("Unknown or read-only fields: %(names)s.") % {"names": ", ".join(unknown)},
            fields={name: [_("unknown or read-only")] for name in unknown},
        )
    return dict(fields)


def _keep_a_superuser(leaving: models.Model) -> None:
    others = User.objects.select_for_update().filter(is_superuser=True, is_active=True).exclude(pk=leaving.pk)
    if not others.exists():
        raise Conflict(_("The studio keeps at least one active superuser."))
