"""What can be made to go wrong, by flag or by `POST /_double/faults`."""

from dataclasses import dataclass, field, fields
from typing import Any

MAX_UPLOAD = 104857600


@dataclass
class Faults:
    """`step_seconds`: one sampling step. `begin_seconds`: between leaving the queue and beginning; interrupts that come
    in between are forgotten. `silent`: no websocket message is ever sent. `out_of_memory`, `blocked`,
    `node_error`, `broken_posts`, `swallowed_posts`: how many of the next prompts run out of memory, meet an
    ExecutionBlocker, fail in a node, get a bare 500 without being queued, or a bare 500 though queued.
    `memory_pixels`: a node that works on more pixels (of all frames together) runs out of memory, as a small card does.
    `hold`: the id or class of a node at which prompts stop until it is "" again. `load_seconds`: per model file that
    is not loaded yet. `answer_seconds`: before every HTTP answer. `down`: every route answers 500.
    `cut_download`: how many of the next files are sent damaged. `broken_download`: how many break off in the middle.
    `unsized_download`: how many come in chunks, without a length. `download_seconds`: how
    long every file takes. `max_upload`: bytes. `own_ids`: a
    server of before, which gives prompts ids of its own. `device`, `gpu`, `vram`: what `/system_stats` says the server
    runs on ("cpu": its VRAM is the computer's memory, as the real one tells it). `missing_nodes`, `missing_models`:
    what the server does not have; `models`: files that it has besides, as "folder/file"; `backslashes`: subfolders of
    models are listed as on Windows. `always_changed`: classes that want to run each time, as nodes of many packs do:
    NaN stands beside their inputs. `packs`: packs of nodes that are installed ("telestyle")."""

    step_seconds: float = 0.01
    begin_seconds: float = 0.0
    silent: bool = False
    out_of_memory: int = 0
    blocked: int = 0
    node_error: int = 0
    broken_posts: int = 0
    swallowed_posts: int = 0
    memory_pixels: int = 0
    hold: str = ""
    load_seconds: float = 0.0
    answer_seconds: float = 0.0
    down: bool = False
    cut_download: int = 0
    broken_download: int = 0
    unsized_download: int = 0
    download_seconds: float = 0.0
    max_upload: int = MAX_UPLOAD
    own_ids: bool = False
    device: str = "cuda"
    gpu: str = "Test GPU"
    vram: int = 24 << 30
    missing_nodes: list[str] = field(default_factory=list)
    missing_models: list[str] = field(default_factory=list)
    models: list[str] = field(default_factory=list)
    backslashes: bool = False
    always_changed: list[str] = field(default_factory=list)
    packs: list[str] = field(default_factory=list)

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
