"""Many short texts translated with one question."""

import json
import re
from collections.abc import Mapping, Sequence

from aipipeline.llm.client import ask

_SYSTEM = (
    "You translate notes of a film production into {language} for image and video models. You get a JSON object of "
    "numbered texts. Answer with one JSON object that has the same numbers as keys and the translations as strings, "
    "and nothing else. Keep every fact and add none. Write plain descriptive {language}, in the present tense, "
    "without quotation marks around it. Write the names of people in Latin letters, each the same everywhere."
)
_NAMES = " These names are spelled like this: {names}."
LANGUAGES = {"en": "English"}
_FENCE = re.compile(r"^\s*```[a-z]*\s*|\s*```\s*$")


def translate(texts: Sequence[str], *, target: str, names: Mapping[str, str]) -> dict[str, str]:
    """By text its translation, of those that the model translated; what it left out or spoiled is missing.

    `names`: how names are spelled already. LlmError when the model cannot be asked.
    """
    numbered = {str(number): text for number, text in enumerate(texts, 1)}
    system = _SYSTEM.format(language=LANGUAGES[target])
    if names:
        system += _NAMES.format(names=", ".join(f"{name} = {spelled}" for name, spelled in names.items()))
    question = json.dumps(numbered, ensure_ascii=False)
    answer = ask(system=system, question=question, max_tokens=1000 + 3 * len(question))
    found = _object_in(answer)
    return {
        text: said.strip()
        for number, text in numbered.items()
        if isinstance(said := found.get(number), str) and said.strip()
    }


def _object_in(answer: str) -> dict[str, object]:
    """The JSON object of an answer, also inside a code fence or between polite words; {} when there is none."""
    text = _FENCE.sub("", answer.strip())
    start, end = text.find("{"), text.rfind("}")
    try:
        found = json.loads(text[start : end + 1]) if 0 <= start < end else {}
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
