"""A reporter that remembers, and contexts for the two workflows."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from PIL import Image

from comfy_adapters.comfyui import graphs
from comfy_adapters.comfyui.watch import Timing
from renders.backends import JobContext, JobReporter, Stop

# As in production, only with less patience.
QUICK = Timing(listen=0.05, poll=0.2, grace=3.0, settle=5.0, preview=0.05, lost_after=0.5)


@dataclass
class Reporter(JobReporter):
    """Keeps what the backend says; `cancel_when` is asked each time the backend asks whether to stop."""

    cancel_when: Callable[["Reporter"], bool] = lambda reporter: False
    values: list[float] = field(default_factory=list)
    messages: list[str] = field(default_factory=list)
    previews: list[bytes] = field(default_factory=list)
    state: dict[str, Any] = field(default_factory=dict)
    reason: Stop = Stop.CANCELLED

    def progress(self, value: float, message: str = "") -> None:
        self.values.append(value)
        self.messages.append(message)

    def preview(self, jpeg: bytes) -> None:
        self.previews.append(jpeg)

    def stop(self) -> Stop | None:
        return self.reason if self.cancel_when(self) else None

    def save_state(self, **state: Any) -> None:
        self.state.update(state)


def context(
    endpoint: str,
    folder: Path,
    *,
    workflow: str = "comfy.flux_t2i",
    state: dict[str, Any] | None = None,
    attempt: str = "attempt-1",
    **params: Any,
) -> JobContext:
    """A job of a small picture or clip; its result folder is made."""
    out = folder / attempt
    out.mkdir(parents=True, exist_ok=True)
    wanted = {
        "prompt": "카페 창가의 리나, soft light",
        "negative_prompt": "",
        "seed": 7,
        "width": 320,
        "height": 192,
        "frames": 36,
        "fps": "24",
        "movement": "static",
        **params,
    }
    inputs = {}
    if workflow == "comfy.wan22_i2v":
        inputs["first_image"] = folder / "first.png"
        if not inputs["first_image"].exists():
            Image.new("RGB", (320, 180), "teal").save(inputs["first_image"])
    kind = "render" if workflow == "comfy.wan22_i2v" else "previz"
    return JobContext("job-1", attempt, workflow, kind, wanted, {}, inputs, out, endpoint, state or {})


def filled(name: str = "flux_t2i", **values: Any) -> graphs.Nodes:
    """A filled graph as the backend would send it, small."""
    graph, slots = graphs.load(name)
    size = {"width": 64, "height": 64}
    return graphs.fill(graph, slots, {"positive_prompt": "test", **size, **values}).prompt
