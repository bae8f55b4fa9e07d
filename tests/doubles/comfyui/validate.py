"""What `POST /prompt` accepts and how it refuses, error by error as the real server does."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.doubles.comfyui.media import input_path
from tests.doubles.comfyui.schema import Schema


@dataclass
class Verdict:
    """`error` is None when an output can run; `outputs` are those; `node_errors` may be filled all the same."""

    error: dict[str, Any] | None
    outputs: list[str] = field(default_factory=list)
    node_errors: dict[str, Any] = field(default_factory=dict)


class UIFormat(Exception):
    """A bare 500, as 0.33.0 gives it for things that are no API graph."""


def _error(kind: str, message: str, details: str = "", **info: Any) -> dict[str, Any]:
    return {"type": kind, "message": message, "details": details, "extra_info": info}


def validate(prompt: Any, schema: Schema, folders: dict[str, Path]) -> Verdict:
    """Check a graph against the schema."""
    if not isinstance(prompt, dict):
        raise UIFormat
    classes = schema.classes()
    outputs = []
    for key, node in prompt.items():
        if not isinstance(node, dict) or "class_type" not in node:
            if schema.modern and not isinstance(node, dict):
                raise UIFormat
            text = "Cannot execute because a node is missing the class_type property."
            return Verdict(_error("invalid_prompt", text, f"Node ID '#{key}'"))
        info = classes.get(node["class_type"])
        if info is None:
            kind = "missing_node_type" if schema.modern else "invalid_prompt"
            text = f"Cannot execute because node {node['class_type']} does not exist."
            more = {"node_id": key, "class_type": node["class_type"]} if schema.modern else {}
            return Verdict(_error(kind, text, f"Node ID '#{key}'", **more))
        if info["output_node"]:
            outputs.append(key)
    if not outputs:
        return Verdict(_error("prompt_no_outputs", "Prompt has no outputs"))
    checker = _Checker(prompt, classes, schema.modern, folders)
    good = [key for key in outputs if checker.ok(key)]
    for key in checker.errors:
        checker.errors[key]["dependent_outputs"] = [out for out in outputs if key in checker.upstream(out)]
    if good:
        return Verdict(None, good, checker.errors)
    lines = "\n".join(f"* {e['class_type']} {key}" for key, e in checker.errors.items())
    return Verdict(
        _error("prompt_outputs_failed_validation", "Prompt outputs failed validation", lines), [], checker.errors
    )


class _Checker:
    def __init__(self, prompt: dict[str, Any], classes: dict[str, Any], modern: bool, folders: dict[str, Path]) -> None:
        self.prompt, self.classes, self.modern, self.folders = prompt, classes, modern, folders
        self.errors: dict[str, Any] = {}
        self.seen: dict[str, bool] = {}

    def upstream(self, key: str, found: set[str] | None = None) -> set[str]:
        found = set() if found is None else found
        if key in found or key not in self.prompt:
            return found
        found.add(key)
        for value in self.prompt[key].get("inputs", {}).values():
            if isinstance(value, list) and value:
                self.upstream(str(value[0]), found)
        return found

    def ok(self, key: str) -> bool:
        if key in self.seen:
            return self.seen[key]
        self.seen[key] = True
        node = self.prompt[key]
        found: list[dict[str, Any]] = []
        good = True
        for name, raw, required in _specs(self.classes[node["class_type"]]["input"], node.get("inputs", {})):
            if name not in node.get("inputs", {}):
                if required:
                    found.append(_error("required_input_missing", "Required input is missing", name, input_name=name))
                continue
            good = self._value(node, name, raw, found) and good
        if found:
            self.errors[key] = {"errors": found, "dependent_outputs": [], "class_type": node["class_type"]}
        self.seen[key] = good and not found
        return self.seen[key]

    def _value(self, node: dict[str, Any], name: str, raw: list[Any], found: list[dict[str, Any]]) -> bool:
        value = node["inputs"][name]
        kind, details = raw[0], raw[1] if len(raw) > 1 else {}
        if isinstance(value, list):
            return self._link(name, kind, value, found)
        error = self._literal(node, name, kind, details, value)
        if error:
            found.append(error)
        return not error

    def _link(self, name: str, kind: Any, value: list[Any], found: list[dict[str, Any]]) -> bool:
        if len(value) != 2:
            found.append(_error("bad_linked_input", "Bad linked input, must be a length-2 list", name, input_name=name))
            return False
        source, slot = str(value[0]), value[1]
        try:
            given = self.classes[self.prompt[source]["class_type"]]["output"][slot]
        except (KeyError, IndexError, TypeError) as error:
            found.append(
                _error("exception_during_validation", "Exception when validating node", str(error), input_name=name)
            )
            return False
        if isinstance(kind, str) and not _fits(str(given), kind):
            text = f"{name}, received_type({given}) mismatch input_type({kind})"
            found.append(
                _error("return_type_mismatch", "Return type mismatch between linked nodes", text, input_name=name)
            )
            return False
        return self.ok(source)

    def _literal(
        self, node: dict[str, Any], name: str, kind: Any, details: dict[str, Any], value: Any
    ) -> dict[str, Any] | None:
        what = _upload_of(node["class_type"], name, details)
        if what:
            if input_path(self.folders, str(value)).is_file():
                return None
            text = f"{name} - Invalid {what} file: {value}"
            return _error("custom_validation_failed", "Custom validation failed for node", text, input_name=name)
        if kind in ("INT", "FLOAT"):
            try:
                number = int(value) if kind == "INT" else float(value)
            except (TypeError, ValueError):
                text = f"{name}, {value}, invalid literal"
                message = f"Failed to convert an input value to a {kind} value"
                return _error("invalid_input_type", message, text, input_name=name, received_value=value)
            node["inputs"][name] = number
            if "min" in details and number < details["min"]:
                message = f"Value {number} smaller than min of {details['min']}"
                return _error("value_smaller_than_min", message, name, input_name=name, received_value=value)
            if "max" in details and number > details["max"]:
                message = f"Value {number} bigger than max of {details['max']}"
                return _error("value_bigger_than_max", message, name, input_name=name, received_value=value)
        options = kind if isinstance(kind, list) else None
        if kind == "COMBO" and self.modern:  # the older server does not look at these
            options = details.get("options")
        if options is not None and value not in options:
            text = f"{name}: '{value}' not in {options[:20]}"
            return _error("value_not_in_list", "Value not in list", text, input_name=name, received_value=value)
        return None


def _upload_of(class_type: str, name: str, details: dict[str, Any]) -> str:
    """ "image" or "video" for an input that names an uploaded file: those are looked for, not looked up in the list."""
    if (class_type, name) == ("VHS_LoadVideo", "video"):
        return "video"
    return next((what for what in ("image", "video", "audio") if details.get(f"{what}_upload")), "")


def _fits(given: str, wanted: str) -> bool:
    """Types may be unions ("FLOAT,INT") or anything."""
    anything = ("*", "COMFY_MATCHTYPE_V3")
    return given in anything or wanted in anything or bool(set(given.split(",")) & set(wanted.split(",")))


def _specs(groups: dict[str, Any], given: dict[str, Any], prefix: str = "") -> list[tuple[str, list[Any], bool]]:
    """Name, schema, required; a dynamic combo brings the inputs of the chosen option under dotted names, a growing
    input as many as are given, at least `min`."""
    found = []
    for group in ("required", "optional"):
        for name, raw in groups.get(group, {}).items():
            whole = prefix + name
            if raw[0] == "COMFY_AUTOGROW_V3":
                found += _grown(whole, raw[1]["template"], given)
                continue
            found.append((whole, raw, group == "required"))
            if raw[0] == "COMFY_DYNAMICCOMBO_V3":
                for option in raw[1]["options"]:
                    if option["key"] == given.get(whole):
                        found += _specs(option["inputs"], given, f"{whole}.")
    return found


def _grown(whole: str, template: dict[str, Any], given: dict[str, Any]) -> list[tuple[str, list[Any], bool]]:
    (raw,) = (spec for group in template["input"].values() for spec in group.values())
    names = template.get("names") or [f"{template.get('prefix', '')}{number}" for number in range(template["max"])]
    minimum = int(template.get("min", 0))
    dotted = [f"{whole}.{name}" for name in names]
    return [(name, raw, number < minimum) for number, name in enumerate(dotted) if number < minimum or name in given]
