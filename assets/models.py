"""What shots are made of: characters, environments, cinematic presets and LoRA files."""

from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from aipipeline.projects.models import Project
from aipipeline.projects.tracked import CustomFields, Tracked

STRENGTH = [MinValueValidator(-2.0), MaxValueValidator(2.0)]


class LoRA(Tracked):
    """A LoRA file as the ComfyUI machines name it, below their `loras` folder."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="loras")
    name = models.CharField(_("name"), max_length=120)
    path = models.CharField(_("file"), max_length=300, help_text=_("Below the loras folder of the server."))
    base_model = models.CharField(_("base model"), max_length=60, blank=True)
    trigger_words = models.CharField(_("trigger words"), max_length=300, blank=True)
    strength = models.FloatField(_("strength"), default=1.0, validators=STRENGTH)

    class Meta:
        verbose_name = _("LoRA")
        verbose_name_plural = _("LoRAs")
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["project", "name"], name="lora_name_in_project")]

    def __str__(self) -> str:
        return self.name


class Character(CustomFields, Tracked):
    """A person of the story. `outfits` is a list of {"name", "description"}."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="characters")
    name = models.CharField(_("name"), max_length=120)
    description = models.TextField(_("description"), blank=True)
    default_clothing = models.TextField(_("clothing"), blank=True)
    age = models.CharField(_("age"), max_length=40, blank=True)
    role = models.CharField(_("role"), max_length=120, blank=True)
    relations = models.CharField(_("relations"), max_length=300, blank=True)
    outfits = models.JSONField(_("outfits"), default=list, blank=True)
    color = models.CharField(_("colour"), max_length=7, blank=True, validators=[RegexValidator(r"^#[0-9A-Fa-f]{6}$")])
    use_lora = models.BooleanField(_("use LoRA"), default=False)
    lora = models.ForeignKey(LoRA, on_delete=models.SET_NULL, null=True, blank=True, verbose_name=_("LoRA"))
    lora_strength = models.FloatField(_("LoRA strength"), default=1.0, validators=STRENGTH)
    trigger_words = models.CharField(_("trigger words"), max_length=300, blank=True)

    class Meta:
        verbose_name = _("character")
        verbose_name_plural = _("characters")
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["project", "name"], name="character_name_in_project")]

    def __str__(self) -> str:
        return self.name

    def strength_of_lora(self, *, use: bool | None = None, strength: float | None = None) -> float:
        """What an engine applies: the file's own strength times the character's (or a shot's), 0 when not used."""
        used = self.use_lora if use is None else use
        if not used or self.lora is None or self.lora.removed_at is not None:
            return 0.0
        return round(self.lora.strength * (self.lora_strength if strength is None else strength), 4)

    def outfit_words(self, name: str) -> str:
        """The description of the outfit with this name; the name itself when there is none."""
        rows = self.outfits if isinstance(self.outfits, list) else []
        found = next((row for row in rows if isinstance(row, dict) and row.get("name") == name), {})
        return str(found.get("description") or "").strip() or name


class Environment(CustomFields, Tracked):
    """A place at a time. `interior`: None when the script does not say."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="environments")
    name = models.CharField(_("name"), max_length=160)
    location = models.CharField(_("location"), max_length=160, blank=True)
    interior = models.BooleanField(_("interior"), null=True, blank=True)
    time_of_day = models.CharField(_("time of day"), max_length=40, blank=True)
    weather = models.CharField(_("weather"), max_length=40, blank=True)
    mood = models.CharField(_("mood"), max_length=120, blank=True)
    description = models.TextField(_("description"), blank=True)
    prompt = models.TextField(_("prompt"), blank=True)

    class Meta:
        verbose_name = _("environment")
        verbose_name_plural = _("environments")
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["project", "name"], name="environment_name_in_project")]

    def __str__(self) -> str:
        return self.name


class CinematicPreset(CustomFields, Tracked):
    """How a shot is photographed: camera, lens, film stock, lighting, filters."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="cinematic_presets")
    name = models.CharField(_("name"), max_length=120)
    camera = models.CharField(_("camera"), max_length=120, blank=True)
    lens = models.CharField(_("lens"), max_length=120, blank=True)
    film_stock = models.CharField(_("film stock"), max_length=120, blank=True)
    lighting = models.CharField(_("lighting"), max_length=200, blank=True)
    filters = models.CharField(_("filters"), max_length=200, blank=True)
    description = models.TextField(_("description"), blank=True)

    class Meta:
        verbose_name = _("cinematic preset")
        verbose_name_plural = _("cinematic presets")
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["project", "name"], name="preset_name_in_project")]

    def __str__(self) -> str:
        return self.name
