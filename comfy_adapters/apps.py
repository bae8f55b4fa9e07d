from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ComfyAdaptersConfig(AppConfig):
    name = "comfy_adapters"
    verbose_name = _("Render engines")

    def ready(self) -> None:
        from comfy_adapters import engines

        engines.register()
