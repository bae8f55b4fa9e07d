"""Versions, reviews, workflows, presets, jobs, attempts and workers in the admin."""

from renders.admin import farm, version, workflow

__all__ = ["farm", "version", "workflow"]
