"""A farm of ComfyUI workers whose attempts are stopped at chosen edges, and what must be true when all has ended."""

import os
import re
import signal
import time
import urllib.request
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import close_old_connections
from django.test import Client

from aipipeline.projects.models import Project
from renders.models import JobState, RenderAttempt, RenderJob, Version, VersionState, Worker, WorkerState
from renders.models.job import ENDED_STATES, HELD_STATES
from renders.services import nudges
from renders.services.jobs import render_shots
from renders.services.sealing import sealed_facts
from shots.models import Shot
from tests.doubles.comfyui.process import ComfyDouble
from tests.harness import processes

# From the last to the first, so that one server can have an attempt at each of them at the same time.
EDGES = ("sealed", "publishing", "downloading", "running", "posted", "saved", "leased")
HELD = ("sealed", "publishing", "saved", "leased")
SEEN_SECONDS = 5.0  # a page that is loaded again shows the truth by then


class HeldFarm:
    """One worker for each edge, all of one server."""

    def __init__(self, double: ComfyDouble, folder: Path) -> None:
        self.double, self.folder = double, folder
        self.workers: dict[str, processes.Process] = {}

    def start(self) -> None:
        """All at once, and none takes a job before it is its turn."""
        for edge in EDGES:
            hold, file = (edge, str(self.folder / edge)) if edge in HELD else ("", "")
            self.workers[edge] = processes.comfy_worker(edge, self.double.url, hold=hold, hold_file=file)
        rows = Worker.objects.filter(endpoint=self.double.url, heartbeat_at__isnull=False).exclude(gpu={})
        processes.wait_until(lambda: rows.count() == len(EDGES), seconds=90, what=self.told)

    def kill(self) -> None:
        for process in self.workers.values():
            process.kill()
        self.workers.clear()

    def sleep(self) -> list[processes.Process]:
        """Stop them where they are, as a machine does that hangs; returned to be woken."""
        stopped = list(self.workers.values())
        for process in stopped:
            os.killpg(process.pid, signal.SIGSTOP)
        return stopped

    def add(self, name: str, *, clock: int = 0) -> None:
        """A worker that stops nowhere; `clock`: by how many seconds its clock is wrong."""
        self.workers[name] = processes.comfy_worker(name, self.double.url, clock=clock)

    def hold_one_at_each_edge(self, project: Project, shots: Sequence[Shot]) -> list[RenderJob]:
        """A job for each edge, its attempt stopped there: the last of them is leased when this returns."""
        self.double.faults(hold="", download_seconds=0)
        for edge in HELD:
            (self.folder / f"{edge}.reached").unlink(missing_ok=True)
            (self.folder / edge).touch()
        Worker.objects.filter(endpoint=self.double.url).update(state=WorkerState.DRAINING)
        jobs = []
        for edge, shot in zip(EDGES, shots, strict=True):
            jobs += self._one(edge, project, shot)
        return jobs

    def _one(self, edge: str, project: Project, shot: Shot) -> list[RenderJob]:
        if edge == "downloading":
            self.double.faults(download_seconds=60)
        elif edge == "running":
            self.double.faults(hold="KSampler")
        before = self.double.stats()["downloads"]
        Worker.objects.filter(name__startswith=f"{edge}@").update(state=WorkerState.ONLINE)
        made = render_shots(project=project, actor=None, shots=[shot], step="first_image", params={"steps": 2})
        assert len(made) == 1

        def there() -> bool:
            if edge in HELD:
                return (self.folder / f"{edge}.reached").exists()
            if edge == "downloading":
                return bool(self.double.stats()["downloads"] > before)
            queue = self.double.get("/queue")
            return bool(queue["queue_running" if edge == "running" else "queue_pending"])

        wait(there, seconds=60, what=lambda: f"{edge}: {self.told()}")
        return made

    def release(self) -> None:
        """Let every attempt that is still there go on."""
        for edge in HELD:
            (self.folder / edge).unlink(missing_ok=True)
        self.double.faults(hold="", download_seconds=0)
        Worker.objects.filter(endpoint=self.double.url).update(state=WorkerState.ONLINE)

    def told(self) -> str:
        logs = "\n".join(f"{name}: {process.text()[-600:]}" for name, process in self.workers.items())
        return f"{state_of_things()}\n{logs}"


def state_of_things() -> str:
    jobs = list(RenderJob.objects.values_list("state", "attempts_made", "error", "message"))
    attempts = list(RenderAttempt.objects.values_list("state", "worker__name", "error"))
    workers = list(Worker.objects.values_list("name", "state", "error"))
    return f"{jobs}\n{attempts}\n{workers}"


