"""A version follows the still that was its first image, as it does the clip that gave a frame for it."""

from typing import Any

from django.db import migrations

PORTION = 500


def fill(apps: Any, _schema: Any) -> None:
    """Versions that were published before: what they were made from stands in their provenance."""
    Version = apps.get_model("renders", "Version")
    rows = Version.objects.filter(follows=None, state="published", provenance__inputs__first_image__isnull=False)
    found = []
    names = ("pk", "project_id", "provenance__inputs__first_image")
    for pk, project, named in rows.values_list(*names).iterator(chunk_size=PORTION):
        if isinstance(named, int) and not isinstance(named, bool) and named != pk:
            found.append((pk, project, named))
    for start in range(0, len(found), PORTION):
        part = found[start : start + PORTION]
        sources = Version.objects.filter(pk__in={named for _pk, _project, named in part})
        projects = dict(sources.values_list("pk", "project_id"))
        Version.objects.bulk_update(
            [Version(pk=pk, follows_id=named) for pk, project, named in part if projects.get(named) == project],
            ["follows"],
        )


class Migration(migrations.Migration):
    dependencies = [
        ("renders", "0008_claim_render"),
    ]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
