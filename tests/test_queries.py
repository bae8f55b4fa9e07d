"""Every address that can be read asks the database as often for thirty rows as for three."""

from typing import Any
from uuid import uuid4

import pytest
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from aipipeline.history import project_services
from aipipeline.projects.models import Project, User
from assets.models import Character, CinematicPreset, Environment, LoRA
from celery_workers.models import LedgerTask
from mirror.services.targets import create_target
from renders.models import RenderJob, RenderPreset, Review, Version, Worker, Workflow
from shots.models import Shot
from shots.services.batch import apply_batch
from shots.services.scenes import create_scene
from tests import hostile
from tests.factories import SCRIPT
from tests.world import build
from timeline.services.edits import apply_ops

# Made by the request itself, once: the files of a sheet or of an edit list.
LEFT_OUT = ("<path:name>", "thumb/", "preview/")


def grow(project: Project, actor: User, first: Shot, count: int) -> None:
    """`count` more of everything that a list can hold."""
    people, places = [], []
    for _n in range(count):
        name = uuid4().hex
        lora = LoRA.objects.create(project=project, name=name, path="l")
        people.append(Character.objects.create(project=project, name=name, lora=lora))
        places.append(Environment.objects.create(project=project, name=name))
        CinematicPreset.objects.create(project=project, name=name)
        scene = create_scene(project=project, actor=actor, fields={"heading": name, "environment": places[-1].pk})
        fields = {"scene": scene.pk, "environment": places[-1].pk, "characters": [p.pk for p in people[-3:]]}
        (shot,) = apply_batch(project=project, actor=actor, create=[{"fields": fields}]).created
        apply_ops(project=project, actor=actor, ops=[{"op": "marker", "frame": 1, "name": name}])
        member = User.objects.create_user(username=name, password="x")
        project_services.set_member(project=project, actor=actor, user=member, role="artist")
        project_services.create_project(actor=actor, code=f"P{name}", title=name)
        worker = Worker.objects.create(name=name, backends=["local"])
        workflow = Workflow.objects.create(key=name, title=name, backend="local", output_kind="previz", step="render")
        RenderPreset.objects.create(project=project, name=name, workflow=workflow, author=member)
        create_target(project=project, actor=actor, fields={"name": name, "path": f"/mnt/nas/{name}"})
        LedgerTask.objects.create(kind="timeline.film", project=project, actor=member)
        project.scenarios.create(title=name, text=SCRIPT, author=member)
        for owner in ({"shot": shot}, {"shot": first}, {"character": people[0]}, {"environment": places[0]}):
            number = Version.objects.filter(kind="previz", **owner).count() + 1
            manifest = [{"name": "a.png", "size": 1, "sha256": ""}]
            version = Version.objects.create(
                project=project, kind="previz", number=number, state="published", path=name, manifest=manifest, **owner
            )
            Review.objects.create(version=version, author=member, verdict="comment", text=name)
            job = RenderJob.objects.create(
                project=project, workflow=workflow, kind="previz", step="render", requested_by=member, **owner
            )
            job.attempts.create(worker=worker, lease_until=job.created_at, state="failed")


def readable(client: Client, world: dict[str, Any]) -> list[str]:
    urls = [hostile.filled(p, world) for p in hostile.patterns() if not any(part in p for part in LEFT_OUT)]
    kinds = ("environments", "presets", "loras")
    urls += [f"/api/v1/projects/{world['code']}/{kind}/" for kind in kinds]
    return [url for url in urls if client.get(url).status_code == 200]


@pytest.mark.both_databases
def test_queries_do_not_grow_with_the_rows(client: Client, project: Any, admin_user: Any, artist: Any) -> None:
    world = build(project, admin_user, artist)
    first = Shot.objects.get(pk=world["shot_id"])
    grow(project, admin_user, first, 3)
    client.force_login(admin_user)
    urls = readable(client, world)
    assert len(urls) > 30
    ContentType.objects.clear_cache()

    def counts() -> dict[str, int]:
        found = {}
        for url in urls:
            assert client.get(url).status_code == 200, url  # what is kept once (an edit, a cache) is made here
            with CaptureQueriesContext(connection) as queries:
                client.get(url)
            found[url] = len(queries)
        return found

    few = counts()
    grow(project, admin_user, first, 27)
    many = counts()
    assert {url: (few[url], many[url]) for url in urls if many[url] > few[url]} == {}
