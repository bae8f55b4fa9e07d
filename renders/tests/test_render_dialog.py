"""The render dialog and the presets over HTTP: what is offered, what is refused, what is started."""

from typing import Any

import pytest
from django.test import Client

from renders.models import JobState, RenderBatch, RenderJob, RenderPreset, Version, WorkerFit, Workflow
from renders.tests.test_farm_views import gpu, make_job, shots, site, stranger_project, text_of
from shots.models import Shot

__all__ = ["shots", "site"]
pytestmark = pytest.mark.django_db


def test_the_dialog_offers_what_fits_and_says_what_does_not(
    site: Client, project: Any, shots: list[Shot], artist: Any
) -> None:
    worker = gpu()
    flux, wan = (Workflow.objects.get(key=f"comfy.{name}") for name in ("flux_t2i", "wan22_i2v"))
    WorkerFit.objects.create(worker=worker, workflow=flux, fits=True)
    WorkerFit.objects.create(worker=worker, workflow=wan, fits=False, reasons=["Put umt5.safetensors into models."])
    RenderPreset.objects.create(project=project, name="감독의 것", workflow=flux, author=artist, shared=False)
    RenderPreset.objects.create(project=project, name="밤 장면", workflow=flux, author=artist, params={"steps": 12})
    make_job(shots[0], JobState.SUCCEEDED, workflow=flux, requested_by=None)
    url = f"/projects/{project.code}/render/dialog/"
    page = text_of(site.post(url, {"ids": f"{shots[0].pk},{shots[1].pk}", "step": "first_image"}))
    assert "Render 2 shots" in page
    assert "밤 장면" in page
    assert "감독의 것" not in page
    refused = page[page.index('value="w:comfy.wan22_i2v"') :].split("</label>")[0]
    assert "disabled" in refused
    assert "Put umt5.safetensors into models." in refused
    preset = RenderPreset.objects.get(name="밤 장면")
    fields = text_of(site.post(f"{url}choice/", {"ids": str(shots[0].pk), "choice": f"p:{preset.pk}"}))
    assert 'name="p.steps"' in fields
    assert 'value="12"' in fields
    missing = text_of(site.post(f"{url}choice/", {"ids": str(shots[0].pk), "choice": "w:local.move"}))
    assert f"{shots[0].code} has nothing of the kind First image yet" in missing
    Version.objects.create(project=project, shot=shots[0], kind="previz", number=1, state="published", path="x")
    assert f"Render {len(shots) - 1} shots" in text_of(site.post(url, {"which": "missing", "step": "first_image"}))
    for body in ({"ids": ""}, {"ids": "x"}, {"ids": str(shots[0].pk), "step": "x"}):
        assert site.post(url, body).status_code == 422
    assert (
        site.post(url, {"ids": str(stranger_project(project.memberships.get(role="admin").user).pk)}).status_code == 404
    )


def test_starting_by_the_dialog(site: Client, project: Any, shots: list[Shot], admin_user: Any) -> None:
    url = f"/projects/{project.code}/render/dialog/start/"
    ids = ",".join(str(shot.pk) for shot in shots[:2])
    body = {"ids": ids, "mode": "one", "choice": "w:comfy.flux_t2i", "order": "all", "priority": "4"}
    refused = site.post(url, {**body, "p.steps": "9999"}, headers={"HX-Request": "true"})
    assert refused.status_code == 422
    assert "Sampling steps" in text_of(refused)
    assert not RenderJob.objects.exists()
    assert site.post(url, {**body, "p.steps": "9", "p.seed": "77"}).status_code == 204
    jobs = list(RenderJob.objects.order_by("created_at"))
    assert [(job.params["steps"], job.params["seed"], job.priority) for job in jobs] == [(9, 77, 4)] * 2
    assert len({job.batch_id for job in jobs}) == 1
    preset = RenderPreset.objects.create(
        project=project, name="A", workflow=jobs[0].workflow, params={"steps": 3}, author=admin_user
    )
    compare = {"ids": ids, "mode": "compare", "compare": [f"p:{preset.pk}", "w:local.panel"]}
    assert site.post(url, compare).status_code == 204
    batch = RenderBatch.objects.get(kind="variants")
    assert sorted(batch.jobs.values_list("variant", flat=True).distinct())[0] == "A"
    assert batch.jobs.count() == 4
    assert site.post(url, {**compare, "compare": ["w:local.panel"]}).status_code == 422
    assert f"/farm/batches/{batch.pk}/" in text_of(site.get(f"/projects/{project.code}/farm/"))


def test_takes_of_one_choice_differ_by_their_seed(site: Client, project: Any, shots: list[Shot]) -> None:
    url = f"/projects/{project.code}/render/dialog/start/"
    body = {"ids": str(shots[0].pk), "mode": "one", "choice": "w:comfy.flux_t2i", "order": "all"}
    assert site.post(url, {**body, "variants": "3", "p.seed": "100"}).status_code == 204
    jobs = RenderJob.objects.order_by("variant")
    assert [(job.variant, job.params["seed"]) for job in jobs] == [("#1", 100), ("#2", 101), ("#3", 102)]
    assert site.post(url, {**body, "variants": "99"}).status_code == 422
    assert site.post(url, {**body, "variants": "2", "order": "rendered"}).status_code == 422


def test_presets_are_saved_from_the_dialog_renamed_cloned_and_taken_back(
    site: Client, project: Any, shots: list[Shot]
) -> None:
    base = f"/projects/{project.code}/render-presets/"
    body = {"preset_name": "빠르게", "preset_shared": "1", "choice": "w:comfy.flux_t2i", "p.steps": "8"}
    saved = site.post(f"{base}save/", body)
    preset = RenderPreset.objects.get()
    assert (preset.name, preset.params, preset.shared) == ("빠르게", {"steps": 8}, True)
    assert f'value="p:{preset.pk}" checked' in text_of(saved)
    assert site.post(f"{base}save/", body).status_code == 409
    assert site.post(f"{base}{preset.pk}/", {"name": "더 빠르게"}).status_code == 204
    assert site.post(f"{base}{preset.pk}/clone/").status_code == 204
    copy = RenderPreset.objects.exclude(pk=preset.pk).get()
    assert (copy.shared, copy.params) == (False, {"steps": 8})
    assert site.post(f"{base}{preset.pk}/remove/", headers={"X-AIP-Tab": "t1"}).status_code == 204
    assert "더 빠르게</" not in text_of(site.get(base))
    assert f"preset-{preset.pk}" not in text_of(site.get(base))
    assert site.post(f"/projects/{project.code}/undo/", headers={"X-AIP-Tab": "t1"}).status_code < 300
    assert f"preset-{preset.pk}" in text_of(site.get(base))
