"""Every sample to a film, one after the other in one data folder, and each delivery read by independent programs.

Our own fixtures always; with AIP_SAMPLES=FOLDER also every .txt and .fountain below that folder.
"""

from pathlib import Path

import pytest

from aipipeline.projects.models import Project
from shots.tests.scenario.scripts import OWN, SHARED, broken_down
from tests.e2e.deliveries import FILES, read_delivery
from tests.e2e.test_produce import produce
from tests.harness import processes

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]
SMALL = [path for path in OWN if path.name in ("night_bus.ko.txt", "harbour.fountain", "marks.fountain")]


def problems_of(path: Path, out: Path, code: str) -> list[str]:
    """What is wrong with the production of this sample; an empty list when all is right."""
    breakdown = broken_down(path.read_text(encoding="utf-8"), path.name)
    if not breakdown.shots:
        return _refused(path, out)
    made = produce(path, out, "--project", code)
    found: list[str] = []
    if missing := [name for name in FILES if not (out / name).is_file()]:
        return [f"not written: {', '.join(missing)}"]
    read = read_delivery(out)
    if len({*read.frames.values(), made["frames"]["film"], made["frames"]["proxy"], made["frames"]["shots"]}) != 1:
        found.append(f"frames differ: {read.frames} {made['frames']}")
    if len({*read.shots.values(), made["counts"]["shots"], len(breakdown.shots)}) != 1:
        found.append(f"numbers of shots differ: {read.shots} {made['counts']} {len(breakdown.shots)}")
    if made["counts"]["scenes"] != len(breakdown.scenes):
        found.append(f"{made['counts']['scenes']} scenes, {len(breakdown.scenes)} in the breakdown")
    default_scene = not any(scene.heading for scene in breakdown.scenes)
    if default_scene and (len(breakdown.scenes) != 1 or not made["warnings"]):
        found.append(f"without headings: {len(breakdown.scenes)} scenes, warnings {made['warnings']}")
    return found


def _refused(path: Path, out: Path) -> list[str]:
    with pytest.raises(SystemExit) as caught:
        produce(path, out)
    found = [] if caught.value.code == 2 else [f"nothing to film, but code {caught.value.code}"]
    return [*found, "a folder is left"] if out.exists() else found


def check(paths: list[Path], folder: Path) -> None:
    wrong = {path.name: told for n, path in enumerate(paths) if (told := problems_of(path, folder / str(n), f"S_{n}"))}
    assert wrong == {}
    assert Project.objects.count() == sum(1 for n in range(len(paths)) if (folder / str(n)).is_dir())


@pytest.mark.timeout(900)
def test_our_own_samples_become_right_films(farm: dict[str, processes.Process], tmp_path: Path) -> None:
    assert len(SMALL) == 3
    bare, empty = tmp_path / "제목 없는 글.txt", tmp_path / "only a title.fountain"
    bare.write_text("비가 내린다. 한 사람이 우산 없이 걷는다.\n\n멀리서 개가 짖는다.\n", encoding="utf-8")
    empty.write_text("Title: Nothing\n\n# Act One\n\n= What happens in it.\n", encoding="utf-8")
    check([*SMALL, bare, empty], tmp_path)


if SHARED:

    @pytest.mark.timeout(3600)
    def test_the_shared_samples_become_right_films(farm: dict[str, processes.Process], tmp_path: Path) -> None:
        check(SHARED, tmp_path)
