"""Who did what, newest first."""

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from aipipeline.history.models import Action
from aipipeline.projects.models import Project
from aipipeline.ui.context_processors import project_context
from aipipeline.ui.htmx import render_page_or_fragment
from aipipeline.ui.pages import project_page

PER_PAGE = 50


@require_GET
@project_page("project.view")
def activity(request: HttpRequest, project: Project) -> HttpResponse:
    actions = Action.objects.filter(project=project).select_related("actor").order_by("-sequence")
    page = Paginator(actions, PER_PAGE).get_page(request.GET.get("page"))
    context = {**project_context(request, project), "page": page}
    return render_page_or_fragment(request, "studio/activity.html", "studio/_activity.html", context)
