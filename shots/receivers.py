"""What follows in the shots and in the tree when rows change."""

from typing import Any

from django.dispatch import receiver

from aipipeline.history.services import Recorder, lock
from aipipeline.history.signals import changed, replayed
from aipipeline.projects.models import Project
from aipipeline.projects.tracked import Tracked
from assets.models import Character, CinematicPreset, Environment, LoRA
from assets.services.outfits import renamed_outfits
from shots.models import Casting, Scenario, Scene, Shot, ShotStep
from shots.services.steps import mirror_replayed
from shots.services.tree.metadata import mark_stale


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


# By model: the kind of file that tells of its rows, and the field that holds the id.
_TOLD_IN: dict[type[Any], tuple[str, str]] = {
    Project: ("project", "pk"), Scenario: ("scenario", "project_id"), Scene: ("scene", "pk"), Shot: ("shot", "pk"),
    Casting: ("shot", "shot_id"), ShotStep: ("shot", "shot_id"), Character: ("character", "pk"),
    Environment: ("environment", "pk"), CinematicPreset: ("preset", "pk"), LoRA: ("lora", "pk"),
}  # fmt: skip


@receiver(changed, dispatch_uid="shots.mark_metadata")
def mark_metadata(sender: type[Any], instances: list[Any], **_kwargs: Any) -> None:
    """The files of the tree tell of these rows: they are written anew once the edit stands."""
    if sender not in _TOLD_IN or not instances:
        return
    what, name = _TOLD_IN[sender]
    project_id = instances[0].pk if sender is Project else instances[0].project_id
    mark_stale(project_id, what, {getattr(row, name) for row in instances})
