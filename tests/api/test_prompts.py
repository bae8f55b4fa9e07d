"""Prompts and translations over REST, and the panel of the shot page: what they say, and to whom."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from aipipeline.history.services import redo, undo
from aipipeline.projects.models import User
from assets.models import Character, Environment, LoRA
from renders.models import RenderJob
from renders.services.jobs import render_references, render_shots
from shots.models import Casting, Shot, Translation
from shots.prompts import FAMILIES
from tests.api.conftest import Caller

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]
WORDS = "/api/v1/projects/TEST/translations/"


@pytest.fixture
def shot(project: Any, shots: list[Any], workflows: None) -> Shot:
    """A shot in Korean with a character that has a LoRA."""
    lora = LoRA.objects.create(project=project, name="rina", path="faces\\rina.safetensors", strength=0.5)
    rina = Character.objects.create(
        project=project, name="리나", default_clothing="red coat", use_lora=True, lora=lora, trigger_words="rina_v2"
    )
    place = Environment.objects.create(project=project, name="골목", time_of_day="밤", weather="비")
    Casting.objects.create(project=project, shot=shots[0], character=rina, strength=0.4)
    Shot.objects.filter(pk=shots[0].pk).update(description="리나가 걷는다.", environment=place, movement="push_in")
    return Shot.objects.get(pk=shots[0].pk)


def prompt_of(client: APIClient, shot: Shot, family: str = "") -> Any:
    return client.get(f"/api/v1/shots/{shot.pk}/prompt/", {"family": family} if family else {}).json()


def test_a_prompt_with_its_sources(artist_api: APIClient, shot: Shot) -> None:
    told = prompt_of(artist_api, shot, "flux")
    assert told["positive"] == (
        "Medium shot, eye level. 리나가 걷는다. rina_v2, 리나, wearing red coat. The setting is 골목, night, rain."
    )
    assert "".join(p["before"] + p["words"] + p["after"] for p in told["parts"] if p["kept"]) == told["positive"]
    worn = next(part for part in told["parts"] if part["field"] == "character.default_clothing")
    assert (worn["source"], worn["kind"]) == ("리나", "character")
    assert told["loras"] == [
        {"file": "faces\\rina.safetensors", "strength": 0.2, "name": "rina", "trigger_words": "rina_v2"}
    ]
    assert [warning["code"] for warning in told["warnings"]] == ["untranslated"]
    assert [row["text"] for row in told["translations"]] == ["리나가 걷는다.", "리나", "골목"]
    assert (told["count"], told["limit"], told["by_hand"]) == (46, 512, False)


def test_without_a_family_it_is_that_of_the_next_render(artist_api: APIClient, shot: Shot, project: Any) -> None:
    from renders.models import Workflow

    assert (prompt_of(artist_api, shot)["family"], prompt_of(artist_api, shot)["motion"]) == ("none", False)
    Workflow.objects.filter(key="comfy.wan22_i2v").update(family="wan")
    Shot.objects.filter(pk=shot.pk).update(current_step="render", workflow="comfy.wan22_i2v")
    told = prompt_of(artist_api, shot)
    assert (told["family"], told["motion"]) == ("wan", True)
    assert "The camera slowly pushes in." in told["positive"]
    Shot.objects.filter(pk=shot.pk).update(current_step="post")
    assert prompt_of(artist_api, shot)["family"] == "none"
    refused = artist_api.get(f"/api/v1/shots/{shot.pk}/prompt/?family=sd9")
    assert (refused.status_code, list(refused.json()["fields"])) == (422, ["family"])


def test_a_wording_is_written_used_changed_and_taken_away(artist_api: APIClient, shot: Shot) -> None:
    made = artist_api.patch(WORDS, {"text": " 리나가  걷는다. ", "words": "Rina walks."}, format="json")
    assert (made.status_code, made.json()["origin"], made.json()["text"]) == (200, "person", "리나가 걷는다.")
    assert " Rina walks. " in prompt_of(artist_api, shot, "flux")["positive"]
    row = artist_api.get(WORDS).json()["results"][0]
    changed = artist_api.patch(
        WORDS, {"id": row["id"], "words": "She walks", "revision": row["revision"]}, format="json"
    )
    assert changed.json()["words"] == "She walks"
    stale = artist_api.patch(WORDS, {"id": row["id"], "words": "x", "revision": row["revision"]}, format="json")
    assert (stale.status_code, stale.json()["details"]["current"]) == (409, {"words": "She walks"})
    assert artist_api.get(f"{WORDS}?origin=machine").json()["results"] == []
    gone = artist_api.patch(WORDS, {"id": row["id"], "words": ""}, format="json")
    assert gone.status_code == 204
    assert artist_api.get(WORDS).json()["results"] == []
    assert artist_api.patch(WORDS, {"id": row["id"], "words": "x"}, format="json").status_code == 404
    for body in ({"text": "비"}, {"words": "x"}, {"text": "rain", "words": "x"}, {"text": "비", "words": 5}, {"a": 1}):
        assert artist_api.patch(WORDS, body, format="json").status_code == 422


def test_who_may_read_and_who_may_write(caller: Caller, shot: Shot) -> None:
    body = {"text": "비", "words": "rain"}
    url, page = f"/api/v1/shots/{shot.pk}/prompt/", f"/projects/TEST/shots/{shot.pk}/prompt/"
    for role, reads, writes in (("guest", 200, 403), ("stranger", 404, 404), ("", 401, 401)):
        client = caller(role)
        assert [client.get(address).status_code for address in (url, WORDS)] == [reads, reads]
        assert client.patch(WORDS, body, format="json").status_code == writes
        if role:
            assert client.get(page).status_code == reads
            for name in ("take", "build", "save", "words", "translate"):
                assert client.post(f"{page}{name}/", {**body, "prompt": "x"}).status_code == writes
    assert Translation.objects.count() == 0


def test_a_row_of_another_project_is_not_reached(
    caller: Caller, shot: Shot, team: dict[str, User], project: Any
) -> None:
    from aipipeline.history.project_services import create_project
    from shots.services.translations import save_translation

    other = create_project(actor=team["admin"], code="OTHER", title="x")
    row = save_translation(project=other, actor=team["admin"], text="비", words="secret")
    assert row is not None
    artist = caller("artist")
    assert artist.patch(WORDS, {"id": row.pk, "words": "x"}, format="json").status_code == 404
    assert artist.get("/api/v1/projects/OTHER/translations/").status_code == 404
    assert "secret" not in str(artist.get(WORDS).json())
    assert caller("admin").get(f"/projects/OTHER/shots/{shot.pk}/prompt/").status_code == 404


def test_jobs_get_the_prompt_of_their_workflows_dialect(
    project: Any, shot: Shot, artist_api: APIClient, team: dict[str, User]
) -> None:
    from renders.models import Workflow

    Workflow.objects.filter(key="comfy.flux_t2i").update(family="flux")
    Workflow.objects.filter(key="comfy.wan22_i2v").update(family="wan")
    artist_api.patch(WORDS, {"text": "리나가 걷는다.", "words": "Rina walks."}, format="json")
    jobs = {}
    for key in ("local.panel", "comfy.flux_t2i", "comfy.wan22_i2v"):
        (jobs[key],) = render_shots(project=project, actor=team["admin"], shots=[shot], workflow=key)
    told = {key: RenderJob.objects.get(pk=job.pk).params for key, job in jobs.items()}
    assert "리나가 걷는다." in told["local.panel"]["prompt"]
    for key, family in (("comfy.flux_t2i", "flux"), ("comfy.wan22_i2v", "wan")):
        seen = prompt_of(artist_api, shot, family)
        assert told[key]["prompt"] == seen["positive"]
        assert told[key]["negative_prompt"] == seen["negative"]
    assert "Rina walks." in told["comfy.wan22_i2v"]["prompt"]
    (job,) = render_references(project=project, actor=team["admin"], owners=list(Character.objects.all()))
    assert job.params["prompt"].startswith("character sheet")


def test_taking_over_by_hand_and_back_are_undo_steps(artist_api: APIClient, shot: Shot, team: dict[str, User]) -> None:
    base = f"/projects/TEST/shots/{shot.pk}/prompt/"
    built = prompt_of(artist_api, shot, "sd")

    def now() -> tuple[str, str]:
        fresh = Shot.objects.get(pk=shot.pk)
        return fresh.prompt, fresh.negative_prompt

    body = {"family": "sd", "revision": shot.revision}
    taken = artist_api.post(f"{base}take/", body, headers={"X-AIP-Tab": "t"})
    assert taken.status_code == 200
    assert now() == (built["positive"], built["negative"])
    told = prompt_of(artist_api, shot, "wan")
    assert (told["positive"], told["by_hand"]) == (built["positive"], True)
    artist_api.post(f"{base}save/", {"family": "sd", "prompt": "mine"}, headers={"X-AIP-Tab": "t"})
    stale = artist_api.post(f"{base}save/", {**body, "prompt": "yours"}, headers={"HX-Request": "true"})
    assert (stale.status_code, now()[0]) == (409, "mine")
    artist_api.post(f"{base}build/", {"family": "sd"}, headers={"X-AIP-Tab": "t"})
    assert now() == ("", "")
    for wanted in (("mine", built["negative"]), (built["positive"], built["negative"]), ("", "")):
        undo(project=shot.project, actor=team["artist"], tab="t")
        assert now() == wanted
    redo(project=shot.project, actor=team["artist"], tab="t")
    assert now()[0] == built["positive"]


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("language", ["ko", "en"])
def test_the_panel_shows_the_text_of_each_dialect(caller: Caller, shot: Shot, family: str, language: str) -> None:
    from html.parser import HTMLParser

    client = caller("artist")
    client.cookies["django_language"] = language
    page = client.get(f"/projects/TEST/shots/{shot.pk}/prompt/?family={family}").content.decode()
    sides: dict[str, str] = {}

    class Reader(HTMLParser):
        side = ""

        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            self.side = dict(attrs).get("data-side") or self.side

        def handle_endtag(self, tag: str) -> None:
            self.side = "" if tag == "p" else self.side

        def handle_data(self, data: str) -> None:
            if self.side:
                sides[self.side] = sides.get(self.side, "") + data

    Reader().feed(page)
    told = prompt_of(client, shot, family)
    assert sides["positive"] == told["positive"]
    assert not told["negative"] or sides["negative"] == told["negative"]
    assert f'href="/projects/TEST/assets/character/{Character.objects.get().pk}/"' in page
    assert "faces\\rina.safetensors" in page


def test_a_guest_sees_the_panel_without_buttons(caller: Caller, shot: Shot) -> None:
    url = f"/projects/TEST/shots/{shot.pk}/prompt/?family=flux"
    assert "prompt-take" in caller("artist").get(url).content.decode()
    page = caller("guest").get(url).content.decode()
    assert "prompt-take" not in page
    assert "<button" not in page


def test_a_large_cast_costs_no_more_queries(artist_api: APIClient, shot: Shot, project: Any) -> None:
    from shots.services.translations import save_translation

    urls = [f"/api/v1/shots/{shot.pk}/prompt/?family=flux", f"/projects/TEST/shots/{shot.pk}/prompt/?family=sd", WORDS]

    def counts() -> list[int]:
        found = []
        for url in urls:
            artist_api.get(url)
            with CaptureQueriesContext(connection) as queries:
                assert artist_api.get(url).status_code == 200
            found.append(len(queries))
        return found

    few = counts()
    for number in range(20):
        lora = LoRA.objects.create(project=project, name=f"l{number}", path=f"{number}.safetensors")
        person = Character.objects.create(project=project, name=f"인물 {number}", use_lora=True, lora=lora)
        Casting.objects.create(project=project, shot=shot, character=person)
        save_translation(project=project, actor=None, text=f"인물 {number}", words=f"Person {number}")
    assert counts() == few
