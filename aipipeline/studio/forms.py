"""Forms of the studio's own pages."""

from django import forms

from aipipeline.projects.models import Project


class ProjectForm(forms.ModelForm[Project]):
    class Meta:
        model = Project
        fields = ("code", "title", "description", "fps", "width", "height", "engine", "language")
