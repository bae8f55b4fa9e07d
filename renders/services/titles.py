"""What a batch is called: how many of what, by which workflow."""

from collections.abc import Sequence

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from assets.models import Character, Environment
from renders.models import Workflow
from renders.services.making import Wish
from shots.models import Shot

LONGEST = 200


def name_of(workflow: Workflow) -> str:
    """Its title in the reader's language; of one that people brought, as they wrote it."""
    return _(workflow.title) if workflow.title else workflow.key


def title_of(wishes: Sequence[Wish]) -> str:
    """ "12 shots · FLUX text to image", in the language of whoever starts it."""
    owners = list(dict.fromkeys(wish.owner for wish in wishes))
    workflows = list({wish.workflow.pk: wish.workflow for wish in wishes}.values())
    variants = list(dict.fromkeys(wish.variant for wish in wishes if wish.variant))
    if len(owners) == 1:
        what = [str(owners[0])[:60]]
    else:
        counts = [sum(isinstance(owner, model) for owner in owners) for model in (Shot, Character, Environment)]
        told = (
            ngettext("%(n)d shot", "%(n)d shots", counts[0]) % {"n": counts[0]},
            ngettext("%(n)d character", "%(n)d characters", counts[1]) % {"n": counts[1]},
            ngettext("%(n)d environment", "%(n)d environments", counts[2]) % {"n": counts[2]},
        )
        what = [text for text, count in zip(told, counts, strict=True) if count]
    if variants:
        how = " / ".join(variants)
    elif len(workflows) == 1:
        how = name_of(workflows[0])
    else:
        how = ngettext("%(n)d workflow", "%(n)d workflows", len(workflows)) % {"n": len(workflows)}
    return f"{', '.join(what)} · {how}"[:LONGEST]
