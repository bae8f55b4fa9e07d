"""No address answers a wrong request with a server error, and every refusal of the API has the contract's form.

The addresses come from the URL patterns and the fields from what each endpoint itself calls unknown, so a new
endpoint is tried without a line here.
"""

import json
from collections import Counter
from typing import Any

import pytest
from django.db import transaction
from django.test import Client

from assets.models import Character
from celery_workers.models import LedgerTask
from renders.models import Version, Worker
from shots.models import Scenario, Scene, Shot
from shots.services import scenarios
from tests import hostile
from tests.factories import SCRIPT, applied_project
from timeline.services.edits import apply_ops

pytestmark = pytest.mark.both_databases

METHODS = ("get", "post", "patch", "delete")
FIELDS = (
    "code", "title", "description", "fps", "width", "height", "steps", "engine", "language", "naming", "storage_root",
    "actor", "project", "tab", "fields", "kwargs", "revision", "username", "role", "text", "file", "name", "color",
    "outfits", "use_lora", "lora", "lora_strength", "path", "strength", "interior", "number", "heading", "environment",
    "scene", "preset", "size", "angle", "movement", "duration_frames", "seed", "handles", "characters", "environments",
    "after", "items", "create", "delete", "on_conflict", "ids", "before", "step", "to", "reason", "shots", "scenes",
    "accept", "kind", "comment", "verdict", "frame", "region", "workflow", "params", "priority", "ops", "refresh",
    "field", "value", "list", "index", "remove", "token", "draining", "which",
)  # fmt: skip


class Attack:
    """Sends requests that leave nothing behind, and keeps those that the server did not survive."""

    def __init__(self, client: Client, *, api: bool) -> None:
        self.client = client
        self.api = api
        self.sent = 0
        self.statuses: Counter[int] = Counter()
        self.broken: list[str] = []

    def send(self, method: str, url: str, data: Any = None, content_type: str = "application/json") -> Any:
        """One request; what it wrote is rolled back."""
        body = data if isinstance(data, (bytes, str)) else json.dumps(data if data is not None else {})
        with transaction.atomic():
            answer = self.client.generic(method.upper(), url, body, content_type=content_type)
            transaction.set_rollback(True)
        self.sent += 1
        self.statuses[answer.status_code] += 1
        where = f"{method} {url[:120]} {str(body)[:120]} {content_type}"
        if answer.status_code >= 500:
            why = answer.exc_info[1] if answer.exc_info else ""
            self.broken.append(f"{answer.status_code} {where}: {why!r}"[:500])
        elif self.api and answer.status_code >= 400:
            found = json.loads(answer.content or b"{}")
            if not (isinstance(found.get("type"), str) and found.get("message")) or set(found) - {
                "type", "message", "fields", "details",
            }:  # fmt: skip
                self.broken.append(f"{answer.status_code} {where}: {found}"[:400])
        return answer

    def fields_of(self, method: str, url: str) -> list[str]:
        """The names that this endpoint knows: all that it does not call unknown."""
        answer = self.send(method, url, dict.fromkeys(FIELDS, None))
        told = json.loads(answer.content or b"{}").get("fields", {}) if answer.status_code == 422 else {}
        # "kwargs" is no field of anything: an endpoint that does not refuse it reads only what it complains of.
        return [name for name in FIELDS if (name in told) != ("kwargs" in told)]


@pytest.fixture
def world(project: Any, admin_user: Any, artist: Any) -> dict[str, Any]:
    """One row of everything that an address can name; by the name of the address's part."""
    from aipipeline.history.project_services import set_member
    from renders.services.jobs import render_shots
    from renders.services.workflows import sync_workflows

    set_member(project=project, actor=admin_user, user=artist, role="artist")
    shots = applied_project(project, admin_user)
    sync_workflows()
    draft = scenarios.add_scenario(project=project, actor=admin_user, data=SCRIPT.encode(), filename="b.txt")
    scenarios.analyse_scenario(scenario=draft, actor=admin_user)
    rows = Shot.objects.filter(pk=shots[0].pk).select_related("project", "scene", "environment", "preset")
    (job,) = render_shots(project=project, actor=admin_user, shots=list(rows), workflow="local.panel")
    task = LedgerTask.objects.create(kind="timeline.film", project=project, actor=admin_user)
    version = Version.objects.create(
        project=project, shot=shots[0], kind="previz", number=1, state="published", path="x", manifest=[]
    )
    worker = Worker.objects.create(name="w", backends=["local"])
    apply_ops(project=project, actor=admin_user, ops=[{"op": "marker", "frame": 1, "name": "m"}])
    return {
        "code": project.code, "shot_id": shots[0].pk, "scene_id": Scene.objects.all()[0].pk, "scenario_id": draft.pk,
        "asset_id": Character.objects.all()[0].pk, "version_id": version.pk, "job_id": job.pk, "task_id": task.pk,
        "delivery_id": task.pk, "worker_id": worker.pk, "movie_id": 1, "width": 320, "username": artist.username,
        "token": "abc", "name": "x.png", "path": "",
    }  # fmt: skip


