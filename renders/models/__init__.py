"""Versions, reviews, workflows, the render queue, and path maps."""

from renders.models.farm import Worker, WorkerState
from renders.models.job import Capability, JobState, RenderAttempt, RenderJob
from renders.models.path_map import PathMap
from renders.models.version import Review, Verdict, Version, VersionKind, VersionState, VersionStatus
from renders.models.workflow import RenderPreset, Workflow

__all__ = [
    "Capability",
    "JobState",
    "PathMap",
    "RenderAttempt",
    "RenderJob",
    "RenderPreset",
    "Review",
    "Verdict",
    "Version",
    "VersionKind",
    "VersionState",
    "VersionStatus",
    "Worker",
    "WorkerState",
    "Workflow",
]
