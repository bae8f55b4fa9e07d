"""Vocabulary of a shot: framing, angle and camera movement, in the field's standard abbreviations."""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class ShotSize(TextChoices):
    """How much of the subject fills the frame, widest last."""

    ECU = "ECU", _("Extreme close-up")
    CU = "CU", _("Close-up")
    MCU = "MCU", _("Medium close-up")
    MS = "MS", _("Medium shot")
    MWS = "MWS", _("Medium wide shot")
    WS = "WS", _("Wide shot")
    EWS = "EWS", _("Extreme wide shot")
    INSERT = "INSERT", _("Insert")


class Angle(TextChoices):
    """Where the camera looks from."""

    EYE = "eye", _("Eye level")
    LOW = "low", _("Low angle")
    HIGH = "high", _("High angle")
    OVERHEAD = "overhead", _("Overhead")
    DUTCH = "dutch", _("Dutch angle")
    OTS = "ots", _("Over the shoulder")
    POV = "pov", _("Point of view")


class Movement(TextChoices):
    """How the camera moves during the shot."""

    STATIC = "static", _("Static")
    PAN_LEFT = "pan_left", _("Pan left")
    PAN_RIGHT = "pan_right", _("Pan right")
    TILT_UP = "tilt_up", _("Tilt up")
    TILT_DOWN = "tilt_down", _("Tilt down")
    PUSH_IN = "push_in", _("Push in")
    PULL_OUT = "pull_out", _("Pull out")
    TRACK_LEFT = "track_left", _("Track left")
    TRACK_RIGHT = "track_right", _("Track right")
    CRANE_UP = "crane_up", _("Crane up")
    CRANE_DOWN = "crane_down", _("Crane down")
    HANDHELD = "handheld", _("Handheld")
    ORBIT = "orbit", _("Orbit")
