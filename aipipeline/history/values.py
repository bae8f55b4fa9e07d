"""Field values as JSON and back, so that an action can hold any field of any tracked model."""

import json
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models


def encode(field: "models.Field[Any, Any]", value: Any) -> Any:
    """A JSON-safe form of a field's value; a relation is its primary key."""
    if isinstance(value, models.Model):
        value = value.pk
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    return json.loads(json.dumps(value, cls=DjangoJSONEncoder))


def decode(field: "models.Field[Any, Any]", value: Any) -> Any:
    """The opposite of `encode`."""
    if value is None or field.is_relation or isinstance(field, models.JSONField):
        return value
    return field.to_python(value)


def read(instance: models.Model, name: str) -> Any:
    """The encoded value of a field on an instance."""
    field = instance._meta.get_field(name)
    return encode(field, getattr(instance, field.attname))  # type: ignore[union-attr,arg-type]


def write(instance: models.Model, name: str, value: Any) -> None:
    """Put an encoded value back on an instance (not saved)."""
    field = instance._meta.get_field(name)
    setattr(instance, field.attname, decode(field, value))  # type: ignore[union-attr,arg-type]
