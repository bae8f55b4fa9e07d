"""A project with files on disk, a folder to mirror it to, and a way to run a mirror to its end."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from celery_workers import ledger
from celery_workers.models import LedgerTask
from mirror import work  # noqa: F401  (registers the kinds of work)
from mirror.models import MirrorTarget
from mirror.services.runs import request_run
from mirror.services.targets import create_target

SHOT = "scenes/SCN_010/shots/SHT_0010"
FILES = {
    "project_config.json": b'{"schema": 1}',
    f"{SHOT}/shot_meta.json": b"{}",
    f"{SHOT}/previz/v001/panel.png": b"p" * 3000,
    f"{SHOT}/render/v001/리나_클로즈업.mp4": b"r" * 200_000,
    "assets/characters/CHR_리나/reference/얼굴 정면.png": b"f" * 5000,
    "assets/characters/CHR_리나/character_meta.json": b"{}",
    "export/final/film.mp4": b"m" * 90_000,
}
PASSING = {
    "edit/proxy/.segments/a.mp4": b"s",
    f"{SHOT}/render/.tmp-12/x.mp4": b"t",
    f"{SHOT}/render/v001/.리나.mp4.77.part": b"t",
    "project.lock": b"",
}


def write(root: Path, files: dict[str, bytes]) -> None:
    for name, data in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(data)


def content(root: Path) -> dict[str, bytes]:
    """Every file below, the marker left out."""
    found = {p.relative_to(root).as_posix(): p.read_bytes() for p in root.rglob("*") if p.is_file()}
    found.pop(".aip-mirror.json", None)
    return found


def run(target: MirrorTarget, **flags: bool) -> LedgerTask:
    """A run as a worker does it, to its end; the target is read again."""
    task = request_run(target=target, actor=None, send=False, **flags)
    ledger.run(str(task.pk))
    task.refresh_from_db()
    target.refresh_from_db()
    return task


def counts(task: LedgerTask, *names: str) -> tuple[int, ...]:
    return tuple(task.result[name] for name in names)


@pytest.fixture
def tree(project: Any) -> Path:
    """The root of a small production, with things in it that are never copied."""
    write(project.root, {**FILES, **PASSING})
    os.symlink("/etc/passwd", project.root / "scenes" / "link.txt")
    return Path(project.root)


@pytest.fixture
def nas(tmp_path: Path) -> Path:
    (tmp_path / "nas").mkdir()
    return tmp_path / "nas" / "mirror"


@pytest.fixture
def make(project: Any, admin_user: Any) -> Callable[..., MirrorTarget]:
    def made(**fields: Any) -> MirrorTarget:
        return create_target(project=project, actor=admin_user, fields={"name": "NAS", **fields})

    return made


@pytest.fixture
def target(make: Callable[..., MirrorTarget], tree: Path, nas: Path) -> MirrorTarget:
    return make(path=str(nas))
