"""Where the studio keeps a LoRA file, so that an engine can bring it to a server that lacks it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from aipipeline.projects.models import Project
from assets.models import Character
from shots.services.tree.folders import ensure_folders

FOLDER = "lora"  # below a character's folder in the production tree


def with_lora_paths(project: Project, params: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters of a job with `path` at each of its LoRAs whose file lies in the project's storage.

    Looked for below the project's folder under the name as people wrote it, and in the lora folder of the characters
    that use it. Nothing outside of the project's folder is ever named.
    """
    entries = params.get("loras")
    if not entries or not isinstance(entries, list):
        return dict(params)
    files = [str(entry.get("file") or "").replace("\\", "/") for entry in entries if isinstance(entry, Mapping)]
    places = _lora_folders(project, files)
    found = []
    for entry in entries:
        known = dict(entry) if isinstance(entry, Mapping) else entry
        if isinstance(known, dict):
            known.pop("path", None)  # only this function says what the studio has
            path = _find(project, str(known.get("file") or "").replace("\\", "/"), places)
            if path is not None:
                known["path"] = str(path)
        found.append(known)
    return {**params, "loras": found}


def _lora_folders(project: Project, files: list[str]) -> dict[str, list[Path]]:
    """By file as the library has it: the lora folders of the characters that use it."""
    users = list(Character.objects.live().filter(project=project, lora__isnull=False).select_related("lora"))
    users = [row for row in users if row.lora is not None and row.lora.path.replace("\\", "/") in files]
    found: dict[str, list[Path]] = {}
    for row, folder in ensure_folders(project, users).items() if users else ():
        assert isinstance(row, Character)
        assert row.lora is not None  # filtered above
        found.setdefault(row.lora.path.replace("\\", "/"), []).append(project.root / folder.path / FOLDER)
    return found


def _find(project: Project, file: str, places: Mapping[str, list[Path]]) -> Path | None:
    name = file.rpartition("/")[2]
    tries = [place / part for place in places.get(file, []) for part in (file, name)]
    tries.append(project.root / file)  # an absolute name stands for itself
    root = project.root.resolve()
    for path in tries if name else []:
        real = path.resolve()
        if real.is_relative_to(root) and real.is_file():
            return real
    return None
