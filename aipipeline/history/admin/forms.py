"""The form of every edit in the admin: it knows what the person saw, and shows refusals where they belong."""

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from functools import cached_property
from typing import Any

from django import forms
from django.db import models
from django.utils.translation import gettext as _

from aipipeline.history import plain, values
from aipipeline.projects.errors import PipelineError


def _normal(value: Any) -> Any:
    """Browsers send CRLF, forms strip texts and drop microseconds: none of that is an edit."""
    if isinstance(value, str):
        return value.replace("\r\n", "\n").strip()
    if isinstance(value, datetime):
        return int(value.timestamp())
    return value


def _digest(field: Any, value: Any) -> str:
    if field.many_to_many:
        encoded: Any = sorted(row if isinstance(row, int) else row.pk for row in value)
    else:
        encoded = values.encode(field, _normal(value))
    text = json.dumps(encoded, sort_keys=True, ensure_ascii=False)
    return hashlib.blake2s(text.encode(), digest_size=6).hexdigest()


class ServiceForm(forms.ModelForm[Any]):
    """A model form that carries, in `seen_at`, the revision and a digest of every value as they were shown.

    So an edit is what the person changed, not what differs from the row by now; a field that somebody else
    changed meanwhile is an error with both values, and saving once more keeps one's own.
    """

    refusal: PipelineError | None = None
    seen_at = forms.CharField(required=False, widget=forms.HiddenInput())

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for form_field in self.fields.values():
            if isinstance(form_field.widget, forms.Textarea):
                form_field.widget.attrs["rows"] = 4  # browsers that can let it grow with its text
        self._now: dict[str, Any] = {}
        self._held: dict[str, Any] = {}
        if self.instance.pk is not None and not self.instance._state.adding:
            for name in self.model_names():
                field = self.instance._meta.get_field(name)
                held = plain.read(self.instance, name) if field.many_to_many else getattr(self.instance, field.attname)
                self._held[name], self._now[name] = held, _digest(field, held)
            self.initial["seen_at"] = self._stamp()

    def _stamp(self) -> str:
        return json.dumps({"revision": getattr(self.instance, "revision", 0), "fields": self._now})

    def model_names(self) -> list[str]:
        """The form's fields that are fields of the model."""
        known = {field.name for field in [*self.instance._meta.fields, *self.instance._meta.many_to_many]}
        return [name for name in self.base_fields if name in known]

    @cached_property
    def changed_data(self) -> list[str]:
        return [name for name in super().changed_data if name != "seen_at"]

    @cached_property
    def _seen(self) -> dict[str, Any]:
        try:
            seen = json.loads(self.cleaned_data.get("seen_at") or "{}")
        except ValueError:
            return {}
        good = isinstance(seen, dict) and isinstance(seen.get("fields"), dict)
        return seen if good and isinstance(seen.get("revision"), int) else {}

    @property
    def seen_revision(self) -> int | None:
        """The revision that the person had before them; None for a new row."""
        revision: int | None = self._seen.get("revision")
        return revision

    def touched(self) -> dict[str, Any]:
        """The cleaned values that the person changed; of a new row all."""
        shown = self._seen.get("fields", {}) if self._now else {}
        return {
            name: self.cleaned_data[name]
            for name in self.model_names()
            if name in self.cleaned_data
            and shown.get(name) != _digest(self.instance._meta.get_field(name), self.cleaned_data[name])
        }

    def clean(self) -> dict[str, Any]:
        super().clean()
        for name, value in self.cleaned_data.items():
            if isinstance(value, str):
                self.cleaned_data[name] = value.replace("\r\n", "\n")
        if self._now:
            self._check_seen()
        return self.cleaned_data

    def _check_seen(self) -> None:
        if not self._seen:
            self.add_error(None, _("This form is too old to be saved. Load the page again."))
            return
        shown = self._seen["fields"]
        stale = [name for name in self.touched() if name in shown and shown[name] != self._now[name]]
        for name in stale:
            mine = self.cleaned_data[name]
            if _digest(self.instance._meta.get_field(name), mine) == self._now[name]:
                continue
            self.add_error(name, self._both(name, self._held[name], mine))
        if stale:
            self._see_current()

    def _both(self, name: str, theirs: Any, mine: Any) -> str:
        return _("Someone else changed this to “%(theirs)s”; you wrote “%(yours)s”. Save again to keep yours.") % {
            "theirs": self._label(name, theirs),
            "yours": self._label(name, mine),
        }

    def _label(self, name: str, value: Any) -> str:
        field: Any = self.instance._meta.get_field(name)
        if field.is_relation and value is not None and not isinstance(value, (models.Model, list, models.QuerySet)):
            row = field.remote_field.model._default_manager.filter(pk=value).first()
            return str(row or value)
        if isinstance(value, (list, models.QuerySet)):
            return ", ".join(map(str, value))
        choices = dict(field.flatchoices) if field.choices else {}
        return str(choices.get(value, "—" if value in (None, "") else value))[:200]

    def _see_current(self) -> None:
        """Both values were shown, so the next save of the same form knows them."""
        held: Any = self.data
        data = held.copy()
        data[self.add_prefix("seen_at")] = self._stamp()
        self.data = data

    def _post_clean(self) -> None:
        super()._post_clean()  # type: ignore[misc]
        if self.refusal is not None:
            self._refuse(self.refusal)

    def _refuse(self, error: PipelineError) -> None:
        current, yours = error.details.get("current", {}), error.details.get("yours", {})
        told = False
        for name, messages in _by_field(error.fields).items():
            known = name in self.fields
            if known and name in current:
                messages = [self._both(name, current[name], yours.get(name))]
            for message in messages if known else [f"{name}: {m}" for m in messages]:
                self.add_error(name if known else None, message)
            told = True
        if not told:
            self.add_error(None, str(error.message))
        if current and self._now:
            self._see_current()


def _by_field(fields: Mapping[str, Any]) -> dict[str, list[str]]:
    """Messages by field; those of the rows of a batch ({"0": {"name": […]}}) without the row."""
    found: dict[str, list[str]] = {}
    for name, messages in fields.items():
        if isinstance(messages, Mapping):
            found.update(_by_field(messages))
        else:
            found[name] = [str(m) for m in messages] if isinstance(messages, (list, tuple)) else [str(messages)]
    return found
