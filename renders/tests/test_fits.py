"""What servers say that they can do, which workflows fit to them, and what is refused before anything is queued."""

import gzip
import json
from collections.abc import Mapping
from typing import Any

import pytest

from renders import backends
from renders.backends import BackendError, Wanted
from renders.models import MachineSchema, Worker, WorkerBlock, WorkerFit, Workflow, WorkflowGraph
from renders.services import fits
from renders.services.fits import FitWatch, check_workflows, keep_schema, refusals
from renders.tests import farm_world as world
from tests.factories import applied_project

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]


class Servers:
    """An engine whose servers list the nodes that they have; a workflow needs the nodes that `needs` names."""

    key = "listed"

    def __init__(self) -> None:
        self.lists: dict[str, Any] = {}
        self.asked: list[str] = []
        self.checked: list[str] = []

    def run(self, context: Any, reporter: Any) -> Any:
        raise NotImplementedError

    def schema(self, endpoint: str) -> dict[str, Any]:
        self.asked.append(endpoint)
        if endpoint not in self.lists:
            raise BackendError("away", later=True)
        return dict(self.lists[endpoint])

    def check(self, wanted: Wanted, schema: Mapping[str, Any]) -> list[str]:
        self.checked.append(wanted.workflow)
        row = Workflow.objects.get(key=wanted.workflow)
        needed = [*row.needs.get("nodes", []), *(wanted.graph or {}).get("nodes", {}), *wanted.params.get("loras", [])]
        return [f"{name} is missing. Install it." for name in needed if name not in schema]


@pytest.fixture
def servers(monkeypatch: pytest.MonkeyPatch) -> Servers:
    made = Servers()
    monkeypatch.setitem(backends._backends, made.key, made)
    monkeypatch.setitem(backends._schemas, made.key, made.schema)
    monkeypatch.setitem(backends._checks, made.key, made.check)
    fits.schema.cache_clear()
    return made


def listed(name: str, **fields: Any) -> Worker:
    return world.worker(name, backend="listed", endpoint=f"http://{name}", **fields)


def needing(key: str, *nodes: str, **fields: Any) -> Workflow:
    return world.workflow(key, backend="listed", needs={"nodes": list(nodes)}, **fields)


def fit_of(worker: Worker) -> dict[str, bool]:
    return dict(WorkerFit.objects.filter(worker=worker).values_list("workflow__key", "fits"))


def test_a_list_is_kept_once_for_all_that_say_the_same(servers: Servers) -> None:
    one, two = listed("one"), listed("two")
    assert keep_schema(worker=one, said={"b": 1, "a": {"한글": 2}})
    assert keep_schema(worker=two, said={"a": {"한글": 2}, "b": 1})
    assert not keep_schema(worker=two, said={"a": {"한글": 2}, "b": 1})
    row = MachineSchema.objects.get()
    assert json.loads(gzip.decompress(bytes(row.body))) == {"a": {"한글": 2}, "b": 1}
    assert keep_schema(worker=two, said={"c": 1})
    assert keep_schema(worker=one, said={"c": 1})
    assert MachineSchema.objects.get().pk == Worker.objects.get(name="one").schema_id, "what nobody says is not kept"


def test_the_watch_keeps_the_rows_and_looks_again_at_what_changed(servers: Servers) -> None:
    servers.lists["http://gpu"] = {"A": {}}
    gpu = listed("gpu")
    needing("own.a", "A")
    lacking = needing("own.b", "A", "B")
    needing("own.off", "A", enabled=False)
    watch = FitWatch("gpu")
    assert watch.look()
    assert fit_of(gpu) == {"own.a": True, "own.b": False}
    assert WorkerFit.objects.get(workflow=lacking).reasons == ["B is missing. Install it."]
    servers.checked.clear()
    assert not watch.look()
    assert (servers.asked, servers.checked) == (["http://gpu"], [])
    graph = WorkflowGraph.objects.create(workflow=lacking, number=1, nodes={"C": {}}, about={}, sha256="x")
    Workflow.objects.filter(pk=lacking.pk).update(graph=graph)
    assert watch.look()
    assert servers.checked == ["own.b"]
    assert len(WorkerFit.objects.get(workflow=lacking).reasons) == 2
    Workflow.objects.filter(key="own.off").update(enabled=True)
    Workflow.objects.filter(key="own.a").update(enabled=False)
    assert watch.look()
    assert fit_of(gpu) == {"own.off": True, "own.b": False}
    servers.lists["http://gpu"] = {"A": {}, "B": {}, "C": {}}
    watch.ask_again()
    assert watch.look()
    assert fit_of(gpu)["own.b"] is True


