"""Nobody reaches what is not theirs: every address is asked by a stranger, a guest and nobody."""

from typing import Any
from uuid import uuid4

import pytest
from django.urls import URLPattern, URLResolver, get_resolver

from aipipeline.history.project_services import set_member
from shots.models import Shot
from tests.factories import applied_project

pytestmark = pytest.mark.django_db

OPEN = ("login/", "logout/", "i18n/", "healthz", "readyz", "metrics", "api/v1/auth/token", "admin/", "static/")
VALUES = {"batch_id": str(uuid4()),
          "task_id": str(uuid4()), "job_id": str(uuid4()), "delivery_id": str(uuid4()), "token": "abc", "name": "x.png",
          "format": "edl", "suffix": "edl", "width": "160", "asset_id": "1", "path": "",
          "column": "custom.c1", "key": "own.x"}  # fmt: skip


def addresses(project: Any) -> list[str]:
    """One real address for every pattern of the site."""
    shot = Shot.objects.filter(project=project).first()
    assert shot is not None
    found: list[str] = []

    def walk(patterns: list[Any], prefix: str) -> None:
        for entry in patterns:
            if isinstance(entry, URLResolver):
                walk(entry.url_patterns, prefix + str(entry.pattern))
            elif isinstance(entry, URLPattern):
                found.append(_filled(prefix + str(entry.pattern), project, shot))

    walk(get_resolver().url_patterns, "")
    return sorted({f"/{url}" for url in found if not url.startswith(OPEN)})


def _filled(pattern: str, project: Any, shot: Shot) -> str:
    import re

    pattern = pattern.replace("^", "").replace("$", "")
    pattern = re.sub(r"\(\?P<code>[^)]*\)", project.code, pattern)
    pattern = re.sub(r"\(\?P<kind>[^)]*\)", "characters", pattern)
    pattern = re.sub(r"\(\?P<asset_id>[^)]*\)", "1", pattern)
    pattern = re.sub(r"\(\?P<path>[^)]*\)", "", pattern)

    def value(match: "re.Match[str]") -> str:
        name = match.group(1).split(":")[-1]
        if name == "code":
            return str(project.code)
        if name == "shot_id":
            return str(shot.pk)
        if name == "kind":
            return "proxy" if "make" in pattern else "shots" if "sheets" in pattern else "character"
        if name in ("format", "suffix"):
            return "xlsx" if "sheets" in pattern else "edl"
        return VALUES.get(name, "1")

    return re.sub(r"<([^>]+)>", value, pattern).replace("\\.", ".")


def test_nobody_gets_in_without_a_login(project: Any, admin_user: Any, client: Any) -> None:
    applied_project(project, admin_user)
    urls = addresses(project)
    assert len(urls) > 80
    for url in urls:
        answer = client.get(url)
        allowed = (401,) if url.startswith("/api/v1/") else (302, 401, 403)
        assert answer.status_code in allowed, (url, answer.status_code)
        if answer.status_code == 302:
            assert "/login/" in answer["Location"], url


def test_a_stranger_sees_no_project(project: Any, admin_user: Any, artist: Any, client: Any) -> None:
    applied_project(project, admin_user)
    client.force_login(artist)
    for url in addresses(project):
        if project.code not in url and "/shots/" not in url and "/versions/" not in url:
            continue
        for method in ("get", "post", "patch", "delete"):
            answer = getattr(client, method)(url, data={} if method == "post" else None)
            assert answer.status_code in (403, 404, 405), (method, url, answer.status_code)


def test_a_guest_reads_and_changes_nothing(project: Any, admin_user: Any, artist: Any, client: Any) -> None:
    shots = applied_project(project, admin_user)
    set_member(project=project, actor=admin_user, user=artist, role="guest")
    client.force_login(artist)
    assert client.get(f"/projects/{project.code}/shots/").status_code == 200
    base = f"/api/v1/projects/{project.code}"
    writes = [
        ("post", f"{base}/shots/", {}),
        ("patch", f"/api/v1/shots/{shots[0].pk}/", {"size": "CU"}),
        ("delete", f"/api/v1/shots/{shots[0].pk}/", None),
        ("post", f"{base}/confirm/", {}),
        ("post", f"{base}/renders/", {"shots": [shots[0].pk], "step": "first_image"}),
        ("patch", f"{base}/edit/", {"ops": []}),
        ("post", f"{base}/scenarios/", {"text": "INT. X - DAY"}),
        ("patch", f"{base}/", {"title": "x"}),
        ("put", f"{base}/naming/", {"templates": {}}),
        ("post", f"/projects/{project.code}/naming/save/", None),
        ("post", f"/projects/{project.code}/shots/confirm/", None),
    ]
    for method, url, body in writes:
        answer = getattr(client, method)(url, data=body, content_type="application/json")
        assert answer.status_code == 403, (method, url, answer.status_code)


def test_the_flower_page_is_for_staff(artist: Any, client: Any) -> None:
    client.force_login(artist)
    assert client.get("/flower/").status_code == 403
