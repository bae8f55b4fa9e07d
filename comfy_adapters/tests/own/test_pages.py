"""The pages on which workflows are listed, brought, checked and saved, as the browser asks for them."""

import json
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from comfy_adapters.comfyui import graphs
from comfy_adapters.own.detect import detect
from comfy_adapters.tests.own import files
from renders.models import Worker, WorkerFit, Workflow
from renders.services.own_workflows import create_workflow
from renders.services.workflows import sync_workflows

pytestmark = pytest.mark.django_db
HX = {"HX-Request": "true"}


def fields_of(html: str) -> dict[str, list[str]]:
    """What a browser would send of the form: a small reading of its controls."""
    from html.parser import HTMLParser

    class Reader(HTMLParser):
        def __init__(self) -> None:
            super().__init__()
            self.found: dict[str, list[str]] = {}
            self.inside, self.select, self.text, self.skip = "", "", "", False

        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            told = dict(attrs)
            name = told.get("name") or ""
            if tag == "template":
                self.skip = True
            if self.skip:
                return
            if tag == "input" and name and (told.get("type") != "checkbox" or "checked" in told):
                self.found.setdefault(name, []).append(told.get("value") or "")
            elif tag == "textarea":
                self.inside, self.text = name, ""
            elif tag == "select":
                self.select = name
                self.found.setdefault(name, []).append("")
                self.first = True
            elif tag == "option" and self.select and (self.first or "selected" in told):
                self.found[self.select][-1] = told.get("value") or ""
                self.first = False
                self.pending = "value" not in told

        def handle_data(self, data: str) -> None:
            if self.inside:
                self.text += data
            elif self.select and getattr(self, "pending", False):
                self.found[self.select][-1] = data
                self.pending = False

        def handle_endtag(self, tag: str) -> None:
            if tag == "template":
                self.skip = False
            elif tag == "textarea" and self.inside:
                self.found.setdefault(self.inside, []).append(self.text)
                self.inside = ""
            elif tag == "select":
                self.select = ""

    reader = Reader()
    reader.feed(html)
    return reader.found


def read(client: Client, **data: Any) -> dict[str, list[str]]:
    answer = client.post("/workflows/read/", data, headers=HX)
    assert answer.status_code == 200, answer.content[:800]
    return fields_of(answer.content.decode())


def save(client: Client, form: dict[str, list[str]], status: int = 200) -> Any:
    answer = client.post("/workflows/save/", form, headers=HX)
    assert answer.status_code == status, answer.content[:800]
    return answer


def test_a_dropped_picture_becomes_a_form_and_the_form_a_workflow(admin_client: Client, tmp_path: Path) -> None:
    picture = files.png(tmp_path / "a.png", files.text_chunk("prompt", json.dumps(files.graph())))
    form = read(admin_client, file=SimpleUploadedFile("밤.png", picture.read_bytes()))
    assert form["title"] == ["밤"]
    assert len(form["slot"]) == len(form["place"]) == len(form["scale"]) == len(form["offset"])
    assert Workflow.objects.filter(origin="own").count() == 0
    place = form["slot"].index("guidance")
    form["slot"][place] = "mood"  # a person calls it otherwise
    form["slot"].append("batch")
    form["place"].append('["30","batch_size"]')
    form["scale"].append("")
    form["offset"].append("")
    gone = form["slot"].index("batch_size")
    for name in ("slot", "place", "scale", "offset"):
        form[name].pop(gone)
    form |= {"name": ["night"], "vram_gb": ["20"], "custom_nodes": ["a/b\n"], "size_multiple": ["32"]}
    form["model_source"][0] = "https://models.example/flux"
    assert save(admin_client, form)["HX-Redirect"] == "/workflows/own.night/"
    row = Workflow.objects.get(key="own.night")
    assert row.graph is not None
    about = row.graph.about
    assert about["slots"]["mood"] == [{"node": "21", "input": "guidance"}]
    assert about["slots"]["batch"] == [{"node": "30", "input": "batch_size"}]
    assert "guidance" not in about["slots"]
    assert (row.vram_gb, row.needs["custom_nodes"], about["constraints"]["size_multiple"]) == (20, ["a/b"], 32)
    assert about["models"][0]["source"] == "https://models.example/flux"
    assert about["lora_chain"]["after"] == {"model": ["10", 0]}
    assert row.graph.nodes == files.graph()


