"""What the frame of every page needs: where one can go, and which projects one may switch to."""

from dataclasses import dataclass
from typing import Any

import structlog
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext_lazy as _
from redis.exceptions import RedisError

from aipipeline.events.publishing import current_seq
from aipipeline.projects.models import Project
from aipipeline.projects.permissions import operations_of

log = structlog.get_logger(__name__)

MAX_SWITCHER = 40


@dataclass(frozen=True)
class NavItem:
    """One entry of the side bar. `shortcut` is the second key after `g`; `also` are views below it.

    An entry with a `parent` (its key) shows while one of the family is the current page.
    """

    key: str
    label: Any
    icon: str
    url_name: str
    shortcut: str
    also: tuple[str, ...] = ()
    parent: str = ""


PROJECT_NAV = (
    NavItem("overview", _("Overview"), "overview", "studio:overview", "o"),
    NavItem("scenario", _("Scenario"), "scenario", "shots:scenario", "c", ("shots:scenario_detail",)),
    NavItem("shots", _("Shots"), "shots", "shots:list", "s", ("shots:detail", "shots:confirm")),
    NavItem("assets", _("Assets"), "assets", "assets:library", "a", ("assets:edit", "assets:loras")),
    NavItem("storyboard", _("Storyboard"), "storyboard", "renders:storyboard", "b"),
    NavItem("timeline", _("Timeline"), "timeline", "timeline:edit", "t"),
    NavItem("tree", _("Production tree"), "folder", "renders:tree", "e", ("renders:tree_scan",)),
    NavItem("naming", _("Naming"), "edit", "shots:naming", "n", parent="tree"),
    NavItem("mirror", _("Mirrors"), "copy", "mirror:targets", "m", parent="tree"),
    NavItem("farm", _("Render farm"), "farm", "renders:project_farm", "f", ("renders:job",)),
    NavItem("activity", _("Activity"), "activity", "studio:activity", "v"),
)
STUDIO_NAV = (
    NavItem("projects", _("Projects"), "home", "studio:projects", "p", ("studio:project_new",)),
    NavItem("all_jobs", _("All jobs"), "rows", "renders:farm", "j"),
    NavItem("workflows", _("Workflows"), "generate", "workflows:list", "w", ("workflows:new", "workflows:detail")),
)


def project_context(request: HttpRequest, project: Project) -> dict[str, Any]:
    """The context that every page of one project passes to its template: the project and what one may do."""
    return {
        "live_seq": newest_seq(f"project:{project.pk}"),
        "project": project,
        "may": operations_of(request.user, project),
    }


def newest_seq(topic: str) -> int | None:
    """The number of the newest live event when the page began to read; None while the event server is away.

    The browser compares it with the number at which it starts to listen: what came between is fetched again.
    """
    try:
        return current_seq(topic)
    except (OSError, RedisError):
        log.warning("live_seq_unknown", topic=topic)
        return None


def studio(request: HttpRequest) -> dict[str, Any]:
    """`my_projects`: read only when the frame is drawn, so fragments cost no query."""
    return {
        "my_projects": SimpleLazyObject(lambda: _projects(request)),
        "product_name": "AIPipeline",
    }


def _projects(request: HttpRequest) -> list[Project]:
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return []
    return list(Project.objects.visible_to(user).only("id", "code", "title")[:MAX_SWITCHER])
