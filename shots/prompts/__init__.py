"""The words that describe a shot to an engine, and the same facts as data for engines that draw."""

from shots.prompts.compose import SOURCES, Prompt, compose, subject_of

__all__ = ["SOURCES", "Prompt", "compose", "subject_of"]
