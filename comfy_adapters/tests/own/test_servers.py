"""Registered servers: what ran there lately, and what they lack for a graph."""

import gzip
import hashlib
import io
import json
import socket
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from PIL import Image

from aipipeline.history.project_services import create_project
from aipipeline.projects.errors import Invalid, NotFound
from comfy_adapters.comfyui import backend, catalogue, graphs
from comfy_adapters.own.checking import lacking, schema_of
from comfy_adapters.own.detect import detect
from comfy_adapters.own.history import from_history, recent, thumbnail
from comfy_adapters.selectors import prompts_visible_to
from comfy_adapters.tests.own import files
from renders.models import MachineSchema, RenderAttempt, RenderJob, Worker, Workflow
from renders.services import own_workflows
from tests.doubles.comfyui.process import ComfyDouble, running
from tests.factories import applied_project
from tests.harness.processes import wait_until

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def server() -> Iterator[ComfyDouble]:
    with running() as double:
        yield double


def ran(server: ComfyDouble, nodes: dict[str, Any], client_id: str = "x") -> str:
    answer = server.post("/prompt", prompt=nodes, client_id=client_id)
    assert answer.status_code == 200, answer.text
    prompt_id = str(answer.json()["prompt_id"])
    wait_until(lambda: prompt_id in server.get(f"/history/{prompt_id}"), seconds=30)
    return prompt_id


def test_what_ran_is_listed_with_a_picture_and_read_back(
    server: ComfyDouble, admin_client: Client, admin_user: Any
) -> None:
    nodes = files.graph()
    nodes["40"]["inputs"] |= {"seed": 77, "steps": 2}
    first, second = ran(server, nodes), ran(server, files.graph())
    worker = Worker.objects.create(name="card", endpoint=server.url)
    entries = recent(worker, admin_user)
    assert [entry.prompt_id for entry in entries[:2]] == [second, first]
    assert entries[0].succeeded
    assert entries[0].output.endswith(".png")
    assert "KSampler" in entries[0].classes
    assert from_history(worker, first, admin_user).nodes == nodes
    with Image.open(io.BytesIO(thumbnail(worker, first, admin_user))) as image:
        assert max(image.size) <= 240
    page = admin_client.get(f"/workflows/servers/{worker.pk}/").content.decode()
    assert first in page
    assert admin_client.get(f"/workflows/servers/{worker.pk}/{first}/thumb/")["Content-Type"] == "image/webp"
    assert admin_client.get(f"/workflows/servers/{worker.pk}/nothing/thumb/").status_code == 404
    form = admin_client.post("/workflows/read/", {"worker": worker.pk, "prompt_id": first}).content.decode()
    assert "What goes where" in form
    with pytest.raises(NotFound):
        from_history(worker, "../../system_stats", admin_user)


def test_what_the_studio_ran_is_for_those_who_see_its_project(
    server: ComfyDouble, client: Client, project: Any, admin_user: Any, artist: Any
) -> None:
    other = create_project(actor=admin_user, code="SECRET", title="남의 작품", width=320, height=180)
    project.memberships.create(user=artist, role="admin")
    by_hand = ran(server, files.graph())
    mine, theirs, piece = (ran(server, files.graph(), backend._client_id()) for _ in range(3))
    for of, prompt_id in ((project, mine), (other, theirs)):
        attempt = begun_attempt(of, admin_user)
        attempt.saved = {"prompt_id": prompt_id, "client_id": "x", "endpoint": server.url}
        attempt.save(update_fields=["saved"])
    worker = Worker.objects.create(name="card", endpoint=server.url)
    client.force_login(artist)
    page = client.get(f"/workflows/servers/{worker.pk}/")
    assert page.status_code == 200
    told = page.content.decode()
    assert [prompt_id in told for prompt_id in (by_hand, mine, theirs, piece)] == [True, True, False, False]
    for prompt_id, status in ((by_hand, 200), (mine, 200), (theirs, 404), (piece, 404)):
        assert client.get(f"/workflows/servers/{worker.pk}/{prompt_id}/thumb/").status_code == status
        form = {"worker": worker.pk, "prompt_id": prompt_id}
        assert client.post("/workflows/read/", form).status_code == status
    assert {entry.prompt_id for entry in recent(worker, admin_user)} >= {by_hand, mine, theirs, piece}


