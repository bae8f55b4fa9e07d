"""Recording an edit: every write of a tracked row goes through a Recorder, which makes it one Action."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

from django.db import IntegrityError, models, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from aipipeline.events import publish
from aipipeline.history import changes, values
from aipipeline.history.models import Action, ActionState
from aipipeline.history.saving import BOOKKEEPING, save_rows
from aipipeline.history.signals import changed
from aipipeline.projects.errors import Conflict
from aipipeline.projects.models import Project
from aipipeline.projects.tracked import Tracked

T = TypeVar("T", bound=Tracked)


def stale_error(instance: Tracked, fields: Sequence[str], wanted: Mapping[str, Any]) -> Conflict:
    """409 with both values of each field that somebody else changed since it was read."""
    current = {name: values.read(instance, name) for name in fields}
    yours = {name: values.encoded(instance, name, wanted[name]) for name in fields}
    return Conflict(
        _("Someone else changed this since you read it."),
        fields={name: [str(_("changed by someone else"))] for name in fields},
        details={"id": instance.pk, "revision": instance.revision, "current": current, "yours": yours},
    )


def different_fields(instance: Tracked, fields: Mapping[str, Any]) -> list[str]:
    """Of these fields, the ones whose value on the row is another."""
    return [
        name for name, value in fields.items() if values.read(instance, name) != values.encoded(instance, name, value)
    ]


def refuse_stale(instance: Tracked, seen: int, fields: Mapping[str, Any]) -> None:
    """Conflict when one of the fields that would change is newer than revision `seen`."""
    if stale := instance.stale_fields(different_fields(instance, fields), seen):
        raise stale_error(instance, stale, fields)


class Repeated(Exception):
    """This person's action with this key is there already: nothing was written a second time."""


class Recorder:
    """Writes tracked rows and remembers before and after. One per `recording` block."""

    def __init__(self, action: Action) -> None:
        self.action = action
        self._changes: dict[tuple[str, Any], dict[str, Any]] = {}
        self._touched: dict[type[Tracked], dict[Any, Tracked]] = {}
        self.broken = False

    def update(self, instance: Tracked, *, seen: int | None = None, **fields: Any) -> list[str]:
        """Set these fields on a locked or fresh row and save it; returns the names that really changed.

        `seen`: the revision that the person had read; Conflict when one of these fields is newer.
        """
        if seen is not None:
            refuse_stale(instance, seen, fields)
        different = self._write(instance, fields)
        if different:
            instance.save(update_fields=[*values.columns_of(different), *BOOKKEEPING])
            self._announce([instance], set(different), "updated")
        return different

    def update_many(self, changes: Iterable[tuple[T, Mapping[str, Any]]]) -> list[T]:
        """`update` of many rows of one model in one statement; returns the rows that really changed.

        Staleness is the caller's to refuse (`refuse_stale`), before anything is written.
        """
        written: dict[Any, T] = {}
        names: set[str] = set()
        for instance, fields in changes:
            if different := self._write(instance, fields):
                written[instance.pk] = instance
                names.update(different)
        rows = list(written.values())
        self._save_many(rows, names, "updated")
        return rows

    def mark(self, instances: Iterable[T], name: str, *, told: Mapping[Any, Sequence[Any]] | None = None) -> None:
        """Count an edit of something that belongs to these rows but is kept elsewhere (a shot's characters).

        `told`: by row id the encoded [before, after], for the row's history.
        """
        rows = list({row.pk: row for row in instances}.values())
        for row in rows:
            row.touch([name])
            before, after = (told or {}).get(row.pk, (None, None))
            self._entry(row).setdefault("told", {}).setdefault(name, [before, None])[1] = after
        self._save_many(rows, [], "updated", told={name})

    def _write(self, instance: Tracked, fields: Mapping[str, Any]) -> list[str]:
        """Set what differs, in memory, and remember before and after; returns the names."""
        different = different_fields(instance, fields)
        if different:
            entry = self._entry(instance)
            for name in different:
                before = values.read(instance, name)
                values.put(instance, name, fields[name])
                entry["fields"].setdefault(name, [before, None])[1] = values.read(instance, name)
            instance.touch(different)
        return different

    def _save_many(
        self, rows: Sequence[Tracked], names: Iterable[str], kind: str, *, told: set[str] | None = None
    ) -> None:
        if not rows:
            return
        save_rows(rows, names)
        self._announce(rows, told or set(names), kind)

    def create(self, instance: T) -> T:
        """Save a new row; undo removes it, redo brings it back."""
        return self.create_many([instance])[0]

    def create_many(self, instances: Sequence[T]) -> list[T]:
        """Save new rows of one model in one statement."""
        if not instances:
            return []
        for instance in instances:
            instance.revision = 1
        made: list[T] = list(type(instances[0])._default_manager.bulk_create(list(instances)))  # type: ignore[arg-type]
        for instance in made:
            self._entry(instance)["fields"]["removed_at"] = ["created", None]
        self._announce(made, {"removed_at"}, "created")
        return made

    def remove(self, instances: Iterable[Tracked]) -> None:
        """Mark rows as removed; their files and their unique names stay."""
        self._set_removed(list(instances), timezone.now(), "removed")

    def restore(self, instances: Iterable[Tracked]) -> None:
        """Bring removed rows back."""
        self._set_removed(list(instances), None, "restored")

    def _set_removed(self, instances: list[Tracked], moment: Any, kind: str) -> None:
        for instance in instances:
            before = values.read(instance, "removed_at")
            instance.removed_at = moment
            instance.touch(["removed_at"])
            entry = self._entry(instance)
            entry["fields"].setdefault("removed_at", [before, None])[1] = values.read(instance, "removed_at")
        self._save_many(instances, ["removed_at"], kind)

    def note(self, row: models.Model, fields: Mapping[str, Sequence[Any]]) -> None:
        """Remember encoded [before, after] of an untracked row that was written: seen in the history, not undoable."""
        entry = self._entry(row)
        for name, (before, after) in fields.items():
            entry["fields"].setdefault(name, [before, None])[1] = after
        self.action.undoable = False

    def _entry(self, instance: models.Model) -> dict[str, Any]:
        key = (instance._meta.label_lower, instance.pk)
        if key not in self._changes:
            self._changes[key] = {
                "model": key[0],
                "id": instance.pk if isinstance(instance.pk, int) else str(instance.pk),
                "label": str(instance)[:80],
                "fields": {},
            }
        return self._changes[key]

    def _announce(self, instances: Sequence[Tracked], fields: set[str], kind: str) -> None:
        model = type(instances[0])
        self._touched.setdefault(model, {}).update({row.pk: row for row in instances})
        changed.send(sender=model, instances=list(instances), fields=fields, kind=kind, recorder=self)

    def changes(self) -> list[dict[str, Any]]:
        return [entry for entry in self._changes.values() if entry["fields"] or entry.get("told")]

    def touched(self) -> dict[type[Tracked], dict[Any, Tracked]]:
        return self._touched


