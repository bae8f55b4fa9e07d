import gc

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class StudioConfig(AppConfig):
    name = "aipipeline.studio"
    verbose_name = _("Studio")

    def ready(self) -> None:
        from aipipeline.studio import tasks  # noqa: F401  (its kinds of work have words on every page)

        # The last app is ready: what is loaded by now lives as long as the process. Without this each full collection
        # walks all of it again, 0.2 s in the middle of a large request, and forked workers copy pages for nothing.
        gc.collect()
        gc.freeze()
