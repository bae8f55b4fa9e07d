"""A project's naming templates, saved."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _

from aipipeline.history.services import lock, recording
from aipipeline.projects.errors import Invalid
from aipipeline.projects.models import Project
from assets.naming import DEFAULTS, Checked, NameContext, check_templates


def save_templates(
    *,
    project: Project,
    actor: Any,
    templates: Mapping[str, Any],
    contexts: Sequence[NameContext],
    seen: int | None = None,
    tab: str = "",
) -> Checked:
    """Save the templates of a project as one action; a template that is missing or empty is the default again.

    `contexts`: the rows of the project, which the templates must keep apart. Invalid by template when one of them
    cannot be used, and then nothing is saved; Conflict when they changed since revision `seen`. What exists on disk
    stays where it is: templates count for what is made from now on.
    """
    checked = check_templates(templates, contexts)
    if checked.fields:
        name, messages = next(iter(checked.fields.items()))
        raise Invalid(
            _("The templates were not saved. %(name)s: %(message)s") % {"name": name, "message": messages[0]},
            fields=checked.fields,
            details={"problems": problems_json(checked)},
        )
    naming = {name: source for name, source in checked.templates.sources().items() if source != DEFAULTS[name]}
    with recording(project=project, actor=actor, kind="project.naming", tab=tab) as recorder:
        row: Project = lock(Project.objects.filter(pk=project.pk)).get()
        recorder.update(row, seen=seen, naming=naming)
    project.naming, project.revision = row.naming, row.revision
    return checked


def problems_json(checked: Checked) -> dict[str, list[dict[str, Any]]]:
    """The errors with their places: `place` and `length` in characters of the template, null for the whole of it."""
    return {
        name: [{"message": p.message, "place": p.place, "length": p.length} for p in found]
        for name, found in checked.errors.items()
        if found
    }