def test_prompts_are_found_by_an_index(project: Any, artist: Any) -> None:
    """Whatever the number of attempts: every page of a server's history asks for them."""
    if connection.vendor != "postgresql":
        return
    with connection.cursor() as cursor, CaptureQueriesContext(connection) as asked:
        prompts_visible_to(artist, {str(uuid.uuid4()): "x", "by hand": "y"})
        cursor.execute("SET LOCAL enable_seqscan = off")
        (query,) = [row["sql"] for row in asked if "renders_renderattempt" in row["sql"]]
        cursor.execute(f"EXPLAIN {query}")
        assert "attempts_of_prompt" in str(cursor.fetchall())


def begun_attempt(project: Any, actor: Any) -> RenderAttempt:
    shot = applied_project(project, actor)[0]
    key = f"own.{project.code.lower()}"
    made = Workflow.objects.create(key=key, title=key, backend="comfyui", output_kind="render", step="render")
    job = RenderJob.objects.create(project=project, shot=shot, workflow=made, kind="render", step="render")
    return RenderAttempt.objects.create(job=job, lease_until=timezone.now())


def test_only_servers_of_workers_are_asked(server: ComfyDouble, admin_client: Client) -> None:
    plain = Worker.objects.create(name="cpu")
    before = server.stats()
    for worker in (plain.pk, 10_000, server.url):
        body = {"worker": str(worker), "prompt_id": "x", "endpoint": server.url, "url": server.url}
        assert admin_client.post("/workflows/read/", body).status_code == 404
    assert admin_client.get(f"/workflows/servers/{plain.pk}/").status_code == 404
    assert server.stats() == before


def test_a_server_that_is_away_or_sends_its_visitors_elsewhere_is_told(server: ComfyDouble, admin_user: Any) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(Invalid, match="does not answer"):
        recent(Worker(name="off", endpoint=f"http://127.0.0.1:{port}"), admin_user)
    with pytest.raises(NotFound):
        recent(Worker(name="odd", endpoint=f"{server.url}/nothing/here"), admin_user)


def test_what_a_server_lacks_is_told_by_node_with_the_remedy() -> None:
    schema = json.loads((files.DOUBLE / "object_info-0.3.64.json").read_text(encoding="utf-8"))
    body = gzip.compress(json.dumps(schema).encode())
    kept = MachineSchema.objects.create(sha256=hashlib.sha256(body).hexdigest(), body=body)
    worker = Worker.objects.create(name="old", schema=kept, endpoint="http://127.0.0.1:9")
    assert schema_of(worker) == schema
    nodes = files.graph("ltx25_i2v")
    found = lacking(nodes, detect(nodes).about, schema)
    assert "LTXVDualCFGGuider" in {finding.class_type for finding in found}
    assert any("0.32.0" in finding.message for finding in found)
    nodes = files.graph()
    about = detect(nodes).about
    assert not [finding for finding in lacking(nodes, about, schema) if "models" not in finding.message]
    nodes["60"]["class_type"] = "StudioWriter"
    nodes["40"]["inputs"].pop("steps")
    del about["slots"]["steps"]
    told = {(finding.node, finding.input) for finding in lacking(nodes, about, schema)}
    assert {("60", ""), ("40", "steps")} <= told
    about["output"] = {"node": "50", "kind": "image"}
    assert any("saves nothing" in finding.message for finding in lacking(nodes, about, schema))


def test_a_brought_graph_is_described_as_the_same_one_that_is_built_in() -> None:
    for name in graphs.names():
        declared = catalogue.declaration(name)
        told = own_workflows._fields(files.about(name), files.graph(name))
        assert told["slots"] == list(declared.slots), name
        assert told["model_key"] == declared.model_key, name
        assert told["inputs"] == list(declared.inputs), name
        assert told["needs"]["models"] == declared.needs["models"], name
        assert told["needs"]["usual"] == declared.needs["usual"], name


def test_classes_that_only_a_server_knows_are_read_by_its_list(admin_client: Client) -> None:
    nodes = files.graph()
    nodes["60"] = {"class_type": "StudioWriter", "inputs": {"pictures": ["50", 0]}}
    told = {"StudioWriter": {"output_node": True, "python_module": "custom_nodes.studio-pack"}}
    body = gzip.compress(json.dumps(told).encode())
    page = admin_client.post("/workflows/read/", {"text": json.dumps(nodes)}).content.decode()
    assert "No node saves a picture" in page
    kept = MachineSchema.objects.create(sha256=hashlib.sha256(body).hexdigest(), body=body)
    Worker.objects.create(name="card", schema=kept, endpoint="http://127.0.0.1:9")
    page = admin_client.post("/workflows/read/", {"text": json.dumps(nodes)}).content.decode()
    assert "No node saves a picture" not in page
    assert "studio-pack" in page
