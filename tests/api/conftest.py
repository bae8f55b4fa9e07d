"""A project with one person per role, and an API client for each of them."""

from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.test import APIClient

from aipipeline.history import project_services
from aipipeline.projects.models import User
from renders.services.workflows import sync_workflows
from shots.services import editing

Caller = Callable[[str], APIClient]


@pytest.fixture
def team(project: Any) -> dict[str, User]:
    """By role: admin, director, artist, guest, and a stranger who is a member of nothing."""
    people = {"admin": User.objects.get(username="admin")}
    for role in ("director", "artist", "guest"):
        people[role] = User.objects.create_user(username=f"the-{role}", password="pass-for-tests")
        project_services.set_member(project=project, actor=people["admin"], user=people[role], role=role)
    people["stranger"] = User.objects.create_user(username="the-stranger", password="pass-for-tests")
    return people


@pytest.fixture
def caller(team: dict[str, User]) -> Caller:
    """`caller("artist")` is a client that is logged in as the artist; "" is nobody."""

    def make(role: str) -> APIClient:
        client = APIClient(raise_request_exception=False)
        if role:
            client.force_login(team[role])
        return client

    return make


@pytest.fixture
def artist_api(caller: Caller) -> APIClient:
    return caller("artist")


@pytest.fixture
def director_api(caller: Caller) -> APIClient:
    return caller("director")


@pytest.fixture
def shots(project: Any, team: dict[str, User]) -> list[Any]:
    """Three shots in story order."""
    return [
        editing.create_shot(project=project, actor=team["director"], description=f"장면 {n}", duration_frames=48)
        for n in range(3)
    ]


@pytest.fixture
def workflows(db: None) -> None:
    sync_workflows()