def wait(done: Any, *, seconds: float, what: Any = state_of_things) -> None:
    """As `processes.wait_until`, waking the workers like the scheduler does (which may be the one that was killed)."""
    last = 0.0

    def nudged() -> Any:
        nonlocal last
        if time.monotonic() - last > 0.5:
            last = time.monotonic()
            nudges.nudge_waiting()
        return done()

    processes.wait_until(nudged, seconds=seconds, what=what)


def all_ended(jobs: Sequence[RenderJob]) -> bool:
    close_old_connections()
    return not RenderJob.objects.filter(pk__in=[job.pk for job in jobs]).exclude(state__in=ENDED_STATES).exists()


def problems(project: Project, doubles: Sequence[ComfyDouble]) -> list[str]:
    """What is not as it must be once every job of the project has ended; [] is what tests want."""
    found = []
    for job in RenderJob.objects.filter(project=project).select_related("version"):
        if job.state not in ENDED_STATES:
            found.append(f"job {job.pk} is {job.state}: {job.error}")
        elif job.state == JobState.SUCCEEDED and (job.version is None or job.version.state != VersionState.PUBLISHED):
            found.append(f"job {job.pk} succeeded without a published version")
    held = RenderAttempt.objects.filter(job__project=project, state__in=HELD_STATES).count()
    if held:
        found.append(f"{held} attempts are still held")
    found += _versions(project) + _files(project)
    for double in doubles:
        queue = double.get("/queue")
        left = [item[1] for item in queue["queue_running"] + queue["queue_pending"]]
        if left:
            found.append(f"the server still works on {left}")
    return found


def _versions(project: Project) -> list[str]:
    """Exactly one for each job that succeeded, whole on the disk."""
    succeeded = RenderJob.objects.filter(project=project, state=JobState.SUCCEEDED)
    wanted = Counter(succeeded.values_list("shot_id", "kind"))
    versions = list(Version.objects.filter(project=project, state=VersionState.PUBLISHED))
    there = Counter((version.shot_id, version.kind) for version in versions)
    found = [
        f"{key}: {there[key]} versions for {wanted[key]} jobs" for key in wanted | there if there[key] != wanted[key]
    ]
    if len({version.pk for version in versions} ^ set(succeeded.values_list("version_id", flat=True))):
        found.append("published versions are not those of the jobs")
    reserved = Version.objects.filter(project=project, state=VersionState.RESERVED).exclude(job__state__in=ENDED_STATES)
    found += [f"{version} is reserved for nobody" for version in reserved]
    return found + [f"{version} is not whole" for version in versions if sealed_facts(version) is None]


def _files(project: Project) -> list[str]:
    """Nothing in the tree that no version owns: no folder aside, no half of a file, no folder of a number."""
    owned = {
        version.folder for version in Version.objects.filter(project=project, state=VersionState.PUBLISHED)
    }  # fmt: skip
    found = []
    for path in Path(project.root).rglob("*"):
        if any(folder in (path, *path.parents) for folder in owned):
            continue
        if path.is_file() or path.name.startswith(".") or re.fullmatch(r"v\d{3,}", path.name):
            found.append(f"orphan {path.relative_to(project.root)}")
    return found


class Reader:
    """Somebody who is logged in and loads pages of the running site."""

    def __init__(self, user: Any) -> None:
        client = Client()
        client.force_login(user)
        self.cookie = f"{settings.SESSION_COOKIE_NAME}={client.cookies[settings.SESSION_COOKIE_NAME].value}"

    def get(self, url: str) -> str:
        request = urllib.request.Request(url, headers={"Cookie": self.cookie})
        with urllib.request.urlopen(request, timeout=SEEN_SECONDS) as answer:
            return str(answer.read().decode())

    def shows(self, site: str, project: Project, jobs: Sequence[RenderJob]) -> list[str]:
        """What the farm page of the project and the pages of the jobs do not tell as the database has it, when they
        are loaded again for up to five seconds; []: all of it is told."""
        end = time.monotonic() + SEEN_SECONDS
        wrong = list(jobs)
        while wrong:
            states = dict(RenderJob.objects.filter(pk__in=[job.pk for job in wrong]).values_list("pk", "state"))
            wrong = [job for job in wrong if self._state(f"{site}/farm/jobs/{job.pk}/") != states[job.pk]]
            if time.monotonic() > end:
                break
        table = self.get(f"{site}/projects/{project.code}/farm/")
        return [f"the page of {job.pk} is not right" for job in wrong] + [
            f"the farm page lacks {job.pk}" for job in jobs if str(job.pk) not in table
        ]

    def _state(self, url: str) -> str:
        found = re.search(r'id="job".*?data-status="(\w+)"', self.get(url), re.DOTALL)
        return found.group(1) if found else ""
