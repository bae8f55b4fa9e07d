"""What the inputs of chosen workflows take for chosen shots: the usual by kind, or what people pick in the dialog."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from aipipeline.projects.checks import whole_number
from aipipeline.projects.errors import Invalid
from aipipeline.projects.models import Project
from renders.models import RenderJob, Version, VersionKind, VersionStatus, Workflow
from renders.models.job import OPEN_STATES
from renders.services.chains import FIRST
from renders.services.inputs import MOVING, takes_clip
from shots.models import Shot

ROLES = {
    "first_image": gettext_lazy("first image"),
    "clean_image": gettext_lazy("first image"),
    "last_image": gettext_lazy("last image"),
    "source_image": gettext_lazy("picture to change"),
    "mask_image": gettext_lazy("mask"),
    "mask": gettext_lazy("mask"),
    "control_image": gettext_lazy("control picture"),
    "style_image": gettext_lazy("style picture"),
    "reference_image": gettext_lazy("reference picture"),
    "reference_video": gettext_lazy("clip"),
    "source_video": gettext_lazy("clip"),
    "driving_video": gettext_lazy("driving clip"),
    "source": gettext_lazy("clip"),
}
PREFIX = "i."  # of the form's fields, before the role
FRAMES = ("first", "last")
SHOWN = 3
NAMED = 4
_COLUMNS = (
    "pk", "kind", "number", "frames", "status", "shot_id", "shot__code", "character__name", "environment__name",
)  # fmt: skip


def role_name(role: str, kind: str = "") -> str:
    """A role of an input, in words; `kind` is what it takes by itself: a clip of a playblast drives another."""
    if role == "reference_video" and kind in (VersionKind.PLAYBLAST, VersionKind.MOTION):
        role = "driving_video"
    return str(ROLES.get(role, role.replace("_", " ")))


@dataclass(frozen=True)
class Picture:
    """A version as the dialog shows it. `place`: of an environment. `frame`: "" for the whole, else of a clip."""

    version: int
    owner: str
    kind: str
    number: int
    frames: int | None
    status: str
    shot: int | None = None
    place: bool = False
    frame: str = ""

    @property
    def value(self) -> str:
        return f"{self.version}:{self.frame}" if self.frame else str(self.version)

    @property
    def slug(self) -> str:
        return self.value.replace(":", "-")

    @property
    def what(self) -> str:
        """Its kind, its number and which frame of it."""
        words = f"{VersionKind(self.kind).label} v{self.number:03d}"
        if self.frame:
            words += " · " + (_("last frame") if self.frame == "last" else _("first frame"))
        return words


def pictures_of(versions: Any) -> list[Picture]:
    """Versions (a queryset, in its order) as pictures: one query, without what the pages do not show."""
    found = []
    for pk, kind, number, frames, status, shot, code, character, place in versions.values_list(*_COLUMNS):
        owner = code or character or place or ""
        found.append(Picture(pk, owner, kind, number, frames, status, shot, place is not None))
    return found


@dataclass(frozen=True)
class Role:
    """One input. `usual`: what some shots take by themselves, of `have` shots; the shots `lacking` have nothing.

    `coming`: by shot, for others that have nothing, the open jobs that make it; what takes it waits for them.
    `first_only`: in a chain, this is said for its first shot; the others take their frame from the one before.
    `echoes`: what it takes by itself is the first image too.
    """

    name: str
    title: str
    clip: bool
    kinds: tuple[str, ...]
    required: bool
    usual: Sequence[Picture] = ()
    have: int = 0
    lacking: Sequence[Shot] = ()
    coming: Mapping[int, Sequence[RenderJob]] = field(default_factory=dict)
    chosen: Picture | None = None
    first_only: bool = False
    echoes: bool = False

    @property
    def field(self) -> str:
        return PREFIX + self.name

    @property
    def kind_name(self) -> str:
        """The kind that an upload for it becomes."""
        return str(VersionKind(self.kinds[0]).label)

    @property
    def kind_names(self) -> str:
        return " / ".join(str(VersionKind(kind).label) for kind in self.kinds)

    @property
    def refused(self) -> bool:
        """Whether the shots that lack it cannot be rendered."""
        return self.required and self.chosen is None and bool(self.lacking)

    @property
    def who(self) -> str:
        return names_of(self.lacking)


def names_of(shots: Sequence[Shot]) -> str:
    """The first few codes of these shots, and how many more there are."""
    return ", ".join(shot.code for shot in shots[:NAMED]) + (f" +{len(shots) - NAMED}" if len(shots) > NAMED else "")


def roles_of(
    project: Project,
    workflows: Sequence[Workflow],
    shots: Sequence[Shot],
    body: Mapping[str, Any],
    *,
    chain: bool = False,
) -> list[Role]:
    """The inputs of these workflows, a role of several once, with what `i.<role>` of the form picks. Three queries.

    What a form names that does not fit (another workflow was chosen since) is left out here; starting refuses it.
    """
    entries: dict[str, list[tuple[Workflow, Mapping[str, Any]]]] = {}
    for workflow in workflows:
        for entry in workflow.inputs:
            entries.setdefault(str(entry["role"]), []).append((workflow, entry))
    if not entries:
        return []
    kinds = {str(entry["kind"]) for rows in entries.values() for _workflow, entry in rows}
    usual, picked = _usual(shots, kinds), _picked(project, body, entries)
    coming = _coming(shots, kinds, usual)
    echo = not chain and FIRST in entries and FIRST not in picked
    found = []
    for role, rows in entries.items():
        clip = takes_clip(rows[0][1])
        asked = tuple(dict.fromkeys(str(entry["kind"]) for _workflow, entry in rows))
        first_only = chain and role == FIRST and all(workflow.output_kind in MOVING for workflow, _entry in rows)
        counted = shots[:1] if first_only else shots
        takes = {shot.pk: [usual.get((shot.pk, kind)) for kind in asked] for shot in counted}
        good = [s for s in counted if all(p is not None and (p.frames is not None) == clip for p in takes[s.pk])]
        shown = [picture for shot in good[:SHOWN] for picture in takes[shot.pk] if picture is not None][:SHOWN]
        has = {shot.pk for shot in good}
        made = {s.pk: jobs for s in counted if s.pk not in has and (jobs := _all_coming(s, asked, usual, coming))}
        chosen = picked.get(role)
        found.append(
            Role(
                name=role,
                title=role_name(role, asked[0]),
                clip=clip,
                kinds=asked,
                required=any(entry.get("required", True) for _workflow, entry in rows),
                usual=shown,
                have=len(good),
                lacking=[shot for shot in counted if shot.pk not in has and shot.pk not in made],
                coming=made,
                chosen=chosen if chosen is not None and _fits(chosen, clip) else None,
                first_only=first_only and len(shots) > 1,
                echoes=echo and role == "last_image" and asked == (entries[FIRST][0][1]["kind"],),
            )
        )
    return found


def _fits(picture: Picture, clip: bool) -> bool:
    """A clip is taken whole where a clip is needed; where a picture is, a picture or one frame of a clip."""
    moving = picture.frames is not None
    return moving and not picture.frame if clip else moving == bool(picture.frame)


def _usual(shots: Iterable[Shot], kinds: Iterable[str]) -> dict[tuple[int, str], Picture]:
    """By shot and kind, what a job takes by itself (`renders.gathering`): the approved, else the newest."""
    rows = Version.objects.live().filter(shot__in=[shot.pk for shot in shots], kind__in=kinds)
    found: dict[tuple[int, str], Picture] = {}
    for picture in pictures_of(rows.exclude(status=VersionStatus.REJECTED).order_by("number")):
        assert picture.shot is not None  # filtered by shot
        held = found.get((picture.shot, picture.kind))
        if held is None or picture.status == VersionStatus.APPROVED or held.status != VersionStatus.APPROVED:
            found[picture.shot, picture.kind] = picture
    return found


def _coming(
    shots: Iterable[Shot], kinds: Iterable[str], usual: Mapping[tuple[int, str], Picture]
) -> dict[tuple[int, str], RenderJob]:
    """By shot and kind, the last open job that makes what is not there yet. One query where something lacks."""
    wanted = [shot.pk for shot in shots if any((shot.pk, kind) not in usual for kind in kinds)]
    if not wanted:
        return {}
    jobs = RenderJob.objects.filter(shot__in=wanted, kind__in=kinds, state__in=OPEN_STATES).order_by("created_at")
    return {(job.shot_id, job.kind): job for job in jobs.defer("params", "subject") if job.shot_id}


def _all_coming(
    shot: Shot,
    kinds: Sequence[str],
    usual: Mapping[tuple[int, str], Picture],
    coming: Mapping[tuple[int, str], RenderJob],
) -> list[RenderJob]:
    """The jobs that make all that this shot lacks of these kinds; none when one of them is not being made."""
    jobs = [coming.get((shot.pk, kind)) for kind in kinds if (shot.pk, kind) not in usual]
    found = [job for job in jobs if job is not None]
    return found if len(found) == len(jobs) else []


def waited_for(roles: Iterable[Role]) -> dict[int, list[RenderJob]]:
    """By shot, the open jobs whose results its inputs are: its own jobs have to wait for them."""
    found: dict[int, list[RenderJob]] = {}
    for role in roles:
        for shot, jobs in role.coming.items() if role.chosen is None else ():
            found.setdefault(shot, []).extend(job for job in jobs if job not in found.get(shot, ()))
    return found


def _picked(project: Project, body: Mapping[str, Any], roles: Iterable[str]) -> dict[str, Picture]:
    """By role, the version that the form names, where there is such a one in this project. One query at most."""
    wanted = {role: named for role in roles if (named := _named(body.get(PREFIX + role))) is not None}
    if not wanted:
        return {}
    rows = Version.objects.live().filter(project=project, pk__in={pk for pk, _frame in wanted.values()})
    known = {picture.version: picture for picture in pictures_of(rows)}
    return {role: framed(known[pk], frame) for role, (pk, frame) in wanted.items() if pk in known}


def framed(picture: Picture, frame: str) -> Picture:
    """The same, or one frame of it."""
    return replace(picture, frame=frame) if frame else picture


def _named(value: Any) -> tuple[int, str] | None:
    """(version, frame) of "12" or "12:last"; None for anything else."""
    number, _colon, frame = str(value or "").partition(":")
    pk = whole_number(number)
    return (pk, frame) if pk is not None and 0 < pk < 2**63 and frame in ("", *FRAMES) else None


def inputs_in(workflows: Iterable[Workflow], body: Mapping[str, Any]) -> dict[str, Any]:
    """What the form picks, as `renders.services.inputs` takes it; Invalid by field for what is no version."""
    found: dict[str, Any] = {}
    for role in dict.fromkeys(str(entry["role"]) for workflow in workflows for entry in workflow.inputs):
        if not body.get(PREFIX + role):
            continue
        named = _named(body[PREFIX + role])
        if named is None:
            text = _("Choose a picture or a clip for %(role)s.") % {"role": role_name(role)}
            raise Invalid(text, fields={f"inputs.{role}": [_("unknown")]})
        pk, frame = named
        found[role] = {"version": pk, "frame": frame} if frame else pk
    return found


def without_lacking(roles: Iterable[Role], shots: Sequence[Shot]) -> list[Shot]:
    """The shots that have all they need."""
    lacking = {shot.pk for role in roles if role.refused for shot in role.lacking}
    return [shot for shot in shots if shot.pk not in lacking]


def refuse_lacking(roles: Sequence[Role], shots: Sequence[Shot]) -> None:
    """Invalid that names each input, the shots that have nothing for it, and what to do; nothing when none lacks."""
    texts = []
    for role in roles:
        if role.refused:
            n = len(role.lacking)
            text = ngettext("%(shots)s has no %(role)s.", "%(shots)s have no %(role)s.", n)
            texts.append(text % {"shots": role.who, "role": role.title})
    if texts:
        remedy = _("Choose or upload what lacks, or make it first.")
        if without_lacking(roles, shots):
            remedy = _("Choose or upload what lacks, make it first, or leave these shots out.")
        raise Invalid(" ".join([*texts, remedy]))
