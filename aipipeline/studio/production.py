"""A whole production without a browser: each stage asks what is missing, makes it, and waits.

Every stage can be run again: what exists is left alone, so a run after a kill goes on where the last one was.
Approvals of this run are marked `auto` and never override a person's.
"""

import hashlib
import re
import shutil
import time
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.db import close_old_connections
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from aipipeline.history.project_services import create_project
from aipipeline.projects.errors import Conflict, Invalid, PipelineError
from aipipeline.projects.models import Project
from aipipeline.tables.sheets.content import Wanted
from aipipeline.tables.sheets.export import export_sheet
from celery_workers.models import LedgerTask, TaskState
from renders.farm.waiting import unserved
from renders.models import JobState, RenderJob, Verdict, Version, VersionStatus
from renders.models.job import HELD_STATES, OPEN_STATES
from renders.services.jobs import render_shots
from renders.services.reviews import review_version
from shots.models import Scenario, ScenarioState, Shot, Step
from shots.models.step import KIND_OF_STEP
from shots.scenario import analyse, read_text
from shots.services import scenarios
from shots.services.confirm import confirm
from shots.services.tree.metadata import write_stale
from timeline.models import Movie, MovieKind
from timeline.services.exports import export_cut
from timeline.services.movies import is_current, request_movie

STAGES = ("breakdown", "confirm", "images", "proxy", "videos", "film", "export")
# Often enough to go on at once, seldom enough not to take time from the workers on two cores.
POLL_SECONDS = 0.25
STUCK_LOOK_SECONDS = 3.0
STUCK_SECONDS = 120.0  # workers that start on a busy machine take half of it
Report = Callable[[str, float, str], None]


class NothingToFilm(Invalid):
    """The text has neither scenes nor anything to show."""

    code = "nothing_to_film"


class StageFailed(PipelineError):
    """A stage ended with an error that the run cannot mend."""

    status = 500
    code = "stage_failed"


@dataclass
class Production:
    """What a run made: `seconds` by stage, everything else as counts and paths."""

    project: Project
    seconds: dict[str, float] = field(default_factory=dict)
    paths: dict[str, str] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    frames: dict[str, int] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        return {
            "project": self.project.code,
            "fps": self.project.fps,
            "size": f"{self.project.width}x{self.project.height}",
            "counts": self.counts,
            "frames": self.frames,
            "paths": self.paths,
            "warnings": self.warnings,
            "seconds": {name: round(value, 2) for name, value in self.seconds.items()},
        }


def code_for(name: str) -> str:
    """A project code from a file name; a name without Latin letters gets a stable code of its own."""
    stem = unicodedata.normalize("NFC", Path(name).stem)
    latin = re.sub(r"[^A-Za-z0-9]+", "_", stem).strip("_")
    digest = hashlib.sha256(stem.encode()).hexdigest()[:6]
    return (latin.upper()[:30] if len(latin) >= 3 else f"P_{digest.upper()}") or f"P_{digest.upper()}"


def check_text(data: bytes, filename: str) -> None:
    """ScenarioError for what cannot be read, NothingToFilm for what holds nothing: before anything is made of it."""
    if not analyse(read_text(data, filename)).shots:
        raise NothingToFilm(_("There is nothing to film in this text: no scene, action or dialogue was found."))


def open_project(
    *, code: str, title: str, data: bytes, filename: str, actor: Any, **settings: Any
) -> tuple[Project, Scenario]:
    """The project of this scenario, made when it is new; Conflict when the code holds another scenario.

    `settings` are those of a new project; Conflict when one that is there already has others.
    """
    text = read_text(data, filename).text
    project = Project.objects.filter(code=code).first()
    if project is None:
        project = create_project(actor=actor, code=code, title=title, **settings)
    elif project.removed_at is not None:
        raise Conflict(_("Project %(code)s was removed. Choose another code with --project.") % {"code": code})
    for name, value in settings.items():
        if getattr(project, name) != value:
            raise Conflict(
                _("Project %(code)s is there already with %(name)s %(value)s. Choose another code with --project.")
                % {"code": code, "name": name, "value": getattr(project, name)}
            )
    scenario = Scenario.objects.live().filter(project=project).order_by("-created_at").first()
    if scenario is None:
        scenario = scenarios.add_scenario(project=project, actor=None, data=data, filename=filename, title=title)
    elif scenario.text != text:
        raise Conflict(
            _("Project %(code)s was made from another text. Choose another code with --project.") % {"code": code}
        )
    return project, scenario


