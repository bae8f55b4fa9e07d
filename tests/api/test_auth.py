"""Tokens, tickets, and who gets which refusal."""

from typing import Any

import pytest
from django.core.cache import cache
from rest_framework.test import APIClient

from aipipeline.projects import tickets


@pytest.fixture(autouse=True)
def nobody_was_counted() -> None:
    cache.clear()


def login(client: APIClient, password: str = "pass-for-tests", **extra: Any) -> Any:
    body = {"username": "admin", "password": password}
    return client.post("/api/v1/auth/token/", body, format="json", **extra)


def test_a_token_opens_the_api_and_is_refreshed(project: Any) -> None:
    client = APIClient()
    tokens = login(client).json()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {tokens['access']}")
    assert client.get("/api/v1/projects/TEST/").status_code == 200
    fresh = APIClient().post("/api/v1/auth/token/refresh/", {"refresh": tokens["refresh"]}, format="json")
    assert fresh.status_code == 200
    assert fresh.json()["access"]


def test_a_client_with_a_token_needs_no_csrf_token(project: Any) -> None:
    client = APIClient(enforce_csrf_checks=True)
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {login(client).json()['access']}")
    assert client.post("/api/v1/projects/TEST/characters/", {"name": "민수"}, format="json").status_code == 201


def test_a_session_needs_the_csrf_token(project: Any, admin_user: Any) -> None:
    client = APIClient(enforce_csrf_checks=True)
    client.force_login(admin_user)
    answer = client.post("/api/v1/projects/TEST/characters/", {"name": "민수"}, format="json")
    assert answer.status_code == 403
    assert answer.json()["type"]


def test_a_wrong_password_and_a_broken_token_are_401_with_a_readable_message(project: Any) -> None:
    refused = login(APIClient(), "wrong")
    assert refused.status_code == 401
    assert refused.json()["message"]
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION="Bearer broken")
    answer = client.get("/api/v1/projects/")
    assert answer.status_code == 401
    assert "{" not in answer.json()["message"]
    assert APIClient().get("/api/v1/projects/").headers["WWW-Authenticate"].startswith("Bearer")


def test_guessing_is_slowed_down_by_peer_whatever_the_client_claims(project: Any) -> None:
    client = APIClient()
    answers = [login(client, "wrong", HTTP_X_FORWARDED_FOR=f"10.0.0.{n}").status_code for n in range(12)]
    assert answers[:10] == [401] * 10
    assert answers[10:] == [429] * 2
    last = login(client, "wrong")
    assert int(last.headers["Retry-After"]) > 0
    assert last.json()["type"] == "throttled"


def test_a_ticket_is_good_once(project: Any, admin_user: Any) -> None:
    client = APIClient()
    client.force_login(admin_user)
    answer = client.post("/api/v1/auth/ticket/")
    assert answer.status_code == 201
    ticket = answer.json()["ticket"]
    assert tickets.redeem(ticket) == admin_user.pk
    assert tickets.redeem(ticket) is None


def test_a_person_who_was_switched_off_is_out(project: Any, admin_user: Any) -> None:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {login(client).json()['access']}")
    admin_user.is_active = False
    admin_user.save()
    assert client.get("/api/v1/projects/").status_code == 401
