"""Mirrors are made, changed and removed here; each leaves an Action. Nothing here touches a storage."""

from collections.abc import Mapping
from typing import Any

from django.db import IntegrityError
from django.utils import timezone
from django.utils.translation import gettext as _

from aipipeline.events import publish
from aipipeline.history.plain import create_plain, remove_plain, update_plain
from aipipeline.history.services import recording
from aipipeline.projects.checks import check_types
from aipipeline.projects.errors import Conflict, Invalid, NotAllowed, NotFound
from aipipeline.projects.models import Project
from mirror.models import MirrorEntry, MirrorTarget, RunState
from mirror.services.places import PLACE_FIELDS, clean_place, is_listed
from renders.models import VersionKind

EDITABLE = ("name", *PLACE_FIELDS, "kinds", "limit_mb", "every_minutes", "enabled")


def create_target(*, project: Project, actor: Any, fields: Mapping[str, Any], tab: str = "") -> MirrorTarget:
    """A new mirror. Invalid by field; Conflict when its name or place is taken; NotAllowed for a place that only a
    superuser may name."""
    target = MirrorTarget(project=project)
    values = _cleaned(target, fields)
    _refuse_twin(target, values)
    _put(target, values)
    target.anywhere = _may_name(target, actor)
    target.next_run_at = _next(target)
    try:
        with recording(project=project, actor=actor, kind="mirrortarget.create", tab=tab, undoable=False) as recorder:
            create_plain(recorder, target)
            announce(target)
    except IntegrityError as error:
        raise _taken(target.name) from error
    return target


def update_target(*, target: MirrorTarget, actor: Any, fields: Mapping[str, Any], tab: str = "") -> MirrorTarget:
    """Change a mirror; as `create_target`, and Conflict while it runs. Another place begins anew: what was copied
    to the old one stays there and is forgotten here."""
    project = target.project
    try:
        with recording(project=project, actor=actor, kind="mirrortarget.update", tab=tab, undoable=False) as recorder:
            row = _locked(target)
            values = _cleaned(row, fields)
            changed = {name for name, value in values.items() if getattr(row, name) != value}
            _refuse_running(row)
            _refuse_twin(row, values)
            kept = {name: getattr(row, name) for name in values}
            _put(row, values)
            if changed & set(PLACE_FIELDS):
                row.anywhere = _may_name(row, actor)
                row.marked, row.failures, row.last_state = False, 0, RunState.NEVER
                row.last_message, row.last_result, row.last_at = "", {}, None
                MirrorEntry.objects.filter(target=row).delete()
            if changed & {"every_minutes", "enabled", *PLACE_FIELDS}:
                row.failures = 0
                row.next_run_at = _next(row)
            _put(row, kept)
            update_plain(recorder, row, **values)
            row.save()
            announce(row)
    except IntegrityError as error:
        raise _taken(str(fields.get("name", ""))) from error
    return row


def remove_target(*, target: MirrorTarget, actor: Any, tab: str = "") -> None:
    """Forget a mirror; what was copied stays where it is. Conflict while it runs."""
    with recording(
        project=target.project, actor=actor, kind="mirrortarget.remove", tab=tab, undoable=False
    ) as recorder:
        row = _locked(target)
        _refuse_running(row)
        remove_plain(recorder, row)
        publish(f"project:{target.project_id}", "mirror.changed", ids=[target.pk])


def unsaved_target(*, project: Project, params: Mapping[str, Any]) -> MirrorTarget:
    """A target as `params["fields"]` say, for a test; never saved."""
    target = MirrorTarget(project=project)
    _put(target, _cleaned(target, params.get("fields", {})))
    target.anywhere, target.marked = bool(params.get("anywhere")), bool(params.get("marked"))
    return target


