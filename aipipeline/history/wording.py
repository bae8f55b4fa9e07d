"""Actions in words: what was done, and each field's value before and after as people read it."""

from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.core.exceptions import FieldDoesNotExist
from django.db import models
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from aipipeline.history.models import Action

WORDS = {
    "shot.create": gettext_lazy("Added a shot"),
    "shot.update": gettext_lazy("Changed shots"),
    "shot.remove": gettext_lazy("Removed shots"),
    "shot.reorder": gettext_lazy("Moved shots"),
    "shot.move": gettext_lazy("Changed a status"),
    "shot.unlock": gettext_lazy("Unlocked a shot"),
    "shot.generated": gettext_lazy("A render finished"),
    "scenario.add": gettext_lazy("Added a scenario"),
    "scenario.analyse": gettext_lazy("Broke a scenario down"),
    "scenario.edit": gettext_lazy("Changed a draft"),
    "scenario.apply": gettext_lazy("Applied a scenario"),
    "project.create": gettext_lazy("Created the project"),
    "project.update": gettext_lazy("Changed the project"),
    "project.confirm": gettext_lazy("Confirmed the shot list"),
    "project.rebuild": gettext_lazy("Made the project again from its folder"),
    "project.move_folders": gettext_lazy("Moved folders of the production tree"),
    "project.naming": gettext_lazy("Changed the naming"),
    "render.start": gettext_lazy("Started renders"),
    "render.retry": gettext_lazy("Tried a render again"),
    "version.approve": gettext_lazy("Approved a version"),
    "version.reject": gettext_lazy("Sent a version back"),
    "version.comment": gettext_lazy("Commented on a version"),
    "movie.proxy": gettext_lazy("Made a proxy"),
    "movie.film": gettext_lazy("Assembled the film"),
    "edit.change": gettext_lazy("Changed the cut"),
    "sheet.import": gettext_lazy("Imported a sheet"),
    "member.set": gettext_lazy("Changed a member"),
    "member.remove": gettext_lazy("Removed a member"),
    "project.remove": gettext_lazy("Removed the project"),
    "project.restore": gettext_lazy("Brought the project back"),
    "project.grants": gettext_lazy("Changed extra permissions"),
    "shot.batch": gettext_lazy("Changed the shot list"),
    "render.cancel": gettext_lazy("Cancelled a render"),
    "render.priority": gettext_lazy("Changed a render's priority"),
    "render.after": gettext_lazy("Changed what a render waits for"),
    "batch.cancel": gettext_lazy("Cancelled a batch of renders"),
    "batch.retry": gettext_lazy("Tried what failed in a batch again"),
    "batch.priority": gettext_lazy("Changed a batch's priority"),
    "task.cancel": gettext_lazy("Cancelled background work"),
    "tree.adopt": gettext_lazy("Took dropped files in"),
    "worker.drain": gettext_lazy("Let a worker run dry"),
    "worker.resume": gettext_lazy("Let a worker go on"),
    "worker.wake": gettext_lazy("Woke a worker"),
    "workflow.version": gettext_lazy("Brought a new version of a workflow"),
    "workflow.forget": gettext_lazy("Forgot what was learned of a workflow"),
    "worker.unblock": gettext_lazy("Lifted a worker's block"),
    "farm.pause": gettext_lazy("Paused renders"),
    "farm.resume": gettext_lazy("Let paused renders go on"),
    "user.password": gettext_lazy("Changed a password"),
}

# Every kind of row knows these; which row it was, the model says.
VERBS = {
    "create": gettext_lazy("%(what)s: added"),
    "update": gettext_lazy("%(what)s: changed"),
    "remove": gettext_lazy("%(what)s: removed"),
    "restore": gettext_lazy("%(what)s: brought back"),
    "import": gettext_lazy("%(what)s: imported from a sheet"),
}
LENGTH = 40
# What the machine keeps beside the words that people read: a place in a list, another row's number.
_BARE = frozenset({"position", "order", "approved_version"})
# A shot repeats its step's state in these; the step's own line tells it already.
_MIRRORED = frozenset({"status", "current_step"})
_ALIASES = {"preset": "cinematicpreset"}


@dataclass(frozen=True)
class FieldChange:
    """One field of one row; `before` and `after` are None where only the change itself is worth telling."""

    label: str
    before: str | None
    after: str | None


@dataclass(frozen=True)
class RowChange:
    label: str
    fields: tuple[FieldChange, ...]


def action_words(action: Action) -> str:
    """What an action was; its kind when no words are written for it."""
    return words_of(action.kind)


def words_of(kind: str) -> str:
    """The words of a kind of action: its own, or its model's name with what was done to it."""
    if kind in WORDS:
        return str(WORDS[kind])
    name, _dot, verb = kind.partition(".")
    model = _model_named(_ALIASES.get(name, name))
    if model is None or verb not in VERBS:
        return kind
    return capfirst(str(VERBS[verb]) % {"what": model._meta.verbose_name})


def _model_named(name: str) -> type[models.Model] | None:
    return next((model for model in apps.get_models() if model._meta.model_name == name), None)


def row_changes(action: Action, *, limit: int = 3) -> list[RowChange]:
    """The first rows of an action, in words; rows that only mirror another one are left out."""
    told = [entry for entry in action.changes if not set(entry["fields"]) <= _MIRRORED]
    return [_row(entry) for entry in (told or action.changes)[:limit]]


def _row(entry: dict[str, Any]) -> RowChange:
    try:
        model: type[models.Model] | None = apps.get_model(entry["model"])
    except (LookupError, ValueError):
        model = None
    return RowChange(
        label=entry["label"],
        fields=tuple(field_change(model, name, values) for name, values in entry["fields"].items()),
    )


def field_change(model: type[models.Model] | None, name: str, values: list[Any]) -> FieldChange:
    """What happened to one field; `values` are the encoded [before, after]."""
    before, after = values
    if name == "removed_at":
        word = _("added") if before == "created" else _("removed") if after else _("restored")
        return FieldChange(word, None, None)
    try:
        field = model._meta.get_field(name) if model else None
    except FieldDoesNotExist:
        field = None
    label = capfirst(str(getattr(field, "verbose_name", name)))
    if field is None or field.is_relation or name in _BARE or isinstance(field, models.JSONField):
        # An id or a structure says nothing to a reader.
        return FieldChange(label, None, None)
    return FieldChange(label, _value(field, before), _value(field, after))


def _value(field: Any, value: Any) -> str:
    if value is None or value == "":
        return "–"
    if isinstance(value, bool):
        return str(_("Yes") if value else _("No"))
    label = dict(field.flatchoices).get(value, value) if getattr(field, "choices", None) else value
    text = str(label)
    return text if len(text) <= LENGTH else f"{text[: LENGTH - 1]}…"
