"""What follows in the shots when the library changes."""

from typing import Any

from django.dispatch import receiver

from aipipeline.history.services import Recorder, lock
from aipipeline.history.signals import changed, replayed
from aipipeline.projects.tracked import Tracked
from assets.models import Character
from assets.services.outfits import renamed_outfits
from shots.models import Casting, Shot, ShotStep
from shots.services.steps import mirror_replayed


@receiver(changed, sender=Character, dispatch_uid="shots.rename_outfits")
def rename_outfits(
    instances: list[Character], fields: set[str], recorder: Recorder | None, kind: str, **_kwargs: Any
) -> None:
    """Castings name an outfit by its name: a renamed one is renamed in them, in the same action.

    Undo and redo put the castings back by themselves. Castings that were taken out follow too: they may come back.
    """
    if recorder is None or kind != "updated" or "outfits" not in fields:
        return
    label = Character._meta.label_lower
    before = {
        entry["id"]: entry["fields"]["outfits"][0]
        for entry in recorder.changes()
        if entry["model"] == label and "outfits" in entry["fields"]
    }
    renamed: dict[int, dict[str, str]] = {}
    for row in instances:
        if names := renamed_outfits(before.get(row.pk) or [], row.outfits or []):
            renamed[row.pk] = names
    if not renamed:
        return
    old = {name for names in renamed.values() for name in names}
    castings = lock(Casting.objects.filter(character__in=renamed, outfit__in=old).select_related("shot", "character"))
    recorder.update_many(
        (row, {"outfit": renamed[row.character_id][row.outfit]})
        for row in castings
        if row.outfit in renamed[row.character_id]
    )


@receiver(replayed, dispatch_uid="shots.mirror_steps")
def mirror_steps(
    touched: dict[type[Tracked], dict[Any, Any]], **_kwargs: Any
) -> dict[type[Tracked], dict[Any, Tracked]]:
    """After an undo or redo of moves a shot still says what its steps say."""
    shots = {row.shot_id for row in touched.get(ShotStep, {}).values()}
    return {Shot: {shot.pk: shot for shot in mirror_replayed(shots)}} if shots else {}
