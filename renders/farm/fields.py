"""The fields that the render dialog shows for a workflow's parameters: what people turn, with sensible bounds."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from aipipeline.projects.checks import whole_number
from aipipeline.projects.errors import Invalid
from renders.models import Workflow
from renders.services.experience import usual_of
from shots.models import Step

TYPED = "p."  # of the form's fields, before the name
WHOLE, NUMBER, TEXT, LONG = "whole", "number", "text", "long"
# Each shot says these itself, the engine fills them, or they are files.
NOT_TYPED = frozenset({
    "prompt", "positive_prompt", "negative_prompt", "loras", "width", "height", "frames", "length", "fps", "movement",
    "filename_prefix", "batch_size", "weight_dtype", "source_fps", "after_out_of_memory",
})  # fmt: skip


@dataclass(frozen=True)
class Kind:
    """How a parameter is typed. `plain`: shown at once, the rest behind "more"."""

    label: Any
    kind: str = NUMBER
    low: float | None = None
    high: float | None = None
    step: str = "any"
    plain: bool = False


KINDS: dict[str, Kind] = {
    "steps": Kind(gettext_lazy("Sampling steps"), WHOLE, 1, 150, "1", True),
    "cfg": Kind(gettext_lazy("CFG"), NUMBER, 0, 30, "0.1", True),
    "guidance": Kind(gettext_lazy("Guidance"), NUMBER, 0, 30, "0.1", True),
    "denoise": Kind(gettext_lazy("Denoise"), NUMBER, 0, 1, "0.01", True),
    "seed": Kind(gettext_lazy("Seed"), WHOLE, 0, 2**53 - 1, "1", True),
    "control_strength": Kind(gettext_lazy("Control strength"), NUMBER, 0, 2, "0.05", True),
    "image_strength": Kind(gettext_lazy("Image strength"), NUMBER, 0, 1, "0.05", True),
    "style_strength": Kind(gettext_lazy("Style strength"), NUMBER, 0, 2, "0.05", True),
    "pose_strength": Kind(gettext_lazy("Pose strength"), NUMBER, 0, 2, "0.05", True),
    "multiplier": Kind(gettext_lazy("Times as many frames"), WHOLE, 1, 16, "1", True),
    "post_scale": Kind(gettext_lazy("Scale"), NUMBER, 0.1, 8, "0.05", True),
    "width": Kind(gettext_lazy("Width"), WHOLE, 16, 16_384, "1"),
    "height": Kind(gettext_lazy("Height"), WHOLE, 16, 16_384, "1"),
    "frames": Kind(gettext_lazy("Frames"), WHOLE, 1, 100_000, "1"),
    "motion_prompt": Kind(gettext_lazy("Motion prompt"), LONG, plain=True),
    "first_strength": Kind(gettext_lazy("First frame strength"), NUMBER, 0, 1, "0.05"),
    "last_strength": Kind(gettext_lazy("Last frame strength"), NUMBER, 0, 1, "0.05"),
    "reference_image_strength": Kind(gettext_lazy("Reference strength"), NUMBER, 0, 2, "0.05"),
    "shift": Kind(gettext_lazy("Shift"), NUMBER, 0, 100, "0.1"),
    "split_step": Kind(gettext_lazy("Step where the second model begins"), WHOLE, 0, 150, "1"),
    "control_start": Kind(gettext_lazy("Control from"), NUMBER, 0, 1, "0.01"),
    "control_end": Kind(gettext_lazy("Control until"), NUMBER, 0, 1, "0.01"),
    "canny_low": Kind(gettext_lazy("Canny, low"), NUMBER, 0, 1, "0.01"),
    "canny_high": Kind(gettext_lazy("Canny, high"), NUMBER, 0, 1, "0.01"),
    "mask_grow": Kind(gettext_lazy("Grow the mask (pixels)"), WHOLE, 0, 512, "1"),
    "pad_left": Kind(gettext_lazy("Add on the left (pixels)"), WHOLE, 0, 4096, "8", True),
    "pad_right": Kind(gettext_lazy("Add on the right (pixels)"), WHOLE, 0, 4096, "8", True),
    "pad_top": Kind(gettext_lazy("Add on top (pixels)"), WHOLE, 0, 4096, "8", True),
    "pad_bottom": Kind(gettext_lazy("Add below (pixels)"), WHOLE, 0, 4096, "8", True),
    "pad_feathering": Kind(gettext_lazy("Feathering (pixels)"), WHOLE, 0, 512, "1"),
    "sampler": Kind(gettext_lazy("Sampler"), TEXT),
    "scheduler": Kind(gettext_lazy("Scheduler"), TEXT),
    "model": Kind(gettext_lazy("Model file"), TEXT),
    "model_high": Kind(gettext_lazy("Model file, high noise"), TEXT),
    "model_low": Kind(gettext_lazy("Model file, low noise"), TEXT),
    "controlnet_model": Kind(gettext_lazy("ControlNet file"), TEXT),
    "style_lora": Kind(gettext_lazy("Style LoRA file"), TEXT),
}


@dataclass(frozen=True)
class Field:
    """One field as the dialog shows it. `value` is what a preset says, `usual` what holds when it is left empty."""

    name: str
    kind: Kind
    value: Any = ""
    usual: Any = ""

    @property
    def id(self) -> str:
        return f"param-{self.name}"

    @property
    def shown(self) -> str:
        """The value as a number field takes it, with a point in every language."""
        return str(self.value)

    @property
    def low(self) -> str:
        return _short(self.kind.low)

    @property
    def high(self) -> str:
        return _short(self.kind.high)

    @property
    def is_number(self) -> bool:
        return self.kind.kind in (WHOLE, NUMBER)


def fields_of(workflow: Workflow, given: Mapping[str, Any]) -> list[Field]:
    """The fields of a workflow, the plain ones first; `given`: the values of a preset."""
    files = {entry.get("role") for entry in workflow.inputs}
    names = [name for name in dict.fromkeys([*workflow.slots, *workflow.defaults]) if name not in NOT_TYPED | files]
    if workflow.backend != "local":
        names += [name for name in _of_the_shot(workflow) if name not in names]
    order = list(KINDS)
    names.sort(key=lambda name: order.index(name) if name in KINDS else len(order))
    found = []
    for name in names:
        usual = usual_of(workflow, name)
        kind = KINDS.get(name) or Kind(name.replace("_", " "), NUMBER if _is_number(usual) else TEXT)
        if not isinstance(usual, (dict, list)):
            found.append(Field(name, kind, given.get(name, ""), _of_itself(name) or usual))
    return sorted(found, key=lambda field: not field.kind.plain)


def _of_the_shot(workflow: Workflow) -> list[str]:
    """What every job has from its shot or project, and people may want otherwise: a smaller draft, fewer frames."""
    lattice = workflow.needs.get("constraints") or {}
    sized = "width" in workflow.slots or lattice.get("size_multiple", 1) > 1  # else it is as large as its picture
    size = ["width", "height"] if sized and workflow.step != Step.POST else []
    return ["seed", *size, *(["frames"] if workflow.step == Step.RENDER else [])]


def _of_itself(name: str) -> str:
    """Where a parameter comes from when nobody says it, for those that do not come from the workflow."""
    if name in ("seed", "frames"):
        return _("as the shot has it")
    return _("as the project has it") if name in ("width", "height") else ""


def told_params(params: Mapping[str, Any]) -> list[tuple[Any, Any]]:
    """Parameters with their names in words, in the order of the fields."""
    order = list(KINDS)
    names = sorted(params, key=lambda name: order.index(name) if name in KINDS else len(order))
    return [(KINDS[name].label if name in KINDS else name.replace("_", " "), params[name]) for name in names]


def typed_params(workflow: Workflow, body: Mapping[str, Any]) -> dict[str, Any]:
    """What people typed into `p.<name>`, as a job takes it; empty fields are left out. Invalid by field."""
    found: dict[str, Any] = {}
    for field in fields_of(workflow, {}):
        text = str(body.get(TYPED + field.name) or "").strip()
        if text:
            found[field.name] = _value(field, text)
    return found


def _value(field: Field, text: str) -> Any:
    kind = field.kind
    if not field.is_number:
        return text
    value: float | int | None = whole_number(text) if kind.kind == WHOLE else _number(text)
    low, high = kind.low, kind.high
    good = value is not None and (low is None or value >= low) and (high is None or value <= high)
    if not good:
        facts = {"name": kind.label, "low": _short(low), "high": _short(high)}
        wanted = _("%(name)s: a number from %(low)s to %(high)s.") if high is not None else _("%(name)s: a number.")
        raise Invalid(wanted % facts, fields={f"params.{field.name}": [_("out of range")]})
    return value


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _short(value: float | None) -> str:
    return "" if value is None else f"{value:g}" if abs(value) < 1e6 else str(int(value))


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
