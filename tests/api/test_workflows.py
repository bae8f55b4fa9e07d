"""Workflows that people bring along, over REST."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from rest_framework.test import APIClient

from aipipeline.history.models import Action
from comfy_adapters.tests.own import files
from renders.models import Workflow, WorkflowGraph

pytestmark = pytest.mark.django_db
Caller = Callable[[str], APIClient]


def post(client: APIClient, body: dict[str, Any], url: str = "/api/v1/workflows/", status: int = 201) -> Any:
    answer = client.post(url, json.dumps(body), content_type="application/json")
    assert answer.status_code == status, answer.content[:500]
    return answer.json()


def patch(client: APIClient, key: str, body: dict[str, Any], status: int = 200) -> Any:
    answer = client.patch(f"/api/v1/workflows/{key}/", json.dumps(body), content_type="application/json")
    assert answer.status_code == status, answer.content[:500]
    return answer.json()


def test_a_lead_brings_a_graph_and_gets_the_detected_slots(project: Any, caller: Caller) -> None:
    director = caller("director")
    body = {"graph": files.blind("wan22_i2v"), "title": "밤 장면 i2v", "name": "night", "project": project.code}
    made = post(director, body)
    assert made["key"] == "own.night"
    assert (made["origin"], made["backend"], made["project"]) == ("own", "comfyui", project.code)
    assert (made["output_kind"], made["step"], made["family"], made["vram_gb"]) == ("render", "render", "wan", 24)
    assert made["about"]["slots"]["positive_prompt"] == [{"node": "20", "input": "text"}]
    assert made["about"]["inputs"][0]["role"] == "first_image"
    assert {"prompt", "negative_prompt", "seed", "loras", "steps"} <= set(made["slots"])
    assert {"length", "fps", "first_image", "filename_prefix"}.isdisjoint(made["slots"])
    assert made["evidence"]["positive_prompt"][0]["sure"] == "traced"
    row = Workflow.objects.get(key="own.night")
    assert row.graph is not None
    assert row.graph.nodes == files.blind("wan22_i2v")
    assert {m["file"] for m in row.needs["models"]} >= {"wan_2.1_vae.safetensors"}
    assert len(row.model_key) == 64
    action = Action.objects.get(kind="workflow.create")
    assert action.project == project
    assert "class_type" not in json.dumps(action.changes)


def test_a_file_a_wrapped_body_and_a_bare_graph_are_taken(caller: Caller, tmp_path: Path) -> None:
    admin = caller("admin")
    picture = files.png(tmp_path / "my look.png", files.packed_chunk("prompt", json.dumps(files.graph())))
    upload = SimpleUploadedFile("my look.png", picture.read_bytes())
    answer = admin.post("/api/v1/workflows/", {"file": upload, "about": '{"vram_gb": 12}'}, format="multipart")
    assert answer.status_code == 201, answer.content
    assert answer.json()["key"] == "own.my-look"
    assert answer.json()["vram_gb"] == 12
    assert Workflow.objects.get(key="own.my-look").graph.source == "my look.png"  # type: ignore[union-attr]
    assert post(admin, {"prompt": files.graph()})["key"] == "own.api"
    assert post(admin, files.graph())["key"] == "own.api-2"


def test_seeds_of_64_bits_are_taken_and_what_cannot_be_stored_is_not(caller: Caller) -> None:
    admin, nodes = caller("admin"), files.graph()
    nodes["40"]["inputs"]["seed"] = 2**64 - 1
    key = post(admin, {"graph": nodes, "title": "x"})["key"]
    kept = admin.get(f"/api/v1/workflows/{key}/graphs/1/").json()
    assert kept["nodes"]["40"]["inputs"]["seed"] == 2**64 - 1
    for body in (
        b'{"graph": {"1": {"class_type": "A\\u0000"}}}',
        b'{"graph": {"1": {"class_type": "A", "inputs": {"x": NaN}}}}',
        b'{"graph": []}',
        b'{"title": "no graph"}',
        b"[1]",
        b'{"graph": {"nodes": [], "links": []}}',
        json.dumps({"graph": nodes, "title": "x" * 500}).encode(),
        json.dumps({"graph": nodes, "odd": 1}).encode(),
        json.dumps({"graph": nodes, "about": {"family": "gpt"}}).encode(),
    ):
        answer = admin.post("/api/v1/workflows/", body, content_type="application/json")
        assert answer.status_code in (400, 422), body[:80]
        assert answer.json()["message"]
    large = b'{"graph": "' + b"x" * (9 << 20) + b'"}'
    assert admin.post("/api/v1/workflows/", large, content_type="application/json").status_code == 413
    assert Workflow.objects.filter(origin="own").count() == 1


def test_who_may(project: Any, caller: Caller) -> None:
    body = {"graph": files.graph(), "title": "a", "project": project.code}
    post(caller("artist"), body, status=403)
    post(caller("stranger"), body, status=404)
    post(caller("director"), {"graph": files.graph(), "title": "for all"}, status=403)
    assert Workflow.objects.filter(origin="own").count() == 0
    key = post(caller("director"), body)["key"]
    for role, status in (("artist", 200), ("guest", 200), ("stranger", 404)):
        assert caller(role).get(f"/api/v1/workflows/{key}/").status_code == status
        assert caller(role).get(f"/api/v1/workflows/{key}/graphs/1/").status_code == status
        listed = {row["key"] for row in caller(role).get("/api/v1/workflows/").json()["results"]}
        assert (key in listed) is (status == 200)
    patch(caller("artist"), key, {"vram_gb": 1}, status=403)
    patch(caller("artist"), key, {"enabled": False}, status=403)
    patch(caller("artist"), "local.panel", {"enabled": False}, status=403)
    patch(caller("admin"), "local.panel", {"vram_gb": 1}, status=422)
    assert patch(caller("admin"), "local.panel", {"enabled": False})["enabled"] is False


def test_a_correction_is_a_version_of_its_own_and_the_old_one_stays(caller: Caller) -> None:
    admin = caller("admin")
    key = post(admin, {"graph": files.blind("flux_t2i"), "title": "a"})["key"]
    first = Workflow.objects.get(key=key).graph
    assert first is not None
    slots = dict(first.about["slots"])
    slots["lighting"] = slots.pop("guidance")
    told = patch(admin, key, {"slots": slots, "constraints": {"size_multiple": 32}})
    assert told["graph"] == 2
    assert "lighting" in told["slots"]
    assert told["needs"]["constraints"] == {"size_multiple": 32}
    first.refresh_from_db()
    assert "guidance" in first.about["slots"]
    assert patch(admin, key, {"slots": slots})["graph"] == 2  # nothing new, no new version
    assert patch(admin, key, {"enabled": False})["enabled"] is False


WRONG: list[tuple[Any, str]] = [
    ({"slots": {"seed": [{"node": "404", "input": "seed"}]}}, "node 404 has no input seed"),
    ({"slots": {"Seed!": [{"node": "40", "input": "seed"}]}}, "Seed!"),
    ({"slots": {"a": [{"node": "40", "input": "seed"}], "b": [{"node": "40", "input": "seed"}]}}, "two slots"),
    ({"slots": {"seed": [{"node": "40", "input": "seed", "scale": 0}]}}, "scale"),
    ({"slots": {"seed": []}}, "list of inputs"),
    ({"slots": [1]}, "slots"),
    ({"output": {"node": "404", "kind": "image"}}, "Choose the node"),
    ({"makes": "soup"}, "makes"),
    ({"step": 3}, "step"),
    ({"vram_gb": "lots"}, "vram_gb"),
    ({"vram_gb": True}, "vram_gb"),
    ({"constraints": {"colour": 3}}, "size_multiple"),
    ({"models": [{"file": "x"}]}, "folder, file"),
    ({"lora_chain": {"class": "X", "after": {"model": ["404", 0]}}}, "lora_chain"),
    ({"custom_nodes": "x"}, "custom_nodes"),
    ({"title": ["x"]}, "title"),
    ({"inputs": []}, "read-only"),
]


def test_a_wrong_correction_is_refused_and_nothing_changes(caller: Caller) -> None:
    admin = caller("admin")
    key = post(admin, {"graph": files.graph(), "title": "a"})["key"]
    for changes, words in WRONG:
        told = patch(admin, key, changes, status=422)
        assert words in told["message"], changes
        assert told["fields"], changes
    assert WorkflowGraph.objects.count() == 1


def test_a_new_upload_is_the_next_version_with_what_was_corrected_carried_over(caller: Caller) -> None:
    admin = caller("admin")
    key = post(admin, {"graph": files.blind("flux_t2i"), "title": "a", "about": {"vram_gb": 20}})["key"]
    slots = dict(Workflow.objects.get(key=key).graph.about["slots"])  # type: ignore[union-attr]
    slots["strength_of_prompt"] = slots.pop("guidance")
    patch(admin, key, {"slots": slots})
    newer = files.blind("flux_t2i")
    newer["41"] = newer.pop("40")  # the sampler got another number
    newer["50"]["inputs"]["samples"] = ["41", 0]
    made = post(admin, {"graph": newer}, f"/api/v1/workflows/{key}/graphs/")
    assert made["number"] == 3
    assert made["about"]["slots"]["strength_of_prompt"] == [{"node": "21", "input": "guidance"}]
    assert "guidance" not in made["about"]["slots"]
    assert made["about"]["slots"]["seed"] == [{"node": "41", "input": "seed"}]
    assert made["about"]["vram_gb"] == 20
    assert made["evidence"]["strength_of_prompt"][0]["sure"] == "hand"
    assert [row["number"] for row in admin.get(f"/api/v1/workflows/{key}/graphs/").json()["results"]] == [3, 2, 1]
    post(admin, {"graph": newer}, "/api/v1/workflows/local.panel/graphs/", status=422)
