"""`./aip produce --engine comfy` as a person runs it: its own processes, a ComfyUI server, and deaths of either."""

import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client

from aipipeline.media.probe import probe
from aipipeline.studio import production
from comfy_adapters.comfyui import graphs
from renders.models import JobState, RenderAttempt, RenderJob, Version, VersionState
from shots.models import Shot
from tests.doubles.comfyui.process import ComfyDouble, start
from tests.harness import processes

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True), pytest.mark.timeout(600)]

SCRIPT = """S#1. 카페 — 낮

리나가 창가에 앉아 노트북을 연다.

S#2. 골목 — 밤

민준이 우산 없이 걷는다.

S#3. 옥상 — 아침

리나가 하늘을 본다.
"""


@pytest.fixture
def comfy() -> Iterator[ComfyDouble]:
    double = start()
    yield double
    double.stop()


class Produce:
    """The command in a process of its own, with a data folder of its own; the database is the test's."""

    def __init__(self, folder: Path, comfy: ComfyDouble, fps: str = "24") -> None:
        self.folder, self.out = folder, folder / "out"
        self.script = folder / "짧은 비.txt"
        self.script.write_text(SCRIPT, encoding="utf-8")
        self.arguments = [
            str(self.script), "--out", str(self.out), "--project", "RAIN", "--engine", "comfy",
            "--size", "320x180", "--fps", fps, "--json",
        ]  # fmt: skip
        (folder / "data").mkdir()
        self.env = {
            **os.environ,
            "DATABASE_URL": processes.database_url(),
            "AIP_DATA": str(folder / "data"),
            "COMFYUI_URLS": comfy.url,
            "LOG_LEVEL": "WARNING",
            "RENDER_LEASE_SECONDS": "6",
        }
        self.child = self.start()

    def start(self) -> "subprocess.Popen[str]":
        line = [sys.executable, "-m", "aipipeline.studio.launch", "produce", *self.arguments]
        with open(self.folder / "stderr", "a") as errors:
            self.child = subprocess.Popen(
                line, cwd=processes.ROOT, env=self.env, stdout=subprocess.PIPE, stderr=errors, text=True,
                start_new_session=True,
            )  # fmt: skip
        return self.child

    def told(self) -> str:
        jobs = list(RenderJob.objects.values_list("kind", "state", "attempts_made", "error"))
        return f"{(self.folder / 'stderr').read_text()[-3000:]}\n{jobs}"

    def finish(self, seconds: float = 240) -> dict[str, Any]:
        stdout, _ = self.child.communicate(timeout=seconds)
        assert self.child.returncode == 0, self.told()
        made: dict[str, Any] = json.loads(stdout.splitlines()[-1])
        return made

    def kill(self) -> None:
        """kill -9 of the command and of everything that it started, as a power cut does."""
        folder = str(self.folder / "data").encode()
        for place in Path("/proc").glob("[0-9]*"):
            try:
                # Redis writes its own title over the start of its environment.
                known = (place / "environ").read_bytes().split(b"\0"), (place / "cmdline").read_bytes()
                if b"AIP_DATA=" + folder in known[0] or folder + b"/run/redis.sock" in known[1]:
                    os.kill(int(place.name), signal.SIGKILL)
            except (OSError, ProcessLookupError):
                continue
        self.child.communicate()


@pytest.fixture
def produce(transactional_db: None, own_storage: None, tmp_path: Path, comfy: ComfyDouble) -> Iterator[Produce]:
    command = Produce(tmp_path, comfy)
    yield command
    command.kill()


def rendering(kind: str, comfy: ComfyDouble) -> bool:
    """The server works on a prompt of ours."""
    mine = RenderAttempt.objects.filter(state=JobState.RUNNING, job__kind=kind).values_list("saved", flat=True)
    running = {item[1] for item in comfy.get("/queue")["queue_running"]}
    return any(saved.get("prompt_id") in running for saved in mine)


def images() -> set[int]:
    return set(Version.objects.live().filter(kind="previz").values_list("pk", flat=True))


def film_is_exact(made: dict[str, Any], out: Path) -> None:
    film = probe(out / "film.mp4")
    shots = sum(Shot.objects.live().values_list("duration_frames", flat=True))
    assert made["frames"] == {"shots": shots, "proxy": shots, "film": shots}
    assert (film.frames, film.fps, film.width, film.height) == (shots, 24, 320, 180)


def one_version_each() -> None:
    for shot in Shot.objects.live():
        for kind in ("previz", "render"):
            versions = Version.objects.filter(shot=shot, kind=kind)
            assert [v.state for v in versions] == [VersionState.PUBLISHED]
            folder = versions[0].folder.parent
            assert [p.name for p in folder.iterdir() if p.name.startswith(".tmp")] == []


