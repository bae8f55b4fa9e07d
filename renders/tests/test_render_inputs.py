"""The inputs in the render dialog: what is taken by itself, what can be picked and brought, what is refused before."""

import json
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from assets.models import Character
from comfy_adapters.tests.clips import moving
from renders.models import Experience, RenderJob, RenderPreset, Version, Workflow
from renders.tests.test_farm_views import shots, site, stranger_project, text_of
from shots.models import Shot
from tests.factories import picture

__all__ = ["shots", "site"]
pytestmark = pytest.mark.django_db


def version(shot: Shot | None, kind: str, number: int = 1, **facts: Any) -> Version:
    project = facts.pop("project", None) or (shot and shot.project)
    made: Version = Version.objects.create(
        project=project, shot=shot, kind=kind, number=number, state="published", path=f"{kind}/{number}", **facts
    )
    return made


@pytest.fixture
def url(project: Any) -> str:
    return f"/projects/{project.code}/render/dialog/"


def form(chosen: list[Shot], choice: str, **more: Any) -> dict[str, Any]:
    return {"ids": ",".join(str(shot.pk) for shot in chosen), "mode": "one", "choice": f"w:{choice}", **more}


def test_each_input_says_what_it_takes_and_what_lacks(site: Client, shots: list[Shot], url: str) -> None:
    version(shots[0], "previz", 1, status="approved")
    version(shots[0], "previz", 2)
    version(shots[1], "previz", 1, status="rejected")
    told = text_of(site.post(f"{url}choice/", form(shots[:1], "comfy.inpaint_flux_fill")))
    assert "First image v001" in told  # the approved one, as the job would
    assert f"{shots[0].code} has nothing of the kind Mask yet" in told
    several = text_of(site.post(f"{url}choice/", form(shots[:2], "comfy.flux_i2i")))
    assert "each shot's own: First image (1 of 2)" in several
    assert f"{shots[1].code} has nothing of the kind First image yet" in several
    assert "Leave out the shots that lack something" in several
    animate = text_of(site.post(f"{url}choice/", form(shots[:1], "comfy.wan_animate")))
    assert "driving clip" in animate
    assert "nothing of the kind Playblast" in animate


def test_what_lacks_an_input_is_refused_before_anything_is_queued(site: Client, shots: list[Shot], url: str) -> None:
    version(shots[0], "previz")
    body = form(shots[:2], "comfy.flux_i2i")
    refused = site.post(f"{url}start/", body, headers={"HX-Request": "true"})
    assert refused.status_code == 422
    assert f"{shots[1].code} has no picture to change." in text_of(refused)
    assert not RenderJob.objects.exists()
    assert site.post(f"{url}start/", {**body, "leave_out": "1"}).status_code == 204
    assert [job.shot for job in RenderJob.objects.all()] == [shots[0]]


def test_what_is_being_made_is_waited_for(site: Client, shots: list[Shot], url: str) -> None:
    panels = form(shots[:2], "local.panel")
    assert site.post(f"{url}start/", panels).status_code == 204
    first = {job.shot: job for job in RenderJob.objects.all()}
    body = form(shots[:2], "comfy.wan22_i2v")
    assert "2 are being made now; their shots wait for them." in text_of(site.post(f"{url}choice/", body))
    assert site.post(f"{url}start/", form(shots, "comfy.wan22_i2v")).status_code == 422  # the third has none
    assert site.post(f"{url}start/", body).status_code == 204
    for job in RenderJob.objects.filter(step="render"):
        assert list(job.after.all()) == [first[job.shot]]
        assert job.blocked_reason


def test_a_clip_where_a_picture_is_needed_lacks_too(site: Client, shots: list[Shot], url: str) -> None:
    version(shots[0], "layout", frames=24)
    refused = site.post(f"{url}start/", form(shots[:1], "comfy.controlnet_flux_depth"))
    assert refused.status_code == 422
    version(shots[0], "layout", 2)
    assert site.post(f"{url}start/", form(shots[:1], "comfy.controlnet_flux_depth")).status_code == 204


def test_a_chain_needs_the_first_image_of_its_first_shot_alone(site: Client, shots: list[Shot], url: str) -> None:
    version(shots[0], "previz")
    body = form(shots, "comfy.wan22_i2v", order="rendered")
    assert "take the last frame of the one before" in text_of(site.post(f"{url}inputs/", body))
    assert site.post(f"{url}start/", {**body, "order": "all"}).status_code == 422
    assert site.post(f"{url}start/", body).status_code == 204
    assert RenderJob.objects.count() == len(shots)


