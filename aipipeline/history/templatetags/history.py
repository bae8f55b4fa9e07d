"""Template tags that put actions into words."""

from django import template

from aipipeline.history import wording
from aipipeline.history.models import Action

register = template.Library()


@register.simple_tag
def action_words(action: Action) -> str:
    return wording.action_words(action)


@register.filter
def row_changes(action: Action) -> list[wording.RowChange]:
    return wording.row_changes(action)
