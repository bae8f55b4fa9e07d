"""Liveness, readiness, metrics."""

from typing import Any

import pytest
from django.test import Client

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


def test_pages_allow_no_inline_script(client: Client) -> None:
    policy = client.get("/login/")["Content-Security-Policy"]
    assert "script-src 'self';" in policy
    assert "unsafe" not in policy
