"""Checks of values that come from outside, before a model's own validation turns them into something else."""

import math
from collections.abc import Mapping
from typing import Any

from django.db import models
from django.utils.translation import gettext as _

from aipipeline.projects.errors import Invalid

MAX_DIGITS = 18


def whole_number(value: Any) -> int | None:
    """The whole number that this says, of at most 18 digits so that every database holds it; else None.

    Takes integers and their usual writing. True is none, nor is "²", which str.isdigit() takes for a digit.
    """
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if not isinstance(text, str):
        return None
    text = text.strip()
    digits = text.removeprefix("-")
    return int(text) if digits.isascii() and digits.isdigit() and len(digits) <= MAX_DIGITS else None


def check_types(model: type[models.Model], fields: Mapping[str, Any]) -> None:
    """Texts must be strings, whole numbers whole, switches true or false; Invalid by field.

    Django's fields would take a list for a text ("[1]") and 1.9 for 1. Unknown names and relations pass: the
    services know what to do with them.
    """
    known = {field.name: field for field in model._meta.fields}
    errors = {
        name: [problem]
        for name, value in fields.items()
        if name in known and value is not None and (problem := _problem(known[name], value))
    }
    if errors:
        name, messages = next(iter(errors.items()))
        raise Invalid(f"{name}: {messages[0]}", fields=errors)


def _problem(field: "models.Field[Any, Any]", value: Any) -> str:
    if isinstance(field, (models.CharField, models.TextField)):
        if not isinstance(value, str):
            return _("a text is needed")
        return _("NUL characters are not allowed") if "\x00" in value else ""
    if isinstance(field, models.BooleanField):
        return "" if isinstance(value, bool) else _("true or false is needed")
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if isinstance(field, models.IntegerField):
        return "" if number and isinstance(value, int) else _("a whole number is needed")
    if isinstance(field, models.FloatField):
        return "" if number and math.isfinite(value) else _("a number is needed")
    return ""
