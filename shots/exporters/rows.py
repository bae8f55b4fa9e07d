"""Scenes, and shots with their cast and their steps."""

from collections.abc import Mapping
from typing import Any

from django.db.models import prefetch_related_objects
from django.utils.translation import gettext as _

from assets.cells import cells_told
from assets.exporters import restore_rows
from assets.facts import Form, save_all
from assets.rebuilding import Entry, Rebuild, short
from assets.remarks import rows_with_notes
from shots.exporters.scripts import numbers_of, scenario_numbered
from shots.models import Casting, Scene, Shot, ShotStep
from shots.prompts import seed_of, write_prompt

Facts = Mapping[Any, Mapping[str, Any]]
SCENE = Form(Scene, names={"environment": "name"})
SHOT = Form(
    Shot,
    names={"scene": "code", "environment": "name", "preset": "name"},
    leave=frozenset({"custom", "scenario"}),
)
CASTING = Form(Casting, names={"character": "name"}, leave=frozenset({"shot", "created_at"}))
# The approved version is told by the app that has versions.
STEP = Form(ShotStep, names={"assignee": "username"}, leave=frozenset({"shot", "created_at", "approved_version"}))


def describe_scenes(rows: list[Scene]) -> Facts:
    full = SCENE.fill(rows)
    notes = rows_with_notes(Scene, full)
    return {row.pk: {**SCENE.facts(row), **notes[row.pk]} for row in full}


def restore_scenes(rebuild: Rebuild, entries: list[Entry]) -> None:
    restore_rows(rebuild, entries, SCENE, "code")


def describe_shots(rows: list[Shot]) -> Facts:
    ids = [row.pk for row in rows]
    full = SHOT.fill(rows)
    prefetch_related_objects(full, "project", "scene__environment")
    cast = _by_shot(CASTING, Casting.objects.filter(shot__in=ids).prefetch_related("character__lora"), "order", "id")
    steps = _by_shot(STEP, ShotStep.objects.filter(shot__in=ids), "id")
    cells = cells_told(full[0].project_id, "shots", full) if full else {}
    notes = rows_with_notes(Shot, full)
    numbers = numbers_of(full[0].project_id) if full else {}
    facts = {}
    for shot in full:
        mine = cast.get(shot.pk, [])
        facts[shot.pk] = {
            **SHOT.facts(shot),
            **cells[shot.pk],
            **notes[shot.pk],
            "scenario": numbers.get(shot.scenario_id or 0),
            "casting": [CASTING.facts(row) for row in mine],
            "steps": [STEP.facts(row) for row in steps.get(shot.pk, [])],
            # For readers of the file; nothing is made from it again.
            "derived": {
                "fps": shot.project.fps,
                "composed_prompt": write_prompt(
                    shot=shot, cast=[row for row in mine if row.removed_at is None], family=""
                ).positive,
                "used_seed": seed_of(shot),
            },
        }
    return facts


def _by_shot(form: Form, rows: Any, *order: str) -> dict[int, list[Any]]:
    found: dict[int, list[Any]] = {}
    for row in form.rows(rows).order_by(*order):
        found.setdefault(row.shot_id, []).append(row)
    return found


def restore_shots(rebuild: Rebuild, entries: list[Entry]) -> None:
    scenarios = {id(entry): scenario_numbered(rebuild, entry) for entry in entries}
    restore_rows(rebuild, entries, SHOT, "code", "shots")
    linked = []
    for entry in entries:
        if entry.row is not None and scenarios[id(entry)] is not None:
            entry.row.scenario = scenarios[id(entry)]
            linked.append(entry.row)
    Shot.objects.bulk_update(linked, ["scenario"], batch_size=500)
    _restore_parts(rebuild, entries, "casting", CASTING, "character_id")
    _restore_parts(rebuild, entries, "steps", STEP, "step")


def _restore_parts(rebuild: Rebuild, entries: list[Entry], name: str, form: Form, key: str) -> None:
    made: list[Any] = []
    for entry in entries:
        if entry.row is None:
            continue
        seen = set()
        for where, facts in rebuild.objects(entry.facts, name, entry.where):
            row = form.make(rebuild, where, facts, shot=entry.row)
            if row is None:
                continue
            if getattr(row, key) in seen:
                told = short(facts.get(key.removesuffix("_id")))
                rebuild.problem(where, _("%(name)s is there twice") % {"name": told})
                continue
            seen.add(getattr(row, key))
            made.append(row)
    save_all(made)
