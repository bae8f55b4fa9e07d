import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


def batches_of_groups(apps, schema_editor):
    """What was started together stays together: each group of jobs becomes a batch under the same id."""
    job = apps.get_model("renders", "RenderJob")
    batch = apps.get_model("renders", "RenderBatch")
    seen = {}
    for row in (
        job.objects.exclude(group=None)
        .order_by("created_at")
        .values("group", "project_id", "requested_by_id", "created_at")
        .iterator()
    ):
        seen.setdefault(row["group"], row)
    for group, row in seen.items():
        batch.objects.create(id=group, project_id=row["project_id"], actor_id=row["requested_by_id"])
        batch.objects.filter(pk=group).update(created_at=row["created_at"])
    job.objects.exclude(group=None).update(batch_id=models.F("group"))


class Migration(migrations.Migration):
    dependencies = [
        ("projects", "0002_tree_permissions"),
        ("renders", "0004_path_maps"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="MachineSchema",
            fields=[
                ("sha256", models.CharField(max_length=64, primary_key=True, serialize=False)),
                ("body", models.BinaryField()),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
            options={
                "verbose_name": "server schema",
                "verbose_name_plural": "server schemas",
            },
        ),
        migrations.AddField(
            model_name="renderjob",
            name="estimate",
            field=models.FloatField(blank=True, null=True, verbose_name="estimate"),
        ),
        migrations.AddField(
            model_name="renderjob",
            name="model_key",
            field=models.CharField(blank=True, max_length=64),
        ),
        migrations.AddField(
            model_name="renderjob",
            name="refused",
            field=models.JSONField(blank=True, default=list),
        ),
        migrations.AddField(
            model_name="renderjob",
            name="variant",
            field=models.CharField(blank=True, max_length=120, verbose_name="variant"),
        ),
        migrations.AddField(
            model_name="renderjob",
            name="waits_for",
            field=models.CharField(
                choices=[("rendered", "When it is rendered"), ("approved", "When it is approved")],
                default="rendered",
                max_length=10,
            ),
        ),
        migrations.AddField(
            model_name="renderpreset",
            name="shared",
            field=models.BooleanField(default=True, verbose_name="shared"),
        ),
        migrations.AddField(
            model_name="worker",
            name="loaded",
            field=models.CharField(blank=True, max_length=64, verbose_name="loaded models"),
        ),
        migrations.AddField(
            model_name="workflow",
            name="author",
            field=models.ForeignKey(
                blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="workflow",
            name="family",
            field=models.CharField(blank=True, max_length=16, verbose_name="prompt dialect"),
        ),
        migrations.AddField(
            model_name="workflow",
            name="model_key",
            field=models.CharField(blank=True, max_length=64),
        ),
        migrations.AddField(
            model_name="workflow",
            name="needs",
            field=models.JSONField(blank=True, default=dict, verbose_name="needs"),
        ),
        migrations.AddField(
            model_name="workflow",
            name="origin",
            field=models.CharField(
                choices=[("engine", "Built in"), ("own", "Brought along")],
                default="engine",
                max_length=8,
                verbose_name="origin",
            ),
        ),
        migrations.AddField(
            model_name="workflow",
            name="project",
            field=models.ForeignKey(
                blank=True,
                help_text="Empty: every project may use it.",
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="own_workflows",
                to="projects.project",
            ),
        ),
        migrations.AddField(
            model_name="workflow",
            name="slots",
            field=models.JSONField(blank=True, default=list, verbose_name="parameters"),
        ),
        migrations.AddField(
            model_name="worker",
            name="schema",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="workers",
                to="renders.machineschema",
            ),
        ),
        migrations.CreateModel(
            name="RenderBatch",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                (
                    "kind",
                    models.CharField(
                        choices=[("selection", "Selection"), ("variants", "A/B"), ("chain", "Continuity chain")],
                        default="selection",
                        max_length=12,
                        verbose_name="kind",
                    ),
                ),
                ("title", models.CharField(blank=True, max_length=200, verbose_name="title")),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "actor",
                    models.ForeignKey(
                        blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "project",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="batches", to="projects.project"
                    ),
                ),
            ],
            options={
                "verbose_name": "render batch",
                "verbose_name_plural": "render batches",
                "ordering": ["-created_at"],
            },
        ),
        migrations.AddField(
            model_name="renderjob",
            name="batch",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="jobs",
                to="renders.renderbatch",
            ),
        ),
        migrations.CreateModel(
            name="WorkflowGraph",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.PositiveIntegerField(verbose_name="number")),
                ("nodes", models.JSONField()),
                ("about", models.JSONField(default=dict)),
                ("sha256", models.CharField(max_length=64)),
                ("source", models.CharField(blank=True, max_length=300, verbose_name="source")),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "author",
                    models.ForeignKey(
                        blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "workflow",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="graphs", to="renders.workflow"
                    ),
                ),
            ],
            options={
                "verbose_name": "workflow graph",
                "verbose_name_plural": "workflow graphs",
                "ordering": ["-number"],
            },
        ),
        migrations.AddField(
            model_name="renderjob",
            name="graph",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="jobs",
                to="renders.workflowgraph",
            ),
        ),
        migrations.AddField(
            model_name="workflow",
            name="graph",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to="renders.workflowgraph",
            ),
        ),
        migrations.CreateModel(
            name="Experience",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("width", models.PositiveIntegerField(verbose_name="width")),
                ("height", models.PositiveIntegerField(verbose_name="height")),
                ("frames", models.PositiveIntegerField(verbose_name="frames")),
                ("gpu", models.CharField(blank=True, max_length=160, verbose_name="GPU")),
                ("vram_gb", models.PositiveSmallIntegerField(verbose_name="VRAM (GB)")),
                ("succeeded", models.PositiveIntegerField(default=0, verbose_name="succeeded")),
                ("out_of_memory", models.PositiveIntegerField(default=0, verbose_name="out of memory")),
                ("failed", models.PositiveIntegerField(default=0, verbose_name="failed")),
                ("seconds", models.FloatField(default=0.0, verbose_name="seconds in all")),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "workflow",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="experience", to="renders.workflow"
                    ),
                ),
            ],
            options={
                "verbose_name": "experience",
                "verbose_name_plural": "experience",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("workflow", "width", "height", "frames", "gpu", "vram_gb"), name="experience_of_work"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Pause",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "scope",
                    models.CharField(
                        choices=[("project", "Project"), ("capability", "Class of card"), ("workflow", "Workflow")],
                        max_length=12,
                        verbose_name="of",
                    ),
                ),
                ("key", models.CharField(max_length=40)),
                ("reason", models.CharField(blank=True, max_length=300, verbose_name="reason")),
                ("since", models.DateTimeField(auto_now_add=True, verbose_name="since")),
                (
                    "actor",
                    models.ForeignKey(
                        blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "verbose_name": "pause",
                "verbose_name_plural": "pauses",
                "constraints": [models.UniqueConstraint(fields=("scope", "key"), name="pause_of_scope")],
            },
        ),
        migrations.CreateModel(
            name="Seam",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("score", models.FloatField(verbose_name="jump")),
                ("details", models.JSONField(blank=True, default=dict)),
                ("measured_at", models.DateTimeField(auto_now=True)),
                (
                    "after",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="seams_before", to="renders.version"
                    ),
                ),
                (
                    "before",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="seams_after", to="renders.version"
                    ),
                ),
                (
                    "project",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="seams", to="projects.project"
                    ),
                ),
            ],
            options={
                "verbose_name": "seam",
                "verbose_name_plural": "seams",
                "constraints": [models.UniqueConstraint(fields=("before", "after"), name="seam_between")],
            },
        ),
        migrations.CreateModel(
            name="WorkerBlock",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("failures", models.PositiveIntegerField(default=0, verbose_name="failures")),
                ("reason", models.TextField(blank=True, verbose_name="reason")),
                ("since", models.DateTimeField(auto_now_add=True, verbose_name="since")),
                (
                    "worker",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="blocks", to="renders.worker"
                    ),
                ),
                (
                    "workflow",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="blocks", to="renders.workflow"
                    ),
                ),
            ],
            options={
                "verbose_name": "block",
                "verbose_name_plural": "blocks",
                "constraints": [models.UniqueConstraint(fields=("worker", "workflow"), name="block_of_worker")],
            },
        ),
        migrations.CreateModel(
            name="WorkerFit",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("fits", models.BooleanField(verbose_name="fits")),
                ("reasons", models.JSONField(blank=True, default=list, verbose_name="reasons")),
                ("checked_at", models.DateTimeField(auto_now=True)),
                (
                    "worker",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="fits", to="renders.worker"
                    ),
                ),
                (
                    "workflow",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="fits", to="renders.workflow"
                    ),
                ),
            ],
            options={
                "verbose_name": "fit",
                "verbose_name_plural": "fits",
                "constraints": [models.UniqueConstraint(fields=("worker", "workflow"), name="fit_of_worker")],
            },
        ),
        migrations.AddConstraint(
            model_name="workflowgraph",
            constraint=models.UniqueConstraint(fields=("workflow", "number"), name="graph_of_workflow"),
        ),
        migrations.RunPython(batches_of_groups, migrations.RunPython.noop),
        migrations.RemoveField(
            model_name="renderjob",
            name="group",
        ),
    ]
