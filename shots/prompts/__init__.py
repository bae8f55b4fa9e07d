"""The words that describe a shot to an engine, and the same facts as data for engines that draw."""

from shots.prompts.compose import Prompt, compose, subject_of

__all__ = ["Prompt", "compose", "subject_of"]
