from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class MirrorConfig(AppConfig):
    name = "mirror"
    verbose_name = _("Mirrors")

    def ready(self) -> None:
        from mirror import work  # noqa: F401  (registers its ledger kinds: the web submits them, workers do them)

        post_migrate.connect(_after_migrate, sender=self)


def _after_migrate(**_kwargs: Any) -> None:
    from celery_workers.schedules import ensure_schedule

    ensure_schedule(name="mirror.run_due", task="mirror.run_due", every_seconds=15.0)
