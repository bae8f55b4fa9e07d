"""What a run found and did: counts, and the first paths of everything that a person may want to see."""

from collections import Counter
from typing import Any

SHOWN = 200
LISTS = ("paths", "conflict", "left", "skipped", "damaged", "extra")


class Report:
    """Counts: files, same, new, changed (found); copied, bytes (done); conflict, left, skipped, damaged, extra (told).

    `left` changed while it was copied, `extra` lies only at the target, `damaged` read back as something else.
    """

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.lists: dict[str, list[list[str]]] = {name: [] for name in LISTS}

    def add(self, name: str, count: int = 1) -> None:
        self.counts[name] += count

    def tell(self, name: str, path: str, why: str = "") -> None:
        """Count it and keep the path, of the first ones."""
        self.counts[name] += 1
        self.show(name, path, why)

    def show(self, name: str, path: str, why: str = "") -> None:
        if len(self.lists[name]) < SHOWN:
            self.lists[name].append([path, why] if why else [path])

    @property
    def needs_attention(self) -> bool:
        return any(self.counts[name] for name in ("conflict", "damaged", "skipped"))

    def as_json(self) -> dict[str, Any]:
        names = (
            "files", "same", "new", "changed", "to_copy_bytes", "copied", "bytes", "conflict", "left", "skipped",
            "extra", "verified", "damaged",
        )  # fmt: skip
        return {
            **{name: self.counts[name] for name in names},
            "lists": {name: found for name, found in self.lists.items() if found},
        }
