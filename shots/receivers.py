"""What follows in the shots and in the tree when rows change."""

from typing import Any

from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver

from aipipeline.history.services import Recorder, lock
from aipipeline.history.signals import changed, replayed
from aipipeline.notes.models import Note
from aipipeline.projects.models import Membership, Project, User
from aipipeline.projects.tracked import Tracked
from aipipeline.tables.models import CustomColumn, SavedView, SheetMapping, TableSettings
from assets.models import Character, CinematicPreset, Environment, LoRA
from assets.services.outfits import renamed_outfits
from shots.exporters.places import OWNERS
from shots.models import Casting, Scenario, Scene, Shot, ShotStep, Translation
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
    CustomColumn: ("config", "project_id"), SavedView: ("config", "project_id"),
    TableSettings: ("config", "project_id"), SheetMapping: ("config", "project_id"),
    Translation: ("config", "project_id"),
}  # fmt: skip
_NOTED = {model._meta.label_lower: what for what, model in OWNERS.items()}


@receiver(changed, dispatch_uid="shots.mark_metadata")
def mark_metadata(sender: type[Any], instances: list[Any], fields: set[str], **_kwargs: Any) -> None:
    """The files of the tree tell of these rows: they are written anew once the edit stands."""
    if sender not in _TOLD_IN or not instances:
        return
    what, name = _TOLD_IN[sender]
    project_id = instances[0].pk if sender is Project else instances[0].project_id
    mark_stale(project_id, what, {getattr(row, name) for row in instances})
    if sender is Shot and "code" in fields:
        # The cut names its shots by their codes.
        mark_stale(project_id, "edit", [project_id])


@receiver(changed, sender=Note, dispatch_uid="shots.mark_noted")
def mark_noted(instances: list[Note], **_kwargs: Any) -> None:
    """Notes stand in the file of what they hang on. (Those on versions are marked by the app that has versions.)"""
    found: dict[tuple[int, str], set[int]] = {}
    for note in instances:
        if what := _NOTED.get(note.target_model):
            found.setdefault((note.project_id, what), set()).add(int(note.target_id))
    for (project_id, what), ids in found.items():
        mark_stale(project_id, what, ids)


@receiver((post_save, post_delete), sender=Membership, dispatch_uid="shots.mark_members")
def mark_members(instance: Membership, origin: Any = None, **_kwargs: Any) -> None:
    """Members are told by the project's file. Nothing is marked of a project that is going away itself.

    `origin`: the row, or the rows, whose deletion took the member along; None for one that was saved.
    """
    if getattr(origin, "model", type(origin)) is not Project:
        mark_stale(instance.project_id, "config", [instance.project_id])


@receiver(post_save, sender=User, dispatch_uid="shots.mark_people")
def mark_people(instance: User, created: bool, update_fields: Any = None, **_kwargs: Any) -> None:
    """Files tell of people by their names: after an edit of an account all files of its projects are looked at."""
    named = update_fields is None or {"username", "display_name"} & set(update_fields)
    if not created and named:
        for project_id in Membership.objects.filter(user=instance).values_list("project_id", flat=True):
            mark_stale(project_id, "all", [project_id])
