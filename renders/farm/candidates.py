"""What the dialog offers for one input: this shot's versions, references, other shots' pictures and clips, frames."""

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Case, F, IntegerField, Q, Value, When
from django.db.models.functions import Abs
from django.utils.translation import gettext as _

from aipipeline.projects.models import Project
from renders.farm.roles import Picture, Role, framed, pictures_of
from renders.models import Version, VersionKind, VersionStatus
from shots.models import Shot

MOST = 36
MOST_FRAMES = 12
READ = 400  # versions that are looked at for one list: of each owner and kind one is offered
LONGEST_QUERY = 80
# Of a neighbour's clip that frame is wanted which meets this one.
LOOKS = ("style_image", "reference_image")  # for these, references come first
FRAME_OF = {"first_image": "last", "last_image": "first"}


@dataclass(frozen=True)
class Offer:
    """One list of the picker. `more`: there are others, which the search finds."""

    title: str
    pictures: Sequence[Picture]
    more: bool = False


def offers_for(project: Project, role: Role, shots: Sequence[Shot], query: str = "") -> list[Offer]:
    """The lists that the picker of this role shows, those with nothing left out. Four queries at most.

    `query` is looked for in names and descriptions, whichever way its Hangul is composed.
    """
    rows = Version.objects.live().filter(project=project).exclude(status=VersionStatus.REJECTED)
    words = unicodedata.normalize("NFC", query).strip()[:LONGEST_QUERY]
    if words:
        rows = rows.filter(_said(words))
    medium = rows.filter(frames__isnull=not role.clip)
    one = shots[0] if len(shots) == 1 else None
    lists = [_of_shots(medium, role, shots, one)]
    if one is not None:
        mine = medium.filter(shot=one).annotate(fits=_fits(role)).order_by("-fits", "-number")
        lists.insert(0, _list(_("This shot"), pictures_of(mine[: MOST + 1])))
    lists.insert(0 if role.name in LOOKS else len(lists), _references(medium))
    if role.name in FRAME_OF:
        lists.append(_frames(rows, role, shots))
    return [offer for offer in lists if offer.pictures]


def _said(words: str) -> Q:
    names = ("shot__code", "shot__description", "character__name", "environment__name", "comment")
    found = Q()
    for name in names:
        found |= Q(**{f"{name}__icontains": words})
    return found


def _fits(role: Role) -> Any:
    """1 for the kinds that the input takes by itself: they come first."""
    return Case(When(kind__in=role.kinds, then=Value(1)), default=Value(0), output_field=IntegerField())


def _references(rows: Any) -> Offer:
    """Of each character and environment the approved reference, else the newest."""
    found = rows.filter(kind=VersionKind.REFERENCE, shot=None)
    found = found.order_by("character__name", "environment__name", "-number")
    return _list(_("References"), _current(pictures_of(found[:READ])))


def _of_shots(rows: Any, role: Role, shots: Sequence[Shot], one: Shot | None) -> Offer:
    """Of each shot and kind what counts now, the nearest in the story first."""
    found = rows.filter(shot__removed_at=None, shot__isnull=False)
    if one is not None:
        found = found.exclude(shot=one)
    found = found.annotate(fits=_fits(role), away=_away(shots)).order_by("-fits", "away", "shot", "-number")
    return _list(_("Other shots") if one is not None else _("Shots"), _current(pictures_of(found[:READ])))


def _frames(rows: Any, role: Role, shots: Sequence[Shot]) -> Offer:
    """Frames of the clips nearby."""
    clips = rows.filter(shot__removed_at=None, shot__isnull=False, frames__isnull=False)
    clips = clips.annotate(away=_away(shots)).order_by("away", "shot", "-number")
    current = _current(pictures_of(clips[:READ]))
    title = _("Last frames of clips") if role.name == "first_image" else _("First frames of clips")
    offer = _list(title, [framed(picture, FRAME_OF[role.name]) for picture in current])
    return Offer(offer.title, offer.pictures[:MOST_FRAMES], offer.more or len(offer.pictures) > MOST_FRAMES)


def _away(shots: Sequence[Shot]) -> Any:
    return Abs(F("shot__position") - shots[0].position)


def _current(pictures: Iterable[Picture]) -> list[Picture]:
    """Of each owner and kind the approved one, else the first; in the order in which they come."""
    found: dict[tuple[str, bool, str], Picture] = {}
    for picture in pictures:
        key = picture.owner, picture.place, picture.kind
        if key not in found or (
            picture.status == VersionStatus.APPROVED and found[key].status != VersionStatus.APPROVED
        ):
            found[key] = picture
    return list(found.values())


def _list(title: str, pictures: Sequence[Picture]) -> Offer:
    return Offer(title, pictures[:MOST], len(pictures) > MOST)
