"""Checks of values that come from outside, before a model's own validation turns them into something else."""

import json
import math
from collections.abc import Mapping
from typing import Any

from django.db import models
from django.utils.translation import gettext as _

from aipipeline.projects.errors import Invalid, Unreadable

MAX_DIGITS = 18
MAX_INTEGER = 2**63 - 1


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


def json_object(data: bytes) -> dict[str, Any]:
    """The JSON object that these bytes are, with nothing in it that a database or a worker would choke on later.

    Unreadable (400) for what is no JSON in UTF-8; Invalid for anything but an object, and as `check_clean`.
    """
    try:
        found = json.loads(data.decode("utf-8"), parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise Unreadable(_("The request is not valid JSON.")) from error
    if not isinstance(found, dict):
        raise Invalid(_("The request must be a JSON object."))
    check_clean(found)
    return found


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is not JSON")


def check_clean(found: Any) -> None:
    """Invalid for NUL characters, half surrogates, and numbers that are not finite or do not fit 64 bits.

    Walks without recursion: a body may nest as deep as the parser took it.
    """
    waiting = [found]
    while waiting:
        value = waiting.pop()
        if isinstance(value, str):
            _check_text(value)
        elif isinstance(value, Mapping):
            waiting.extend(value)
            waiting.extend(value.values())
        elif isinstance(value, (list, tuple)):
            waiting.extend(value)
        elif (isinstance(value, int) and abs(value) > MAX_INTEGER) or (
            isinstance(value, float) and not math.isfinite(value)
        ):
            raise Invalid(_("A number is too large."))


def _check_text(value: str) -> None:
    if "\x00" in value:
        raise Invalid(_("NUL characters are not allowed."))
    try:
        value.encode("utf-8")
    except UnicodeEncodeError as error:
        raise Invalid(_("A text is not valid Unicode.")) from error


def check_types(model: type[models.Model], fields: Mapping[str, Any]) -> None:
    """Texts must be strings, whole numbers whole, switches true or false, null only where it means something.

       Invalid by field.
    Django's fields would take a list for a text ("[1]") and 1.9 for 1. Unknown names and relations pass: the
       services know what to do with them.
    """
    known = {field.name: field for field in model._meta.fields}
    errors = {
        name: [problem] for name, value in fields.items() if name in known and (problem := _problem(known[name], value))
    }
    if errors:
        name, messages = next(iter(errors.items()))
        raise Invalid(f"{name}: {messages[0]}", fields=errors)


def _problem(field: "models.Field[Any, Any]", value: Any) -> str:
    if value is None:
        return "" if field.null else _("a value is needed")
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
