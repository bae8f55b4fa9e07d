"""The sample production: a short film that is made on the first start, so that a newcomer sees a finished example."""

from pathlib import Path
from typing import Any

import structlog
from django.conf import settings
from django.utils.translation import gettext_lazy

from aipipeline.projects.models import Project
from aipipeline.studio import production
from celery_workers.kinds import ledger_kind
from celery_workers.ledger import TaskContext, submit
from celery_workers.models import LedgerTask

log = structlog.get_logger(__name__)
FOLDER = Path(__file__).parent / "samples"
SAMPLE_CODE = "SAMPLE"
STAGE_LABELS = {
    "breakdown": gettext_lazy("Breakdown"),
    "confirm": gettext_lazy("Confirm"),
    "images": gettext_lazy("First images"),
    "proxy": gettext_lazy("Proxy"),
    "videos": gettext_lazy("Shot videos"),
    "film": gettext_lazy("Film"),
    "export": gettext_lazy("Export"),
}
SAMPLES = {"ko": ("night_bus.ko.txt", "밤 버스"), "en": ("night_bus.en.fountain", "Night Bus")}


def ensure_sample(*, language: str = "") -> LedgerTask | None:
    """Start the sample production unless it exists, was removed, or is switched off (AIP_SAMPLE=0)."""
    if not settings.AIP_SAMPLE or Project.objects.exists():
        return None
    filename, title = SAMPLES[language or ("en" if settings.LANGUAGE_CODE.startswith("en") else "ko")]
    project, scenario = production.open_project(
        code=SAMPLE_CODE,
        title=title,
        data=(FOLDER / filename).read_bytes(),
        filename=filename,
        actor=None,
        width=960,
        height=540,
    )
    Project.objects.filter(pk=project.pk).update(is_sample=True)
    return submit(kind="studio.produce", project=project, actor=None, params={"scenario": scenario.pk})


@ledger_kind("studio.produce", label=gettext_lazy("Sample production"), queue="system")
def produce(context: TaskContext) -> dict[str, Any]:
    """The whole production as one background task: every stage is a job or task of its own that it waits for."""
    project = context.task.project
    assert project is not None  # submitted with one
    scenario = project.scenarios.get(pk=context.params["scenario"])
    stages = production.STAGES

    def report(stage: str, value: float, message: str) -> None:
        done = stages.index(stage) if stage in stages else 0
        context.progress((done + value) / len(stages), f"{STAGE_LABELS[stage]} {message}".strip())

    made = production.run(project=project, scenario=scenario, out=None, report=report)
    return made.as_json()
