"""What a text encoder of ComfyUI hears of a prompt: words, each with its weight."""

_OPEN, _CLOSE = "\ue000", "\ue001"


def heard(prompt: str) -> list[tuple[str, float]]:
    """Parentheses are weights, (words:1.3) or 1.1 without a number; behind a backslash they are parentheses."""
    text = prompt.replace("\\(", _OPEN).replace("\\)", _CLOSE)
    return [(words.replace(_OPEN, "(").replace(_CLOSE, ")"), weight) for words, weight in _weighted(text, 1.0)]


def _weighted(text: str, weight: float) -> list[tuple[str, float]]:
    found: list[tuple[str, float]] = []
    depth, begun = 0, 0
    for at, char in enumerate(text):
        if char == "(":
            if depth == 0:
                found += [(text[begun:at], weight)] if at > begun else []
                begun = at
            depth += 1
        elif char == ")":
            depth -= 1
            if depth == 0:
                found += _inside(text[begun + 1 : at], weight)
                begun = at + 1
    return [*found, (text[begun:], weight)] if begun < len(text) else found


def _inside(text: str, weight: float) -> list[tuple[str, float]]:
    words, colon, number = text.rpartition(":")
    try:
        return _weighted(words, float(number)) if colon and words else _weighted(text, weight * 1.1)
    except ValueError:
        return _weighted(text, weight * 1.1)
