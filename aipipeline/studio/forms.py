"""Forms of the studio's own pages."""

from django import forms
from django.utils.translation import gettext_lazy as _

from aipipeline.projects.models import Project


class ProjectForm(forms.ModelForm[Project]):
    class Meta:
        model = Project
        help_texts = {
            "code": _("Letters A-Z, digits, _ and -. It names the folder and never changes."),
        }
        fields = ("title", "code", "description", "fps", "width", "height", "engine", "language")
