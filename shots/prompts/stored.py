"""The stored translations of texts, read in bulk."""

from collections.abc import Iterable

from shots.models import Translation
from shots.prompts.language import cleaned, text_hash


def wordings_for(project_id: int, texts: Iterable[str], target: str = "en") -> dict[str, str]:
    """By text (as `cleaned`): its wording in the target language, of those that are stored. At most one query."""
    wanted = {text_hash(text): cleaned(text) for text in texts}
    if not wanted:
        return {}
    rows = Translation.objects.live().filter(project=project_id, target=target, text_hash__in=list(wanted))
    return {wanted[key]: words for key, words in rows.values_list("text_hash", "words")}
