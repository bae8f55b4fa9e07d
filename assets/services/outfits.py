"""A character's outfits: as lines of text ("coat: red, wet") and back, and which of them were renamed."""

from collections.abc import Mapping, Sequence
from typing import Any


def outfits_as_text(outfits: Any) -> str:
    """One line for each outfit: its name, and after a colon what it is."""
    lines = []
    for outfit in outfits if isinstance(outfits, list) else []:
        name, description = str(outfit.get("name", "")), " ".join(str(outfit.get("description", "")).split())
        lines.append(f"{name}: {description}" if description else name)
    return "\n".join(lines)


def outfits_from_text(text: str) -> list[dict[str, str]]:
    """The opposite; empty lines are passed over."""
    found = []
    for line in text.splitlines():
        name, _colon, description = line.partition(":")
        if line.strip():
            found.append({"name": name.strip() or description.strip(), "description": description.strip()})
    return found


def renamed_outfits(before: Sequence[Mapping[str, Any]], after: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """By old name the new one, of outfits that are the same but for their name.

    The same is what stands at the same place in a list of the same length, or has the same description (and no
    other outfit has it). A name that is still in the list, or was in it before, is nobody's new name.
    """
    old, new = [_name(row) for row in before], [_name(row) for row in after]
    if len(old) == len(new):
        pairs = list(zip(old, new, strict=True))
    else:
        gone = {_name(row): _words(row) for row in before if _name(row) not in new}
        come = {_name(row): _words(row) for row in after if _name(row) not in old}
        pairs = [
            (name, other)
            for name, words in gone.items()
            for other, others in come.items()
            if words and words == others
            and list(gone.values()).count(words) == 1 and list(come.values()).count(words) == 1
        ]  # fmt: skip
    return {a: b for a, b in pairs if a and b and a != b and a not in new and b not in old}


def _name(outfit: Mapping[str, Any]) -> str:
    return str(outfit.get("name", "")).strip()


def _words(outfit: Mapping[str, Any]) -> str:
    return " ".join(str(outfit.get("description", "")).split())
