"""Liveness, readiness and metrics: for load balancers and Prometheus."""

import shutil
import tempfile
from collections.abc import Callable, Iterable
from datetime import timedelta
from hmac import compare_digest

import redis
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.db import DatabaseError, connection
from django.db.models import Count
from django.db.models.functions import Now
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CollectorRegistry, Gauge, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from celery_workers.models import LedgerTask, TaskState
from renders.models import Capability, JobState, RenderAttempt, RenderJob, Worker, WorkerState
from renders.models.job import OPEN_STATES

LEAST_FREE_BYTES = 512 * 1024**2


@login_not_required
@require_safe
@never_cache
def healthz(request: HttpRequest) -> HttpResponse:
    """The process answers; asks nothing else."""
    return JsonResponse({"status": "ok"})


@login_not_required
@require_safe
@never_cache
def readyz(request: HttpRequest) -> HttpResponse:
    """200 when database, Redis and storage serve; 503 names the part that does not."""
    parts = {"database": _database, "redis": _redis, "storage": _storage}
    found = {name: check() for name, check in parts.items()}
    ready = all(text == "ok" for text in found.values())
    return JsonResponse({"status": "ok" if ready else "unavailable", "parts": found}, status=200 if ready else 503)


def _database() -> str:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return "does not answer"
    return "ok"


def _redis() -> str:
    # Its own client with short timeouts: a Redis that hangs must not hang the answer too.
    location = settings.CACHES["default"]["LOCATION"]
    client = redis.Redis.from_url(location, socket_connect_timeout=2, socket_timeout=2)
    try:
        client.ping()
    except (redis.RedisError, OSError):
        return "does not answer"
    finally:
        client.close()
    return "ok"


def _storage() -> str:
    root = settings.STORAGE_ROOT
    try:
        root.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=root) as file:
            file.write(b"ready")
        free = min(shutil.disk_usage(folder).free for folder in (root, settings.AIP_DATA))
    except OSError:
        return "is not writable"
    return "ok" if free > LEAST_FREE_BYTES else "is full"


@login_not_required
@require_safe
@never_cache
def metrics(request: HttpRequest) -> HttpResponse:
    """Prometheus text, for whoever has the token (AIP_METRICS_TOKEN); nothing at all without one."""
    token = settings.METRICS_TOKEN
    given = request.headers.get("Authorization", "").removeprefix("Bearer ")
    if not token:
        raise Http404
    if not compare_digest(given.encode(), token.encode()):
        return HttpResponse(status=401, headers={"WWW-Authenticate": "Bearer"})
    registry = CollectorRegistry()
    gauges: list[tuple[str, str, Callable[[], dict[str, int]]]] = [
        ("aip_render_jobs", "Render jobs by state.", _jobs),
        ("aip_tasks", "Background tasks by state.", _tasks),
        ("aip_workers", "Render workers by state.", _workers),
    ]
    for name, text, read in gauges:
        gauge = Gauge(name, text, ["state"], registry=registry)
        for state, count in read().items():
            gauge.labels(state).set(count)
    queue = Gauge(
        "aip_render_queue", "Open render jobs by class of card and state.", ["class", "state"], registry=registry
    )
    for capability, state, count in _queue():
        queue.labels(capability, state).set(count)
    outcomes = Gauge(
        "aip_render_attempts", "Attempts of the last hour by outcome and cause.", ["state", "cause"], registry=registry
    )
    for state, cause, count in _attempts():
        outcomes.labels(state, cause).set(count)
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_PLAIN_0_0_4)


def _jobs() -> dict[str, int]:
    counts = dict.fromkeys(JobState.values, 0)
    return counts | dict(RenderJob.objects.order_by().values_list("state").annotate(n=Count("pk")))


def _queue() -> Iterable[tuple[str, str, int]]:
    rows = RenderJob.objects.filter(state__in=OPEN_STATES).order_by()
    found = {
        (capability, state): n
        for capability, state, n in rows.values_list("capability", "state").annotate(n=Count("pk"))
    }
    for capability in Capability.values:
        for state in sorted(OPEN_STATES):
            yield capability, state, found.get((capability, state), 0)


def _attempts() -> Iterable[tuple[str, str, int]]:
    ended = RenderAttempt.objects.filter(finished_at__gt=Now() - timedelta(hours=1)).order_by()
    return ended.values_list("state", "cause").annotate(n=Count("pk"))


def _tasks() -> dict[str, int]:
    counts = dict.fromkeys(TaskState.values, 0)
    return counts | dict(LedgerTask.objects.order_by().values_list("state").annotate(n=Count("pk")))


def _workers() -> dict[str, int]:
    counts = dict.fromkeys(WorkerState.values, 0)
    return counts | dict(Worker.objects.order_by().values_list("state").annotate(n=Count("pk")))
