"""Liveness, readiness, metrics."""

from typing import Any

import pytest
from django.test import Client

from renders.services import queue
from renders.tests import farm_world as world
from tests.factories import applied_project

pytestmark = pytest.mark.django_db


def test_health_and_readiness_answer_without_a_login(client: Client) -> None:
    assert client.get("/healthz").json() == {"status": "ok"}
    parts = client.get("/readyz").json()["parts"]
    assert parts == {"database": "ok", "redis": "ok", "storage": "ok"}


def test_metrics_want_their_token(client: Client, settings: Any) -> None:
    assert client.get("/metrics").status_code == 404
    settings.METRICS_TOKEN = "secret-token"
    assert client.get("/metrics").status_code == 401
    answer = client.get("/metrics", headers={"Authorization": "Bearer secret-token"})
    assert b"aip_workers" in answer.content


def test_metrics_tell_the_queue_by_class_and_the_outcomes_of_attempts(
    client: Client, settings: Any, project: Any, admin_user: Any
) -> None:
    shot = applied_project(project, admin_user)[0]
    gpu = world.worker()
    one = world.workflow()
    world.job(shot, one)
    queue.end_attempt(attempt=world.begun(gpu), state="failed", error="x", cause="engine")
    world.job(shot, one)
    settings.METRICS_TOKEN = "secret-token"
    text = client.get("/metrics", headers={"Authorization": "Bearer secret-token"}).content.decode()
    assert 'aip_render_queue{class="gpu.vram8",state="queued"} 1.0' in text
    assert 'aip_render_queue{class="gpu.vram48",state="running"} 0.0' in text
    assert 'aip_render_attempts{cause="engine",state="failed"} 1.0' in text


def test_pages_allow_no_inline_script(client: Client) -> None:
    policy = client.get("/login/")["Content-Security-Policy"]
    assert "script-src 'self';" in policy
    assert "unsafe" not in policy
