"""Undo to the start and redo to the end, through sixty and more random steps of two people on one shot list."""

import random
from typing import Any

import pytest

from aipipeline.history.models import Action
from aipipeline.history.project_services import set_member
from aipipeline.history.services import redo, undo
from aipipeline.projects.errors import Conflict
from assets.models import Character, Environment
from shots.choices import ShotSize
from shots.models import Casting, Shot
from shots.services import castings, editing
from shots.services.batch import apply_batch
from tests.factories import applied_project

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]
STEPS = 64
TEXTS = ("description", "action", "emotion")
COLUMNS = ("code", "scene_id", "environment_id", *TEXTS, "size", "angle", "duration_frames", "removed_at")
# What the colleague writes in the first test, and nobody else.
THEIRS = ("dialogue", "prompt")


class Editor:
    """One person who does random things to the list; every text is a new one, so that who wrote a cell can be told."""

    def __init__(self, project: Any, actor: Any, seed: int) -> None:
        self.project = project
        self.actor = actor
        self.random = random.Random(f"{actor}{seed}")
        self.number = 0

    def live(self) -> list[Shot]:
        return list(Shot.objects.live().filter(project=self.project).order_by("position", "id"))

    def word(self) -> str:
        self.number += 1
        return f"{self.actor.username} {self.number}"

    def some(self, most: int) -> list[Shot]:
        rows = self.live()
        return self.random.sample(rows, min(len(rows), self.random.randint(1, most)))

    def write(self, shots: list[Shot], fields: tuple[str, ...]) -> None:
        items = [{"id": shot.pk, "fields": {name: self.word() for name in fields}} for shot in shots]
        editing.update_shots(project=self.project, actor=self.actor, items=items)

    def step(self) -> None:
        kinds = [self.cell, self.cell, self.paste, self.create, self.move, self.cast, self.mixed]
        if len(self.live()) > 8:
            kinds.append(self.remove)
        before = Action.objects.filter(actor=self.actor).count()
        while Action.objects.filter(actor=self.actor).count() == before:
            self.random.choice(kinds)()

    def cell(self) -> None:
        shot = self.random.choice(self.live())
        fields: dict[str, Any] = {
            "size": self.random.choice(ShotSize.values),
            "duration_frames": self.random.randint(1, 5000),
            "emotion": self.word(),
            "environment": self.random.choice([None, *Environment.objects.values_list("pk", flat=True)]),
        }
        name = self.random.choice(list(fields))
        items = [{"id": shot.pk, "fields": {name: fields[name]}}]
        editing.update_shots(project=self.project, actor=self.actor, items=items)

    def paste(self) -> None:
        self.write(self.some(6), TEXTS)

    def create(self) -> None:
        after = self.random.choice([None, *self.live()])
        editing.create_shot(project=self.project, actor=self.actor, after=after, description=self.word())

    def remove(self) -> None:
        editing.remove_shots(project=self.project, actor=self.actor, ids=[shot.pk for shot in self.some(2)])

    def move(self) -> None:
        moving = [shot.pk for shot in self.some(3)]
        others = [shot.pk for shot in self.live() if shot.pk not in moving]
        before = self.random.choice([None, *others])
        editing.reorder_shots(project=self.project, actor=self.actor, ids=moving, before=before)

    def cast(self) -> None:
        shot = self.random.choice(self.live())
        people = list(Character.objects.filter(project=self.project))
        playing = list(Casting.objects.live().filter(shot=shot))
        if playing and self.random.random() < 0.3:
            castings.remove_casting(casting=self.random.choice(playing), actor=self.actor)
            return
        wanted = self.random.sample(people, self.random.randint(0, len(people)))
        items = [{"id": shot.pk, "fields": {"characters": [person.pk for person in wanted]}}]
        editing.update_shots(project=self.project, actor=self.actor, items=items)

    def mixed(self) -> None:
        """Cells, a new row and a removed one in one action."""
        first, *rest = self.some(3)
        apply_batch(
            project=self.project,
            actor=self.actor,
            items=[{"id": first.pk, "fields": {"action": self.word(), "angle": "low"}}],
            create=[{"fields": {"description": self.word()}, "before": first.pk}],
            remove=[shot.pk for shot in rest[:1]] if len(self.live()) > 8 else [],
        )


