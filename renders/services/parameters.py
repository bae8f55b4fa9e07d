"""The parameters that people give a job: only names that its workflow knows, each of its kind."""

import json
import math
from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any

from django.utils.translation import gettext as _

from aipipeline.projects.errors import Invalid
from renders.models import Workflow

MOST_TEXT = 10_000
MOST_LORAS = 16
MOST_BYTES = 64 * 1024
# Every job has these, whatever its workflow: they are the shot's own, and may be said otherwise.
OWN = ("prompt", "negative_prompt", "seed", "width", "height", "frames", "fps", "movement", "loras")
# The engine's names for what a job says in its own words, and what no person sets: files, and where results go.
NOT_SET = frozenset({"positive_prompt", "length", "filename_prefix", "batch_size"})
_WHOLE: dict[str, tuple[int, int]] = {
    "seed": (0, 2**63 - 1),
    "width": (16, 16_384),
    "height": (16, 16_384),
    "frames": (1, 100_000),
    "steps": (1, 1000),
    "split_step": (0, 1000),
    "multiplier": (1, 64),
    "slow": (1, 8),
    "scale": (1, 8),
    "mask_grow": (0, 4096),
    **{f"pad_{side}": (0, 8192) for side in ("left", "top", "right", "bottom")},
    "pad_feathering": (0, 8192),
}
_NUMBERS = frozenset({
    "cfg", "guidance", "denoise", "shift", "strength", "post_scale", "canny_low", "canny_high", "control_start",
    "control_end",
})  # fmt: skip
_TEXTS = frozenset({"prompt", "negative_prompt", "movement", "motion_prompt", "model", "model_high", "model_low"})


def known_names(workflow: Workflow) -> list[str]:
    """The names that a job of this workflow may set, in the order in which pages list them."""
    files = {entry.get("role") for entry in workflow.inputs}
    more = [*workflow.slots, *workflow.defaults]
    return [*OWN, *dict.fromkeys(name for name in more if name not in files | NOT_SET and name not in OWN)]


def checked_params(workflow: Workflow, params: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters as a job keeps them. Invalid by field, `params.<name>`, for unknown names and wrong values."""
    known = known_names(workflow)
    if unknown := sorted(set(params) - set(known)):
        text = _("%(key)s has no parameter %(names)s. It has: %(known)s.")
        facts = {"key": workflow.key, "names": ", ".join(unknown)[:200], "known": ", ".join(known)}
        raise Invalid(text % facts, fields={f"params.{name[:80]}": [_("unknown")] for name in unknown[:20]})
    found = {name: _checked(name, value) for name, value in params.items() if value is not None}
    if len(json.dumps(found)) > MOST_BYTES:
        raise Invalid(_("The parameters are too long."), fields={"params": [_("too long")]})
    return found


def _checked(name: str, value: Any) -> Any:
    if name == "loras":
        return _loras(value)
    if name == "fps":
        return _fps(value)
    if name in _WHOLE:
        low, high = _WHOLE[name]
        good = isinstance(value, int) and not isinstance(value, bool) and low <= value <= high
        return value if good else _refuse(name, _("a whole number from %(low)d to %(high)d is needed") % _range(name))
    if name in _NUMBERS or name.endswith("_strength"):
        return value if _is_number(value) else _refuse(name, _("a number is needed"))
    if name in _TEXTS:
        return value if _is_text(value) else _refuse(name, _("a text is needed"))
    simple: tuple[Callable[[Any], bool], ...] = (_is_number, _is_text, lambda v: isinstance(v, bool))
    return value if any(kind(value) for kind in simple) else _refuse(name, _("a number or a text is needed"))


def _range(name: str) -> dict[str, int]:
    low, high = _WHOLE[name]
    return {"low": low, "high": high}


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and len(value) <= MOST_TEXT


def _fps(value: Any) -> str:
    """Not only the rates that the studio edits in: what a clip is interpolated to may be any."""
    text = str(value).strip() if isinstance(value, int | str) and not isinstance(value, bool) else ""
    try:
        rate = Fraction(text) if len(text) <= 20 else None
    except (ValueError, ZeroDivisionError):
        rate = None
    if rate is None or not 1 <= rate <= 240:
        _refuse("fps", _("a frame rate like 24 or 24000/1001 is needed"))
    return str(rate)


def _loras(value: Any) -> list[dict[str, Any]]:
    """As the prompt engine writes them: [{"file", "strength", "name"}], in order."""
    if not isinstance(value, list) or len(value) > MOST_LORAS:
        _refuse("loras", _("a list of at most %(most)d is needed") % {"most": MOST_LORAS})
    found = []
    for entry in value:
        if not isinstance(entry, Mapping) or set(entry) - {"file", "strength", "name"}:
            _refuse("loras", _('each is {"file", "strength", "name"}'))
        file, strength, name = entry.get("file"), entry.get("strength", 1.0), entry.get("name", "")
        if not (isinstance(file, str) and 0 < len(file.strip()) <= 500 and _is_text(name) and _is_number(strength)):
            _refuse("loras", _('each is {"file", "strength", "name"}'))
        found.append({"file": file.strip(), "strength": strength, "name": name or file.strip()})
    return found


def _refuse(name: str, why: str) -> Any:
    raise Invalid(f"params.{name}: {why}.", fields={f"params.{name}": [why]})
