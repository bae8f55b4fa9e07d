"""A character's outfits as lines of text ("coat: red, wet") and back."""

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
