"""A mirror in a bucket, over HTTP to a real server: the same promises as a folder's, and errors that say what to do."""

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mirror.copying import s3_client, s3_store
from mirror.models import MirrorEntry, MirrorTarget, RunState
from mirror.tests.conftest import FILES, SHOT, counts, run, write
from mirror.tests.s3server import KEY, SECRET, Server
from mirror.tests.test_path import later
from tests.harness.processes import free_port

pytestmark = [pytest.mark.django_db]

PNG = f"{SHOT}/previz/v001/panel.png"


@pytest.fixture(scope="module")
def running() -> Iterator[Server]:
    server = Server()
    yield server
    server.stop()


@pytest.fixture
def server(running: Server, monkeypatch: pytest.MonkeyPatch) -> Server:
    running.post("/moto-api/reset")
    running.client().create_bucket(Bucket="films")
    monkeypatch.setenv(KEY, "test")
    monkeypatch.setenv(SECRET, "test")
    return running


@pytest.fixture
def target(make: Callable[..., MirrorTarget], tree: Path, server: Server) -> MirrorTarget:
    return make(kind="s3", bucket="films", prefix="거울/시험", endpoint_url=server.url)


@pytest.mark.both_databases
@pytest.mark.django_db(transaction=True)
def test_everything_is_put_once(target: MirrorTarget, server: Server) -> None:
    task = run(target, verify=True)
    assert (task.state, task.error) == ("succeeded", "")
    assert counts(task, "files", "new", "copied", "verified", "damaged") == (7, 7, 7, 7, 0)
    assert server.objects("films", "거울/시험/") == FILES
    facts = server.client().head_object(Bucket="films", Key=f"거울/시험/{SHOT}/render/v001/리나_클로즈업.mp4")
    assert set(facts["Metadata"]) == {"aip-project", "aip-sha256", "aip-mtime-ns"}
    assert facts["ContentType"] == "video/mp4"
    assert counts(run(target), "same", "copied") == (7, 0)
    assert target.last_state == RunState.OK


@pytest.mark.both_databases
@pytest.mark.django_db(transaction=True)
def test_only_what_changed_is_put_again_and_nothing_is_deleted(
    target: MirrorTarget, tree: Path, server: Server
) -> None:
    run(target)
    later(tree / PNG, b"q" * 3000)
    (tree / "export/final/film.mp4").unlink()
    task = run(target)
    assert counts(task, "changed", "copied", "same", "extra") == (1, 1, 5, 1)
    assert server.objects("films", "거울/시험/") == {**FILES, PNG: b"q" * 3000}


def test_objects_say_themselves_what_they_are_a_copy_of(target: MirrorTarget, tree: Path, server: Server) -> None:
    """As after a crash between the upload and its row, or on a restored database."""
    run(target)
    MirrorEntry.objects.all().delete()
    later(tree / PNG, b"newer")
    assert counts(run(target), "same", "changed", "copied", "conflict") == (6, 1, 1, 0)
    assert MirrorEntry.objects.count() == 7


def test_what_somebody_else_put_there_is_not_overwritten(target: MirrorTarget, tree: Path, server: Server) -> None:
    run(target)
    server.client().put_object(Bucket="films", Key=f"거울/시험/{PNG}", Body=b"graded by hand")
    server.client().put_object(Bucket="films", Key="거울/시험/assets/clash.txt", Body=b"theirs")
    write(tree, {"assets/clash.txt": b"theirs"})
    later(tree / PNG, b"ours")
    task = run(target)
    assert [path for path, _why in task.result["lists"]["conflict"]] == ["assets/clash.txt", PNG]
    assert server.objects("films", "거울/시험/")[PNG] == b"graded by hand"
    assert target.last_state == RunState.ATTENTION


def test_a_dry_run_puts_nothing(target: MirrorTarget, server: Server) -> None:
    task = run(target, dry_run=True)
    assert counts(task, "new", "copied") == (7, 0)
    assert server.client().list_objects_v2(Bucket="films")["KeyCount"] == 0


