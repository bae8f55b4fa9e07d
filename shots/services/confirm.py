"""Confirm: the production tree on disk by the naming rules, its metadata, and the lock."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from aipipeline.history.services import lock, recording
from aipipeline.projects.errors import Invalid, PipelineError
from aipipeline.projects.models import Project
from assets import naming
from assets.metadata import describe, write_metadata
from assets.models import Character, Environment
from assets.naming import NameContext
from shots.models import Scene, Shot
from shots.services.locks import lock_shots


class TreeError(PipelineError):
    """The tree could not be written; what was written stays, and confirm can be run again."""

    status = 409
    code = "tree_failed"


@dataclass
class ConfirmReport:
    """What a confirm did, relative to the project's folder."""

    root: Path
    folders_made: int = 0
    files_written: int = 0
    files_unchanged: int = 0
    locked: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        return {
            "folders_made": self.folders_made,
            "files_written": self.files_written,
            "files_unchanged": self.files_unchanged,
            "locked": self.locked,
        }


def confirm(*, project: Project, actor: Any, shots: Sequence[int] | None = None, tab: str = "") -> ConfirmReport:
    """Build or update the tree for all shots (or these), write the metadata, lock the shots.

    Safe to run again: what exists is left alone, and nothing changed means nothing written.
    """
    rows = Shot.objects.live().filter(project=project).select_related("scene", "project")
    if shots is not None:
        rows = rows.filter(pk__in=shots)
    chosen = list(rows)
    if not chosen:
        raise Invalid(_("There are no shots to confirm yet. Apply a scenario or add shots first."))
    report = ConfirmReport(root=project.root)
    try:
        _build(project, chosen, report)
    except OSError as error:
        raise TreeError(
            _("Cannot write the production tree: %(reason)s. Check the storage folder, its rights and free space.")
            % {"reason": error.strerror or str(error)}
        ) from error
    unlocked = [shot for shot in chosen if not shot.locked]
    with recording(project=project, actor=actor, kind="project.confirm", tab=tab, undoable=False) as recorder:
        lock_shots(recorder, unlocked)
        if project.confirmed_at is None:
            row = lock(Project.objects.filter(pk=project.pk)).get()
            recorder.update(row, confirmed_at=timezone.now())
            project.confirmed_at = row.confirmed_at
    report.locked = [shot.code for shot in unlocked]
    return report


def _build(project: Project, shots: list[Shot], report: ConfirmReport) -> None:
    for name in naming.PROJECT_FOLDERS:
        _folder(project.root / name, report)
    _write("project", [project], lambda _row: project.root / "project_config.json", report)
    characters = list(Character.objects.live().filter(project=project))
    environments = list(Environment.objects.live().filter(project=project))
    unique = colliding([*characters, *environments])
    for character in characters:
        base = project.root / naming.character_folder(names_of_character(character, unique))
        for name in ("lora", "reference"):
            _folder(base / name, report)
    for environment in environments:
        _folder(
            project.root / naming.environment_folder(names_of_environment(environment, unique)) / "reference",
            report,
        )
    for shot in shots:
        for name in naming.KIND_FOLDERS:
            _folder(project.root / naming.shot_folder(names_of_shot(shot)) / name, report)
    _write(
        "character",
        characters,
        lambda row: project.root / naming.character_folder(names_of_character(row, unique)) / "character_meta.json",
        report,
    )
    _write(
        "environment",
        environments,
        lambda row: (
            project.root / naming.environment_folder(names_of_environment(row, unique)) / "environment_meta.json"
        ),
        report,
    )
    scenes = list(Scene.objects.live().filter(project=project, shots__in=shots).distinct())
    _write("scene", scenes, lambda row: _scene_folder(row) / "scene_meta.json", report)
    _write("shot", shots, shot_meta_path, report)


def _scene_folder(scene: Scene) -> Path:
    return scene.project.root / naming.scene_folder(NameContext(project=scene.project.code, scene=scene.code))


def shot_meta_path(shot: Shot) -> Path:
    """Where a shot's metadata file lies."""
    return shot.project.root / naming.shot_folder(names_of_shot(shot)) / "shot_meta.json"


def refresh_shot_metadata(shots: Iterable[Shot]) -> None:
    """Write the metadata of these shots anew, of those whose folder was built."""
    built = [shot for shot in shots if shot_meta_path(shot).parent.is_dir() and shot.project.confirmed_at]
    _write("shot", built, shot_meta_path, ConfirmReport(root=Path()))


def refresh_asset_metadata(row: Character | Environment) -> None:
    """Write the metadata of a character or an environment anew, once its folder was built."""
    rows: list[Character | Environment] = list(type(row)._default_manager.filter(project=row.project_id))
    unique = colliding([found for found in rows if found.removed_at is None])
    if isinstance(row, Character):
        kind, folder = "character", naming.character_folder(names_of_character(row, unique))
    else:
        kind, folder = "environment", naming.environment_folder(names_of_environment(row, unique))
    if row.project.confirmed_at and (row.project.root / folder).is_dir():
        path = row.project.root / folder / f"{kind}_meta.json"
        _write(kind, [row], lambda _row: path, ConfirmReport(root=Path()))


def _write(kind: str, rows: Sequence[Any], path_of: Any, report: ConfirmReport) -> None:
    facts = describe(kind, rows)
    for row in rows:
        if write_metadata(path_of(row), facts[row.pk]):
            report.files_written += 1
        else:
            report.files_unchanged += 1


def _folder(path: Path, report: ConfirmReport) -> None:
    if not path.is_dir():
        path.mkdir(parents=True)
        report.folders_made += 1


def colliding(rows: Sequence[Character | Environment]) -> dict[tuple[str, int], str]:
    """For rows whose names would be one folder: a suffix by id. The first of them keeps the plain name."""
    seen: set[tuple[str, str]] = set()
    unique: dict[tuple[str, int], str] = {}
    for row in sorted(rows, key=lambda r: r.pk):
        kind = type(row).__name__
        key = (kind, naming.collision_key(row.name))
        if key in seen:
            unique[kind, row.pk] = str(row.pk)
        seen.add(key)
    return unique


def names_of_shot(shot: Shot) -> NameContext:
    return NameContext(project=shot.project.code, scene=shot.scene.code if shot.scene else "", shot=shot.code)


def names_of_character(row: Character, unique: dict[tuple[str, int], str]) -> NameContext:
    return NameContext(project=row.project.code, character=row.name, unique=unique.get(("Character", row.pk), ""))


def names_of_environment(row: Environment, unique: dict[tuple[str, int], str]) -> NameContext:
    return NameContext(project=row.project.code, environment=row.name, unique=unique.get(("Environment", row.pk), ""))
