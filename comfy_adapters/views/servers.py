"""What ran on the studio's own servers lately, to choose a workflow from."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from aipipeline.projects.errors import PipelineError
from comfy_adapters.own.history import recent, thumbnail
from comfy_adapters.selectors import comfy_worker
from comfy_adapters.views.bring import require_bringing


@require_GET
def history(request: HttpRequest, worker_id: int) -> HttpResponse:
    """The latest entries of a worker's server, or why there are none: never those of another one."""
    require_bringing(request.user)
    worker = comfy_worker(worker_id)
    context: dict[str, Any] = {"worker": worker}
    try:
        context["entries"] = recent(worker, request.user)
    except PipelineError as error:
        context["away"] = error.message
    return render(request, "comfy_adapters/_history.html", context)


@require_GET
def thumb(request: HttpRequest, worker_id: int, prompt_id: str) -> HttpResponse:
    """The picture of one entry, small."""
    require_bringing(request.user)
    response = HttpResponse(thumbnail(comfy_worker(worker_id), prompt_id, request.user), content_type="image/webp")
    response["Cache-Control"] = "private, max-age=600"
    return response
