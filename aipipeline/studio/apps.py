from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class StudioConfig(AppConfig):
    name = "aipipeline.studio"
    verbose_name = _("Studio")

    def ready(self) -> None:
        from aipipeline.studio import tasks  # noqa: F401  (its kinds of work have words on every page)
