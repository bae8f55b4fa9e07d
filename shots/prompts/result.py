"""What the prompt engine hands over: the texts, every word's source, the LoRAs, and what to know about them."""

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy

# The dialects; a workflow names the one that its model reads. "" is the same as "none".
FAMILIES = {
    "none": gettext_lazy("Plain (local engines)"),
    "flux": gettext_lazy("FLUX: prose"),
    "sd": gettext_lazy("Stable Diffusion: tags"),
    "qwen": gettext_lazy("Qwen-Image: prose"),
    "edit": gettext_lazy("Picture edit: instruction"),
    "wan": gettext_lazy("WAN: motion"),
    "ltx": gettext_lazy("LTX: motion in order of time"),
}
# Where a prompt's words can come from; a character's words have the character's name as their source.
SOURCES = {
    "camera": gettext_lazy("Camera"),
    "shot": gettext_lazy("Shot"),
    "environment": gettext_lazy("Environment"),
    "preset": gettext_lazy("Cinematic preset"),
    "emotion": gettext_lazy("Emotion"),
    "dialogue": gettext_lazy("Dialogue"),
    "movement": gettext_lazy("Camera movement"),
    "dialect": gettext_lazy("The model's own vocabulary"),
}


@dataclass(frozen=True)
class Part:
    """Words of a prompt from one field.

    The text of a side is `before + words + after` of its kept parts in order; only `words` come from the field.
    `source`: a key of SOURCES, or a character's name. `field`: "shot.action", "casting.outfit", … of the row
    (`kind`, `row`): "shot", "character", "environment" or "preset" and its id; row 0 for words of no row.
    `written`: the field's own text where `words` are a translation of it, or wait for one.
    """

    source: str
    words: str
    field: str = ""
    kind: str = ""
    row: int = 0
    kept: bool = True
    negative: bool = False
    before: str = ""
    after: str = ""
    written: str = ""

    @property
    def text(self) -> str:
        return self.before + self.words + self.after


@dataclass(frozen=True)
class PromptLora:
    """A LoRA to apply. `file` as people wrote it, below the server's loras folder; `name`: the library's."""

    file: str
    strength: float
    name: str
    trigger_words: str


@dataclass(frozen=True)
class PromptWarning:
    """`code` is stable for programs; the message says what to do."""

    code: str
    message: str

    def __str__(self) -> str:
        return self.message


@dataclass(frozen=True)
class Prompt:
    """A prompt in one family's dialect. `negative` is "" where the model uses none.

    `count` and `limit` are in the units of `shots.prompts.fitting`; limit 0 means none. `texts` are the texts in
    another language than English that its rows hold, translated or not. `by_hand`: a person wrote the positive text.
    """

    family: str
    positive: str
    negative: str
    parts: tuple[Part, ...] = ()
    loras: tuple[PromptLora, ...] = ()
    warnings: tuple[PromptWarning, ...] = ()
    texts: tuple[str, ...] = ()
    count: int = 0
    limit: int = 0
    by_hand: bool = False

    @property
    def left_out(self) -> tuple[Part, ...]:
        return tuple(part for part in self.parts if not part.kept)

    def lora_params(self) -> list[dict[str, Any]]:
        """The LoRAs as a job's parameters tell them."""
        return [{"file": row.file, "strength": row.strength, "name": row.name} for row in self.loras]
