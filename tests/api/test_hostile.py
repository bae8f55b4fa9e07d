"""No address answers a wrong request with a server error, and every refusal of the API has the contract's form.

The addresses come from the URL patterns and the fields from what each endpoint itself calls unknown, so a new
endpoint is tried without a line here.
"""

import inspect
import json
import re
from collections import Counter
from typing import Any
from urllib.parse import urlencode

import pytest
from django.db import transaction
from django.test import Client
from django.urls import resolve

from aipipeline.tables.services.views import KNOWN
from shots.models import Scenario
from tests import hostile
from tests.factories import SCRIPT
from tests.world import build

pytestmark = pytest.mark.both_databases

METHODS = ("get", "post", "patch", "delete")
FIELDS = (
    "code", "title", "description", "fps", "width", "height", "steps", "engine", "language", "naming", "storage_root",
    "actor", "project", "tab", "fields", "kwargs", "revision", "username", "role", "text", "file", "name", "color",
    "outfits", "use_lora", "lora", "lora_strength", "path", "strength", "interior", "number", "heading", "environment",
    "scene", "preset", "size", "angle", "movement", "duration_frames", "seed", "handles", "characters", "environments",
    "after", "items", "create", "delete", "on_conflict", "ids", "before", "step", "to", "reason", "shots", "scenes",
    "accept", "kind", "comment", "verdict", "frame", "region", "workflow", "params", "priority", "ops", "refresh",
    "field", "value", "list", "index", "remove", "token", "draining", "which", "texts", "since", "config", "shared",
    "server", "windows", "macos", "linux", "default", "label", "type", "choices", "id", "assignee", "due_date",
    "status", "templates", "files", "deep", "scope", "key",
    "bucket", "prefix", "endpoint_url", "region", "key_variable", "secret_variable", "kinds", "limit_mb",
    "every_minutes", "enabled", "dry_run", "verify", "presets", "workflows", "inputs", "waits_for", "chain",
    "words", "target", "family", "prompt", "negative_prompt",
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
    return build(project, admin_user, artist)


GOOD: dict[str, dict[str, Any]] = {
    "api/v1/projects/": {"code": "NEW", "title": "t"},
    "api/v1/projects/<str:code>/members/": {"username": "artist", "role": "guest"},
    "api/v1/projects/<str:code>/scenarios/": {"text": SCRIPT},
    "api/v1/render-presets/": {"project": "TEST", "name": "n", "workflow": "local.panel"},
    "api/v1/versions/<int:version_id>/review/": {"verdict": "comment", "text": "t"},
    "api/v1/projects/<str:code>/renders/": {"workflow": "local.panel"},
    "api/v1/shots/<int:shot_id>/transition/": {"to": "ready"},
    "api/v1/shots/<int:shot_id>/unlock/": {"reason": "r"},
    "api/v1/projects/<str:code>/shots/transition/": {"to": "ready", "ids": []},
    "api/v1/projects/<str:code>/shots/columns/": {"label": "l", "type": "choice", "choices": [{"label": "a"}]},
    "api/v1/projects/<str:code>/shots/views/": {"name": "n", "config": {}},
    "api/v1/projects/<str:code>/shots/view/": {"config": {}},
    "api/v1/projects/<str:code>/naming/": {"templates": {}},
    "api/v1/projects/<str:code>/naming/preview/": {"templates": {}},
    "api/v1/projects/<str:code>/naming/read/": {"path": "scenes/SCN_010/shots/SHT_0010/render/v001/x.png"},
    "api/v1/projects/<str:code>/translations/": {"text": "비 오는 밤", "words": "a rainy night"},
    "api/v1/projects/<str:code>/mirrors/": {
        "name": "S3",
        "kind": "s3",
        "bucket": "films",
        "endpoint_url": "http://nas:9000",
    },
}

# Templates and paths at once: each is one or the other to somebody.
NAMES = (
    "..", "/", "//", "\\\\host\\share", "C:", "CON", "a\nb", "_" * 5000, "{" * 300, "<" * 300, "{shot}" * 40,
    "{shot:09}", "{shot:" + "0" * 99 + "}", "<{shot}>" * 12 + ".{ext}", "\u202e", "\u0301", "{\u0661}", "{version:٠٣}",
    "scenes/" * 500, "PRJ_" + "render_v001_" * 20, "v" + "9" * 250,
    "scenes/SCN_010/shots/SHT_0010/render/v" + "9" * 200, "TEST_" + "_" * 240 + ".png",
    "<{scene}/>{shot}", "{date}{date}.{ext}",
)  # fmt: skip


def inner_bodies(pattern: str, world: dict[str, Any]) -> list[dict[str, Any]]:
    """Bodies whose wrong value lies deeper: rows of batches and drafts, operations of the cut."""
    shot = world["shot_id"]
    if pattern.endswith("shots/batch/"):
        rows = [{"id": shot, "revision": bad} for bad in hostile.FEW] + [{"id": bad} for bad in hostile.FEW]
        names = ("scene", "characters", "seed", "description", "duration_frames", "size", "handles")
        names += ("custom.c1", "custom.none", "assignee", "due_date", "status", "code")
        rows += [
            {"id": shot, part: {name: bad}} for part in ("fields", "texts") for name in names for bad in hostile.FEW
        ]
        rows += [{"id": shot, "fields": bad, "texts": bad} for bad in hostile.FEW]
        return [{"items": [row]} for row in rows] + [{"create": [{"scene": bad}]} for bad in hostile.FEW]
    if pattern.endswith(("shots/views/", "shots/view/")):
        node = {"field": "size", "op": "is", "value": "CU"}
        configs: list[Any] = [{name: bad} for name in KNOWN for bad in hostile.FEW]
        configs += [{"filter": {**node, name: bad}} for name in node for bad in hostile.FEW]
        configs += [{"filter": {"and": [bad]}} for bad in hostile.FEW]
        configs += [{"columns": [[bad, bad]]} for bad in hostile.FEW] + [
            {"sort": [[bad, "asc"]]} for bad in hostile.FEW
        ]
        return [{"name": "n", "config": config} for config in configs]
    if pattern.endswith("shots/columns/"):
        choice = {"id": "o1", "label": "a", "color": "#fff"}
        return [
            {"label": "l", "type": "choice", "choices": [{**choice, n: bad}]} for n in choice for bad in hostile.FEW
        ]
    if pattern.endswith("/renders/"):
        good = {"shots": [shot], "workflow": "local.move"}
        named = [{"first_image": bad} for bad in hostile.VALUES]
        named += [{"first_image": {"version": bad, "frame": "last"}} for bad in hostile.FEW]
        named += [{"first_image": {"job": bad, "frame": 0}} for bad in hostile.FEW]
        named += [{"first_image": {"version": world["version_id"], "frame": bad}} for bad in hostile.FEW]
        names = ("seed", "width", "frames", "fps", "loras", "prompt", "movement", "none")
        asked: list[Any] = [{name: bad} for name in names for bad in hostile.VALUES]
        asked += [{"loras": [{"file": "a", name: bad}]} for name in ("file", "strength", "name") for bad in hostile.FEW]
        return [{**good, "inputs": inputs} for inputs in named] + [{**good, "params": params} for params in asked]
    if pattern.endswith("tree/adopt/"):
        item = {"path": "scenes/x/drop/a.png", "kind": "render"}
        return [{"files": [{**item, name: bad}]} for name in item for bad in [*hostile.FEW, *hostile.TEXT_PARTS]]
    if pattern.endswith(("/edit/", "timeline/change/")):
        ops = [
            {"op": "length", "shot": shot, "duration_frames": 5}, {"op": "move", "shot": shot, "before": None},
            {"op": "marker", "frame": 1, "name": "n", "comment": "c", "color": "red"}, {"op": "unmark", "marker": 1},
            {"op": "remove", "shot": shot}, {"op": "length", "shot": shot, "duration_frames": 5, "seen": 1},
        ]  # fmt: skip
        return [{"ops": [{**op, name: bad}]} for op in ops for name in op for bad in hostile.FEW]
    if pattern.endswith(("/naming/", "/naming/preview/")):
        bad_ones = [*hostile.VALUES, *NAMES]
        return [{"templates": {name: bad}} for name in ("shot", "file", "version", "none") for bad in bad_ones]
    if pattern.endswith("/naming/read/"):
        return [{"path": path} for path in NAMES]
    if pattern.endswith("/proposal/"):
        drafts = {
            "characters": ("name", "description", "clothing", "age", "outfits"),
            "environments": ("id", "location", "interior", "time_of_day", "mood"),
            "scenes": ("number", "heading", "environment_ref"),
            "shots": ("scene", "description", "dialogue", "characters", "suggested_duration", "environment_ref",
                      "span", "emotion", "size"),
        }  # fmt: skip
        return [{key: [{name: bad}]} for key, names in drafts.items() for name in names for bad in hostile.FEW]
    return []


def attack(client: Client, world: dict[str, Any], chosen: list[str], *, deep: bool) -> Attack:
    attack = Attack(client, api=True)
    for pattern in chosen:
        url = hostile.filled(pattern, world)
        for bad in hostile.spoiled(pattern, world):
            attack.send("get", bad)
        read = attack.send("get", url)
        for query in hostile.QUERIES if b'"results"' in getattr(read, "content", b"") else ():
            attack.send("get", url + query)
        for query in hostile.GRID_QUERIES if pattern.endswith(("shots/grid/", "shots/changes/")) else ():
            attack.send("get", url + query)
        attack.send("delete", url)
        for method in ("post", "patch", "put"):
            good = GOOD.get(pattern, {})
            if attack.send(method, url, good).status_code == 405:
                continue
            for body, content_type in hostile.BODIES if deep else hostile.BODIES[::6]:
                attack.send(method, url, body, content_type)
            if not deep:
                continue
            for name in attack.fields_of(method, url):
                for value in hostile.VALUES:
                    attack.send(method, url, {**good, name: value})
            for value in hostile.UNREADABLE:
                attack.send(method, url, {"x": value})
            for inner in inner_bodies(pattern, world):
                attack.send(method, url, inner)
    return attack


def of_api(pattern: str) -> bool:
    # The grids of environments and presets are the same views with the same code as those of characters.
    doubled = pattern.startswith(("api/v1/projects/<str:code>/environments/", "api/v1/projects/<str:code>/presets/"))
    return pattern.startswith("api/v1/") and "auth/" not in pattern and not doubled


PARTS = 4  # so that no test takes minutes, and several processes share the addresses


WHO = [*(("admin", part) for part in range(PARTS)), ("artist", None)]


@pytest.mark.parametrize(("who", "part"), WHO)
def test_no_endpoint_breaks(client: Client, world: dict[str, Any], who: str, part: int | None) -> None:
    from aipipeline.projects.models import User

    client.force_login(User.objects.get(username=who))
    client.raise_request_exception = False
    # What an artist may send passes the same code; what differs is who is refused, and when.
    chosen = [pattern for pattern in hostile.patterns() if of_api(pattern)]
    found = attack(client, world, chosen if part is None else chosen[part::PARTS], deep=part is not None)
    assert not found.broken, "\n".join(found.broken[:60])
    assert found.sent > 600
    expected = {200, 400, 404, 405, 415, 422} | ({201} if who == "admin" else {202, 403, 409})
    assert expected <= set(found.statuses)


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
            for value in [*hostile.VALUES, *hostile.UNREADABLE]:
                found.send("post", url, {"username": "admin", "password": "x", "refresh": "x", name: value})
    assert not found.broken, "\n".join(found.broken[:60])


def names_read_by(url: str) -> list[str]:
    """The fields that a page's view reads: the known names that it speaks of; none when it reads no body."""
    view = inspect.unwrap(resolve(url).func)
    words = set(re.findall(r'"(\w+)"', inspect.getsource(view)))
    reads = re.search(r"body_of|request\.(POST|FILES)|_ids\(|_save\(|Form\(", inspect.getsource(view))
    return [name for name in FIELDS if name in words | {"ids", "title", "name", "code"}] if reads else []


@pytest.mark.parametrize(("who", "part"), WHO)
def test_no_page_breaks(client: Client, world: dict[str, Any], who: str, part: int | None) -> None:
    from aipipeline.projects.models import User

    client.force_login(User.objects.get(username=who))
    client.raise_request_exception = False
    found = Attack(client, api=False)
    chosen = [pattern for pattern in hostile.patterns() if not pattern.startswith("api/")]
    for pattern in chosen if part is None else chosen[part::PARTS]:
        url = hostile.filled(pattern, world)
        for bad in hostile.spoiled(pattern, world):
            found.send("get", bad)
        if found.send("get", url).status_code == 200:
            for query in hostile.PAGE_QUERIES:
                found.send("get", url + query)
        method = "patch" if pattern.endswith(("cell/", "change/")) else "post"
        if found.send(method, url).status_code in (403, 405) or who != "admin":
            continue
        if names := names_read_by(url):
            spoil_form(found, method, url, names)
        for inner in inner_bodies(pattern, world):
            found.send(method, url, inner)
    assert not found.broken, "\n".join(found.broken[:60])
    assert {200, 404, 405} | ({403} if who == "artist" else set()) <= set(found.statuses)
    assert who != "admin" or found.statuses[422] > 100 / PARTS


def spoil_form(found: Attack, method: str, url: str, names: list[str]) -> None:
    """Every wrong body, every wrong value in all fields at once, and the worst ones in each field alone."""
    for body, content_type in hostile.BODIES:
        found.send(method, url, body, content_type)
    for value in [*hostile.VALUES, *hostile.UNREADABLE]:
        found.send(method, url, dict.fromkeys(names, value))
    for name in names:
        for value in (2**63 - 1, "²", [[1]], {"a": 1}):
            found.send(method, url, {name: value})
    for text in ("", "²", "\x00", "9" * 5000, "가" * 300):
        found.send(method, url, urlencode(dict.fromkeys(names, text)), "application/x-www-form-urlencoded")