def test_verify_finds_a_flipped_byte(target: MirrorTarget, server: Server, project: Any) -> None:
    run(target)
    s3, key = server.client(), f"거울/시험/{PNG}"
    facts = s3.head_object(Bucket="films", Key=key)
    s3.put_object(Bucket="films", Key=key, Body=b"p" * 2999 + b"q", Metadata=facts["Metadata"])
    etag = s3.head_object(Bucket="films", Key=key)["ETag"].strip('"')
    MirrorEntry.objects.filter(path=PNG).update(etag=etag)
    task = run(target, verify=True)
    assert [path for path, _why in task.result["lists"]["damaged"]] == [PNG]


def test_a_large_file_goes_in_parts(
    target: MirrorTarget, tree: Path, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (s3_client, s3_store):
        monkeypatch.setattr(module, "MULTIPART_BYTES", 12 * 1024 * 1024)
    data = os.urandom(13 * 1024 * 1024)
    write(tree, {"export/final/큰 영화.mov": data})
    assert run(target, verify=True).state == "succeeded"
    facts = server.client().head_object(Bucket="films", Key="거울/시험/export/final/큰 영화.mov")
    assert facts["ETag"].strip('"').endswith("-3")
    assert server.objects("films", "거울/시험/")["export/final/큰 영화.mov"] == data
    assert counts(run(target), "same", "copied") == (8, 0)


def test_the_limit_holds_for_small_files_too(make: Callable[..., MirrorTarget], tree: Path, server: Server) -> None:
    write(tree, {f"many/{n}.bin": b"x" * 100_000 for n in range(20)})
    target = make(kind="s3", bucket="films", endpoint_url=server.url, limit_mb=1.5)
    began = time.monotonic()
    task = run(target)
    assert task.state == "succeeded"
    assert 1.2 < time.monotonic() - began < 8


def refused(target: MirrorTarget) -> str:
    began = time.monotonic()
    task = run(target)
    assert task.state == "failed"
    assert (target.last_state, target.last_message) == (RunState.FAILED, task.error)
    assert time.monotonic() - began < 60
    return task.error


def test_a_wrong_bucket_says_so(make: Callable[..., MirrorTarget], tree: Path, server: Server) -> None:
    error = refused(make(kind="s3", bucket="no-such-bucket", endpoint_url=server.url))
    assert "There is no bucket no-such-bucket" in error


def test_a_server_that_is_down_says_so(make: Callable[..., MirrorTarget], tree: Path, server: Server) -> None:
    target = make(kind="s3", bucket="films", endpoint_url=f"http://127.0.0.1:{free_port()}")
    assert "does not answer" in refused(target)


def test_a_key_that_is_not_set_says_which(target: MirrorTarget, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(SECRET)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "never used")
    assert f"{SECRET} is not set" in refused(target)


def test_a_wrong_key_and_missing_rights_say_so(
    target: MirrorTarget, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    key, secret = server.known_user(rights=False)
    try:
        monkeypatch.setenv(KEY, "AKIAWRONGWRONGWRONG0")
        assert "does not know the key (InvalidAccessKeyId" in refused(target)
        monkeypatch.setenv(KEY, key)
        assert "does not know the key (SignatureDoesNotMatch" in refused(target)
        monkeypatch.setenv(SECRET, secret)
        assert "may not do this in films" in refused(target)
    finally:
        server.trust_everybody()


def test_a_bucket_with_something_else_in_it_is_refused(
    make: Callable[..., MirrorTarget], tree: Path, server: Server
) -> None:
    s3 = server.client()
    s3.put_object(Bucket="films", Key="x/holiday.jpg", Body=b"x")
    target = make(kind="s3", bucket="films", prefix="x", endpoint_url=server.url)
    assert "is not empty and is no mirror" in refused(target)
    s3.put_object(Bucket="films", Key="x/.aip-mirror.json", Body=b'{"project": "OTHER"}')
    assert "mirror of another project (OTHER)" in refused(target)
