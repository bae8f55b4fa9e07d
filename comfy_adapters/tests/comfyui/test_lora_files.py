"""A LoRA that the server lacks: from the studio's tree into the server's folder, never over another file."""

import errno
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from aipipeline.media.files import sha256_file
from aipipeline.media.storage import StorageError
from aipipeline.projects.errors import Invalid
from assets.models import Character, LoRA
from comfy_adapters.comfyui import graphs, lora_files
from comfy_adapters.comfyui.backend import ComfyBackend
from comfy_adapters.comfyui.errors import ComfyError
from comfy_adapters.comfyui.lora_files import deliver
from comfy_adapters.comfyui.loras import Lora, of_params
from comfy_adapters.tests.comfyui.helpers import QUICK, Reporter, context
from comfy_adapters.tests.comfyui.test_catalogue import server
from renders.backends import JobCancelled
from renders.services.fits import keep_schema
from renders.services.jobs import render_shots
from renders.services.lora_files import with_lora_paths
from renders.services.workflows import sync_workflows
from renders.tests import farm_world as world
from shots.services.tree.folders import ensure_folder
from tests.doubles.comfyui.process import ComfyDouble
from tests.factories import applied_project


def going_on() -> bool:
    return False


@pytest.fixture
def models(tmp_path: Path, settings: Any) -> Path:
    """The server's models folder, reached by this worker."""
    folder = tmp_path / "comfy" / "models"
    (folder / "loras").mkdir(parents=True)
    settings.AIP_WORKER_MODELS = str(folder)
    return folder


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "리나.safetensors"
    path.write_bytes(os.urandom(5 << 20))
    return path


def test_a_file_is_copied_whole_and_once(models: Path, source: Path) -> None:
    lora = Lora("faces\\리나.safetensors", 1.0, path=str(source))
    target = models / "loras" / "faces" / "리나.safetensors"
    assert deliver(lora, cancelled=going_on) == target
    assert sha256_file(target) == sha256_file(source)
    first = target.stat()
    assert deliver(lora, cancelled=going_on) == target
    assert target.stat().st_mtime_ns == first.st_mtime_ns
    assert [path.name for path in target.parent.iterdir()] == ["리나.safetensors"]


def test_another_file_of_that_name_is_never_overwritten(models: Path, source: Path) -> None:
    target = models / "loras" / source.name
    target.write_bytes(b"somebody's own")
    with pytest.raises(ComfyError, match="another file than the studio's") as caught:
        deliver(Lora(source.name, 1.0, path=str(source)), cancelled=going_on)
    assert not caught.value.retryable
    assert target.read_bytes() == b"somebody's own"