def test_the_picker_offers_this_shot_references_and_neighbours(
    site: Client, project: Any, shots: list[Shot], url: str
) -> None:
    rina = Character.objects.get(project=project, name="리나")
    own = version(shots[0], "layout")
    sheet = version(None, "reference", project=project, character=rina)
    near, clip = version(shots[2], "previz"), version(shots[1], "render", frames=48)
    foreign = version(stranger_project(project.memberships.get(role="admin").user), "previz")
    body = form(shots[:1], "comfy.flux_i2i", toggle="source_image")
    told = text_of(site.post(f"{url}inputs/", body))
    for offered in (own, sheet, near):
        assert f'value="{offered.pk}"' in told
    for other in (clip, foreign):
        assert f'value="{other.pk}"' not in told
    found = text_of(site.post(f"{url}inputs/", {**body, "toggle": "", "open": "source_image", "picker_search": "리나"}))
    assert f'value="{sheet.pk}"' in found
    assert f'value="{near.pk}"' not in found
    ends = text_of(site.post(f"{url}inputs/", form(shots[:1], "comfy.fflf_wan22", toggle="last_image")))
    assert f'value="{clip.pk}:first"' in ends
    clips = text_of(site.post(f"{url}inputs/", form(shots[:1], "comfy.wan_animate", toggle="reference_video")))
    assert f'value="{clip.pk}"' in clips
    assert f'value="{near.pk}"' not in clips


def test_what_is_picked_is_what_every_job_takes(site: Client, project: Any, shots: list[Shot], url: str) -> None:
    mine, other = version(shots[0], "previz"), version(shots[1], "previz")
    clip = version(shots[1], "render", frames=48)
    picked = {"i.first_image": f"{clip.pk}:last", "i.reference_video": str(clip.pk)}
    shown = text_of(site.post(f"{url}inputs/", form(shots[:2], "comfy.wan_animate", **picked)))
    assert f'name="i.reference_video" value="{clip.pk}"' in shown
    assert "for all shots" in shown
    assert site.post(f"{url}start/", form(shots[:2], "comfy.wan_animate", **picked)).status_code == 204
    wanted = {"first_image": {"version": clip.pk, "frame": "last"}, "reference_video": clip.pk}
    assert [job.inputs for job in RenderJob.objects.all()] == [wanted, wanted]
    RenderJob.objects.all().delete()
    compare = {**form(shots[:1], "comfy.flux_i2i"), "mode": "compare", "i.source_image": str(other.pk),
               "compare": ["w:comfy.flux_i2i", "w:comfy.qwen_image_edit"]}  # fmt: skip
    assert "picture to change" in text_of(site.post(f"{url}choice/", compare))
    assert site.post(f"{url}start/", compare).status_code == 204
    assert [job.inputs for job in RenderJob.objects.all()] == [{"source_image": other.pk}] * 2
    RenderJob.objects.all().delete()
    for wrong in (str(clip.pk), f"{mine.pk}:last", "x", "9" * 30, f"{mine.pk}:middle", "999999"):
        answer = site.post(f"{url}start/", form(shots[:1], "comfy.flux_i2i", **{"i.source_image": wrong}))
        assert answer.status_code == 422, wrong
        assert (
            site.post(f"{url}inputs/", form(shots[:1], "comfy.flux_i2i", **{"i.source_image": wrong})).status_code
            == 200
        )
    assert not RenderJob.objects.exists()


def test_a_file_is_brought_and_picked(
    site: Client, project: Any, shots: list[Shot], url: str, tmp_path: Path, own_storage: Path
) -> None:
    mask = picture(tmp_path / "m.png").read_bytes()
    body = form(shots[:1], "comfy.inpaint_flux_fill", role="mask_image", open="mask_image")
    answer = site.post(f"{url}inputs/upload/", {**body, "file": SimpleUploadedFile("가면.png", mask)})
    assert answer.status_code == 200, text_of(answer)
    made = Version.objects.live().get(kind="mask")
    assert (made.shot, made.comment, made.frames) == (shots[0], "가면.png", None)
    assert f'name="i.mask_image" value="{made.pk}" checked' in text_of(answer)
    clip = moving(tmp_path / "c.mp4", frames=6).read_bytes()
    for name, data in (("c.mp4", clip), ("x.png", b"no picture"), ("a.txt", b"x")):
        assert site.post(f"{url}inputs/upload/", {**body, "file": SimpleUploadedFile(name, data)}).status_code == 422
    assert site.post(f"{url}inputs/upload/", {**body, "role": "x"}).status_code == 422
    assert Version.objects.count() == 1
    drive = form(shots[:1], "comfy.wan_animate", role="reference_video")
    assert site.post(f"{url}inputs/upload/", {**drive, "file": SimpleUploadedFile("c.mp4", clip)}).status_code == 200
    assert Version.objects.live().get(kind="playblast").frames == 6


