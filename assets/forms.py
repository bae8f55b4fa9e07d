"""The fields of a library row as its page shows them. Saving goes by REST, one field at a time."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django import forms
from django.forms.boundfield import BoundField
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from aipipeline.projects.errors import NotFound
from aipipeline.projects.models import Project
from aipipeline.projects.tracked import Tracked
from assets.models import Character, CinematicPreset, Environment, LoRA
from assets.presets_vocabulary import suggestions


@dataclass(frozen=True)
class Kind:
    """One kind of library row: `plural` is its name in addresses of the API, `sections` are (title, fields)."""

    key: str
    plural: str
    model: type[Tracked]
    label: Any
    icon: str
    sections: tuple[tuple[Any, tuple[str, ...]], ...]


KINDS = {
    kind.key: kind
    for kind in (
        Kind("character", "characters", Character, gettext_lazy("Characters"), "user", (
            (gettext_lazy("Who"), ("role", "age", "color", "description", "relations")),
            (gettext_lazy("Wardrobe"), ("default_clothing", "outfits")),
            (gettext_lazy("LoRA"), ("use_lora", "lora", "lora_strength", "trigger_words")),
        )),
        Kind("environment", "environments", Environment, gettext_lazy("Environments"), "place", (
            (gettext_lazy("Place"), ("location", "interior", "time_of_day", "weather", "mood")),
            (gettext_lazy("Look"), ("description", "prompt")),
        )),
        Kind("preset", "presets", CinematicPreset, gettext_lazy("Cinematic presets"), "camera", (
            (gettext_lazy("Camera"), ("camera", "lens", "film_stock")),
            (gettext_lazy("Light and filters"), ("lighting", "filters", "description")),
        )),
        Kind("lora", "loras", LoRA, gettext_lazy("LoRAs"), "star", (
            ("", ("name", "path", "base_model", "trigger_words", "strength")),
        )),
    )
}  # fmt: skip
SUGGESTED = ("camera", "lens", "film_stock", "lighting", "filters")
_WIDE = ("description", "relations", "default_clothing", "prompt", "trigger_words", "lighting", "filters")


def kind_named(key: str) -> Kind:
    """By the name in a page's address; NotFound otherwise."""
    found = KINDS.get(key)
    if found is None:
        raise NotFound(_("There is no such kind of asset."))
    return found


@dataclass(frozen=True)
class Section:
    title: Any
    fields: list["Shown"]


@dataclass(frozen=True)
class Shown:
    """A field as it is drawn; `bound` is None for outfits, whose rows have a widget of their own."""

    name: str
    label: Any
    bound: BoundField | None = None
    wide: bool = False
    suggested: bool = False


def sections_of(kind: Kind, row: Any, project: Project) -> list[Section]:
    """The fields of a row in their sections, filled. One query for the LoRAs of a character."""
    form = form_for(kind, row, project)
    found = []
    for title, names in kind.sections:
        shown = [
            Shown(name, form[name].label, form[name], name in _WIDE, name in SUGGESTED)
            if name in form.fields
            else Shown(name, _("Outfits"), wide=True)
            for name in names
        ]
        found.append(Section(title, shown))
    return found


def form_for(kind: Kind, row: Any, project: Project) -> "forms.ModelForm[Any]":
    """Its widgets carry what the page's scripts need: the field's name, and what a text may be."""
    names = ["name", *(name for _title, fields in kind.sections for name in fields if name not in ("outfits", "name"))]
    form: forms.ModelForm[Any] = forms.modelform_factory(kind.model, fields=names)(instance=row)
    for name, field in form.fields.items():
        attrs: dict[str, Any] = {"autocomplete": "off", "data-control": name}
        if name in SUGGESTED:
            attrs["list"] = f"words-{name}"
        if isinstance(field.widget, forms.Textarea):
            attrs["rows"] = 3
        if isinstance(field, forms.FloatField):
            attrs |= {"step": "0.05", "min": "-2", "max": "2"}
        field.widget.attrs.update(attrs)
    if "color" in form.fields:
        form.fields["color"].widget.attrs.update({"placeholder": "#RRGGBB", "maxlength": "7"})
    if "lora" in form.fields:
        form.fields["lora"].queryset = project.loras.filter(removed_at=None)  # type: ignore[attr-defined]
    return form


def words() -> Mapping[str, list[str]]:
    """What the fields of a preset suggest."""
    return suggestions()
