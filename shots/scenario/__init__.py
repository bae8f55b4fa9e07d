"""A scenario's text becomes a breakdown, by rules: Fountain, English plain text, and the Korean forms."""

from shots.scenario.breakdown import Breakdown, analyse
from shots.scenario.reading import ScenarioError, ScriptText, read_text

__all__ = ["Breakdown", "ScenarioError", "ScriptText", "analyse", "read_text"]
