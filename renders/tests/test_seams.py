"""Seams: the jump from the last frame of one clip to the first of the next, measured once both are there."""

from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageDraw

from renders.models import Seam
from renders.services import seams
from renders.tasks import measure_seams
from renders.tests.chain_world import clip_version
from shots.models import Shot
from tests.factories import applied_project

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]
RED, BLUE, BLACK, WHITE = (200, 20, 20), (20, 20, 200), (0, 0, 0), (255, 255, 255)


def drawn(offset: int = 0, level: int = 128) -> Image.Image:
    image = Image.new("L", seams.SIZE, level)
    ImageDraw.Draw(image).rectangle((30 + offset, 20, 80 + offset, 70), fill=240)
    return image


def test_the_score_is_nothing_for_the_same_and_one_for_black_against_white() -> None:
    same, parts = seams.jump(drawn(), drawn())
    assert (same, parts) == (0.0, {"luma": 0.0, "structure": 0.0})
    black, white = Image.new("L", seams.SIZE, 0), Image.new("L", seams.SIZE, 255)
    assert seams.jump(black, white)[0] == 1.0
    small, large = seams.jump(drawn(), drawn(4))[0], seams.jump(drawn(), drawn(40))[0]
    assert 0 < small < large < 1
    # The same brightness on the whole, other edges: the structure tells what brightness cannot.
    light, dark = seams.jump(drawn(level=128), drawn(level=120)), seams.jump(drawn(), drawn(8))
    assert light[1]["structure"] < dark[1]["structure"]
    assert seams.jump(drawn(), drawn(8)) == dark


def test_neighbours_are_measured_once_and_again_for_a_new_version(
    project: Any, admin_user: Any, tmp_path: Path
) -> None:
    shots = applied_project(project, admin_user)
    a = clip_version(shots[0], tmp_path, [RED, RED, BLUE])
    assert seams.measure_project(project=project) == 0
    b = clip_version(shots[1], tmp_path, [BLUE, WHITE])
    c = clip_version(shots[2], tmp_path, [BLACK, BLACK])
    measure_seams(project.pk)
    assert seams.measure_project(project=project) == 0
    scores = {(s.before_id, s.after_id): s.score for s in Seam.objects.all()}
    assert scores.keys() == {(a.pk, b.pk), (b.pk, c.pk)}
    assert scores[a.pk, b.pk] == 0.0
    assert scores[b.pk, c.pk] == 1.0
    newer = clip_version(shots[1], tmp_path, [RED, BLACK], inputs={"first_image": {"version": a.pk, "frame": 1}})
    assert set(seams.missing_of(project)) == {(a.pk, newer.pk), (newer.pk, c.pk)}
    assert seams.measure_all() == 2
    assert Seam.objects.get(before=newer, after=c).score == 0.0
    assert Seam.objects.get(before=a, after=newer).score > 0.05
    assert [s.pk for s in seams.told(project, seams.pairs_of(project))] == list(
        Seam.objects.filter(pk__in=[s.pk for s in Seam.objects.all()], after__in=[newer, c], before__in=[a, newer])
        .order_by("before__shot__position").values_list("pk", flat=True)
    )  # fmt: skip


def test_a_clip_that_is_gone_is_passed_over(project: Any, admin_user: Any, tmp_path: Path) -> None:
    shots = applied_project(project, admin_user)
    a = clip_version(shots[0], tmp_path, [RED])
    clip_version(shots[1], tmp_path, [RED])
    clip_version(shots[2], tmp_path, [BLACK])
    a.file().unlink()
    assert seams.measure_project(project=project) == 1


def test_a_link_of_a_chain_is_a_seam_wherever_its_shots_stand(project: Any, admin_user: Any, tmp_path: Path) -> None:
    shots = applied_project(project, admin_user)
    a = clip_version(shots[0], tmp_path, [RED, BLUE])
    c = clip_version(shots[2], tmp_path, [BLUE], inputs={"first_image": {"version": a.pk, "frame": 1}})
    assert seams.pairs_of(project) == [(a.pk, c.pk)]
    assert Shot.objects.filter(project=project).count() == 3
    assert seams.measure_project(project=project) == 1
    assert Seam.objects.get().score == 0.0
