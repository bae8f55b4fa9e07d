from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ProjectsConfig(AppConfig):
    name = "aipipeline.projects"
    verbose_name = _("Projects and people")

    def ready(self) -> None:
        from aipipeline.projects import events

        events.register()
