"""What the frame of every page needs: where one can go, and which projects one may switch to."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext_lazy as _

from aipipeline.projects.models import Project
from aipipeline.projects.permissions import operations_of

MAX_SWITCHER = 40


@dataclass(frozen=True)
class NavItem:
    """One entry of the side bar. `shortcut` is the second key after `g`; `also` are views below it."""

    key: str
    label: Any
    icon: str
    url_name: str
    shortcut: str
    also: tuple[str, ...] = ()


PROJECT_NAV = (
    NavItem("overview", _("Overview"), "overview", "studio:overview", "o"),
    NavItem("scenario", _("Scenario"), "scenario", "shots:scenario", "c", ("shots:scenario_detail",)),
    NavItem("shots", _("Shots"), "shots", "shots:list", "s", ("shots:detail",)),
    NavItem(
        "assets", _("Assets"), "assets", "assets:library", "a", ("assets:character", "assets:environment")
    ),
    NavItem("storyboard", _("Storyboard"), "storyboard", "renders:storyboard", "b"),
    NavItem("timeline", _("Timeline"), "timeline", "timeline:edit", "t"),
    NavItem("farm", _("Render farm"), "farm", "renders:project_farm", "f", ("renders:job",)),
    NavItem("activity", _("Activity"), "activity", "studio:activity", "v"),
)
STUDIO_NAV = (
    NavItem("projects", _("Projects"), "home", "studio:projects", "p", ("studio:project_new",)),
    NavItem("all_jobs", _("All jobs"), "rows", "renders:farm", "j"),
)


def project_context(request: HttpRequest, project: Project) -> dict[str, Any]:
    """The context that every page of one project passes to its template: the project and what one may do."""
    return {"project": project, "may": operations_of(request.user, project)}


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
