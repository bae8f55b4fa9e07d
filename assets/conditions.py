"""Place, time and weather as words: what a heading or an environment says, in Korean or English.

`time_of_day`, `weather` and `interior` read free text; the local engine and the prompts draw on the keys.
"""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class TimeOfDay(TextChoices):
    DAWN = "dawn", _("Dawn")
    MORNING = "morning", _("Morning")
    DAY = "day", _("Day")
    AFTERNOON = "afternoon", _("Afternoon")
    EVENING = "evening", _("Evening")
    DUSK = "dusk", _("Dusk")
    NIGHT = "night", _("Night")


class Weather(TextChoices):
    CLEAR = "clear", _("Clear")
    CLOUDY = "cloudy", _("Cloudy")
    RAIN = "rain", _("Rain")
    SNOW = "snow", _("Snow")
    FOG = "fog", _("Fog")
    STORM = "storm", _("Storm")
    WIND = "wind", _("Wind")