def test_its_page_corrects_it_and_a_new_file_carries_the_corrections_over(admin_client: Client) -> None:
    save(admin_client, {**read(admin_client, text=json.dumps(files.graph("ltx2_i2v"))), "name": ["long"]})
    page = admin_client.get("/workflows/own.long/").content.decode()
    form = fields_of(page)
    assert form["workflow"] == ["own.long"]
    assert "0.5" in form["scale"]
    save(admin_client, form)
    row = Workflow.objects.get(key="own.long")
    assert row.version == "1"  # nothing was changed
    form["title"] = ["긴 장면"]
    save(admin_client, form)
    row.refresh_from_db()
    assert (row.version, row.title) == ("2", "긴 장면")
    newer = files.graph("ltx2_i2v")
    newer["80"] = newer.pop("31")
    newer["32"]["inputs"]["image"] = ["80", 0]
    form = read(admin_client, text=json.dumps(newer), workflow="own.long")
    assert form["title"] == ["긴 장면"]
    assert '["80","image"]' in form["place"]
    save(admin_client, form)
    assert list(row.graphs.values_list("number", flat=True)) == [3, 2, 1]
    kept = {}
    for part, name in (("graph", "long.json"), ("slots", "long.slots.json")):
        answer = admin_client.get(f"/workflows/own.long/graphs/2/{part}.json")
        assert name in answer["Content-Disposition"]
        kept[part] = json.loads(answer.content)
    brought, slots = graphs.parse("long", "1", kept["graph"], kept["slots"])
    assert brought.nodes == files.graph("ltx2_i2v")
    assert (slots.title, slots.targets["width"][1].scale) == ("긴 장면", 0.5)
    assert set(kept["slots"]) == set(files.about("ltx2_i2v"))
    assert admin_client.get("/workflows/own.long/graphs/2/other.json").status_code == 404
    assert admin_client.get("/workflows/own.long/graphs/9/graph.json").status_code == 404


def test_a_form_with_mistakes_is_answered_with_the_place_and_saves_nothing(admin_client: Client) -> None:
    form = read(admin_client, text=json.dumps(files.graph()))
    wrong: list[dict[str, list[str]]] = [
        {"place": ["nonsense", *form["place"][1:]]},
        {"place": ['["404","x"]', *form["place"][1:]]},
        {"scale": ["fast", *form["scale"][1:]]},
        {"offset": ["later", *form["offset"][1:]]},
        {"slot": form["slot"][1:]},
        {"vram_gb": ["much"]},
        {"output_node": ["404"]},
        {"nodes": ["{"]},
        {"project": ["NOPE"]},
    ]
    for part in wrong:
        assert admin_client.post("/workflows/save/", {**form, **part}, headers=HX).status_code in (404, 422), part
    assert Workflow.objects.filter(origin="own").count() == 0


def test_the_list_says_what_each_needs_and_who_has_it_in_a_fixed_number_of_queries(
    admin_client: Client, admin_user: Any, django_assert_max_num_queries: Any
) -> None:
    sync_workflows()
    workers = [Worker.objects.create(name=f"card-{n}", endpoint=f"http://card-{n}:8188") for n in range(3)]
    for n in range(8):
        about = detect(files.graph(), title=f"look {n}").about
        row = create_workflow(actor=admin_user, project=None, nodes=files.graph(), about=about)
        for worker in workers:
            fits = worker.pk % 2 == 0
            WorkerFit.objects.create(worker=worker, workflow=row, fits=fits, reasons=[] if fits else ["no <file>"])
    with django_assert_max_num_queries(14):
        page = admin_client.get("/workflows/").content.decode()
    assert "look 7" in page
    assert "local.panel" in page
    assert "no &lt;file&gt;" in page
    assert "flux1-dev.safetensors" in page
    row = Workflow.objects.get(title="look 3")
    admin_client.post(f"/workflows/{row.key}/switch/", {"enabled": "0"}, headers=HX)
    admin_client.post("/workflows/local.panel/switch/", {"enabled": "0"}, headers=HX)
    assert admin_client.post(f"/workflows/{row.key}/switch/", {"enabled": "maybe"}, headers=HX).status_code == 422
    assert Workflow.objects.filter(enabled=False).count() == 2


def test_who_sees_and_does_what(client: Client, project: Any, admin_user: Any, django_user_model: Any) -> None:
    from aipipeline.history.project_services import set_member

    about = detect(files.graph(), title="ours").about
    row = create_workflow(actor=admin_user, project=project, nodes=files.graph(), about=about)
    for role, sees, brings in ((None, False, False), ("artist", True, False), ("director", True, True)):
        person = django_user_model.objects.create_user(username=f"p-{role}", password="x")
        if role:
            set_member(project=project, actor=admin_user, user=person, role=role)
        client.force_login(person)
        assert (row.key in client.get("/workflows/").content.decode()) is sees
        assert client.get(f"/workflows/{row.key}/").status_code == (200 if sees else 404)
        assert client.get("/workflows/new/").status_code == (200 if brings else 403)
        assert client.post("/workflows/read/", {"text": json.dumps(files.graph())}).status_code == (
            200 if brings else 403
        )
        answer = client.post(f"/workflows/{row.key}/switch/", {"enabled": "1"})
        assert answer.status_code == (204 if brings else 403 if sees else 404)
        assert client.post("/workflows/local.panel/switch/", {"enabled": "0"}).status_code in (403, 404)


def test_a_workflow_that_was_spoilt_in_the_tree_still_has_a_page(admin_client: Client, admin_user: Any) -> None:
    about = detect(files.graph(), title="ours").about
    row = create_workflow(actor=admin_user, project=None, nodes=files.graph(), about=about)
    assert row.graph is not None
    row.graph.about = {"slots": {"seed": [{"node": "404"}]}}
    row.graph.save()
    page = admin_client.get(f"/workflows/{row.key}/").content.decode()
    assert '["40","seed"]' in fields_of(page)["place"]
    row.graph.nodes = {"1": "x"}
    row.graph.save()
    page = admin_client.get(f"/workflows/{row.key}/")
    assert page.status_code == 200
    assert "Node 1 is not an object" in page.content.decode()