def seen(project: Any, columns: tuple[str, ...] = COLUMNS) -> list[Any]:
    """The list as its reader sees it: rows in order with their cells and casts."""
    casts: dict[int, list[int]] = {}
    rows = Casting.objects.live().filter(project=project).order_by("order", "id")
    for shot_id, character_id in rows.values_list("shot_id", "character_id"):
        casts.setdefault(shot_id, []).append(character_id)
    shots = Shot.objects.live().filter(project=project).order_by("position", "id")
    return [(pk, tuple(cells), casts.get(pk, [])) for pk, *cells in shots.values_list("pk", *columns)]


def all_of_it(step: Any, project: Any, actor: Any) -> int:
    """Undo or redo until there is nothing left; how many that were."""
    count = 0
    while True:
        try:
            step(project=project, actor=actor)
        except Conflict:
            return count
        count += 1


@pytest.fixture
def people(project: Any, admin_user: Any, artist: Any) -> tuple[Any, Any]:
    set_member(project=project, actor=admin_user, user=artist, role="artist")
    from aipipeline.projects.models import User

    colleague = User.objects.create_user(username="colleague", password="pass-for-tests")
    set_member(project=project, actor=admin_user, user=colleague, role="artist")
    applied_project(project, admin_user)
    for name in ("하린", "지우"):
        Character.objects.create(project=project, name=name)
    return artist, colleague


@pytest.mark.parametrize("seed", [1])
def test_one_persons_steps_all_go_back_and_forth(project: Any, people: tuple[Any, Any], seed: int) -> None:
    mine, theirs = Editor(project, people[0], seed), Editor(project, people[1], seed)
    first = mine.live()
    states = [seen(project)]
    for number in range(STEPS):
        mine.step()
        states.append(seen(project))
        if number % 4 == 0 and (there := [shot for shot in first if Shot.objects.live().filter(pk=shot.pk).exists()]):
            theirs.write(theirs.random.sample(there, 1), THEIRS)
    written = dict(Shot.objects.filter(pk__in=[shot.pk for shot in first]).values_list("pk", "dialogue"))
    assert len({str(state) for state in states}) > STEPS // 2, "the steps did something"
    for number in range(STEPS - 1, -1, -1):
        done = undo(project=project, actor=mine.actor)
        assert done.skipped == []
        assert seen(project) == states[number], f"undo of step {number + 1}: {done.action.kind}"
    assert all_of_it(undo, project, mine.actor) == 0
    assert dict(Shot.objects.filter(pk__in=written).values_list("pk", "dialogue")) == written
    for number in range(1, STEPS + 1):
        done = redo(project=project, actor=mine.actor)
        assert done.skipped == []
        assert seen(project) == states[number], f"redo of step {number}: {done.action.kind}"
    assert dict(Shot.objects.filter(pk__in=written).values_list("pk", "dialogue")) == written


@pytest.mark.parametrize("seed", [3, 4])
def test_never_over_a_colleagues_later_edit(project: Any, people: tuple[Any, Any], seed: int) -> None:
    mine, theirs = Editor(project, people[0], seed), Editor(project, people[1], seed)
    last: dict[tuple[int, str], tuple[Any, str]] = {}
    for _step in range(STEPS):
        editor = mine.random.choice([mine, theirs])
        shots, name = editor.some(4), mine.random.choice(TEXTS)
        editor.write(shots, (name,))
        for pk, value in Shot.objects.filter(pk__in=[shot.pk for shot in shots]).values_list("pk", name):
            last[pk, name] = (editor, value)
    end = {row[0]: row[1] for row in seen(project)}
    skipped = 0
    while True:
        try:
            skipped += len(undo(project=project, actor=mine.actor).skipped)
        except Conflict:
            break
        for (pk, name), (editor, value) in last.items():
            if editor is theirs:
                assert getattr(Shot.objects.only(name).get(pk=pk), name) == value
    assert skipped > 0, "they did meet"
    kept = dict.fromkeys(pk for (pk, _name), (editor, _value) in last.items() if editor is mine)
    texts = [value for row in seen(project) if row[0] in kept for value in row[1]]
    last_of_mine = {value for editor, value in last.values() if editor is mine}
    assert not last_of_mine & set(texts), "whatever nobody wrote after me is gone"
    all_of_it(redo, project, mine.actor)
    for (pk, name), (editor, value) in last.items():
        assert getattr(Shot.objects.only(name).get(pk=pk), name) == value, editor.actor
    assert {row[0]: row[1] for row in seen(project)} == end
