"""Who may let the server write where, what is refused when a mirror is saved, and that no request touches a storage."""

import json
from typing import Any

import pytest
from django.test import Client

from aipipeline.history.models import Action
from aipipeline.history.project_services import set_member
from aipipeline.projects.errors import Conflict, Invalid, NotAllowed
from aipipeline.projects.models import User
from celery_workers.models import LedgerTask
from mirror import work
from mirror.copying.store import TargetRefused
from mirror.models import MirrorEntry, MirrorTarget
from mirror.services import places
from mirror.services.runs import request_run
from mirror.services.targets import create_target, remove_target, update_target

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]

S3 = {"name": "S3", "kind": "s3", "bucket": "films", "endpoint_url": "http://nas:9000"}


@pytest.fixture
def lead(project: Any, admin_user: Any, artist: Any) -> User:
    """An administrator of the project who is no superuser."""
    set_member(project=project, actor=admin_user, user=artist, role="admin")
    return User.objects.get(pk=artist.pk)


@pytest.fixture(autouse=True)
def allowed(settings: Any) -> None:
    settings.AIP_MIRROR_ROOTS = ["/mnt/nas/mirrors"]
    settings.AIP_MIRROR_ENDPOINTS = ["https://s3.amazonaws.com/our-films/mirrors", "http://nas:9000"]


@pytest.mark.parametrize(
    ("fields", "word"),
    [
        ({"path": "relative/folder"}, "from the root"),
        ({"path": ""}, "Name the folder"),
        ({"path": "/mnt/nas/../../etc"}, "from the root"),
        ({"path": "/"}, "cannot be"),
        ({"path": "/mnt/a\nb"}, "line breaks"),
        ({"path": "/mnt/\x00"}, "NUL"),
        ({"path": "/mnt/" + "가" * 100}, "cannot be"),
        ({"path": ["/mnt"]}, "a text is needed"),
        ({"kind": "ftp"}, "folder (path) or S3"),
        ({"kinds": ["render", "nothing"], "path": "/mnt/x"}, "kinds"),
        ({"path": "/mnt/x", "limit_mb": -1}, "limit_mb"),
        ({"path": "/mnt/x", "every_minutes": 10**7}, "every_minutes"),
        ({"path": "/mnt/x", "name": " "}, "name"),
        ({"path": "/mnt/x", "name": "a\nb"}, "name"),
        ({"path": "/mnt/x", "anywhere": True}, "read-only"),
        ({**S3, "bucket": "x"}, "bucket"),
        ({**S3, "bucket": "../films"}, "bucket"),
        ({**S3, "prefix": "a/../b"}, "prefix"),
        ({**S3, "endpoint_url": "file:///etc"}, "http"),
        ({**S3, "endpoint_url": "http://me:secret@nas"}, "http"),
        ({**S3, "endpoint_url": "http://nas/path"}, "http"),
        ({**S3, "endpoint_url": "http://nas:99999"}, "http"),
        ({**S3, "region": "a b"}, "region"),
        ({**S3, "secret_variable": "SECRET_KEY"}, "AIP_MIRROR_"),
        ({**S3, "secret_variable": "DATABASE_URL"}, "AIP_MIRROR_"),
        ({**S3, "key_variable": "AIP_MIRROR_SECRET_KEY"}, "without SECRET"),
        ({**S3, "key_variable": "AWS_SECRET_ACCESS_KEY"}, "AIP_MIRROR_"),
        ({**S3, "secret_variable": "AIP_MIRROR_ROOTS"}, "AIP_MIRROR_"),
    ],
)
def test_bad_fields_are_refused_by_name(project: Any, admin_user: Any, fields: dict[str, Any], word: str) -> None:
    with pytest.raises(Invalid) as refused:
        create_target(project=project, actor=admin_user, fields={"name": "x", **fields})
    assert refused.value.fields
    assert word in f"{refused.value.message} {refused.value.fields}"
    assert not MirrorTarget.objects.exists()


def test_the_studios_own_folders_are_refused(project: Any, admin_user: Any, settings: Any) -> None:
    for own in (project.root, project.root / "edit", project.root.parent, settings.AIP_DATA):
        with pytest.raises(Invalid, match="outside of the studio"):
            create_target(project=project, actor=admin_user, fields={"name": "x", "path": str(own)})


