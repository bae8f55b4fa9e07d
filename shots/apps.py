from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ShotsConfig(AppConfig):
    name = "shots"
    verbose_name = _("Shots")

    def ready(self) -> None:
        from shots import exporters, receivers, tables  # noqa: F401 - receivers connect as they are imported

        exporters.register()
        tables.register_tables()
