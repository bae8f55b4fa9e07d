"""Reads a server's `/object_info`: which inputs a node class has, and which values they take.

Combos come in three encodings: `[["a","b"],{}]`, `["COMBO",{"options":[…]}]` and
`["COMFY_DYNAMICCOMBO_V3",{"options":[{"key","inputs"}]}]`, whose chosen option brings further inputs under dotted
names (`format.codec`).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class InputSpec:
    """One input of a node class. `options` is None where any value of the type goes; `minimum` and `maximum` bound
    numbers; `upload` marks a list of uploaded files, which grows with the next upload."""

    name: str
    type: str
    required: bool
    options: tuple[Any, ...] | None = None
    minimum: float | None = None
    maximum: float | None = None
    upload: bool = False
    details: Mapping[str, Any] = field(default_factory=dict)


def inputs_of(schema: Mapping[str, Any], given: Mapping[str, Any]) -> Iterator[InputSpec]:
    """The inputs of a node class, with those that its dynamic combos bring for the values in `given`."""
    yield from _inputs(schema.get("input") or {}, given, "")


def _inputs(groups: Mapping[str, Any], given: Mapping[str, Any], prefix: str) -> Iterator[InputSpec]:
    for group in ("required", "optional"):
        for name, raw in dict(groups.get(group) or {}).items():
            spec = _spec(prefix + name, raw, required=group == "required")
            if str(spec.type).startswith("COMFY_AUTOGROW"):
                # It grows by dotted names (`values.a`): the plain one is never sent.
                grown = any(key.startswith(f"{spec.name}.") for key in given)
                if not spec.required or grown:
                    continue
            yield spec
            for option in _dynamic(raw):
                if option.get("key") == given.get(spec.name):
                    yield from _inputs(option.get("inputs") or {}, given, f"{spec.name}.")


def _dynamic(raw: Any) -> Sequence[Mapping[str, Any]]:
    kind, details = _parts(raw)
    return details.get("options") or () if str(kind).startswith("COMFY_DYNAMICCOMBO") else ()


def _parts(raw: Any) -> tuple[Any, Mapping[str, Any]]:
    kind = raw[0] if isinstance(raw, list | tuple) and raw else raw
    details = raw[1] if isinstance(raw, list | tuple) and len(raw) > 1 and isinstance(raw[1], Mapping) else {}
    return kind, details


def _spec(name: str, raw: Any, *, required: bool) -> InputSpec:
    kind, details = _parts(raw)
    options: tuple[Any, ...] | None = None
    if isinstance(kind, list | tuple):
        kind, options = "COMBO", tuple(kind)
    elif str(kind).startswith("COMFY_DYNAMICCOMBO"):
        options = tuple(option.get("key") for option in details.get("options") or ())
    elif kind == "COMBO" and not details.get("multiselect") and not {"remote", "remote_combo"} & set(details):
        options = tuple(details.get("options") or ())
    upload = any(details.get(key) for key in ("image_upload", "video_upload", "audio_upload"))
    low, high = details.get("min"), details.get("max")
    return InputSpec(name, str(kind), required, options, low, high, upload, details)


def matching(options: Sequence[Any], value: Any) -> Any | None:
    """The server's own spelling of a value: a Windows server lists `folder\\file` where a graph says `folder/file`."""
    if value in options:
        return value
    plain = str(value).replace("\\", "/")
    return next((option for option in options if str(option).replace("\\", "/") == plain), None)