def test_a_superuser_names_any_place_and_others_what_is_listed(project: Any, admin_user: Any, lead: User) -> None:
    for n, path in enumerate(("/mnt/nas/mirrors/test", "/mnt/nas/mirrors")):
        made = create_target(project=project, actor=lead, fields={"name": f"ok{n}", "path": path})
        assert not made.anywhere
    for path in ("/etc/cron.d", "/mnt/nas/mirrors-of-others", "/mnt/nas"):
        with pytest.raises(NotAllowed, match="Only a superuser"):
            create_target(project=project, actor=lead, fields={"name": "bad", "path": path})
    assert create_target(project=project, actor=admin_user, fields={"name": "any", "path": "/srv/x"}).anywhere


def test_s3_servers_and_buckets_are_listed_too(project: Any, lead: User) -> None:
    create_target(project=project, actor=lead, fields=S3)
    amazon = {"kind": "s3", "bucket": "our-films", "prefix": "mirrors/test"}
    create_target(project=project, actor=lead, fields={"name": "aws", **amazon})
    for wrong in (
        {**amazon, "prefix": "mirrors2"}, {**amazon, "bucket": "theirs"}, {**S3, "endpoint_url": "http://169.254.169.254"},
        {**S3, "endpoint_url": "http://nas:9000.evil.example"}, {**S3, "endpoint_url": "https://nas:9000"},
    ):  # fmt: skip
        with pytest.raises((NotAllowed, Invalid)):
            create_target(project=project, actor=lead, fields={**wrong, "name": "bad"})


def test_a_place_that_a_superuser_chose_keeps_its_keys(project: Any, admin_user: Any, lead: User) -> None:
    target = create_target(project=project, actor=admin_user, fields={**S3, "endpoint_url": "http://other:9000"})
    changed = update_target(target=target, actor=lead, fields={"limit_mb": 5, "endpoint_url": "http://other:9000"})
    assert (changed.limit_mb, changed.anywhere) == (5, True)
    for fields in ({"prefix": "elsewhere"}, {"key_variable": "AIP_MIRROR_OTHER_KEY"}):
        with pytest.raises(NotAllowed):
            update_target(target=target, actor=lead, fields=fields)
    assert not update_target(target=target, actor=lead, fields={"endpoint_url": "http://nas:9000"}).anywhere


def test_a_list_that_became_shorter_counts_at_the_next_run(project: Any, lead: User, settings: Any) -> None:
    target = create_target(project=project, actor=lead, fields={"name": "a", "path": "/mnt/nas/mirrors/a"})
    settings.AIP_MIRROR_ROOTS = []
    with pytest.raises(TargetRefused, match="AIP_MIRROR_ROOTS"):
        places.check_allowed(target)


def test_each_change_is_an_action_with_before_and_after(project: Any, admin_user: Any) -> None:
    target = create_target(project=project, actor=admin_user, fields={"name": "a", "path": "/mnt/a"})
    update_target(target=target, actor=admin_user, fields={"name": "b", "every_minutes": 60})
    remove_target(target=target, actor=admin_user)
    kinds = [a for a in Action.objects.order_by("sequence") if a.kind.startswith("mirrortarget.")]
    assert [a.kind.split(".")[1] for a in kinds] == ["create", "update", "remove"]
    assert kinds[1].changes[0]["fields"]["every_minutes"] == [0, 60]
    assert kinds[1].changes[0]["fields"]["name"] == ["a", "b"]
    assert not any(a.undoable for a in kinds)


def test_names_and_places_are_taken_once(project: Any, admin_user: Any) -> None:
    create_target(project=project, actor=admin_user, fields={"name": "a", "path": "/mnt/a"})
    for fields in ({"name": "a", "path": "/mnt/b"}, {"name": "b", "path": "/mnt/a/"}):
        with pytest.raises(Conflict):
            create_target(project=project, actor=admin_user, fields=fields)


def test_another_place_begins_anew(project: Any, admin_user: Any) -> None:
    target = create_target(project=project, actor=admin_user, fields={"name": "a", "path": "/mnt/a"})
    MirrorTarget.objects.update(marked=True, last_state="ok")
    MirrorEntry.objects.create(target=target, path="x", size=1, mtime_ns=1, sha256="0", copied_at=target.created_at)
    update_target(target=target, actor=admin_user, fields={"name": "b"})
    assert MirrorEntry.objects.count() == 1
    changed = update_target(target=target, actor=admin_user, fields={"path": "/mnt/b"})
    assert (changed.marked, changed.last_state, MirrorEntry.objects.count()) == (False, "never", 0)