# The action that edits of this thread join, see `one_action`.
_open: ContextVar[Recorder | None] = ContextVar("open_action", default=None)


@contextmanager
def one_action(
    *, project: Project | None, actor: Any, kind: str, tab: str = "", params: Mapping[str, Any] | None = None
) -> Iterator[Recorder]:
    """Every `recording` of the same project and actor inside joins this one Action: a form with its inlines, a sheet.

    An edit inside that fails ends the whole: it may not be caught and passed over.
    """
    with recording(project=project, actor=actor, kind=kind, tab=tab, params=params) as recorder:
        token = _open.set(recorder)
        try:
            yield recorder
        finally:
            _open.reset(token)
        if recorder.broken:
            raise RuntimeError(f"{kind}: an edit inside this action failed and was passed over")


@contextmanager
def _joined(outer: Recorder, kind: str, params: Mapping[str, Any] | None, undoable: bool) -> Iterator[Recorder]:
    if not undoable:
        outer.action.undoable = False
    if params:
        outer.action.params.setdefault("parts", []).append({"kind": kind, **params})
    try:
        with transaction.atomic():
            yield outer
    except BaseException:
        outer.broken = True
        raise


@contextmanager
def recording(
    *,
    project: Project | None,
    actor: Any,
    kind: str,
    tab: str = "",
    params: Mapping[str, Any] | None = None,
    undoable: bool = True,
    key: str = "",
) -> Iterator[Recorder]:
    """One transaction, one Action, one event per model that it touched.

    `key`: a name that the client gave to the edit. Repeated, with nothing written, when it was made before.
    """
    person = actor if getattr(actor, "pk", None) else None
    outer = _open.get()
    if outer is not None and (outer.action.project, outer.action.actor) == (project, person):
        with _joined(outer, kind, params, undoable) as recorder:
            yield recorder
        return
    with transaction.atomic():
        action = Action(
            project=project,
            actor=person,
            tab=tab[:64],
            kind=kind,
            params=dict(params or {}),
            undoable=undoable,
            key=key,
        )
        recorder = Recorder(action)
        yield recorder
        action.changes = recorder.changes()
        if not action.changes and action.undoable:
            return
        if action.undoable:
            Action.objects.filter(project=project, actor=person, tab=action.tab, state=ActionState.UNDONE).update(
                state=ActionState.SUPERSEDED
            )
        # The number comes last: its lock is the project's, and nothing may be waited for while it is held.
        action.sequence = changes.next_number(action.project)
        try:
            action.save(force_insert=True)
        except IntegrityError as error:
            # The first one was committed while this one waited for the number's lock.
            if not key:
                raise
            raise Repeated from error
        if action.project is not None:
            changes.keep(action.project, action.sequence, recorder.touched(), action=action)
        publish_changes(project, recorder.touched(), actor=person, change=action.sequence)


def publish_changes(
    project: Project | None, touched: Mapping[type[Tracked], Mapping[Any, Tracked]], *, actor: Any, change: int
) -> None:
    """Tell the project's pages which rows changed, once per model, when the transaction commits."""
    if project is None:
        return
    for model, rows in touched.items():
        publish(
            f"project:{project.pk}",
            f"{model._meta.model_name}.changed",
            ids=[row.pk for row in rows.values()][: changes.IDS_IN_EVENT],
            revisions={str(pk): row.revision for pk, row in list(rows.items())[: changes.IDS_IN_EVENT]},
            actor=getattr(actor, "pk", None),
            change=change,
        )


def lock(queryset: "models.QuerySet[T]") -> "models.QuerySet[T]":
    """Rows to edit, locked until the transaction ends (a no-op on SQLite, whose transactions are immediate)."""
    return queryset.select_for_update(of=("self",)) if _supports_of(queryset) else queryset.select_for_update()


def _supports_of(queryset: "models.QuerySet[Any]") -> bool:
    from django.db import connections

    return bool(connections[queryset.db].features.has_select_for_update_of)