def checked_fields(*, project: Project, actor: Any, fields: Mapping[str, Any]) -> dict[str, Any]:
    """What a test needs of these fields, refused as `create_target` would."""
    target = MirrorTarget(project=project)
    values = _cleaned(target, {"name": _("Test"), **fields})
    _put(target, values)
    return {"fields": values, "anywhere": _may_name(target, actor)}


def announce(target: MirrorTarget) -> None:
    """Tell the project's pages."""
    publish(f"project:{target.project_id}", "mirror.changed", ids=[target.pk])


def _locked(target: MirrorTarget) -> MirrorTarget:
    rows = MirrorTarget.objects.select_for_update(of=("self",)).select_related("project", "task")
    row: MirrorTarget | None = rows.filter(pk=target.pk).first()
    if row is None:
        raise NotFound(_("There is no such mirror in this project."))
    return row


def _cleaned(target: MirrorTarget, fields: Mapping[str, Any]) -> dict[str, Any]:
    if unknown := [name for name in fields if name not in EDITABLE]:
        raise Invalid(
            _("Unknown or read-only fields: %(names)s.") % {"names": ", ".join(unknown)},
            fields={name: [_("unknown or read-only")] for name in unknown},
        )
    check_types(MirrorTarget, fields)
    values = dict(fields)
    if "kinds" in values:
        values["kinds"] = _clean_kinds(values["kinds"])
    if "name" in values or target.pk is None:
        values["name"] = str(values.get("name", "")).strip()
        if not values["name"] or not values["name"].isprintable():
            raise Invalid(_("A mirror needs a name of one line."), fields={"name": [_("a name is needed")]})
    if target.pk is None or set(values) & set(PLACE_FIELDS):
        place = {name: values.get(name, getattr(target, name)) for name in PLACE_FIELDS}
        values.update(clean_place(place, project=target.project))
    return values


def _clean_kinds(value: Any) -> list[str]:
    known = set(VersionKind.values)
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(kind, str) and kind in known for kind in value):
        raise Invalid(
            _("kinds: a list of %(kinds)s; empty for all.") % {"kinds": ", ".join(VersionKind.values)},
            fields={"kinds": [_("unknown kind")]},
        )
    return [kind for kind in VersionKind.values if kind in value]


def _put(target: MirrorTarget, values: Mapping[str, Any]) -> None:
    for name, value in values.items():
        setattr(target, name, value)


def _may_name(target: MirrorTarget, actor: Any) -> bool:
    """True when a superuser names this place beyond the server's list; NotAllowed for anybody else."""
    if is_listed(target):
        return False
    if getattr(actor, "is_superuser", False):
        return True
    raise NotAllowed(
        _(
            "Only a superuser may let a mirror go to %(place)s. The places for everybody else are listed in "
            "AIP_MIRROR_ROOTS and AIP_MIRROR_ENDPOINTS on the server."
        )
        % {"place": target.location}
    )


def _refuse_running(row: MirrorTarget) -> None:
    if row.running:
        raise Conflict(_("This mirror is running. Cancel the run first, or wait for its end."))


def _refuse_twin(target: MirrorTarget, values: Mapping[str, Any]) -> None:
    """One name and one place belong to one mirror of the project."""
    others = MirrorTarget.objects.filter(project=target.project).exclude(pk=target.pk)
    if "name" in values and others.filter(name=values["name"]).exists():
        raise _taken(values["name"])
    if not set(values) & set(PLACE_FIELDS):
        return
    names = ("path",) if values["kind"] == "path" else ("endpoint_url", "bucket", "prefix")
    same = others.filter(kind=values["kind"], **{name: values[name] for name in names})
    if same.exists():
        field = names[-1]
        raise Conflict(_("Another mirror of this project goes there already."), fields={field: [_("taken")]})


def _taken(name: str) -> Conflict:
    return Conflict(_("There is one named %(name)s already.") % {"name": name}, fields={"name": [_("taken")]})


def _next(target: MirrorTarget) -> Any:
    """A new or changed schedule begins at once."""
    return timezone.now() if target.enabled and target.every_minutes else None
