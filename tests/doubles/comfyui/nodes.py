"""What each node class does in the double. A class of the schema without an entry here is an error, never a stub."""

from collections.abc import Callable
from typing import Any

from tests.doubles.comfyui import latents, pictures, saving
from tests.doubles.comfyui.media import NodeError, Run

WORK: dict[str, Callable[[dict[str, Any], Run], Any]] = {**pictures.WORK, **latents.WORK, **saving.WORK}


def execute(class_type: str, inputs: dict[str, Any], run: Run) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Outputs by slot, and the node's entry in the history's `outputs` (empty for most)."""
    work = WORK.get(class_type)
    if work is None:
        raise NodeError("NotImplementedError", f"The test server cannot run {class_type}.")
    result = work(inputs, run)
    return result if isinstance(result, tuple) and len(result) == 2 and isinstance(result[1], dict) else (result, {})
