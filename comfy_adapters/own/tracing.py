"""Walking over a graph: who feeds whom, and where a value that arrives over links is really written."""

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from comfy_adapters.comfyui.graphs import Nodes
from comfy_adapters.own.strict import is_link

MAX_STEPS = 64
# Nodes that hand one of their inputs on unchanged, by the name of that input.
_THROUGH = ("value", "int", "float", "number", "text", "string", "source", "any", "input", "boolean", "seed")
_PARTS = ("string_a", "string_b", "string_c", "text_a", "text_b", "text_c", "text1", "text2", "delimiter")


@dataclass(frozen=True)
class Spot:
    """One input of one node, with the way that led there."""

    node: str
    input: str
    way: str = ""


@dataclass
class Tracer:
    """A graph with its links in both directions. Walks are bounded; the graph has no circles (`strict`)."""

    nodes: Nodes
    down: dict[str, list[tuple[int, str, str]]] = field(default_factory=dict)
    rank: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for key, node in self.nodes.items():
            for name, value in node["inputs"].items():
                if is_link(value):
                    self.down.setdefault(value[0], []).append((value[1], key, name))
        self._rank()

    def _rank(self) -> None:
        """How many nodes at most lie before each: what works first has the lower number."""
        waits = {key: sum(map(is_link, node["inputs"].values())) for key, node in self.nodes.items()}
        ready = deque(key for key, count in waits.items() if not count)
        self.rank = dict.fromkeys(self.nodes, 0)
        while ready:
            key = ready.popleft()
            for _output, target, _name in self.down.get(key, []):
                self.rank[target] = max(self.rank[target], self.rank[key] + 1)
                waits[target] -= 1
                if not waits[target]:
                    ready.append(target)

    def kind(self, key: str) -> str:
        return str(self.nodes[key]["class_type"])

    def inputs(self, key: str) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self.nodes[key]["inputs"]
        return found

    def title(self, key: str) -> str:
        return str((self.nodes[key].get("_meta") or {}).get("title") or "")

    def named(self, key: str) -> str:
        """A node as people see it."""
        title, kind = self.title(key), self.kind(key)
        return f"#{key} {title} ({kind})" if title and title != kind else f"#{key} {kind}"

    def value(self, spot: Spot) -> Any:
        return self.inputs(spot.node).get(spot.input)

    def literal(self, key: str, name: str) -> Spot | None:
        """Where the value of an input is written: there itself, or behind primitives, switches, concatenations.

        None where it is computed (an expression, a loaded video's own rate).
        """
        way: list[str] = []
        for _step in range(MAX_STEPS):
            given = self.inputs(key).get(name)
            if given is None:
                return None
            if not is_link(given):
                return Spot(key, name, " ← ".join(way))
            key = given[0]
            way.append(self.named(key))
            following = self._through(key)
            if following is None:
                return None
            name = following
        return None

    def _through(self, key: str) -> str | None:
        inputs, kind = self.inputs(key), self.kind(key)
        if "switch" in kind.lower() or "on_true" in inputs:
            chosen = self.literal(key, "switch" if "switch" in inputs else "boolean")
            on = bool(self.value(chosen)) if chosen is not None else False
            name = "on_true" if on else "on_false"
            return name if name in inputs else None
        if "math" in kind.lower() or "expression" in inputs:
            return None
        if "concat" in kind.lower() or "string_a" in inputs:
            return self._longest(key)
        return next((name for name in _THROUGH if name in inputs), None)

    def _longest(self, key: str) -> str | None:
        """Of joined texts the longest that somebody wrote; the others are words around it."""
        inputs = self.inputs(key)
        parts = [name for name in inputs if name in _PARTS and name != "delimiter"]
        written = [(len(str(inputs[name])), name) for name in parts if isinstance(inputs[name], str)]
        if written:
            return max(written)[1]
        return parts[0] if parts else None

    def below(self, key: str, *, outputs: tuple[int, ...] | None = None) -> Iterator[tuple[str, str, int, str]]:
        """(node, input, distance, classes on the way) of everything that this node's outputs reach, nearest first."""
        waiting = deque([(key, 1, "")])
        seen = {key}
        while waiting:
            current, distance, way = waiting.popleft()
            if distance > 12:
                continue
            for output, target, name in self.down.get(current, []):
                if current == key and outputs is not None and output not in outputs:
                    continue
                yield target, name, distance, way
                if target not in seen:
                    seen.add(target)
                    waiting.append((target, distance + 1, f"{way} {self.kind(target)}"))
