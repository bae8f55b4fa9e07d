"""The dialog of a mirror: its fields as a person fills them in. What they may be, the services say."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from aipipeline.projects.errors import Invalid
from mirror.models import ACCESS_VARIABLE, SECRET_VARIABLE, MirrorTarget, TargetKind
from mirror.services.targets import EDITABLE
from renders.models import VersionKind

INTERVALS = (0, 15, 60, 360, 1440)


def every_text(minutes: int) -> str:
    """How often, in words."""
    if not minutes:
        return _("By hand only")
    if minutes % 1440 == 0:
        return ngettext("Every day", "Every %(n)s days", minutes // 1440) % {"n": minutes // 1440}
    if minutes % 60 == 0:
        return ngettext("Every hour", "Every %(n)s hours", minutes // 60) % {"n": minutes // 60}
    return ngettext("Every minute", "Every %(n)s minutes", minutes) % {"n": minutes}


class MirrorForm(forms.Form):
    """`values()` are fields for `create_target` and `update_target`."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=60)
    kind = forms.ChoiceField(
        label=gettext_lazy("Kind"), choices=TargetKind.choices, initial=TargetKind.PATH, widget=forms.RadioSelect
    )
    path = forms.CharField(
        label=gettext_lazy("Folder"),
        required=False,
        max_length=500,
        help_text=gettext_lazy("As the server sees it. Choose a new or an empty folder, on another disk or a NAS."),
    )
    endpoint_url = forms.CharField(
        label=gettext_lazy("Server address"),
        required=False,
        max_length=300,
        help_text=gettext_lazy("For example http://nas:9000. Empty: Amazon S3."),
    )
    region = forms.CharField(label=gettext_lazy("Region"), required=False, max_length=40)
    bucket = forms.CharField(label=gettext_lazy("Bucket"), required=False, max_length=63)
    key_prefix = forms.CharField(
        label=gettext_lazy("Prefix"),
        required=False,
        max_length=300,
        help_text=gettext_lazy("A folder of its own inside the bucket."),
    )
    key_variable = forms.CharField(
        label=gettext_lazy("Variable of the access key"), required=False, max_length=80, initial=ACCESS_VARIABLE
    )
    secret_variable = forms.CharField(
        label=gettext_lazy("Variable of the secret"), required=False, max_length=80, initial=SECRET_VARIABLE
    )
    kinds = forms.MultipleChoiceField(
        label=gettext_lazy("Versions to copy"),
        required=False,
        choices=VersionKind.choices,
        widget=forms.CheckboxSelectMultiple,
    )
    every_minutes = forms.TypedChoiceField(label=gettext_lazy("When"), coerce=int)
    limit_mb = forms.FloatField(
        label=gettext_lazy("At most MB a second (0: no limit)"),
        required=False,
        min_value=0,
        max_value=100_000,
        initial=0,
    )
    enabled = forms.BooleanField(label=gettext_lazy("Switched on"), required=False, initial=True)

    def __init__(self, *args: Any, target: MirrorTarget | None = None, **kwargs: Any) -> None:
        if target is not None:
            kwargs["initial"] = {name: getattr(target, name) for name in EDITABLE} | {
                "key_prefix": target.prefix,
                "limit_mb": f"{target.limit_mb:g}",
            }
        super().__init__(*args, **kwargs)
        own = {target.every_minutes} if target is not None else set()
        every = self.fields["every_minutes"]
        assert isinstance(every, forms.TypedChoiceField)
        every.choices = [(n, every_text(n)) for n in sorted({*INTERVALS, *own})]

    def values(self) -> dict[str, Any]:
        """Invalid by field."""
        if not self.is_valid():
            errors = {name: [str(text) for text in found] for name, found in self.errors.items()}
            raise Invalid(_("Please look at these fields again."), fields=errors)
        found = dict(self.cleaned_data)
        found["prefix"] = found.pop("key_prefix")  # the `prefix` of a form is something else in Django
        found["limit_mb"] = float(found["limit_mb"] or 0)
        return found
