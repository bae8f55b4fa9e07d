"""Renders of characters and environments, from the request to the file in the production tree."""

import json
from typing import Any

import pytest
from PIL import Image

from assets.models import Character, Environment
from renders.models import RenderJob, Version, Worker
from renders.runner import run_attempt
from renders.services import queue
from shots.models import Shot
from shots.services.tree.metadata import write_stale

BASE = "/api/v1/projects/TEST/"
RENDERS = f"{BASE}renders/"


@pytest.fixture
def cast(project: Any, workflows: None) -> tuple[Character, Environment]:
    person = Character.objects.create(
        project=project, name="리나", role="작가", age="29", default_clothing="갈색 코트", color="#c06040"
    )
    place = Environment.objects.create(
        project=project, name="카페 · 낮", location="카페", interior=True, time_of_day="낮", weather="비"
    )
    return person, place


def work() -> None:
    """What a worker without a GPU does until nothing waits."""
    worker = Worker.objects.create(name="test", backends=["local"], state="online")
    while attempt := queue.claim(worker=worker):
        run_attempt(attempt.pk)


def test_a_sheet_and_a_plate_are_drawn_and_published(
    artist_api: Any, director_api: Any, project: Any, shots: list[Shot], cast: tuple[Character, Environment]
) -> None:
    person, place = cast
    director_api.post(f"{BASE}confirm/", {}, format="json")
    body = {"characters": [person.pk], "environments": [place.pk], "priority": 3}
    made = artist_api.post(RENDERS, body, format="json")
    assert made.status_code == 201, made.json()
    jobs = made.json()["jobs"]
    assert [(j["kind"], j["workflow"], j["priority"]) for j in jobs] == [("reference", "local.reference", 3)] * 2
    assert {(j["shot"], j["character"], j["environment"]) for j in jobs} == {
        (None, person.pk, None),
        (None, None, place.pk),
    }
    again = artist_api.post(RENDERS, body, format="json")
    assert again.json()["jobs"] == []
    work()
    for kind, row, folder in (
        ("characters", person, "assets/characters/CHR_리나"),
        ("environments", place, "assets/environments/ENV_카페_·_낮"),
    ):
        (version,) = artist_api.get(f"{BASE}{kind}/{row.pk}/versions/").json()["results"]
        assert (version["kind"], version["label"], version["status"]) == ("reference", "v001", "pending")
        assert version["path"] == f"{folder}/reference/v001"
        assert version["provenance"]["draft"] is True
        assert version["provenance"]["params"]["prompt"]
        name = f"TEST_{row.name.replace(' ', '_')}_reference_v001.png"
        with Image.open(project.root / version["path"] / name) as image:
            assert image.size == (320, 180)
            assert len(set(image.resize((40, 22)).getdata())) > 40
        assert artist_api.get(version["url"]).status_code == 200
        assert artist_api.get(version["thumbnail"]).status_code == 200
        assert artist_api.get(f"/api/v1/versions/{version['id']}/").json()["id"] == version["id"]
        approved = director_api.post(f"/api/v1/versions/{version['id']}/review/", {"verdict": "approve"}, format="json")
        assert approved.json()["version"]["status"] == "approved"
    assert artist_api.get("/projects/TEST/farm/").status_code == 200
    assert artist_api.get(f"/farm/jobs/{jobs[0]['id']}/").status_code == 200
    assert set(Shot.objects.values_list("status", flat=True)) == {"draft"}


def test_the_metadata_names_the_reference(
    artist_api: Any,
    director_api: Any,
    project: Any,
    shots: list[Shot],
    cast: tuple[Character, Environment],
    django_capture_on_commit_callbacks: Any,
) -> None:
    director_api.post(f"{BASE}confirm/", {}, format="json")
    artist_api.post(RENDERS, {"characters": [cast[0].pk]}, format="json")
    with django_capture_on_commit_callbacks(execute=True):
        work()
    write_stale(project.pk)
    facts = json.loads((project.root / "assets/characters/CHR_리나/character_meta.json").read_text())
    assert [v["path"] for v in facts["versions"]] == ["assets/characters/CHR_리나/reference/v001"]


