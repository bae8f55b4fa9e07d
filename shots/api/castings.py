"""Who plays in a shot, and in what, over REST."""

from typing import Any

from django.utils.translation import gettext as _
from rest_framework.request import Request
from rest_framework.response import Response

from aipipeline.projects.api.views import integer, only
from aipipeline.projects.errors import Invalid, NotFound
from assets.models import Character
from shots.api.views import ShotEndpoint
from shots.models import Casting, Shot
from shots.selectors import castings_of
from shots.services.castings import EDITABLE, add_casting, remove_casting, update_casting


def casting_json(row: Casting) -> dict[str, Any]:
    """`effective` is what an engine gets: the LoRA's strength in this shot, 0 when it is not used."""
    names = ("outfit", "use_lora", "strength", "speaks", "order", "revision")
    return {
        "id": row.pk,
        "shot": row.shot_id,
        "character": row.character_id,
        **{name: getattr(row, name) for name in names},
        "effective": row.effective_strength,
    }


class Castings(ShotEndpoint):
    """The cast of a shot in order; POST casts a character."""

    def get(self, request: Request, shot_id: int) -> Response:
        rows = castings_of(self.shot(shot_id, "project.view"))
        return self.page(rows, lambda found: [casting_json(row) for row in found], ordering=("order", "id"))

    def post(self, request: Request, shot_id: int) -> Response:
        shot = self.shot(shot_id, "shots.edit")
        body = self.body()
        only(body, "character", *EDITABLE)
        number = integer(body.pop("character", None), "character")
        character = Character.objects.live().filter(project=shot.project, pk=number).first()
        if character is None:
            raise Invalid(_("There is no such character in this project."), fields={"character": [_("unknown id")]})
        row = add_casting(shot=shot, actor=request.user, character=character, tab=self.tab, **body)
        return Response(casting_json(row), status=201)


class CastingDetail(ShotEndpoint):
    def casting(self, shot: Shot, casting_id: int) -> Casting:
        row = castings_of(shot).filter(pk=casting_id).first()
        if row is None:
            raise NotFound(_("This character does not play in the shot any more."))
        return row

    def get(self, request: Request, shot_id: int, casting_id: int) -> Response:
        return Response(casting_json(self.casting(self.shot(shot_id, "project.view"), casting_id)))

    def patch(self, request: Request, shot_id: int, casting_id: int) -> Response:
        casting = self.casting(self.shot(shot_id, "shots.edit"), casting_id)
        body = self.body()
        seen = integer(body.pop("revision", None), "revision")
        row = update_casting(casting=casting, actor=request.user, fields=body, seen=seen, tab=self.tab)
        return Response(casting_json(row))

    def delete(self, request: Request, shot_id: int, casting_id: int) -> Response:
        casting = self.casting(self.shot(shot_id, "shots.edit"), casting_id)
        remove_casting(casting=casting, actor=request.user, tab=self.tab)
        return Response(status=204)
