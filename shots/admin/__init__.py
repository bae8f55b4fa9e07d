"""Scenarios, scenes, shots, castings and steps in the admin."""

from shots.admin import parts, scenario, scene, shot

__all__ = ["parts", "scenario", "scene", "shot"]