def test_a_scenario_becomes_a_film_by_comfyui(produce: Produce, comfy: ComfyDouble, admin_user: Any) -> None:
    made = produce.finish()
    assert made["counts"]["shots"] == made["counts"]["images"] == made["counts"]["videos"] == 3
    film_is_exact(made, produce.out)
    one_version_each()
    for shot in Shot.objects.live():
        image, clip = Version.objects.get(shot=shot, kind="previz"), Version.objects.get(shot=shot, kind="render")
        source = probe(clip.file("source.mp4"))
        assert (source.frames - 1) % 4 == 0
        assert source.fps == 16, "what the model made is kept beside"
        assert Fraction(source.frames, 16) >= Fraction(shot.duration_frames, 24)
        made_clip = probe(clip.file())
        assert (made_clip.frames, made_clip.fps) == (shot.duration_frames, 24)
        assert (clip.frames, clip.fps, image.width, image.height) == (shot.duration_frames, "24", 320, 180)
        for version, name in ((image, "flux_t2i"), (clip, "wan22_i2v")):
            kept = version.provenance
            graph = graphs.load(name)[0]
            assert (kept["engine"], kept["workflow"], kept["graph"]) == ("comfyui", f"comfy.{name}", name)
            assert kept["graph_hash"] == graph.hash
            assert kept["filled_graph_hash"] == graphs.graph_hash(kept["filled_graph"])
            assert kept["prompt"] == version.job.params["prompt"]
            assert kept["seed"] == version.job.params["seed"]
            assert all(model["file"].endswith(".safetensors") for model in kept["models"])
            assert kept["worker"].startswith("gpu-127-0-0-1-")
            assert kept["seconds"] > 0
            assert kept["endpoint"] == comfy.url
            assert not kept.get("draft")
        assert image.provenance["inputs"] == {}
        assert clip.provenance["inputs"] == {"first_image": image.pk}
    assert set(comfy.stats()["executed"].values()) == {1}
    assert len(comfy.stats()["executed"]) == 6
    browser = Client()
    browser.force_login(admin_user)
    for page in ("/projects/RAIN/", "/projects/RAIN/storyboard/"):
        answer = browser.get(page)
        assert answer.status_code == 200
        assert "local-draft" not in answer.content.decode()


def test_deaths_in_the_middle_cost_nothing_but_time(produce: Produce, comfy: ComfyDouble) -> None:
    """ComfyUI dies under an image: the run goes on by itself. Then the command, its workers and its Redis die under a
    clip: run again, it takes up the prompt that still runs. At last everything dies, ComfyUI too."""
    comfy.faults(step_seconds=0.15)
    processes.wait_until(lambda: rendering("previz", comfy), seconds=150, what=produce.told)
    comfy.kill()
    processes.wait_until(lambda: "Waiting for the ComfyUI" in _messages(), seconds=30, what=produce.told)
    comfy.start_again()
    processes.wait_until(lambda: len(images()) == 3, seconds=90, what=produce.told)
    assert RenderAttempt.objects.filter(state=JobState.FAILED, error__contains="no longer knows this work").exists()
    before = images()

    comfy.faults(step_seconds=0.3)
    processes.wait_until(lambda: rendering("render", comfy), seconds=60, what=produce.told)
    running = RenderAttempt.objects.get(state=JobState.RUNNING, job__kind="render")
    prompt_id = running.saved["prompt_id"]
    produce.kill()
    produce.start()
    first = Version.objects.live().filter(kind="render", job=running.job)
    processes.wait_until(first.exists, seconds=150, what=produce.told)
    assert first.get().provenance["prompt_id"] == prompt_id
    assert comfy.stats()["executed"][prompt_id] == 1

    processes.wait_until(lambda: rendering("render", comfy), seconds=60, what=produce.told)
    produce.kill()
    comfy.kill()
    comfy.start_again()
    produce.start()
    film_is_exact(produce.finish(), produce.out)
    one_version_each()
    assert images() == before


def _messages() -> str:
    return "\n".join(RenderJob.objects.values_list("message", flat=True))


def test_without_a_machine_the_command_ends_and_says_what_to_start(
    transactional_db: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(production, "STUCK_LOOK_SECONDS", 0.1)
    monkeypatch.setattr(production, "STUCK_SECONDS", 0.3)
    script, errors = tmp_path / "a.txt", io.StringIO()
    script.write_text(SCRIPT, encoding="utf-8")
    with pytest.raises(SystemExit) as caught:
        call_command("produce", str(script), "--out", str(tmp_path / "out"), "--engine", "comfy", stderr=errors)
    assert caught.value.code == 1
    assert "No worker drives a ComfyUI server. Set COMFYUI_URLS" in errors.getvalue().splitlines()[-1]
    assert set(RenderJob.objects.values_list("state", flat=True)) == {JobState.QUEUED}, "they wait for one to come"
