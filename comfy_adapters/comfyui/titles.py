"""The titles of the workflows that the app brings, as their slots files have them.

Titles are shown translated; the extraction of messages finds them here, it does not read the files.
"""

from django.utils.translation import gettext_noop as _

TITLES = (
    _("FLUX ControlNet canny"),
    _("FLUX ControlNet depth"),
    _("FLUX ControlNet pose"),
    _("FLUX Fill inpaint"),
    _("FLUX Fill outpaint"),
    _("FLUX Kontext edit"),
    _("FLUX image to image"),
    _("FLUX text to image"),
    _("Frame interpolation (RIFE VFI pack)"),
    _("Frame interpolation (RIFE, FILM)"),
    _("InstructPix2Pix edit"),
    _("LTX-2 image to video"),
    _("LTX-2.3 image to video"),
    _("LTX-2.5 first and last frame"),
    _("LTX-2.5 image to video"),
    _("Qwen ControlNet"),
    _("Qwen image edit (4 steps)"),
    _("Qwen image edit (40 steps)"),
    _("Qwen inpaint"),
    _("Real-ESRGAN upscale (image)"),
    _("Real-ESRGAN upscale (video)"),
    _("SVI 2.0 Pro long shot"),
    _("TeleStyle image"),
    _("TeleStyle video"),
    _("WAN 2.2 first and last frame"),
    _("WAN 2.2 first and last frame (4 steps)"),
    _("WAN 2.2 image to video"),
    _("WAN 2.2 image to video (4 steps)"),
    _("WAN-Animate (driving video)"),
    _("WAN-Animate 2 (driving video)"),
)
