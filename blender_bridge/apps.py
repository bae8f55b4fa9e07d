from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class BlenderBridgeConfig(AppConfig):
    name = "blender_bridge"
    verbose_name = _("DCC exchange")