GOOD: dict[str, dict[str, Any]] = {
    "api/v1/projects/": {"code": "NEW", "title": "t"},
    "api/v1/projects/<str:code>/members/": {"username": "artist", "role": "guest"},
    "api/v1/projects/<str:code>/scenarios/": {"text": SCRIPT},
    "api/v1/render-presets/": {"project": "TEST", "name": "n", "workflow": "local.panel"},
    "api/v1/versions/<int:version_id>/review/": {"verdict": "comment", "text": "t"},
    "api/v1/projects/<str:code>/renders/": {"workflow": "local.panel"},
    "api/v1/shots/<int:shot_id>/transition/": {"to": "ready"},
    "api/v1/shots/<int:shot_id>/unlock/": {"reason": "r"},
}


def inner_bodies(pattern: str, world: dict[str, Any]) -> list[dict[str, Any]]:
    """Bodies whose wrong value lies deeper: rows of batches and drafts, operations of the cut."""
    shot = world["shot_id"]
    if pattern.endswith("shots/batch/"):
        rows = [{"id": shot, "revision": bad} for bad in hostile.VALUES] + [{"id": bad} for bad in hostile.VALUES]
        names = ("scene", "characters", "seed", "description", "duration_frames", "size", "handles")
        rows += [{"id": shot, "fields": {name: bad}} for name in names for bad in hostile.VALUES]
        return [{"items": [row]} for row in rows] + [{"create": [{"scene": bad}]} for bad in hostile.VALUES]
    if pattern.endswith(("/edit/", "timeline/change/")):
        ops = [
            {"op": "length", "shot": shot, "duration_frames": 5}, {"op": "move", "shot": shot, "before": None},
            {"op": "marker", "frame": 1, "name": "n", "comment": "c", "color": "red"}, {"op": "unmark", "marker": 1},
            {"op": "remove", "shot": shot}, {"op": "length", "shot": shot, "duration_frames": 5, "seen": 1},
        ]  # fmt: skip
        return [{"ops": [{**op, name: bad}]} for op in ops for name in op for bad in hostile.VALUES]
    if pattern.endswith("/proposal/"):
        drafts = {
            "characters": ("name", "description", "clothing", "age", "outfits"),
            "environments": ("id", "location", "interior", "time_of_day", "mood"),
            "scenes": ("number", "heading", "environment_ref"),
            "shots": ("scene", "description", "dialogue", "characters", "suggested_duration", "environment_ref",
                      "span", "emotion", "size"),
        }  # fmt: skip
        return [{key: [{name: bad}]} for key, names in drafts.items() for name in names for bad in hostile.VALUES]
    return []


def attack(client: Client, world: dict[str, Any], chosen: list[str], *, api: bool) -> Attack:
    attack = Attack(client, api=api)
    for pattern in chosen:
        url = hostile.filled(pattern, world)
        for bad in hostile.spoiled(pattern, world):
            for method in ("get", "post"):
                attack.send(method, bad)
        if attack.send("get", url).status_code != 405:
            for query in hostile.QUERIES:
                attack.send("get", url + query)
        for method in METHODS[1:]:
            good = GOOD.get(pattern, {})
            if attack.send(method, url, good).status_code == 405:
                continue
            for body, content_type in hostile.BODIES:
                attack.send(method, url, body, content_type)
            for name in attack.fields_of(method, url):
                for value in hostile.VALUES:
                    attack.send(method, url, {**good, name: value})
            for inner in inner_bodies(pattern, world):
                attack.send(method, url, inner)
    return attack


def of_api(pattern: str) -> bool:
    return pattern.startswith("api/v1/") and "auth/" not in pattern


@pytest.mark.parametrize("who", ["admin", "artist"])
def test_no_endpoint_breaks(client: Client, world: dict[str, Any], who: str) -> None:
    from aipipeline.projects.models import User

    client.force_login(User.objects.get(username=who))
    client.raise_request_exception = False
    found = attack(client, world, [p for p in hostile.patterns() if of_api(p)], api=True)
    assert not found.broken, "\n".join(found.broken[:60])
    assert found.sent > 3000
    assert {200, 201, 202, 400, 404, 405, 409, 415, 422} <= set(found.statuses)


def test_a_draft_of_nonsense_is_applied_or_refused(client: Client, world: dict[str, Any], admin_user: Any) -> None:
    client.force_login(admin_user)
    client.raise_request_exception = False
    found = Attack(client, api=True)
    url = f"/api/v1/scenarios/{world['scenario_id']}/"
    good = Scenario.objects.get(pk=world["scenario_id"]).proposal
    for body in inner_bodies("/proposal/", world):
        with transaction.atomic():
            answer = client.patch(f"{url}proposal/", json.dumps(body, ensure_ascii=True), "application/json")
            if answer.status_code == 200:
                (name,) = body
                if name != "shots":
                    client.patch(f"{url}proposal/", json.dumps({"shots": good["shots"]}), "application/json")
                found.send("post", f"{url}apply/")
            transaction.set_rollback(True)
    assert not found.broken, "\n".join(found.broken[:60])
    assert found.sent > 100


def test_no_login_breaks(client: Client, project: Any) -> None:
    client.raise_request_exception = False
    found = Attack(client, api=True)
    for url in ("/api/v1/auth/token/", "/api/v1/auth/token/refresh/"):
        for body, content_type in hostile.BODIES:
            found.send("post", url, body, content_type)
        for name in ("username", "password", "refresh"):
            for value in hostile.VALUES:
                found.send("post", url, {"username": "admin", "password": "x", "refresh": "x", name: value})
    assert not found.broken, "\n".join(found.broken[:60])
