"""Old actions tell which rows they touched: those rows' histories, and the numbers that projects count on from."""

from django.db import migrations
from django.db.models import Max

AT_ONCE = 2000
TRACKED = frozenset(
    {
        "projects.project",
        "notes.note",
        "assets.lora",
        "assets.character",
        "assets.environment",
        "assets.cinematicpreset",
        "shots.scenario",
        "shots.scene",
        "shots.shot",
        "shots.casting",
        "shots.shotstep",
        "renders.renderpreset",
        "timeline.edit",
        "timeline.track",
        "timeline.clip",
        "timeline.marker",
    }
)


def number(apps, schema_editor):
    Action = apps.get_model("history", "Action")
    Change = apps.get_model("history", "Change")
    ChangeNumber = apps.get_model("history", "ChangeNumber")
    actions = Action.objects.exclude(project=None).order_by()
    newest = actions.values_list("project").annotate(newest=Max("sequence"))
    ChangeNumber.objects.bulk_create(ChangeNumber(project_id=pk, newest=last) for pk, last in newest)
    waiting = []
    rows = actions.values_list("pk", "project_id", "sequence", "changes")
    for pk, project, sequence, changes in rows.iterator(chunk_size=200):
        for entry in changes:
            if entry["model"] in TRACKED and isinstance(entry["id"], int):
                waiting.append(
                    Change(
                        project_id=project,
                        sequence=sequence,
                        model=entry["model"],
                        row_id=entry["id"],
                        action_id=pk,
                    )
                )
        if len(waiting) >= AT_ONCE:
            Change.objects.bulk_create(waiting, batch_size=AT_ONCE)
            waiting = []
    Change.objects.bulk_create(waiting, batch_size=AT_ONCE)


class Migration(migrations.Migration):
    dependencies = [
        ("history", "0003_change_numbers"),
    ]

    operations = [
        migrations.RunPython(number, migrations.RunPython.noop),
    ]
