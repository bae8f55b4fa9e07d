"""A confirmed production with versions, for the tests of the tree."""

from pathlib import Path
from typing import Any

from renders.models import Version
from renders.services.publishing import publish_files
from renders.services.reviews import review_version
from shots.models import Folder, Shot
from shots.services.confirm import confirm
from tests.factories import applied_project, picture


def production(project: Any, actor: Any, folder: Path, versions: int = 3) -> list[Shot]:
    """Applied, confirmed; the first shot has versions of its first image, the second of them approved.

    Each has a main file, named by the project's template, and 리나_패널.png.
    """
    shots = applied_project(project, actor)
    confirm(project=project, actor=actor)
    project.refresh_from_db()
    for number in range(versions):
        made = publish_files(
            owner=shots[0],
            kind="previz",
            files={
                "main.png": picture(folder / f"p{number}.png", color=(40 * number % 255, 90, 120)),
                "리나_패널.png": picture(folder / f"n{number}.png", color=(90, 40 * number % 255, 120)),
            },
            actor=actor,
            comment=f"시도 {number + 1}",
        )
        if number == 1:
            review_version(version=made, actor=actor, verdict="approve")
    return shots


def path_of_shot(shot: Shot) -> str:
    return Folder.objects.get(shot=shot).path


def newest(shot: Shot) -> Version:
    return Version.objects.filter(shot=shot).order_by("-number")[0]
