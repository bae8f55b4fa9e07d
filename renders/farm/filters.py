"""The job list's filters and order, as they stand in the address. What does not make sense there is left out."""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.db.models import F, Q, QuerySet
from django.utils.translation import gettext_lazy as _

from aipipeline.projects.checks import whole_number
from renders.models import Capability, JobState, RenderAttempt, RenderJob
from renders.models.job import OPEN_STATES

OPEN = "open"
LONGEST_TEXT = 200
# The heading that sorts, with the columns it goes by.
SORTS: dict[str, tuple[str, ...]] = {
    "created": ("created_at",),
    "owner": ("shot__code", "character__name", "environment__name"),
    "workflow": ("workflow__title",),
    "state": ("state",),
    "progress": ("progress",),
    "priority": ("priority",),
    "estimate": ("estimate",),
}
SORT_LABELS = {
    "owner": _("Shot"),
    "workflow": _("Workflow"),
    "state": _("State"),
    "progress": _("Progress"),
    "priority": _("Priority"),
    "created": _("Started by"),
}
DEFAULT_SORT = "-created"


@dataclass(frozen=True)
class JobFilter:
    """`state`: a job state or "open"; ids as the address gives them; `text` searches codes, names, prompts, errors."""

    state: str = ""
    project: str = ""
    user: int | None = None
    workflow: str = ""
    capability: str = ""
    worker: int | None = None
    batch: UUID | None = None
    text: str = ""
    sort: str = DEFAULT_SORT

    def applied(self, jobs: "QuerySet[RenderJob]", *, states: bool = True) -> "QuerySet[RenderJob]":
        """The jobs that pass; `states=False` leaves the state out, for the counts of the states."""
        if states and self.state:
            jobs = jobs.filter(state__in=OPEN_STATES) if self.state == OPEN else jobs.filter(state=self.state)
        if self.project:
            jobs = jobs.filter(project__code=self.project)
        if self.user is not None:
            jobs = jobs.filter(requested_by=self.user)
        if self.workflow:
            jobs = jobs.filter(workflow__key=self.workflow)
        if self.capability:
            jobs = jobs.filter(capability=self.capability)
        if self.batch is not None:
            jobs = jobs.filter(batch=self.batch)
        if self.worker is not None:
            jobs = jobs.filter(pk__in=RenderAttempt.objects.filter(worker=self.worker).values("job"))
        if self.text:
            jobs = jobs.filter(_matches(self.text))
        return jobs

    def ordered(self, jobs: "QuerySet[RenderJob]") -> "QuerySet[RenderJob]":
        down, name = self.sort.startswith("-"), self.sort.removeprefix("-")
        columns = [F(column) for column in SORTS[name]]
        terms = [c.desc(nulls_last=True) if down else c.asc(nulls_last=True) for c in columns]
        return jobs.order_by(*terms, "-created_at", "pk")

    def query(self, **changes: Any) -> str:
        """The address's parameters with these changed, encoded, ending in "&" when there are any."""
        values = {f.name: changes.get(f.name, getattr(self, f.name)) for f in fields(self)}
        if values["sort"] == DEFAULT_SORT:
            values["sort"] = ""
        kept = {("q" if name == "text" else name): value for name, value in values.items() if value not in ("", None)}
        return urlencode(kept) + "&" if kept else ""

    @property
    def any(self) -> bool:
        """True when something beyond the order is chosen."""
        return self != JobFilter(sort=self.sort)


def filter_from(query: Mapping[str, str]) -> JobFilter:
    """Read the address; unknown states, classes, orders and broken ids count as not given."""
    state, capability, sort = query.get("state", ""), query.get("capability", ""), query.get("sort", "")
    return JobFilter(
        state=state if state == OPEN or state in JobState.values else "",
        project=_text(query.get("project", ""))[:80],
        user=_id(query.get("user")),
        workflow=_text(query.get("workflow", ""))[:80],
        capability=capability if capability in Capability.values else "",
        worker=_id(query.get("worker")),
        batch=_uuid(query.get("batch", "")),
        text=_text(query.get("q", ""))[:LONGEST_TEXT],
        sort=sort if sort.removeprefix("-") in SORTS else DEFAULT_SORT,
    )


def _matches(text: str) -> Q:
    names = ("shot__code", "character__name", "environment__name", "workflow__title", "variant", "error")
    wanted = Q(params__prompt__icontains=text)
    for name in names:
        wanted |= Q(**{f"{name}__icontains": text})
    return wanted


def _id(value: str | None) -> int | None:
    number = whole_number(value) if value else None
    return number if number is not None and number >= 0 else None


def _uuid(value: str) -> UUID | None:
    try:
        return UUID(value) if value else None
    except ValueError:
        return None


def _text(value: str) -> str:
    """As the database holds texts: composed, without what it could not store."""
    clean = value.replace("\x00", "").encode("utf-8", "ignore").decode("utf-8")
    return unicodedata.normalize("NFC", clean).strip()
