from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CeleryWorkersConfig(AppConfig):
    name = "celery_workers"
    verbose_name = _("Background work")
