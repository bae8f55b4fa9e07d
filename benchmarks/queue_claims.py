"""Claims out of a full queue: 10,000 waiting jobs, 200 workers, 8 claiming at the same moment, on PostgreSQL.

Used by `queue.py`. As a program (`python -m benchmarks.queue_claims FIRST_WORKER ROUNDS START`) it is one of the
claimers: at the same moments as the others it claims one job for another of its workers, and prints the seconds.
"""

import json
import random
import subprocess
import sys
import time
from typing import Any

from benchmarks.people import percentile

CLAIMERS = 8
BEAT = 0.25  # seconds between two moments at which all claim
FRESH = 16  # claims of each at the end on a connection of their own, as a task's first claim is


def measure(jobs: int = 10_000, workers: int = 200, rounds: int = 60) -> dict[str, Any]:
    """Milliseconds of one claim, as the worker process sees it."""
    fill(jobs, workers)
    start = time.time() + 12.0
    line = [sys.executable, "-m", "benchmarks.queue_claims"]
    claimers = [
        subprocess.Popen([*line, str(number), str(rounds), str(start)], stdout=subprocess.PIPE, text=True)
        for number in range(CLAIMERS)
    ]
    told = [json.loads(claimer.communicate()[0].splitlines()[-1]) for claimer in claimers]
    times = [seconds for one in told for seconds in one["seconds"]]
    fresh = [seconds for one in told for seconds in one["fresh"]]
    taken = [key for one in told for key in one["jobs"]]
    assert len(taken) == len(set(taken)), "a job was claimed twice"
    return {
        "jobs": jobs, "workers": workers, "claims": len(taken), "empty": sum(one["empty"] for one in told),
        "p50_ms": round(percentile(times, 0.5), 1), "p95_ms": round(percentile(times, 0.95), 1),
        "worst_ms": round(percentile(times, 1.0), 1),
        "new_connection_p50_ms": round(percentile(fresh, 0.5), 1),
        "new_connection_p95_ms": round(percentile(fresh, 0.95), 1),
        "cpu_ms_per_claim": round(sum(one["cpu"] for one in told) / len(times) * 1000, 2),
    }  # fmt: skip


def fill(jobs: int, workers: int) -> None:
    """A studio's evening: 24 people, 6 projects, 30 workflows, cards of 8 to 80 GB, chains, a pause, some blocks."""
    from django.db import connection

    from aipipeline.history.project_services import create_project
    from aipipeline.projects.models import User
    from renders.models import Pause, RenderJob, Worker, WorkerBlock, WorkerFit, Workflow
    from renders.services.experience import class_for
    from renders.services.waiting import hold_all
    from tests.factories import applied_project

    deal = random.Random(5)
    admin = User.objects.create_superuser(username="admin", password="x")
    people = [admin, *(User.objects.create_user(username=f"artist{i}", password="x") for i in range(23))]
    shots = []
    for number in range(6):
        made = create_project(actor=admin, code=f"Q{number}", title="Queue", width=320, height=180)
        shots += applied_project(made, admin)
    flows = [
        Workflow.objects.create(
            key=f"own.w{i}", title=f"w{i}", backend="comfyui", output_kind="render", step="render",
            vram_gb=(8, 8, 16, 24, 24, 48)[i % 6], model_key=f"m{i % 12}",
        )
        for i in range(30)
    ]  # fmt: skip
    rows = []
    for _ in range(jobs):
        shot, flow = deal.choice(shots), deal.choice(flows)
        rows.append(
            RenderJob(
                project=shot.project, shot=shot, workflow=flow, kind="render", step="render", vram_gb=flow.vram_gb,
                capability=class_for(flow.vram_gb), model_key=flow.model_key, priority=deal.choice((0, 0, 0, 0, 5)),
                requested_by=deal.choice([None, *people]), params={"width": 1280, "height": 720, "frames": 81},
            )
        )  # fmt: skip
    RenderJob.objects.bulk_create(rows, batch_size=1000)
    links = RenderJob.after.through
    pairs = [(rows[i], rows[i - 1]) for i in range(1, len(rows)) if i % 5]
    links.objects.bulk_create([links(from_renderjob=b, to_renderjob=a) for a, b in pairs[: jobs // 4]], batch_size=1000)
    hold_all()
    cards = (8, 16, 24, 24, 48, 80)
    made_workers = [
        Worker.objects.create(
            name=f"gpu{i}", queue=f"host.gpu{i}", vram_gb=cards[i % 6], backends=["comfyui"], loaded=f"m{i % 12}"
        )
        for i in range(workers)
    ]
    fits = [WorkerFit(worker=w, workflow=f, fits=deal.random() > 0.1) for w in made_workers for f in flows]
    WorkerFit.objects.bulk_create(fits, batch_size=1000)
    for worker in made_workers[::10]:
        WorkerBlock.objects.create(worker=worker, workflow=deal.choice(flows), failures=3)
    Pause.objects.create(scope="project", key=str(shots[0].project_id))
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def claimer(number: int, rounds: int, start: float) -> None:
    from django.db import connection

    from renders.models import Worker
    from renders.services import queue

    workers = list(Worker.objects.order_by("pk")[number::CLAIMERS])
    taken, times, fresh, empty, spent = [], [], [], 0, 0.0
    for _ in range(8):
        queue.claim(worker=workers[-1], slots=0)  # connects, and takes nothing
    for step in range(rounds + FRESH):
        if step >= rounds:
            connection.close()
        time.sleep(max(0.0, start + step * BEAT - time.time()))
        began, used = time.perf_counter(), time.process_time()
        attempt = queue.claim(worker=workers[step % len(workers)], slots=rounds + FRESH)
        (fresh if step >= rounds else times).append(time.perf_counter() - began)
        spent += (time.process_time() - used) if step < rounds else 0.0
        if attempt is None:
            empty += 1
        else:
            taken.append(str(attempt.job_id))
    print(json.dumps({"seconds": times, "fresh": fresh, "jobs": taken, "empty": empty, "cpu": spent}))


if __name__ == "__main__":
    import django

    django.setup()
    claimer(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]))
