"""Putting back what an action wrote, wherever nobody has written since: in bulk, and never over a colleague's edit."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.apps import apps
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from aipipeline.history import changes, values
from aipipeline.history.authors import Authors
from aipipeline.history.models import Action, ActionState
from aipipeline.history.recorder import lock, publish_changes
from aipipeline.history.saving import save_rows
from aipipeline.history.signals import changed, replayed
from aipipeline.projects.tracked import Tracked

CHUNK = 1000
Entry = dict[str, Any]


class Overtaken(Exception):
    """The action is no longer in the state that it was read in."""


@dataclass
class Replayed:
    """What an undo or redo did.

    `skipped` lists what was left as it is: {"model", "id", "label", "fields", "code", "reason"}; code "changed"
    (somebody wrote it meanwhile), "gone" (the row was deleted for good), "taken" (its name is another row's now) or
    "locked" (the row holds the field by now, see `Tracked.held_fields`).
    """

    action: Action
    rows: int = 0
    skipped: list[dict[str, Any]] = field(default_factory=list)


def replay(action: Action, *, back: bool) -> Replayed:
    """Undo (`back`) or redo an action inside the caller's transaction. Raises Overtaken when somebody was faster.

    A constant number of queries for each thousand rows of a model.
    """
    done = Replayed(action=action)
    touched: dict[type[Tracked], dict[Any, Tracked]] = {}
    for model, entries in _by_model(action, back=back):
        for start in range(0, len(entries), CHUNK):
            rows = _Chunk(action, model, entries[start : start + CHUNK], back=back).run(done)
            if rows:
                touched.setdefault(model, {}).update(rows)
    done.rows = sum(len(rows) for rows in touched.values())
    if touched:
        for model, rows in _mark_told(action):
            touched.setdefault(model, {}).update(rows)
        for _receiver, answer in replayed.send(sender=Action, touched=touched):
            mended: Any = answer
            for model, rows in mended.items():
                touched.setdefault(model, {}).update(rows)
    _finish(action, done, back=back)
    number = changes.next_number(action.project)
    if action.project is not None:
        changes.keep(action.project, number, touched)
    publish_changes(action.project, touched, actor=action.actor, change=number)
    return done


def _finish(action: Action, done: Replayed, *, back: bool) -> None:
    before, after = (ActionState.DONE, ActionState.UNDONE) if back else (ActionState.UNDONE, ActionState.DONE)
    moment = timezone.now() if back else None
    mine = Action.objects.filter(pk=action.pk, state=before).update(state=after, undone_at=moment, skipped=done.skipped)
    if not mine:
        raise Overtaken
    action.state, action.undone_at, action.skipped = after, moment, done.skipped


def _by_model(action: Action, *, back: bool) -> Iterator[tuple[type[Tracked], list[Entry]]]:
    """The entries that hold values, by model in the order in which the models come up."""
    entries: list[Entry] = list(reversed(action.changes)) if back else action.changes
    found: dict[str, list[Entry]] = {}
    for entry in entries:
        if entry["fields"]:
            found.setdefault(entry["model"], []).append(entry)
    for label, group in found.items():
        yield apps.get_model(label), group


def _mark_told(action: Action) -> Iterator[tuple[type[Tracked], dict[Any, Tracked]]]:
    """Count an edit of the rows whose parts were put back: a shot, when its characters were."""
    found: dict[str, dict[int, list[str]]] = {}
    for entry in action.changes:
        if entry.get("told"):
            found.setdefault(entry["model"], {})[entry["id"]] = list(entry["told"])
    for label, names in found.items():
        model: type[Tracked] = apps.get_model(label)
        ids = sorted(names)
        for start in range(0, len(ids), CHUNK):
            rows = {row.pk: row for row in _locked(model, ids[start : start + CHUNK])}
            for pk, row in rows.items():
                row.touch(names[pk])
            if rows:
                save_rows(list(rows.values()), [])
                told = {name for pk in rows for name in names[pk]}
                changed.send(sender=model, instances=list(rows.values()), fields=told, kind="updated", recorder=None)
                yield model, rows


def _locked(model: type[Tracked], ids: Sequence[Any]) -> list[Tracked]:
    return list(lock(model._default_manager.filter(pk__in=ids)).order_by("pk"))


class _Chunk:
    """Some entries of one model: read and locked in one query, decided in memory, written in few."""

    def __init__(self, action: Action, model: type[Tracked], entries: Sequence[Entry], *, back: bool) -> None:
        self.action = action
        self.model = model
        self.entries = entries
        self.back = back
        self.written: dict[Any, list[str]] = {}
        self.left: dict[Any, list[str]] = {}
        self.taken: dict[Any, list[str]] = {}
        self.locked: dict[Any, list[str]] = {}
        self.held: Mapping[Any, frozenset[str]] = {}

    def run(self, done: Replayed) -> dict[Any, Tracked]:
        """Put back what can be; returns the rows that changed, and notes in `done` what was left."""
        rows: dict[Any, Tracked] = {row.pk: row for row in _locked(self.model, [e["id"] for e in self.entries])}
        self.held = self.model.held_fields(list(rows.values()))
        for entry in self.entries:
            if (row := rows.get(entry["id"])) is not None:
                self._put_back(row, entry)
        changed_rows = {pk: rows[pk] for pk in self.written}
        self._save(changed_rows)
        self._announce(changed_rows)
        self._explain(rows, done)
        return changed_rows

    def _put_back(self, row: Tracked, entry: Entry) -> None:
        written: list[str] = []
        for name, (before, after) in entry["fields"].items():
            wanted, held = (before, after) if self.back else (after, before)
            if name in self.held.get(row.pk, ()) and (name != "removed_at" or wanted):
                self.locked.setdefault(row.pk, []).append(name)
                continue
            if name == "removed_at":
                # Only whether the row is there counts; the moment differs from one undo to the next.
                free = bool(row.removed_at) == bool(held)
                if free:
                    row.removed_at = timezone.now() if wanted else None
            else:
                free = values.read(row, name) == held
                if free:
                    values.write(row, name, wanted)
            if free:
                written.append(name)
            else:
                self.left.setdefault(row.pk, []).append(name)
        if written:
            row.touch(written)
            self.written[row.pk] = written

    def _save(self, rows: dict[Any, Tracked]) -> None:
        if not rows:
            return
        names = {name for written in self.written.values() for name in written}
        try:
            with transaction.atomic():
                save_rows(list(rows.values()), names)
        except IntegrityError:
            # Somebody has given one of the names to another row since; the other rows go back all the same.
            for row in list(rows.values()):
                try:
                    with transaction.atomic():
                        save_rows([row], self.written[row.pk])
                except IntegrityError:
                    self.taken[row.pk] = self.written.pop(row.pk)
                    del rows[row.pk]

    def _announce(self, rows: dict[Any, Tracked]) -> None:
        kinds: dict[str, list[Tracked]] = {}
        for row in rows.values():
            kinds.setdefault(_kind_of(row, self.written[row.pk]), []).append(row)
        for kind, instances in kinds.items():
            fields = {name for row in instances for name in self.written[row.pk]}
            changed.send(sender=self.model, instances=instances, fields=fields, kind=kind, recorder=None)

    def _explain(self, rows: dict[Any, Tracked], done: Replayed) -> None:
        authors = Authors(self.action, self.model, self.left) if self.left else None
        for entry in self.entries:
            pk = entry["id"]
            if pk not in rows:
                _skip(done, entry, list(entry["fields"]), "gone", _("removed for good"))
            if pk in self.taken:
                reason = _("another row has this name now")
                _skip(done, entry, self.taken[pk], "taken", reason)
            if pk in self.locked:
                _skip(done, entry, self.locked[pk], "locked", _("locked by now: unlock it first"))
            if pk in self.left and authors is not None:
                for reason, names in authors.reasons(pk, self.left[pk]).items():
                    _skip(done, entry, names, "changed", reason)


def _skip(done: Replayed, entry: Entry, names: list[str], code: str, reason: str) -> None:
    done.skipped.append(
        {
            "model": entry["model"],
            "id": entry["id"],
            "label": entry["label"],
            "fields": names,
            "code": code,
            "reason": reason,
        }
    )


def _kind_of(row: Tracked, written: Sequence[str]) -> str:
    if "removed_at" not in written:
        return "updated"
    return "removed" if row.removed_at else "restored"
