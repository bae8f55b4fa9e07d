"""Versions, reviews, workflows, presets, jobs, attempts, workers and path maps in the admin."""

from renders.admin import farm, path_map, version, workflow

__all__ = ["farm", "path_map", "version", "workflow"]
