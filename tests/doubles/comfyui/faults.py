"""What can be made to go wrong, by flag or by `POST /_double/faults`."""

from dataclasses import dataclass, field, fields
from typing import Any


@dataclass
class Faults:
    """`step_seconds`: one sampling step. `silent`: no websocket message is ever sent. `out_of_memory`, `blocked`,
    `node_error`, `broken_posts`, `swallowed_posts`: how many of the next prompts run out of memory, meet an
    ExecutionBlocker, fail in a node, get a bare 500 without being queued, or a bare 500 though queued.
    `cut_download`: how many of the next files are sent damaged. `broken_download`: how many break off in the middle.
    `unsized_download`: how many come in chunks, without a length. `max_upload`: bytes. `device`, `vram`: what
    `/system_stats` says the server runs on ("cpu": its VRAM is the computer's memory, as the real one tells it).
    `missing_nodes`, `missing_models`: what the server does not have."""

    step_seconds: float = 0.01
    silent: bool = False
    out_of_memory: int = 0
    blocked: int = 0
    node_error: int = 0
    broken_posts: int = 0
    swallowed_posts: int = 0
    cut_download: int = 0
    broken_download: int = 0
    unsized_download: int = 0
    max_upload: int = 104857600
    device: str = "cuda"
    vram: int = 24 << 30
    missing_nodes: list[str] = field(default_factory=list)
    missing_models: list[str] = field(default_factory=list)

    def update(self, values: dict[str, Any]) -> None:
        known = {entry.name for entry in fields(self)}
        for name, value in values.items():
            if name not in known:
                raise KeyError(name)
            setattr(self, name, value)

    def take(self, name: str) -> bool:
        """Use up one of a counted fault."""
        left = int(getattr(self, name))
        if left > 0:
            setattr(self, name, left - 1)
        return left > 0