def test_a_server_that_is_away_keeps_what_was_known_and_is_asked_when_it_is_back(servers: Servers) -> None:
    servers.lists["http://gpu"] = {"A": {}}
    gpu = listed("gpu")
    needing("own.a", "A", "B")
    watch = FitWatch("gpu")
    assert watch.look()
    Worker.objects.update(error="does not answer")
    assert not watch.look()
    assert fit_of(gpu) == {"own.a": False}
    servers.lists["http://gpu"] = {"A": {}, "B": {}}
    Worker.objects.update(error="")
    assert watch.look()
    assert fit_of(gpu) == {"own.a": True}


def test_engines_without_lists_have_no_rows(servers: Servers) -> None:
    world.worker("cpu", backend="local", vram=0)
    assert not FitWatch("cpu").look()
    assert not WorkerFit.objects.exists()


def test_a_workflow_that_cannot_be_looked_at_concerns_itself_alone(
    servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    def torn(wanted: Wanted, schema: Mapping[str, Any]) -> list[str]:
        if wanted.workflow == "own.torn":
            raise KeyError("nodes")
        return []

    monkeypatch.setitem(backends._checks, "listed", torn)
    gpu = listed("gpu")
    keep_schema(worker=gpu, said={"A": 1})
    rows = [needing("own.torn"), needing("own.whole")]
    assert check_workflows(worker=gpu, workflows=rows) == [rows[1].pk]
    assert fit_of(gpu) == {"own.torn": False, "own.whole": True}


def test_work_goes_to_the_worker_that_fits(servers: Servers, project: Any, admin_user: Any) -> None:
    shot = applied_project(project, admin_user)[0]
    servers.lists.update({"http://one": {"A": {}}, "http://two": {"A": {}, "B": {}}})
    one, two = listed("one"), listed("two")
    mine = world.job(shot, needing("own.b", "B"))
    for worker in (one, two):
        FitWatch(worker.name).look()
    assert world.take(one) is None
    assert world.take(two) == mine


def test_a_new_list_of_a_blocked_worker_lifts_its_blocks_where_it_fits(servers: Servers) -> None:
    servers.lists["http://gpu"] = {"A": {}}
    gpu = listed("gpu")
    fitting, lacking = needing("own.a", "A"), needing("own.b", "B")
    watch = FitWatch("gpu")
    watch.look()
    for row in (fitting, lacking):
        WorkerBlock.objects.create(worker=gpu, workflow=row, failures=3)
    watch.ask_again()
    watch.look()
    assert WorkerBlock.objects.count() == 2, "nothing is new"
    servers.lists["http://gpu"] = {"A": {"updated": True}}
    watch.ask_again()
    watch.look()
    assert WorkerBlock.objects.get().workflow == lacking


def test_what_no_server_can_do_is_refused_with_all_reasons(servers: Servers) -> None:
    one = needing("own.a", "A")
    assert refusals(workflow=one, params={}) == [], "nothing is known"
    gpu = listed("gpu")
    assert refusals(workflow=one, params={}) == []
    keep_schema(worker=gpu, said={"B": 1})
    assert refusals(workflow=one, params={}) == ["A is missing. Install it."]
    assert refusals(workflow=one, params={"loras": ["x"]}) == ["A is missing. Install it.", "x is missing. Install it."]
    other = listed("other")
    assert refusals(workflow=one, params={}) == [], "a worker that has said nothing yet may be able to"
    keep_schema(worker=other, said={"C": 1})
    reasons = refusals(workflow=one, params={})
    assert reasons == ["gpu: A is missing. Install it.", "other: A is missing. Install it."]
    keep_schema(worker=other, said={"A": 1})
    assert refusals(workflow=one, params={}) == []
    Worker.objects.filter(name="other").update(state="offline")
    assert refusals(workflow=one, params={}) == ["A is missing. Install it."]
    Worker.objects.update(state="offline")
    assert refusals(workflow=one, params={}) == [], "asleep, but known to be able to"


def test_a_graph_that_is_not_the_workflows_own_yet_can_be_asked_for(servers: Servers) -> None:
    one = needing("own.a")
    keep_schema(worker=listed("gpu"), said={"A": 1})
    graph = WorkflowGraph.objects.create(workflow=one, number=2, nodes={"Z": {}}, about={}, sha256="x")
    assert refusals(workflow=one, params={}) == []
    assert refusals(workflow=one, graph=graph, params={}) == ["Z is missing. Install it."]
