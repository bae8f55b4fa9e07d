"""Versions, reviews, workflows, presets, batches, jobs, attempts, workers, pauses and path maps in the admin."""

from renders.admin import batch, farm, learned, path_map, pause, version, workflow

__all__ = ["batch", "farm", "learned", "path_map", "pause", "version", "workflow"]
