"""Stops prompts that nobody follows any more: their attempts have ended, and could not do it themselves."""

from collections.abc import Mapping, Sequence
from typing import Any

import structlog

from comfy_adapters.comfyui.client import ComfyClient
from comfy_adapters.comfyui.provenance import ASK_SECONDS

log = structlog.get_logger(__name__)


def stop_left(endpoint: str, states: Sequence[tuple[Mapping[str, Any], Mapping[str, Any]]]) -> list[bool]:
    """As `renders.backends.register` has it: for each state whether its prompt is known to be gone from this server.

    Each is stopped by its own id. One that is still there after it was told to stop is asked for again.
    """
    client = ComfyClient(endpoint, connect=ASK_SECONDS, read=ASK_SECONDS)
    left = [_left(client.public, *pair) for pair in states]
    if not any(left):
        return [False] * len(left)
    queue = client.queue()
    there = {*queue.running, *queue.pending}
    for prompt_id in sorted(there & set(left)):
        log.info("comfyui_left_stopped", endpoint=client.public, prompt=prompt_id)
        client.cancel(prompt_id)
    return [bool(prompt_id) and prompt_id not in there for prompt_id in left]


def _left(public: str, state: Mapping[str, Any], followed: Mapping[str, Any]) -> str:
    """The id of a state's prompt when it was sent to this server and nobody follows it; else ""."""
    prompt_id, place = str(state.get("prompt_id") or ""), state.get("endpoint")
    same = (followed.get("prompt_id"), followed.get("endpoint")) == (prompt_id, place)
    return prompt_id if place == public and not same else ""
