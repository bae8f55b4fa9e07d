from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class CeleryWorkersConfig(AppConfig):
    name = "celery_workers"
    verbose_name = _("Background work")

    def ready(self) -> None:
        post_migrate.connect(_after_migrate, sender=self)


def _after_migrate(**_kwargs: Any) -> None:
    from celery_workers.schedules import ensure_schedule

    ensure_schedule(name="history.prune", task="celery_workers.prune_changes", every_seconds=24 * 3600.0)
    ensure_schedule(name="tables.clean_imports", task="tables.clean_imports", every_seconds=24 * 3600.0)
