"""Which LoRAs a prompt brings along."""

from collections.abc import Sequence

from django.utils.translation import gettext as _

from assets.models import Character
from shots.models import Casting
from shots.prompts.facts import lora_fits, trigger_words
from shots.prompts.result import PromptLora, PromptWarning

Found = tuple[tuple[PromptLora, ...], list[PromptWarning]]


def loras_of(cast: Sequence[Casting], family: str) -> Found:
    """The LoRAs of a cast in its order; the casting's say comes before the character's.

    A file that two characters share is applied once, at the larger strength.
    """
    wanted = [
        (row.character, row.character.use_lora if row.use_lora is None else row.use_lora, row.effective_strength)
        for row in cast
    ]
    return _loras(wanted, family)


def loras_of_character(character: Character, family: str) -> Found:
    return _loras([(character, character.use_lora, character.strength_of_lora())], family)


def _loras(wanted: Sequence[tuple[Character, bool, float]], family: str) -> Found:
    found: dict[str, PromptLora] = {}
    told: list[PromptWarning] = []
    for character, used, strength in wanted:
        lora = character.lora
        if not used:
            continue
        if lora is None or lora.removed_at is not None or not lora.path.strip():
            message = _("%(name)s shall use a LoRA, and none with a file is chosen: choose one in the library.")
            told.append(PromptWarning("lora_missing", message % {"name": character.name}))
        elif not lora_fits(character, family):
            message = _("The LoRA %(lora)s is made for %(model)s, so it is not used here.")
            told.append(PromptWarning("lora_other_model", message % {"lora": lora.name, "model": lora.base_model}))
        elif strength:
            row = PromptLora(lora.path.strip(), strength, lora.name, trigger_words(character))
            old = found.get(row.file)
            if old is None or abs(old.strength) < abs(strength):
                found[row.file] = row
    return tuple(found.values()), told
