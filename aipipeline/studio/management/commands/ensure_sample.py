"""Start the sample production on the first start."""

from typing import Any

from django.core.management.base import BaseCommand

from aipipeline.studio.sample_production import ensure_sample


class Command(BaseCommand):
    help = "Start the sample production when there is no project yet (AIP_SAMPLE=0 switches it off)."

    def handle(self, *args: Any, **options: Any) -> None:
        task = ensure_sample()
        if task is not None:
            self.stderr.write("The sample production is being made; open the studio to watch.")
