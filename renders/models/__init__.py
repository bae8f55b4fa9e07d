"""Versions, reviews, workflows, the render queue, and path maps."""

from renders.models.farm import (
    Experience,
    MachineSchema,
    Pause,
    PauseScope,
    Worker,
    WorkerBlock,
    WorkerFit,
    WorkerState,
)
from renders.models.job import (
    BatchKind,
    Capability,
    Cause,
    JobState,
    RenderAttempt,
    RenderBatch,
    RenderJob,
    WaitsFor,
)
from renders.models.path_map import PathMap
from renders.models.version import Review, Seam, Verdict, Version, VersionKind, VersionState, VersionStatus
from renders.models.workflow import Origin, RenderPreset, Workflow, WorkflowGraph

__all__ = [
    "BatchKind",
    "Capability",
    "Cause",
    "Experience",
    "JobState",
    "MachineSchema",
    "Origin",
    "PathMap",
    "Pause",
    "PauseScope",
    "RenderAttempt",
    "RenderBatch",
    "RenderJob",
    "RenderPreset",
    "Review",
    "Seam",
    "Verdict",
    "Version",
    "VersionKind",
    "VersionState",
    "VersionStatus",
    "WaitsFor",
    "Worker",
    "WorkerBlock",
    "WorkerFit",
    "WorkerState",
    "Workflow",
    "WorkflowGraph",
]
