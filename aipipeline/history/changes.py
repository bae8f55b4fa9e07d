"""Change numbers: which rows of a project changed, in an order that a page can read on from.

A page that holds number 57 asks for what changed since and gets the rows of 58 and later. Numbers are given under
the project's lock at the end of a transaction: whoever sees number 58 sees everything up to 58.
"""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from functools import partial
from typing import Any

from django.db import connections, router, transaction
from django.db.models import Max
from django.utils import timezone

from aipipeline.events import publish
from aipipeline.history.models import Action, Change, ChangeNumber
from aipipeline.projects.models import Project
from aipipeline.projects.tracked import Tracked

WRITE_AT_ONCE = 1000
KEPT = timedelta(days=180)
KEPT_AT_LEAST = 10_000
IDS_IN_EVENT = 500

Rows = Mapping[type[Tracked], Iterable[Any]]


def next_number(project: Project | int | None) -> int:
    """The project's next change number, held until the transaction ends; of the studio's own actions, theirs."""
    if project is None:
        newest = Action.objects.filter(project=None).aggregate(newest=Max("sequence"))["newest"]
        return int(newest or 0) + 1
    # The project's row is the lock: rows that point to it check it when they are committed, and so wait here too.
    project_id = _id(project)
    Project.objects.select_for_update(no_key=True).filter(pk=project_id).values_list("pk").first()
    table = ChangeNumber._meta.db_table
    statement = (
        f"INSERT INTO {table} (project_id, newest, pruned) VALUES (%s, 1, 0) "
        f"ON CONFLICT (project_id) DO UPDATE SET newest = {table}.newest + 1 RETURNING newest"
    )
    with connections[router.db_for_write(ChangeNumber)].cursor() as cursor:
        cursor.execute(statement, [project_id])
        return int(cursor.fetchone()[0])


def keep(project: Project | int, sequence: int, rows: Rows, *, action: Action | None = None) -> None:
    """Write down which rows (by model, their ids) this number changed."""
    Change.objects.bulk_create(
        (
            Change(
                project_id=_id(project),
                sequence=sequence,
                model=model._meta.label_lower,
                row_id=pk,
                action=action,
            )
            for model, ids in rows.items()
            for pk in ids
        ),
        batch_size=WRITE_AT_ONCE,
    )


def current_change(project: Project) -> int:
    """The newest change number; 0 when nothing was ever edited."""
    return _numbers(project)[0]


def changes_since(project: Project, seq: int) -> tuple[int, dict[str, list[int]] | None]:
    """The newest number, and by model label the ids of the rows that changed after `seq`, each once.

    None instead of the rows when `seq` is older than what is kept, or greater than any number given: read all anew.
    """
    newest, pruned = _numbers(project)
    if not pruned <= seq <= newest:
        return newest, None
    found: dict[str, list[int]] = {}
    rows = Change.objects.filter(project=project, sequence__gt=seq, sequence__lte=newest)
    for label, pk in rows.order_by("model", "row_id").values_list("model", "row_id").distinct():
        found.setdefault(label, []).append(pk)
    return newest, found


def touch(project: Project | int, model: type[Tracked], ids: Iterable[int]) -> None:
    """Count a change of what these rows show that is no edit of them: a new picture, a job that started or ended.

    Written after the current transaction commits, in one of its own: the project's lock is the last one that a
    transaction may take, and here others follow. Pages get the event `<model>.touched` with the number.
    """
    wanted = sorted(set(ids))
    if wanted:
        transaction.on_commit(partial(_touch, _id(project), model, wanted), robust=True)


def _touch(project_id: int, model: type[Tracked], ids: list[int]) -> None:
    with transaction.atomic():
        number = next_number(project_id)
        keep(project_id, number, {model: ids})
        publish(f"project:{project_id}", f"{model._meta.model_name}.touched", ids=ids[:IDS_IN_EVENT], change=number)


def prune() -> int:
    """Delete what nobody reads on from any more, older than half a year; the newest 10,000 of each project stay.

    Rows of edits stay for good: they are the index of the rows' histories. Returns how many were deleted.
    """
    old = timezone.now() - KEPT
    deleted = 0
    for number in ChangeNumber.objects.iterator():
        loose = Change.objects.filter(project_id=number.project_id, action=None)
        edge = loose.order_by("-sequence").values_list("sequence", flat=True)[KEPT_AT_LEAST : KEPT_AT_LEAST + 1].first()
        if edge is None:
            continue
        last = loose.filter(sequence__lte=edge, created_at__lt=old).aggregate(last=Max("sequence"))["last"]
        if last is None:
            continue
        with transaction.atomic():
            # Told first: whoever reads between the two reads all anew.
            ChangeNumber.objects.filter(pk=number.pk).update(pruned=last)
            deleted += loose.filter(sequence__lte=last).delete()[0]
    return deleted


def _numbers(project: Project) -> tuple[int, int]:
    found = ChangeNumber.objects.filter(project=project).values_list("newest", "pruned").first()
    return found or (0, 0)


def _id(project: Project | int) -> int:
    return project if isinstance(project, int) else project.pk
