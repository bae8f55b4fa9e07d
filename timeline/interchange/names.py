"""Names that are safe in line-based and XML formats."""

import re

_CONTROL = re.compile(r"[\x00-\x1f\x7f\u0085\u2028\u2029\ufffe\uffff]+")


def one_line(text: str, limit: int = 200) -> str:
    """No line breaks and control characters: a name can never become an event line of its own."""
    return re.sub(r"\s+", " ", _CONTROL.sub(" ", text)).strip()[:limit]