def run(*, project: Project, scenario: Scenario, out: Path | None, until: str = "export", report: Report) -> Production:
    """Run the stages up to and including `until`; progress by `report(stage, fraction, message)`."""
    made = Production(project=project)
    stages: dict[str, Callable[[Production, Report], None]] = {
        "breakdown": lambda p, r: _breakdown(p, scenario, r),
        "confirm": _confirm,
        "images": lambda p, r: _render(p, Step.FIRST_IMAGE, "images", r),
        "proxy": lambda p, r: _movie(p, MovieKind.PROXY, r),
        "videos": lambda p, r: _render(p, Step.RENDER, "videos", r),
        "film": lambda p, r: _movie(p, MovieKind.FILM, r),
        "export": lambda p, r: _export(p, out, r),
    }
    for name in STAGES:
        began = time.monotonic()
        report(name, 0.0, "")
        stages[name](made, report)
        made.seconds[name] = time.monotonic() - began
        report(name, 1.0, "")
        if name == until:
            break
    # A command has no worker that writes the tree's files after every change: here they are written once.
    write_stale(project.pk)
    _count(made)
    return made


def _breakdown(made: Production, scenario: Scenario, report: Report) -> None:
    scenario.refresh_from_db()
    if scenario.state == ScenarioState.DRAFT:
        scenario = scenarios.analyse_scenario(scenario=scenario, actor=None)
    made.warnings.extend(str(w) for w in scenario.proposal.get("warnings", []))
    if not scenario.proposal.get("shots"):
        raise NothingToFilm(_("There is nothing to film in this text: no scene, action or dialogue was found."))
    if scenario.state != ScenarioState.APPLIED:
        scenarios.apply_scenario(scenario=scenario, actor=None)


def _confirm(made: Production, report: Report) -> None:
    confirm(project=made.project, actor=None)


def _shots(project: Project) -> list[Shot]:
    rows = Shot.objects.live().filter(project=project).select_related("project", "scene__environment")
    return list(rows.select_related("environment", "preset").order_by("position", "id"))


def _render(made: Production, step: str, stage: str, report: Report) -> None:
    """Queue what has no version yet, wait for it, and approve (automatically) what nobody decided on."""
    shots = _shots(made.project)
    kind = KIND_OF_STEP[step]
    done = set(
        Version.objects.live()
        .filter(shot__in=shots, kind=kind)
        .exclude(status=VersionStatus.REJECTED)
        .values_list("shot_id", flat=True)
    )
    missing = [shot for shot in shots if shot.pk not in done]
    if missing:
        render_shots(project=made.project, actor=None, shots=missing, step=step, auto_approve=True)
        _wait_for_jobs(made.project, [shot.pk for shot in missing], step, stage, report)
    _approve_undecided(shots, kind)


def _wait_for_jobs(project: Project, shot_ids: list[int], step: str, stage: str, report: Report) -> None:
    jobs = RenderJob.objects.filter(project=project, shot__in=shot_ids, step=step)
    stuck = _Stuck(jobs)
    while True:
        rows = list(jobs.values_list("state", "progress"))
        ended = sum(state not in OPEN_STATES for state, _progress in rows)
        value = sum(1.0 if state not in OPEN_STATES else progress for state, progress in rows) / max(len(rows), 1)
        report(stage, value, f"{ended}/{len(rows)} {stuck.look()}".rstrip())
        if ended == len(rows):
            break
        close_old_connections()
        time.sleep(POLL_SECONDS)
    published = set(
        Version.objects.live().filter(shot__in=shot_ids, kind=KIND_OF_STEP[step]).values_list("shot_id", flat=True)
    )
    lost = [pk for pk in shot_ids if pk not in published]
    if lost:
        failed = (
            jobs.filter(shot__in=lost, state=JobState.FAILED).select_related("shot").order_by("-created_at").first()
        )
        raise StageFailed(
            _("%(count)s shots could not be rendered. First: %(shot)s: %(error)s")
            % {
                "count": len(lost),
                "shot": failed.shot.code if failed and failed.shot else "",
                "error": failed.error if failed else _("cancelled"),
            }
        )


