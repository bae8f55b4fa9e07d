"""Field values as JSON and back, so that an action can hold any field of any tracked model.

A name is a field's, or `<field>.<key>` for one key of a JSONField that holds an object: `custom.lens`. Such a key is
a field of its own everywhere (revision, before and after, conflicts); a key that is missing reads as None, and
writing None takes it out.
"""

import json
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models


def column_of(name: str) -> str:
    """The field that a name is saved in."""
    return name.partition(".")[0]


def columns_of(names: Any) -> list[str]:
    """The fields that these names are saved in, each once, sorted."""
    return sorted({column_of(name) for name in names})


def encode(field: "models.Field[Any, Any]", value: Any) -> Any:
    """A JSON-safe form of a field's value; a relation is its primary key."""
    if isinstance(value, models.Model):
        value = value.pk
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    return json.loads(json.dumps(value, cls=DjangoJSONEncoder))


def encoded(instance: models.Model, name: str, value: Any) -> Any:
    """`encode` by the field's name."""
    return encode(instance._meta.get_field(column_of(name)), value)  # type: ignore[arg-type]


def decode(field: "models.Field[Any, Any]", value: Any) -> Any:
    """The opposite of `encode`."""
    if value is None or field.is_relation or isinstance(field, models.JSONField):
        return value
    return field.to_python(value)


def read(instance: models.Model, name: str) -> Any:
    """The encoded value of a field on an instance."""
    column, dot, key = name.partition(".")
    field = instance._meta.get_field(column)
    value = getattr(instance, field.attname)  # type: ignore[union-attr]
    return encode(field, (value or {}).get(key) if dot else value)  # type: ignore[arg-type]


def write(instance: models.Model, name: str, value: Any) -> None:
    """Put an encoded value back on an instance (not saved)."""
    column, dot, key = name.partition(".")
    field = instance._meta.get_field(column)
    if not dot:
        setattr(instance, field.attname, decode(field, value))  # type: ignore[union-attr,arg-type]
        return
    held = dict(getattr(instance, column) or {})
    held.pop(key, None)
    if value is not None:
        held[key] = value
    setattr(instance, column, held)


def put(instance: models.Model, name: str, value: Any) -> None:
    """Set a value as code has it (a row for a relation), not an encoded one (not saved)."""
    if "." in name:
        write(instance, name, encoded(instance, name, value))
    else:
        setattr(instance, name, value)