def test_the_estimate_follows_what_is_typed(site: Client, project: Any, shots: list[Shot], url: str) -> None:
    flux = Workflow.objects.get(key="comfy.flux_t2i")
    assert flux.needs["usual"]["steps"] == 20
    body = form(shots[:2], "comfy.flux_t2i", shown="w:comfy.flux_t2i")
    assert "no estimate yet" in text_of(site.post(f"{url}estimate/", body))
    size = {"width": project.width, "height": project.height, "frames": 1}
    Experience.objects.create(workflow=flux, **size, vram_gb=24, succeeded=2, seconds=60.0)

    def told(**more: str) -> str:
        return text_of(site.post(f"{url}estimate/", {**body, **more})).split('<div id="render-advice"')[0].strip()

    assert told() == "about 1:00 of work"
    assert told(variants="3") == "about 3:00 of work"
    assert told(**{"p.steps": "40"}) == "about 2:00 of work"
    assert told(**{"p.width": str(project.width * 2), "p.steps": "10"}) == "about 1:00 of work"
    assert "Sampling steps" in told(**{"p.steps": "9999"})
    assert 'placeholder="20"' in text_of(site.post(f"{url}choice/", body))
    assert told(**{"p.steps": "40", "shown": "w:comfy.flux_i2i"}) == "about 1:00 of work"  # typed for another choice
    assert 'name="p.width"' in text_of(site.post(f"{url}choice/", form(shots[:1], "comfy.inpaint_qwen")))
    assert 'name="p.width"' not in text_of(site.post(f"{url}choice/", form(shots[:1], "comfy.realesrgan_image")))
    kept = text_of(site.post(f"{url}choice/", {**body, "p.steps": "33"}))
    assert 'name="p.steps" min="1" max="150" step="1" value="33"' in kept
    assert "about 1:39 of work" in kept


def test_a_preset_is_what_is_typed_and_no_picture(site: Client, project: Any, shots: list[Shot], url: str) -> None:
    mine = version(shots[0], "previz")
    body = form(shots[:1], "comfy.flux_i2i", **{"i.source_image": str(mine.pk), "p.width": "640", "p.seed": "7"})
    assert (
        site.post(f"/projects/{project.code}/render-presets/save/", {**body, "preset_name": "초안"}).status_code == 200
    )
    preset = RenderPreset.objects.get()
    assert preset.params == {"width": 640, "seed": 7}
    emptied = {**form(shots[:1], "x"), "choice": f"p:{preset.pk}", "p.width": "", "p.seed": "8"}
    assert site.post(f"{url}start/", emptied).status_code == 204
    params = RenderJob.objects.get().params
    assert (params["width"], params["seed"]) == (project.width, 8)


def test_the_dialog_asks_as_often_for_many_versions_as_for_few(site: Client, shots: list[Shot], url: str) -> None:
    asked = {
        "choice/": form(shots, "comfy.telestyle_image"),
        "inputs/": form(shots[:1], "comfy.telestyle_image", toggle="style_image"),
        "estimate/": form(shots, "comfy.telestyle_image"),
    }

    def counts() -> dict[str, int]:
        found = {}
        for address, body in asked.items():
            with CaptureQueriesContext(connection) as queries:
                assert site.post(f"{url}{address}", body).status_code == 200
            found[address] = len(queries)
        return found

    for shot in shots:
        version(shot, "previz")
    counts()
    few = counts()
    for n in range(2, 14):
        for shot in shots:
            version(shot, "previz", n)
        for shot in shots[1:]:  # the first one goes on lacking it
            version(shot, "reference", n)
    assert counts() == few
    assert max(few.values()) < 20, few


def test_a_clip_longer_than_its_model_was_trained_for_is_told_before_and_after(
    site: Client, project: Any, shots: list[Shot], url: str
) -> None:
    Shot.objects.filter(pk=shots[0].pk).update(duration_frames=150)  # at 24 a second; the model makes 16 of it
    body = form(shots[:1], "comfy.fflf_wan22", shown="w:comfy.fflf_wan22")
    assert "trained on 81" in text_of(site.post(f"{url}choice/", body))
    assert "trained on" not in text_of(site.post(f"{url}choice/", form(shots[:1], "comfy.wan22_i2v")))
    assert "trained on 81" in text_of(site.post(f"{url}estimate/", body))
    assert "trained on" not in text_of(site.post(f"{url}estimate/", {**body, "p.frames": "81"}))
    still = version(shots[0], "previz")
    answer = site.post(f"{url}start/", {**body, "i.first_image": str(still.pk), "i.last_image": str(still.pk)})
    assert answer.status_code == 204
    toast = json.loads(answer["HX-Trigger"])["aip:toast"]
    assert toast["level"] == "warning"
    assert "trained on 81" in toast["message"]
