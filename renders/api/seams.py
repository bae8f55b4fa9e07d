"""The seams of a project's shots over REST."""

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from aipipeline.projects.api.views import Endpoint
from renders.models import Seam, Version
from renders.selectors import links_of
from renders.services.seams import pairs_of, told


class Seams(Endpoint):
    """In story order; `score` is null until it was measured. `chain`: the one began with the other's last frame."""

    def get(self, request: Request, code: str) -> Response:
        project = self.project(code, "project.view")
        pairs = pairs_of(project)
        seams = {(seam.before_id, seam.after_id): seam for seam in told(project, pairs)}
        links = links_of([project.pk])
        shots = dict(Version.objects.filter(pk__in={pk for pair in pairs for pk in pair}).values_list("pk", "shot_id"))
        rows = [_row(a, b, seams.get((a, b)), shots, links.get(b) == a) for a, b in pairs]
        return Response({"results": rows, "next": None, "previous": None})


def _row(before: int, after: int, seam: Seam | None, shots: dict[int, Any], chain: bool) -> dict[str, Any]:
    return {
        "before": {"version": before, "shot": shots[before]},
        "after": {"version": after, "shot": shots[after]},
        "chain": chain,
        "score": seam.score if seam else None,
        "details": seam.details if seam else {},
        "measured_at": seam.measured_at if seam else None,
    }
