"""The words that describe a shot to a model, and the same facts as data for engines that draw."""

from shots.prompts.result import FAMILIES, SOURCES, Part, Prompt, PromptLora, PromptWarning
from shots.prompts.subject import color_of, reference_seed, reference_subject, seed_of, subject_of
from shots.prompts.writing import known_family, texts_of_references, texts_of_shots, write_prompt, write_reference

__all__ = [
    "FAMILIES",
    "SOURCES",
    "Part",
    "Prompt",
    "PromptLora",
    "PromptWarning",
    "color_of",
    "known_family",
    "reference_seed",
    "reference_subject",
    "seed_of",
    "subject_of",
    "texts_of_references",
    "texts_of_shots",
    "write_prompt",
    "write_reference",
]