class _Stuck:
    """Tells what waiting jobs wait for, and gives up when nothing can run them for STUCK_SECONDS."""

    def __init__(self, jobs: "QuerySet[RenderJob]") -> None:
        self.jobs = jobs
        self.text = ""
        self._next = time.monotonic() + STUCK_LOOK_SECONDS
        self._since = time.monotonic()

    def look(self) -> str:
        now = time.monotonic()
        if now < self._next:
            return self.text
        self._next = now + STUCK_LOOK_SECONDS
        reason = "" if self.jobs.filter(state__in=HELD_STATES).exists() else unserved(self.jobs)
        if not reason:
            self._since = now
        elif now - self._since > STUCK_SECONDS:
            raise StageFailed(reason)
        failing = self.jobs.filter(state=JobState.QUEUED).exclude(error="").values_list("error", flat=True).first()
        self.text = reason or failing or ""
        return self.text


def _approve_undecided(shots: list[Shot], kind: str) -> None:
    approved = set(
        Version.objects.live()
        .filter(shot__in=shots, kind=kind, status=VersionStatus.APPROVED)
        .values_list("shot_id", flat=True)
    )
    open_ones = [shot.pk for shot in shots if shot.pk not in approved]
    for version in (
        Version.objects.live().filter(shot__in=open_ones, kind=kind, status=VersionStatus.PENDING).order_by("number")
    ):
        try:
            review_version(version=version, actor=None, verdict=Verdict.APPROVE, auto=True)
        except Conflict:
            continue


def _movie(made: Production, kind: str, report: Report) -> None:
    newest = Movie.objects.filter(project=made.project, kind=kind).order_by("-created_at").first()
    if not is_current(newest, made.project):
        task = request_movie(project=made.project, actor=None, kind=kind)
        _wait_for_task(task, kind, report)
        newest = Movie.objects.filter(project=made.project, kind=kind).order_by("-created_at").first()
    assert newest is not None  # the task succeeded
    made.frames[kind] = newest.frames


def _wait_for_task(task: LedgerTask, stage: str, report: Report) -> None:
    while True:
        task.refresh_from_db()
        if task.state == TaskState.SUCCEEDED:
            return
        if task.state in (TaskState.FAILED, TaskState.CANCELLED):
            raise StageFailed(task.error or _("The work was cancelled."))
        report(stage, task.progress, task.message)
        close_old_connections()
        time.sleep(POLL_SECONDS)


def _export(made: Production, out: Path | None, report: Report) -> None:
    project = made.project
    target = out or project.root / "export" / "final"
    target.mkdir(parents=True, exist_ok=True)
    for format in ("edl", "xml", "otio"):
        _name, content = export_cut(project=project, format=format)
        path = target / f"edit.{format}"
        path.write_bytes(content)
        made.paths[format] = str(path)
    sheet = target / "shotlist.xlsx"
    with export_sheet(wanted=Wanted(project, "shots"), format="xlsx").file as table, open(sheet, "wb") as file:
        shutil.copyfileobj(table, file)
    made.paths["sheet"] = str(sheet)
    film = Movie.objects.filter(project=project, kind=MovieKind.FILM).order_by("-created_at").first()
    if film is not None and out is not None:
        copy = out / "film.mp4"
        temporary = out / ".film.mp4.part"
        shutil.copyfile(project.root / film.path, temporary)
        temporary.replace(copy)
        made.paths["film"] = str(copy)
    made.paths["tree"] = str(project.root)


def _count(made: Production) -> None:
    project = made.project
    shots = _shots(project)
    made.counts = {
        "characters": project.characters.filter(removed_at=None).count(),
        "environments": project.environments.filter(removed_at=None).count(),
        "scenes": project.scenes.filter(removed_at=None).count(),
        "shots": len(shots),
        "images": Version.objects.live().filter(project=project, kind="previz").count(),
        "videos": Version.objects.live().filter(project=project, kind="render").count(),
    }
    made.frames["shots"] = sum(shot.duration_frames for shot in shots)
