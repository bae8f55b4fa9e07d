"""Scenarios over REST."""

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from rest_framework.request import Request
from rest_framework.response import Response

from aipipeline.projects.api.views import Endpoint, UploadEndpoint, integer, integers, only, text
from aipipeline.projects.errors import Invalid, NotFound
from aipipeline.projects.permissions import require
from celery_workers.kinds import ledger_kind
from celery_workers.ledger import TaskContext, submit
from shots.api.forms import shots_json
from shots.models import Scenario
from shots.scenario.reading import MAX_BYTES
from shots.selectors import scenarios_of, shots_of
from shots.services import scenarios


def scenario_json(row: Scenario) -> dict[str, Any]:
    names = ("title", "source_name", "state", "dialect", "revision")
    return {"id": row.pk, **{name: getattr(row, name) for name in names}}


class Scenarios(UploadEndpoint):
    def get(self, request: Request, code: str) -> Response:
        rows = scenarios_of(self.project(code, "project.view"), request.user).defer("text", "proposal")
        return self.page(rows, lambda found: [scenario_json(row) for row in found], ordering=("-id",))

    def post(self, request: Request, code: str) -> Response:
        project = self.project(code, "scenario.edit")
        upload = request.FILES.get("file")
        body = self.body()
        only(body, "text", "file", "title")
        pasted = text(body, "text", limit=MAX_BYTES)
        if upload is not None:
            # One byte more than is taken: the reader itself then says that it is too large.
            data, name = upload.read(MAX_BYTES + 1), str(upload.name)
        elif pasted.strip():
            data, name = pasted.encode(), "pasted.txt"
        else:
            raise Invalid(_("Send `text` or a `file`."), fields={"text": [_("empty")]})
        row = scenarios.add_scenario(
            project=project,
            actor=request.user,
            data=data,
            filename=name,
            title=text(body, "title", limit=200),
            tab=self.tab,
        )
        return Response(scenario_json(row), status=201)


class ScenarioEndpoint(Endpoint):
    def scenario(self, scenario_id: int, operation: str) -> Scenario:
        row = Scenario.objects.visible_to(self.request.user).live().filter(pk=scenario_id).first()
        if row is None:
            raise NotFound(_("There is no such scenario, or you are not a member of its project."))
        require(self.request.user, operation, row.project)
        return row  # type: ignore[no-any-return]


class Analyse(ScenarioEndpoint):
    def post(self, request: Request, scenario_id: int) -> Response:
        row = self.scenario(scenario_id, "scenario.edit")
        task = submit(kind="shots.analyse", project=row.project, actor=request.user, params={"scenario": row.pk})
        return Response({"task": str(task.pk)}, status=202)


@ledger_kind("shots.analyse", label=gettext_lazy("Breakdown"))
def analyse(context: TaskContext) -> dict[str, Any]:
    """The breakdown as background work: long texts, and one day a language model."""
    row = Scenario.objects.get(pk=context.params["scenario"])
    row = scenarios.analyse_scenario(scenario=row, actor=context.task.actor)
    return {"scenario": row.pk, "shots": len(row.proposal.get("shots", []))}


class Proposal(ScenarioEndpoint):
    def get(self, request: Request, scenario_id: int) -> Response:
        row = self.scenario(scenario_id, "project.view")
        return Response({**row.proposal, "revision": row.revision, "state": row.state})

    def patch(self, request: Request, scenario_id: int) -> Response:
        body = self.body()
        seen = integer(body.pop("revision", None), "revision")
        row = scenarios.update_proposal(
            scenario=self.scenario(scenario_id, "scenario.edit"),
            actor=request.user,
            rows=body,
            seen=seen,
            tab=self.tab,
        )
        return Response({**row.proposal, "revision": row.revision, "state": row.state})


class Apply(ScenarioEndpoint):
    def post(self, request: Request, scenario_id: int) -> Response:
        row = self.scenario(scenario_id, "scenario.edit")
        body = self.body()
        only(body, "shots")
        wanted = body.get("shots")
        chosen = integers(wanted, "shots") if wanted is not None else None
        made = scenarios.apply_scenario(scenario=row, actor=request.user, tab=self.tab, chosen=chosen)
        rows = list(shots_of(row.project, request.user).filter(pk__in=[shot.pk for shot in made]))
        return Response({"shots": shots_json(rows)}, status=201)
