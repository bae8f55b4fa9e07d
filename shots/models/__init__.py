"""Scenario, scenes, shots and what belongs to a shot."""

from shots.models.folder import Folder, FolderKind, FolderState, StaleMark
from shots.models.scenario import Scenario, ScenarioState
from shots.models.scene import Scene
from shots.models.shot import Casting, Shot
from shots.models.step import ALLOWED, ShotState, ShotStep, Step
from shots.models.translation import Translation, TranslationOrigin

__all__ = [
    "ALLOWED",
    "Casting",
    "Folder",
    "FolderKind",
    "FolderState",
    "Scenario",
    "ScenarioState",
    "Scene",
    "Shot",
    "ShotState",
    "ShotStep",
    "StaleMark",
    "Step",
    "Translation",
    "TranslationOrigin",
]
