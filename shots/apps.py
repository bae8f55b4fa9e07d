from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class ShotsConfig(AppConfig):
    name = "shots"
    verbose_name = _("Shots")

    def ready(self) -> None:
        from shots import exporters, receivers, tables  # noqa: F401 - receivers connect as they are imported

        exporters.register()
        tables.register_tables()
        post_migrate.connect(_after_migrate, sender=self)


def _after_migrate(**_kwargs: Any) -> None:
    from celery_workers.schedules import ensure_schedule

    ensure_schedule(name="shots.write_metadata", task="shots.write_metadata", every_seconds=10.0)
