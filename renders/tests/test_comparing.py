"""Two versions compared: by field in words, word by word for prompts, and never across what is not one's own."""

from typing import Any

import pytest
from django.test import Client
from rest_framework.test import APIClient

from aipipeline.history.project_services import create_project, set_member
from renders.models import Version
from renders.services.comparing import Field, compare
from renders.services.workflows import sync_workflows
from shots.models import Shot
from tests.factories import applied_project

pytestmark = pytest.mark.django_db


def version(shot: Shot, number: int, *, kind: str = "previz", frames: int | None = None, **provenance: Any) -> Version:
    return Version.objects.create(
        project=shot.project,
        shot=shot,
        kind=kind,
        number=number,
        state="published",
        path=f"x/{kind}{number}",
        manifest=[{"name": "a.png", "size": 1000 * number, "sha256": ""}],
        width=320,
        height=180,
        frames=frames,
        fps="24" if frames else "",
        provenance=provenance,
    )


@pytest.fixture
def shot(project: Any, admin_user: Any) -> Shot:
    sync_workflows()
    return applied_project(project, admin_user)[0]


def made(shot: Shot) -> tuple[Version, Version]:
    image = version(shot, 9)
    common = {"engine": "comfyui", "engine_version": "2", "worker": "gpu-1", "workflow": "comfy.flux_t2i"}
    a = version(
        shot, 1, **common, prompt="리나가 창가에 앉아 있다, soft light", seed=7, seconds=12.5,
        params={"steps": 20, "guidance": 3.5}, models=[{"folder": "vae", "file": "ae.safetensors", "sha256": "a" * 64}],
        loras=[{"file": "lina\\v1.safetensors", "strength": 0.8}], inputs={"first_image": image.pk},
        input_files={"first_image": "f" * 64},
    )  # fmt: skip
    b = version(
        shot, 2, **common, prompt="리나가 창가에 서 있다, hard light", seed=8, seconds=12.5,
        params={"steps": 30, "guidance": 3.5, "shift": 1.0},
        models=[{"folder": "vae", "file": "ae.safetensors", "sha256": "b" * 64}],
        loras=[{"file": "lina/v1.safetensors", "strength": 0.6}, {"file": "rain.safetensors", "strength": 1}],
        inputs={"first_image": {"version": image.pk, "frame": 3}},
    )  # fmt: skip
    return a, b


def by_name(fields: list[Field]) -> dict[str, Field]:
    return {field.name: field for field in fields}


def test_each_field_says_how_both_relate(shot: Shot) -> None:
    a, b = made(shot)
    fields = compare(a, b)
    found = by_name(fields)
    assert {name: str(field.relation) for name, field in found.items() if name in (
        "prompt", "seed", "workflow", "params.steps", "params.guidance", "params.shift", "model.vae",
        "lora.lina/v1.safetensors", "lora.rain.safetensors", "input.first_image", "size", "worker", "seconds",
    )} == {
        "prompt": "different", "seed": "different", "workflow": "same", "params.steps": "different",
        "params.guidance": "same", "params.shift": "only_b", "model.vae": "different",
        "lora.lina/v1.safetensors": "different", "lora.rain.safetensors": "only_b", "input.first_image": "different",
        "size": "same", "worker": "same", "seconds": "same",
    }  # fmt: skip
    assert found["workflow"].a == "FLUX text to image"
    assert (found["lora.lina/v1.safetensors"].a, found["lora.lina/v1.safetensors"].b) == ("0.8", "0.6")
    assert found["input.first_image"].b.endswith("First image · v009 · frame 3")
    same = [field.same for field in fields]
    assert same == sorted(same), "what differs comes first"
    assert all(field.a or field.b for field in fields)


def test_prompts_are_compared_word_by_word(shot: Shot) -> None:
    prompt = by_name(compare(*made(shot)))["prompt"]
    assert "".join(word.text for word in prompt.words_a) == prompt.a
    assert "".join(word.text for word in prompt.words_b) == prompt.b
    assert [word.text for word in prompt.words_a if word.only] == ["앉아", "soft"]
    assert [word.text for word in prompt.words_b if word.only] == ["서", "hard"]


@pytest.mark.parametrize(
    "odd",
    [{}, {"params": [1]}, {"params": None, "models": "x", "loras": {"a": 1}, "inputs": [3], "server": 5, "seed": [1]},
     {"inputs": {"a": {"version": "x"}, "b": None}, "snapped": {"width": [1], "height": 3}, "input_files": 9,
      "server": {"devices": [1, {"name": None}]}, "prompt": 5, "workflow": {}, "variant": []}],
)  # fmt: skip
def test_what_others_wrote_into_a_version_breaks_nothing(shot: Shot, odd: dict[str, Any]) -> None:
    a, _b = made(shot)
    fields = compare(a, version(shot, 3, **odd))
    assert by_name(fields)["size"].same
    assert [field.as_json()["relation"] for field in compare(a, a)] == ["same"] * len(compare(a, a))


def test_the_page_shows_both_and_folds_what_is_the_same(
    shot: Shot, admin_user: Any, django_assert_max_num_queries: Any
) -> None:
    a, b = made(shot)
    browser = Client()
    browser.force_login(admin_user)
    url = f"/projects/TEST/versions/{a.pk}/compare/{b.pk}/"
    browser.get(url)
    with django_assert_max_num_queries(30) as few:
        text = browser.get(url).content.decode()
    assert "<del>앉아</del>" in text
    assert "<ins>서</ins>" in text
    assert text.index('data-field="seed"') < text.index("compare-same") < text.index('data-field="workflow"')
    clip = version(shot, 5, kind="render", frames=24, **{**b.provenance, "loras": [{"file": f"{n}"} for n in range(9)]})
    with django_assert_max_num_queries(len(few.captured_queries)):
        text = browser.get(f"/projects/TEST/versions/{clip.pk}/compare/{b.pk}/").content.decode()
    assert text.count("data-player ") + text.count("data-player>") <= 1
    assert "player-a" in text


def test_nobody_compares_with_what_is_not_theirs(shot: Shot, admin_user: Any, artist: Any) -> None:
    a, b = made(shot)
    other_project = create_project(actor=admin_user, code="OTHER", title="남의 것", width=320, height=180)
    stranger = version(applied_project(other_project, admin_user)[0], 1, prompt="비밀")
    set_member(project=shot.project, actor=admin_user, user=artist, role="guest")
    client = APIClient()
    client.force_authenticate(artist)
    found = client.get(f"/api/v1/versions/{a.pk}/compare/{b.pk}/").json()
    assert (found["a"], found["b"]) == (a.pk, b.pk)
    assert {"name": "seed", "label": "Seed", "relation": "different", "a": "7", "b": "8"} in found["fields"]
    browser = Client()
    browser.force_login(artist)
    for one, two in ((a.pk, stranger.pk), (stranger.pk, a.pk)):
        assert client.get(f"/api/v1/versions/{one}/compare/{two}/").status_code == 404
        assert browser.get(f"/projects/TEST/versions/{one}/compare/{two}/").status_code == 404
    client.force_authenticate(admin_user)
    refused = client.get(f"/api/v1/versions/{a.pk}/compare/{stranger.pk}/")
    assert refused.status_code == 422
    assert "비밀" not in refused.content.decode()
