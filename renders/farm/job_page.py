"""What the page of one job tells: what was asked, what went in, each try, and why it waits."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from renders.farm.fields import KINDS
from renders.farm.jobs import job_rows
from renders.farm.roles import role_name
from renders.models import JobState, RenderJob, Version
from renders.models.job import OPEN_STATES
from renders.selectors import jobs_visible_to
from shots.choices import Movement

SHOWN_APART = frozenset({"prompt", "negative_prompt", "motion_prompt", "loras", "after_out_of_memory"})
# In the order in which people look for them; the rest follows by name.
FIRST = ("width", "height", "frames", "fps", "seed", "steps", "cfg", "guidance", "denoise", "movement")
MOST_OTHERS = 24


_CALLED: dict[str, Any] = {
    "width": gettext_lazy("Width"),
    "height": gettext_lazy("Height"),
    "frames": gettext_lazy("Frames"),
    "fps": gettext_lazy("Frames per second"),
    "movement": gettext_lazy("Movement"),
    "scale": gettext_lazy("Scale"),
    "slow": gettext_lazy("Slow motion"),
} | {name: kind.label for name, kind in KINDS.items()}


@dataclass(frozen=True)
class Given:
    """One input, its role in words: `version` as it was fixed, used, or None where it is taken when the job begins."""

    role: str
    version: Version | None
    frame: Any = None
    job: RenderJob | None = None


def job_context(job: RenderJob, actor: Any) -> dict[str, Any]:
    """The context of the page; a constant number of queries."""
    attempts = list(job.attempts.select_related("worker").order_by("-number"))
    job.attempts_seen = attempts  # type: ignore[attr-defined]
    (row,) = job_rows([job])
    others = jobs_visible_to(actor).filter(batch=job.batch_id).exclude(pk=job.pk) if job.batch_id else None
    same_owner = _of_same_owner(others, job) if others is not None else []
    return {
        "job": job,
        "row": row,
        "attempts": attempts,
        "params": facts_of(job.params),
        "prompts": _prompts(job.params),
        "loras": job.params.get("loras") or [],
        "inputs": given_to(job),
        "variants": same_owner,
        "open": job.state in OPEN_STATES,
        "queued": job.state == JobState.QUEUED,
        "trimmed": (job.version.provenance or {}).get("snapped") if job.version else None,
    }


def facts_of(params: Mapping[str, Any]) -> list[tuple[str, str, Any]]:
    """(name, what people call it, value) of the parameters that say something."""
    names = [name for name in params if name not in SHOWN_APART]
    names.sort(key=lambda name: (FIRST.index(name) if name in FIRST else len(FIRST), name))
    shown = [name for name in names if params[name] not in (None, "", [], {})]
    return [(name, str(_CALLED.get(name, name.replace("_", " "))), _plain(name, params[name])) for name in shown]


def _plain(name: str, value: Any) -> Any:
    """A value as people know it."""
    return Movement(value).label if name == "movement" and value in Movement.values else value


def _prompts(params: Mapping[str, Any]) -> list[tuple[str, str]]:
    labels = {"prompt": _("Prompt"), "negative_prompt": _("Negative prompt"), "motion_prompt": _("Motion prompt")}
    return [(label, str(params[name])) for name, label in labels.items() if params.get(name)]


def _of_same_owner(others: Any, job: RenderJob) -> Sequence[RenderJob]:
    owner = {"shot": job.shot_id, "character": job.character_id, "environment": job.environment_id}
    return list(others.filter(**owner).order_by("variant", "created_at")[:MOST_OTHERS])


def given_to(job: RenderJob) -> list[Given]:
    """The inputs by role: what the version says was used, else what the job names. Two queries."""
    used = (job.version.provenance or {}).get("inputs") or {} if job.version else {}
    wanted: dict[str, Any] = {entry["role"]: None for entry in job.workflow.inputs} | dict(job.inputs) | dict(used)
    versions = {v.pk: v for v in Version.objects.filter(pk__in=_ids(wanted, "version"), project=job.project_id)}
    jobs = {
        str(j.pk): j
        for j in RenderJob.objects.filter(pk__in=_texts(wanted, "job"), project=job.project_id).select_related(
            "shot", "character", "environment"
        )
    }
    found = []
    for role, value in wanted.items():
        named = value if isinstance(value, dict) else {"version": value}
        found.append(
            Given(
                role=role_name(role),
                version=versions.get(named.get("version")) if isinstance(named.get("version"), int) else None,
                frame=named.get("frame"),
                job=jobs.get(str(named.get("job"))),
            )
        )
    return found


def _ids(wanted: Mapping[str, Any], name: str) -> list[int]:
    values = [value.get(name) if isinstance(value, dict) else value for value in wanted.values()]
    return [value for value in values if isinstance(value, int) and not isinstance(value, bool)]


def _texts(wanted: Mapping[str, Any], name: str) -> list[str]:
    return [str(value[name]) for value in wanted.values() if isinstance(value, dict) and value.get(name)]
