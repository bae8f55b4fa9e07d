"""What `renders` asks of an engine that makes images and clips, and the registry of those engines.

An engine knows nothing of jobs, states or storage: it gets a frozen context, writes files into
`out_dir` and reports. The runner (`renders.runner`) owns everything else.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol


class Stop(StrEnum):
    """Why an engine shall stop.

    CANCELLED: nobody wants the result any more; what runs on a machine for it is stopped too. LOST: the attempt was
    taken back and another one follows its work; that work goes on, this engine only lets go of it.
    """

    CANCELLED = "cancelled"
    LOST = "lost"


class JobCancelled(Exception):
    """Raised by an engine when the reporter says that it shall stop, for whatever reason."""


class BackendError(Exception):
    """An engine failed; `message` says what the user can do about it.

    `retryable`: another try may succeed. `out_of_memory`: a larger card may succeed. `later`: the cause lies outside
    the job (a machine that is away), so waiting for its end does not use up the job's tries. `elsewhere`: this machine
    lacks what the job needs (a model file, a node), another one may have it.
    """

    def __init__(
        self,
        message: str,
        *,
        retryable: bool = True,
        out_of_memory: bool = False,
        later: bool = False,
        elsewhere: bool = False,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.retryable = retryable
        self.out_of_memory = out_of_memory
        self.later = later
        self.elsewhere = elsewhere


@dataclass(frozen=True)
class JobContext:
    """One attempt, as an engine sees it.

    `params`: prompt, negative_prompt, seed, width, height, frames (int), fps ("24", "24000/1001") and
    what the workflow adds. `subject`: the shot's own data for engines that draw it. `inputs`: files by
    role (first_image, clean_image, source). `out_dir`: an empty folder for the results. `state`: what an
    earlier attempt of the same job saved through `JobReporter.save_state`. `work_dir`: a folder that outlives the
    attempts of the job, for finished pieces of it (`renders.services.workdirs.Pieces`, which makes it when it is
    needed); it is removed after the job's end. `graph`: the nodes and the slot
    map of a workflow that people brought ({"nodes": {}, "about": {}, "number": n}), None for the engine's own. `exact`:
    the filled graph of a version that is made again: it runs as it is, only files are named anew. `endpoints`: those of
    all machines of the studio, with their credentials, for work that an earlier attempt left on another one.
    """

    job_id: str
    attempt_id: str
    workflow: str
    kind: str
    params: Mapping[str, Any]
    subject: Mapping[str, Any]
    inputs: Mapping[str, Path]
    out_dir: Path
    endpoint: str = ""
    state: Mapping[str, Any] = field(default_factory=dict)
    work_dir: Path | None = None
    graph: Mapping[str, Any] | None = None
    exact: Mapping[str, Any] | None = None
    endpoints: tuple[str, ...] = ()


class JobReporter(Protocol):
    """How an engine speaks to the runner while it works. Reporters inherit from it."""

    def progress(self, value: float, message: str = "") -> None:
        """`value` from 0 to 1; may be called as often as the engine likes."""

    def preview(self, jpeg: bytes) -> None:
        """A small picture of the work so far."""

    def stop(self) -> Stop | None:
        """Why the engine shall stop, None while it shall go on; the engine then raises JobCancelled."""
        ...

    def cancelled(self) -> bool:
        """`stop` as a question, for engines whose work lives and dies with them."""
        return self.stop() is not None

    def save_state(self, **state: Any) -> None:
        """Keep what the next attempt needs; durable before it returns. JobCancelled once the attempt was taken back."""


@dataclass(frozen=True)
class JobResult:
    """Files inside `out_dir` (the main one first) and what is to be kept of how they were made."""

    files: tuple[Path, ...]
    provenance: dict[str, Any]


class RenderBackend(Protocol):
    """An engine: `key` is the first part of its workflow keys ("local.panel" belongs to "local")."""

    key: str

    def run(self, context: JobContext, reporter: JobReporter) -> JobResult: ...


@dataclass(frozen=True)
class Machine:
    """What a rendering machine says of itself; bytes. `vram_total` is None where it has no GPU or did not say."""

    gpu: str
    vram_total: int | None
    vram_free: int | None
    software: str

    def as_json(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if value not in (None, "")}


@dataclass(frozen=True)
class Wanted:
    """What is to be made, before there is a job: enough to see whether a server could do it.

    `workflow` is its key; `graph` and `exact` as in JobContext; `params` as a job has them, empty for the workflow as
    such.
    """

    workflow: str
    params: Mapping[str, Any] = field(default_factory=dict)
    graph: Mapping[str, Any] | None = None
    exact: Mapping[str, Any] | None = None


AskMachine = Callable[[str], Machine]
AskSchema = Callable[[str], dict[str, Any]]
Check = Callable[[Wanted, Mapping[str, Any]], list[str]]
StopLeft = Callable[[str, Sequence[tuple[Mapping[str, Any], Mapping[str, Any]]]], list[bool]]
Advise = Callable[[Wanted], list[str]]
AskModels = Callable[[str, Sequence[Mapping[str, Any]]], list[dict[str, Any]]]

_backends: dict[str, RenderBackend] = {}
_machines: dict[str, AskMachine] = {}
_schemas: dict[str, AskSchema] = {}
_checks: dict[str, Check] = {}
_models: dict[str, AskModels] = {}
_left: dict[str, StopLeft] = {}
_advice: dict[str, Advise] = {}


def register(
    backend: RenderBackend,
    *,
    machine: AskMachine | None = None,
    schema: AskSchema | None = None,
    check: Check | None = None,
    models: AskModels | None = None,
    left: StopLeft | None = None,
    advice: Advise | None = None,
) -> None:
    """Called from an app's `ready()`; the last registration of a key wins.

    `machine` asks the machine behind an endpoint what it is, within seconds; BackendError when it does not answer.
    `schema` asks it what it can do, in its own words. `check` compares what is wanted with such a schema and says in
    words what is missing and the remedy; an empty list means that it can be done. `models` tells which files a machine
    has under the names of these ({"folder", "file"}): the same with "size", "mtime" and "sha256", as far as known.
    `left` gets what ended attempts saved, each with what a later attempt of an open job follows ({} for none), stops
    what runs there for the former alone, and tells for each whether it is known to be gone. `advice` says in words what
    goes, but not well, whatever the server.
    """
    _backends[backend.key] = backend
    if machine is not None:
        _machines[backend.key] = machine
    if schema is not None:
        _schemas[backend.key] = schema
    if check is not None:
        _checks[backend.key] = check
    if models is not None:
        _models[backend.key] = models
    if left is not None:
        _left[backend.key] = left
    if advice is not None:
        _advice[backend.key] = advice


def ask_schema(key: str, endpoint: str) -> dict[str, Any] | None:
    """What the machine can do, None for engines that have no such list; BackendError when it cannot be asked."""
    ask = _schemas.get(key)
    return ask(endpoint) if ask is not None else None


def check(key: str, wanted: Wanted, schema: Mapping[str, Any]) -> list[str]:
    """What a machine with this schema lacks for the work, in words; empty when it can do it."""
    look = _checks.get(key)
    return look(wanted, schema) if look is not None else []


def advise(key: str, wanted: Wanted) -> list[str]:
    """What a person should know before this is made, in words with a remedy; empty when there is nothing."""
    told = _advice.get(key)
    return told(wanted) if told is not None else []


def ask_models(key: str, endpoint: str, wanted: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """What the machine has under the names of these model files, in their order; BackendError when it is away."""
    ask = _models.get(key)
    return ask(endpoint, wanted) if ask is not None else [dict(entry) for entry in wanted]


def stop_left(key: str, endpoint: str, states: Sequence[tuple[Mapping[str, Any], Mapping[str, Any]]]) -> list[bool]:
    """Stop on a machine what ended attempts left there (`register`); BackendError when it does not answer."""
    stop = _left.get(key)
    return stop(endpoint, states) if stop is not None else [False] * len(states)


def ask_machine(key: str, endpoint: str) -> Machine:
    """What the machine at `endpoint` says of itself; BackendError when it cannot be asked."""
    ask = _machines.get(key)
    if ask is None:
        raise BackendError(f"The engine {key!r} drives no machines.", retryable=False)
    return ask(endpoint)


def backend_for(key: str) -> RenderBackend:
    """The engine registered under `key`; BackendError when there is none."""
    try:
        return _backends[key]
    except KeyError:
        raise BackendError(f"No render engine is registered as {key!r}.", retryable=False) from None


def registered() -> tuple[str, ...]:
    return tuple(sorted(_backends))
