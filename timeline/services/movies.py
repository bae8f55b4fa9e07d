"""Movies made of the cut: the proxy for the page, the film to take home. Both are ledger tasks."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from aipipeline.history.services import recording
from aipipeline.media import ffmpeg
from aipipeline.projects.errors import Invalid
from aipipeline.projects.models import Project
from celery_workers.kinds import ledger_kind
from celery_workers.ledger import TaskCancelled, TaskContext, submit
from celery_workers.models import LedgerTask, TaskState
from timeline.assembly.build import build_movie
from timeline.assembly.profiles import FILM, PROXY
from timeline.cut import Cut
from timeline.models import Movie, MovieKind
from timeline.selectors import cut_of, newest_movie, signature

PROFILES = {MovieKind.PROXY: PROXY, MovieKind.FILM: FILM}
_TASK_OF = {MovieKind.PROXY: "timeline.proxy", MovieKind.FILM: "timeline.film"}


def request_movie(*, project: Project, actor: Any, kind: str) -> LedgerTask:
    """Start making the movie; an open task of the same kind is returned instead of a second one."""
    if kind not in MovieKind.values:
        raise Invalid(_("Unknown kind of movie."), fields={"kind": [_("unknown")]})
    _edit, cut = cut_of(project)
    if not cut.clips:
        raise Invalid(_("The cut is empty. Add shots first."))
    name = _TASK_OF[MovieKind(kind)]
    running = LedgerTask.objects.filter(
        project=project, kind=name, state=TaskState.QUEUED, cancel_requested=False
    ).first()
    return running or submit(kind=name, project=project, actor=actor)


@dataclass(frozen=True)
class MovieState:
    """The newest proxy and film of a project, and whether each still shows the cut as it is now."""

    proxy: Movie | None
    film: Movie | None
    proxy_current: bool
    film_current: bool

    @property
    def preview(self) -> Movie | None:
        """What a page plays: the proxy, unless only the film shows the present cut."""
        return self.film if self.film_current and not self.proxy_current else self.proxy

    @property
    def best(self) -> Movie | None:
        """What shows the production at its furthest: the film where it is current, else the preview."""
        return self.film if self.film_current else self.preview

    @property
    def preview_current(self) -> bool:
        return self.proxy_current or self.film_current


def movie_state(project: Project) -> MovieState:
    """Both movies held against the cut, which is read once."""
    proxy, film = newest_movie(project, MovieKind.PROXY), newest_movie(project, MovieKind.FILM)
    if proxy is None and film is None:
        return MovieState(None, None, False, False)
    _edit, cut = cut_of(project)
    return MovieState(proxy, film, _shows(proxy, project, cut), _shows(film, project, cut))


def is_current(movie: Movie | None, project: Project) -> bool:
    """True when the movie shows the cut as it is now, and its file is there."""
    return movie is not None and _shows(movie, project, cut_of(project)[1])


def _shows(movie: Movie | None, project: Project, cut: Cut) -> bool:
    if movie is None or not (project.root / movie.path).is_file():
        return False
    return movie.signature == signature(cut, profile=movie.kind)


@ledger_kind("timeline.proxy", label=gettext_lazy("Proxy"))
def make_proxy(context: TaskContext) -> dict[str, Any]:
    return _make(context, MovieKind.PROXY)


@ledger_kind("timeline.film", label=gettext_lazy("Film"))
def make_film(context: TaskContext) -> dict[str, Any]:
    return _make(context, MovieKind.FILM)


def _make(context: TaskContext, kind: MovieKind) -> dict[str, Any]:
    project = context.task.project
    assert project is not None  # submitted with one
    edit, cut = cut_of(project)
    mark = signature(cut, profile=kind)
    newest = newest_movie(project, kind)
    if newest is not None and newest.signature == mark and (project.root / newest.path).is_file():
        return _result(newest, reused=len(cut.clips), rendered=0)
    out = project.root / _path_for(project, kind, mark)
    out.parent.mkdir(parents=True, exist_ok=True)
    try:
        built = build_movie(
            cut,
            out,
            cache=project.root / "edit" / "proxy" / ".segments",
            profile=PROFILES[kind],
            on_progress=context.progress,
            cancelled=context.cancelled,
        )
    except ffmpeg.Cancelled as error:
        raise TaskCancelled from error
    context.check()
    profile_size = (built.width, built.height)
    with recording(
        project=project,
        actor=context.task.actor,
        kind=f"movie.{kind}",
        undoable=False,
        params={"frames": built.frames},
    ):
        movie = Movie.objects.create(
            project=project,
            edit=edit,
            kind=kind,
            path=out.relative_to(project.root).as_posix(),
            signature=mark,
            frames=built.frames,
            width=profile_size[0],
            height=profile_size[1],
            size=out.stat().st_size,
            details={"reused": built.reused, "rendered": built.rendered, "seconds": round(built.seconds, 2)},
            task=context.task,
        )
    _forget_old_proxies(project, keep=movie)
    return _result(movie, reused=built.reused, rendered=built.rendered)


def _path_for(project: Project, kind: MovieKind, mark: str) -> Path:
    if kind == MovieKind.PROXY:
        return Path("edit/proxy") / f"{project.code}_proxy_{mark[:12]}.mp4"
    number = Movie.objects.filter(project=project, kind=kind).count() + 1
    path = Path("export/final") / f"{project.code}_film_v{number:03d}.mp4"
    while (project.root / path).exists():
        # A file of that name that no row knows: a crash between the rename and the row, or a person's own.
        number += 1
        path = Path("export/final") / f"{project.code}_film_v{number:03d}.mp4"
    return path


def _forget_old_proxies(project: Project, keep: Movie) -> None:
    """Proxies are made anew from their segments at any time; the last three stay for pages that still play them."""
    if keep.kind != MovieKind.PROXY:
        return
    old = Movie.objects.filter(project=project, kind=MovieKind.PROXY).order_by("-created_at")[3:]
    paths = set(
        Movie.objects.filter(project=project).exclude(pk__in=[m.pk for m in old]).values_list("path", flat=True)
    )
    for movie in old:
        if movie.path not in paths:
            (project.root / movie.path).unlink(missing_ok=True)
        movie.delete()


def _result(movie: Movie, *, reused: int, rendered: int) -> dict[str, Any]:
    return {
        "movie": movie.pk,
        "path": movie.path,
        "frames": movie.frames,
        "reused": reused,
        "rendered": rendered,
    }
