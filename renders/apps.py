from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class RendersConfig(AppConfig):
    name = "renders"
    verbose_name = _("Renders")

    def ready(self) -> None:
        from renders import celery_signals, columns, events, exporters, receivers, selectors  # noqa: F401  (receivers connect themselves)
        from renders.dialects import dialect_of
        from renders.services import pointers
        from shots import providers

        events.register()
        exporters.register()
        providers.register_thumbnails(selectors.thumbnails)
        providers.register_dialect(dialect_of)
        columns.register()
        celery_signals.connect()
        pointers.register()
        post_migrate.connect(_after_migrate, sender=self)


def _after_migrate(**_kwargs: Any) -> None:
    from celery_workers.schedules import ensure_schedule
    from renders.services.workflows import sync_workflows

    sync_workflows()
    ensure_schedule(name="renders.reap", task="renders.reap", every_seconds=2.0)
    ensure_schedule(name="renders.recover", task="renders.recover", every_seconds=60.0)
    ensure_schedule(name="renders.seams", task="renders.seams", every_seconds=300.0)
    ensure_schedule(name="renders.sweep", task="renders.sweep", every_seconds=6 * 3600.0)
