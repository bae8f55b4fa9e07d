"""A simulated farm of 8, 24 and 80 GB cards under a trace of 200 jobs, driving the real claim; only time is made up.

Used by `queue.py`. The same trace is played first in, first out, in plain Python, to compare.
"""

import heapq
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

CARDS = (8, 8, 24, 24, 80)
# (workflow, GB, models, seconds of one job, seconds to load its models)
WORK = (
    ("still", 8, "flux", 20, 40), ("edit", 8, "qwen", 30, 60), ("clip", 24, "wan", 120, 90),
    ("long", 24, "ltx", 90, 80), ("huge", 80, "wan-animate", 200, 120),
)  # fmt: skip
PEOPLE = 4


@dataclass(frozen=True)
class Trace:
    """One job to come: when, whose, and which of WORK."""

    at: float
    person: int
    work: int


@dataclass
class Played:
    """What happened: model loads, placements above memory, and by person how long they went without a start."""

    loads: int = 0
    above: int = 0
    done: int = 0
    end: float = 0.0
    gaps: dict[int, float] = field(default_factory=dict)


def trace(count: int = 200, seed: int = 5) -> list[Trace]:
    """One person sends a large batch at once; the others come one by one, each mixing what they need."""
    deal = random.Random(seed)
    jobs = [Trace(0.0, 0, deal.choice((0, 0, 2, 3))) for _ in range(count // 2)]
    jobs += [Trace(deal.uniform(0, 1500), deal.randrange(1, PEOPLE), deal.randrange(len(WORK))) for _ in jobs]
    return sorted(jobs, key=lambda job: job.at)


def play(
    jobs: list[Trace],
    put: Callable[[int, Trace], None],
    take: Callable[[int, str], int | None],
    end: Callable[[int], None],
) -> Played:
    """Run the trace: `put` queues a job, `take` gives worker n (with what it has loaded) its next, `end` ends a job."""
    played, loaded, idle = Played(), [""] * len(CARDS), set(range(len(CARDS)))
    events: list[tuple[float, int, int, int]] = []  # (when, 0 end / 1 come, worker, job)
    for number, job in enumerate(jobs):
        heapq.heappush(events, (job.at, 1, -1, number))
    waiting: dict[int, int] = {}
    since: dict[int, float] = {}
    while events:
        now, kind, worker, number = heapq.heappop(events)
        if kind:
            person = jobs[number].person
            put(number, jobs[number])
            if not waiting.get(person):
                since[person] = now
            waiting[person] = waiting.get(person, 0) + 1
        else:
            end(number)
            played.done += 1
            played.end = now
            idle.add(worker)
        if events and events[0][0] == now:
            continue
        for worker in sorted(idle):
            taken = take(worker, loaded[worker])
            if taken is None:
                continue
            idle.discard(worker)
            person, (_name, vram, models, seconds, load) = jobs[taken].person, WORK[jobs[taken].work]
            played.above += vram > CARDS[worker]
            if loaded[worker] != models:
                played.loads += 1
                seconds += load
                loaded[worker] = models
            played.gaps[person] = max(played.gaps.get(person, 0.0), now - since[person])
            waiting[person], since[person] = waiting[person] - 1, now
            heapq.heappush(events, (now + seconds, 0, worker, taken))
    return played


def first_in_first_out(jobs: list[Trace]) -> Played:
    queue: list[int] = []

    def take(worker: int, _loaded: str) -> int | None:
        for number in queue:
            if WORK[jobs[number].work][1] <= CARDS[worker]:
                queue.remove(number)
                return number
        return None

    return play(jobs, lambda number, _job: queue.append(number), take, lambda _number: None)


def by_claim(jobs: list[Trace]) -> Played:
    """The same with rows and `queue.claim`."""
    from aipipeline.history.project_services import create_project
    from aipipeline.projects.models import User
    from renders.models import JobState, RenderAttempt, RenderJob, Worker, Workflow
    from renders.services import queue
    from renders.services.experience import class_for
    from tests.factories import applied_project

    people = [User.objects.create_user(username=f"sim{i}", password="x") for i in range(PEOPLE)]
    made = create_project(actor=people[0], code="SIM", title="Simulated", width=320, height=180)
    shot = applied_project(made, people[0])[0]
    flows = [
        Workflow.objects.create(
            key=f"own.{name}", title=name, backend="simulated", output_kind="render", step="render", vram_gb=vram,
            model_key=models,
        )
        for name, vram, models, _seconds, _load in WORK
    ]  # fmt: skip
    workers = [
        Worker.objects.create(name=f"sim{i}", queue=f"host.sim{i}", vram_gb=vram, backends=["simulated"])
        for i, vram in enumerate(CARDS)
    ]
    keys: dict[int, Any] = {}
    numbers: dict[Any, int] = {}

    def put(number: int, job: Trace) -> None:
        flow = flows[job.work]
        row = RenderJob.objects.create(
            project=made, shot=shot, workflow=flow, kind="render", step="render", vram_gb=flow.vram_gb,
            capability=class_for(flow.vram_gb), model_key=flow.model_key, requested_by=people[job.person],
        )  # fmt: skip
        keys[number], numbers[row.pk] = row.pk, number

    def take(worker: int, _loaded: str) -> int | None:
        attempt = queue.claim(worker=workers[worker])
        return None if attempt is None else numbers[attempt.job_id]

    def end(number: int) -> None:
        RenderAttempt.objects.filter(job=keys[number]).update(state=JobState.SUCCEEDED)
        RenderJob.objects.filter(pk=keys[number]).update(state=JobState.SUCCEEDED)

    return play(jobs, put, take, end)


def measure() -> dict[str, Any]:
    jobs = trace()
    plain, ours = first_in_first_out(jobs), by_claim(jobs)
    assert ours.done == plain.done == len(jobs)
    return {
        "jobs": len(jobs), "above_memory": ours.above, "loads": ours.loads, "loads_fifo": plain.loads,
        "end": ours.end, "end_fifo": plain.end,
        "longest_gap": {f"person {k}": round(v) for k, v in sorted(ours.gaps.items())},
        "longest_gap_fifo": {f"person {k}": round(v) for k, v in sorted(plain.gaps.items())},
    }  # fmt: skip