def test_a_faster_worker_is_met_without_harm(models: Path, source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = models / "loras" / source.name

    def taken(old: Any, new: Any) -> None:
        target.write_bytes(source.read_bytes())
        raise FileExistsError(errno.EEXIST, "File exists")

    monkeypatch.setattr(os, "link", taken)
    assert deliver(Lora(source.name, 1.0, path=str(source)), cancelled=going_on) == target
    assert [path.name for path in target.parent.iterdir()] == [source.name]


def test_nothing_half_copied_stays(models: Path, source: Path) -> None:
    with pytest.raises(JobCancelled):
        deliver(Lora(source.name, 1.0, path=str(source)), cancelled=lambda: True)
    assert list((models / "loras").iterdir()) == []
    (models / "loras").rmdir()
    (models / "loras").write_text("a file where the folder should be")
    with pytest.raises((StorageError, OSError)):
        deliver(Lora(source.name, 1.0, path=str(source)), cancelled=going_on)


@pytest.mark.parametrize("file", ["../../escape.safetensors", "/etc/x.safetensors", "C:\\x.safetensors", "script.py"])
def test_names_that_lead_elsewhere_are_refused(models: Path, source: Path, file: str) -> None:
    with pytest.raises(ComfyError, match="not the name of a LoRA file"):
        deliver(Lora(file, 1.0, path=str(source)), cancelled=going_on)


def test_without_a_map_or_a_file_nothing_is_done(source: Path, models: Path, settings: Any) -> None:
    assert deliver(Lora("x.safetensors", 1.0), cancelled=going_on) is None
    assert deliver(Lora("x.safetensors", 1.0, path=str(source) + "-gone"), cancelled=going_on) is None
    settings.AIP_WORKER_MODELS = ""
    assert deliver(Lora("x.safetensors", 1.0, path=str(source)), cancelled=going_on) is None


def notices(server: ComfyDouble) -> Callable[..., Path | None]:
    """The copying itself, after which the server lists the file, as a real one does when it is asked again."""

    def copying(lora: Lora, *, cancelled: Callable[[], bool]) -> Path | None:
        found = deliver(lora, cancelled=cancelled)
        if found is not None:
            server.faults(models=[f"loras/{lora.file}"])
        return found

    return copying


def test_a_job_brings_its_lora_along(
    comfy_server: ComfyDouble, tmp_path: Path, models: Path, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = [{"file": source.name, "strength": 0.8, "name": "리나", "path": str(source)}]
    backend = ComfyBackend(QUICK)
    with pytest.raises(ComfyError) as caught:
        backend.run(context(comfy_server.url, tmp_path, loras=wanted), Reporter())
    assert f"lies in {models / 'loras'}, and the server does not list it" in caught.value.message
    assert caught.value.elsewhere
    assert comfy_server.stats()["posts"] == 0
    (models / "loras" / source.name).unlink()
    monkeypatch.setattr(lora_files, "deliver", notices(comfy_server))
    kept = backend.run(context(comfy_server.url, tmp_path, loras=wanted, attempt="two", steps=2), Reporter()).provenance
    (lora,) = kept["loras"]
    assert (lora["file"], lora["strength"], lora["used"]) == (source.name, 0.8, True)
    assert lora["sha256"] == sha256_file(source)
    assert lora["size"] == 5 << 20
    node = next(node for node in kept["filled_graph"].values() if node["class_type"] == "LoraLoaderModelOnly")
    assert (node["inputs"]["lora_name"], node["inputs"]["strength_model"]) == (source.name, 0.8)


def test_what_the_studio_has_not_is_named_with_the_folder(
    shared_server: ComfyDouble, tmp_path: Path, models: Path
) -> None:
    job = context(shared_server.url, tmp_path, loras=[{"file": "없음.safetensors", "strength": 1.0}])
    with pytest.raises(ComfyError) as caught:
        ComfyBackend(QUICK).run(job, Reporter())
    assert "없음.safetensors is missing on the server" in caught.value.message
    assert f"The studio has no 없음.safetensors to copy to {models / 'loras'}" in caught.value.message


def test_the_studio_finds_its_own_file(project: Any, django_assert_max_num_queries: Any, tmp_path: Path) -> None:
    lora = LoRA.objects.create(project=project, name="리나", path="faces\\rina.safetensors")
    rina = Character.objects.create(project=project, name="리나", lora=lora, use_lora=True)
    LoRA.objects.create(project=project, name="밖", path="../../outside.safetensors")
    folder = project.root / ensure_folder(rina).path / "lora"
    folder.mkdir(parents=True)
    (folder / "rina.safetensors").write_bytes(b"weights")
    (project.root / "own.safetensors").write_bytes(b"weights")
    (project.root.parent.parent / "outside.safetensors").write_bytes(b"not ours")
    own = str(project.root / "own.safetensors")
    files = ["faces/rina.safetensors", own, "../../outside.safetensors", str(tmp_path / "outside.safetensors")]
    params = {"loras": [{"file": file, "strength": 1.0, "path": "/etc/passwd"} for file in files], "seed": 1}
    with django_assert_max_num_queries(4):
        found = with_lora_paths(project, params)
    assert [entry.get("path") for entry in found["loras"]] == [str(folder / "rina.safetensors"), own, None, None]
    assert [lora.file for lora in of_params(found)][:2] == ["faces/rina.safetensors", "own.safetensors"]
    assert found["seed"] == 1
    assert with_lora_paths(project, {"seed": 1}) == {"seed": 1}


@pytest.mark.django_db
def test_a_start_is_refused_only_for_loras_that_nobody_has(project: Any, admin_user: Any) -> None:
    shot = applied_project(project, admin_user)[0]
    sync_workflows()
    gpu = world.worker("gpu", backend="comfyui", endpoint="http://gpu")
    keep_schema(worker=gpu, said=server("0.33.0", graphs.load("flux_t2i")[1]))
    start = partial(render_shots, project=project, actor=admin_user, shots=[shot], workflow="comfy.flux_t2i")
    wanted = {"loras": [{"file": "rina.safetensors", "strength": 1.0, "name": "리나"}]}
    with pytest.raises(Invalid, match=r"rina\.safetensors is missing on the server"):
        start(params=wanted)
    project.root.mkdir(parents=True, exist_ok=True)
    (project.root / "rina.safetensors").write_bytes(b"weights")
    (job,) = start(params=wanted)
    assert job.params["loras"] == wanted["loras"]  # no path of this machine is kept