def test_a_mirror_that_runs_is_left_as_it_is(project: Any, admin_user: Any) -> None:
    target = create_target(project=project, actor=admin_user, fields={"name": "a", "path": "/mnt/a"})
    task = request_run(target=target, actor=admin_user)
    assert request_run(target=target, actor=admin_user) == task
    with pytest.raises(Conflict, match="is running"):
        request_run(target=target, actor=admin_user, verify=True)
    for change in (
        lambda: update_target(target=target, actor=admin_user, fields={"path": "/mnt/b"}),
        lambda: remove_target(target=target, actor=admin_user),
    ):
        with pytest.raises(Conflict, match="is running"):
            change()


def test_no_request_touches_the_storage(
    project: Any, admin_user: Any, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder on a storage that hangs must not hang a page."""
    monkeypatch.setattr(work, "store_for", lambda *_a, **_k: pytest.fail("a request opened the target"))
    real = places.os.path.realpath
    monkeypatch.setattr(
        "os.path.realpath", lambda p, **k: pytest.fail("looked") if str(p).startswith("/mnt/hung") else real(p, **k)
    )
    client.force_login(admin_user)
    base = f"/api/v1/projects/{project.code}/mirrors/"
    made = client.post(base, json.dumps({"name": "a", "path": "/mnt/hung/x"}), "application/json")
    assert made.status_code == 201, made.content
    one = f"{base}{made.json()['id']}/"
    assert client.patch(one, json.dumps({"limit_mb": 3}), "application/json").json()["limit_mb"] == 3
    started = client.post(f"{one}run/", json.dumps({"dry_run": True}), "application/json")
    assert started.status_code == 202
    assert LedgerTask.objects.get(pk=started.json()["id"]).params["dry_run"] is True
    assert client.get(base).json()["results"][0]["task"]["state"] == "queued"
    page = client.get(f"/projects/{project.code}/mirror/")
    assert "/mnt/hung/x" in page.content.decode()
    form = {
        "name": "b",
        "kind": "path",
        "path": "/mnt/hung/y",
        "every_minutes": "60",
        "limit_mb": "2.5",
        "enabled": "on",
    }
    assert client.post(f"/projects/{project.code}/mirror/create/", form).status_code == 204
    assert MirrorTarget.objects.get(name="b").limit_mb == 2.5
    tested = client.post(f"/projects/{project.code}/mirror/test/", form)
    assert tested.status_code == 200
    assert LedgerTask.objects.filter(kind="mirror.test").count() == 1


def test_who_may_do_what(project: Any, admin_user: Any, artist: User, client: Client) -> None:
    target = create_target(project=project, actor=admin_user, fields={"name": "a", "path": "/mnt/a"})
    api, page = f"/api/v1/projects/{project.code}/mirrors/", f"/projects/{project.code}/mirror/"
    for role in ("guest", "artist", "director"):
        set_member(project=project, actor=admin_user, user=artist, role=role)
        client.force_login(artist)
        assert client.get(api).status_code == 200
        assert client.get(f"{api}{target.pk}/").status_code == 200
        shown = client.get(page)
        assert shown.status_code == 200
        assert b"Run now" not in shown.content
        for method, url in (
            ("post", api), ("patch", f"{api}{target.pk}/"), ("delete", f"{api}{target.pk}/"),
            ("post", f"{api}{target.pk}/run/"), ("get", f"{page}new/"), ("get", f"{page}{target.pk}/edit/"),
            ("post", f"{page}create/"), ("post", f"{page}test/"), ("post", f"{page}{target.pk}/update/"),
            ("post", f"{page}{target.pk}/remove/"), ("post", f"{page}{target.pk}/run/"),
            ("post", f"{page}{target.pk}/cancel/"),
        ):  # fmt: skip
            assert client.generic(method.upper(), url, "{}", content_type="application/json").status_code == 403, url
    set_member(project=project, actor=admin_user, user=artist, role="admin")
    assert client.post(f"{api}{target.pk}/run/", "{}", content_type="application/json").status_code == 202
    assert client.post(f"{page}{target.pk}/cancel/").status_code == 204
    assert LedgerTask.objects.get().state == "cancelled"