def test_a_card_shows_the_character_it_is_of() -> None:
    from comfy_adapters.local.sheet import draw_reference

    facts = {"of": "character", "name": "리나", "color": "#d02020", "default_clothing": "빨간 코트"}
    red = draw_reference(facts, 640, 360, 1)
    blue = draw_reference({**facts, "color": "#2020d0"}, 640, 360, 1)
    assert red.size == (640, 360)
    assert red.tobytes() == draw_reference(facts, 640, 360, 1).tobytes()

    def share(image: Image.Image, strong: int, weak: int) -> float:
        pixels = list(image.resize((160, 90)).getdata())
        return sum(p[strong] > p[weak] + 50 for p in pixels) / len(pixels)

    assert share(red, 0, 2) > 0.05 > share(red, 2, 0)
    assert share(blue, 2, 0) > 0.05
    night = draw_reference({"of": "environment", "name": "골목", "interior": False, "time_of_day": "밤"}, 640, 360, 1)
    day = draw_reference({"of": "environment", "name": "골목", "interior": False, "time_of_day": "낮"}, 640, 360, 1)
    assert sum(night.convert("L").getdata()) < 0.6 * sum(day.convert("L").getdata())
    for odd in ({}, {"of": "character", "name": "가" * 500, "description": "나" * 9000, "color": "nonsense"}):
        assert draw_reference(odd, 64, 64, 0).size == (64, 64)


def test_shots_and_references_are_queued_together_or_not_at_all(
    artist_api: Any, shots: list[Shot], cast: tuple[Character, Environment], caller: Any
) -> None:
    both = {"shots": [shots[0].pk], "characters": [cast[0].pk], "step": "first_image"}
    refused: list[dict[str, Any]] = [
        {**both, "workflow": "local.panel"},
        {**both, "workflow": "local.reference"},
        {**both, "step": "cooking"},
        {"characters": [cast[0].pk], "workflow": "local.move"},
        {"characters": [99999]},
        {"characters": "all"},
        {"characters": [cast[1].pk + 10**6], "environments": [cast[1].pk]},
        {"characters": [], "environments": []},
    ]
    for body in refused:
        answer = artist_api.post(RENDERS, body, format="json")
        assert answer.status_code in (404, 422), body
    assert not RenderJob.objects.exists()
    assert caller("guest").post(RENDERS, both, format="json").status_code == 403
    made = artist_api.post(RENDERS, both, format="json")
    assert [job["workflow"] for job in made.json()["jobs"]].count("local.panel") == 1
    assert len(made.json()["jobs"]) == 2


def test_a_reference_is_uploaded_too(
    artist_api: Any, caller: Any, cast: tuple[Character, Environment], tmp_path: Any
) -> None:
    from django.core.files.uploadedfile import SimpleUploadedFile

    from tests.factories import picture

    data = picture(tmp_path / "a.png").read_bytes()
    url = f"{BASE}characters/{cast[0].pk}/versions/"
    made = artist_api.post(url, {"file": SimpleUploadedFile("a.png", data), "comment": "사진"}, format="multipart")
    assert made.status_code == 201, made.json()
    assert (made.json()["character"], made.json()["kind"]) == (cast[0].pk, "reference")
    assert Version.objects.get().file().is_file()
    assert artist_api.post(url, {"kind": "render"}, format="json").status_code == 422
    for who, status in (("guest", 403), ("stranger", 404)):
        upload = {"file": SimpleUploadedFile("a.png", data)}
        assert caller(who).post(url, upload, format="multipart").status_code == status
    assert artist_api.get(f"{BASE}characters/99999/versions/").status_code == 404
