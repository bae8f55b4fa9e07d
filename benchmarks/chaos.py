"""Hundreds of jobs on a farm in which something dies every second or two: nothing may be lost, doubled or left behind.

    .venv/bin/python benchmarks/chaos.py [--jobs 200] [--rounds 1] [--seed 1] [--every 2.0] [--json]

On PostgreSQL, with a lease of 2 s: the web, the scheduler, the system worker, three ComfyUI servers (test doubles of
both versions) and four workers, all real processes. Until all jobs have ended, a random fault comes every `--every`
seconds on average: kill -9 of a worker, Redis, ComfyUI, the web, the scheduler or the system worker, FLUSHALL, a worker
that sleeps over its lease, sockets that break or fall silent, answers of 500, downloads that break off, messages that
come twice. The same seed brings the same faults in the same order; when each hits depends on the machine. Each round
has a seed of its own and prints a line of the table; the exit code is 1 when anything is not as it must be.
"""

import argparse
import json
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
os.chdir(ROOT)

if TYPE_CHECKING:
    from tests.doubles.comfyui.process import ComfyDouble
    from tests.harness.processes import Process

SERVERS = ("0.33.0", "0.3.64", "0.33.0")
WORKERS = (0, 1, 2, 2)  # by server: two of them share one
LIMIT_SECONDS = 1800.0
COLUMNS = ("round", "seed", "jobs", "succeeded", "failed", "attempts", "faults", "extra prompts", "seconds", "wrong")


class Farm:
    """What is killed, and how it comes back."""

    def __init__(self, dice: random.Random) -> None:
        from tests.doubles.comfyui import process

        self.dice = dice
        self.servers: list[ComfyDouble] = [process.start(version, "--step-seconds", "0.02") for version in SERVERS]
        self.workers: list[Process] = [self._worker(number) for number in range(len(WORKERS))]
        self.parts: dict[str, Process] = {}
        self.site = ""
        for name in ("system", "beat", "web"):
            self._part(name)
        self.later: list[tuple[float, Callable[[], None]]] = []
        self.done: Counter[str] = Counter()
        self.executed = 0  # prompts that servers began before they were killed

    def _worker(self, number: int) -> "Process":
        from tests.harness import processes

        return processes.comfy_worker(f"gpu{number}", self.servers[WORKERS[number]].url)

    def _part(self, name: str) -> None:
        from tests.harness import processes

        if name == "web":
            self.parts[name], self.site = processes.web()
        elif name == "beat":
            self.parts[name] = processes.beat()
        else:
            self.parts[name] = processes.celery("system", "system", slots=4, pool="threads")

    def after(self, seconds: float, what: Callable[[], None]) -> None:
        self.later.append((time.monotonic() + seconds, what))

    def come_back(self, *, all_of_it: bool = False) -> None:
        """What has been away long enough is started again."""
        due = [entry for entry in self.later if all_of_it or entry[0] <= time.monotonic()]
        for entry in due:
            self.later.remove(entry)
            entry[1]()

    # --- faults ---------------------------------------------------------------------------------------

    def kill_worker(self) -> None:
        number = self.dice.randrange(len(self.workers))
        away = self.dice.uniform(0, 4)
        process = self.workers[number]
        if process.is_alive():
            process.kill()
            self.after(away, lambda: self.workers.__setitem__(number, self._worker(number)))

    def kill_comfyui(self) -> None:
        server = self.dice.choice(self.servers)
        away = self.dice.uniform(0, 3)
        if server.is_running():
            self.executed += sum(server.stats()["executed"].values())
            server.kill()
            self.after(away, server.start_again)

    def kill_redis(self) -> None:
        from tests.harness import environment

        environment.restart_redis()

    def flush_redis(self) -> None:
        import redis

        from tests.harness import environment

        redis.Redis(unix_socket_path=str(environment.redis_socket)).flushall()

    def kill_part(self) -> None:
        name = self.dice.choice(sorted(self.parts))
        self.parts[name].kill()
        self._part(name)

    def sleep_worker(self) -> None:
        process = self.workers[self.dice.randrange(len(self.workers))]
        away = self.dice.uniform(2.5, 6)
        if process.is_alive():
            process.signal(signal.SIGSTOP)
            self.after(away, lambda: self._wake(process))

    def _wake(self, process: "Process") -> None:
        if process.is_alive():
            process.signal(signal.SIGCONT)

    def server_trouble(self) -> None:
        server = self.dice.choice(self.servers)
        trouble: dict[str, Any] = self.dice.choice(
            [
                {"drop_sockets": True}, {"silent": True}, {"silent": False}, {"broken_posts": 1},
                {"swallowed_posts": 1}, {"broken_download": 1}, {"cut_download": 1}, {"lose_queue": True},
            ]
        )  # fmt: skip
        if server.is_running():
            server.faults(**trouble)

    def tell_twice(self) -> None:
        from renders.models import RenderAttempt, Worker
        from renders.models.job import HELD_STATES
        from renders.tasks import attempt

        queues = list(Worker.objects.exclude(endpoint="").values_list("queue", flat=True))
        for pk in RenderAttempt.objects.filter(state__in=HELD_STATES).values_list("pk", flat=True):
            attempt.apply_async(args=(str(pk),), queue=self.dice.choice(queues), retry=False)

    def strike(self) -> None:
        faults = {
            self.kill_worker: 4, self.kill_comfyui: 2, self.sleep_worker: 2, self.server_trouble: 4,
            self.kill_redis: 1, self.flush_redis: 1, self.kill_part: 1, self.tell_twice: 2,
        }  # fmt: skip
        fault = self.dice.choices(list(faults), list(faults.values()))[0]
        fault()
        self.done[fault.__name__] += 1

    def close(self) -> None:
        for process in [*self.workers, *self.parts.values()]:
            self._wake(process)
            process.kill()
        for server in self.servers:
            server.stop()


def round_of(number: int, jobs: int, seed: int, every: float, verbose: bool) -> dict[str, Any]:
    from aipipeline.history.project_services import create_project
    from aipipeline.projects.models import User
    from renders.models import JobState, RenderAttempt, RenderJob
    from renders.services.jobs import render_shots
    from tests.factories import applied_project
    from tests.harness.gpu_farm import Reader, all_ended, problems, state_of_things

    dice = random.Random(seed)
    admin = User.objects.filter(username="chaos").first() or User.objects.create_superuser(
        username="chaos", password="chaos"
    )
    project = create_project(actor=admin, code=f"CHAOS{number}", title="Chaos", width=320, height=180)
    type(project).objects.filter(pk=project.pk).update(engine="comfy")
    project.refresh_from_db()
    script = "\n\n".join(f"S#{n}. 거리 {n} — 밤\n\n리나가 걷는다." for n in range(1, jobs + 1))
    shots = applied_project(project, admin, script)
    farm = Farm(dice)
    try:
        made: list[RenderJob] = render_shots(
            project=project, actor=admin, shots=shots, step="first_image", params={"steps": 4}
        )
        began = time.monotonic()
        strike, told = began + 5, began
        while not all_ended(made):
            farm.come_back()
            if time.monotonic() >= strike:
                farm.strike()
                strike = time.monotonic() + dice.uniform(0, 2 * every)
            if verbose and time.monotonic() - told > 15:
                told = time.monotonic()
                left = RenderJob.objects.filter(project=project).exclude(state__in=("succeeded", "failed")).count()
                print(f"  {round(told - began)} s: {left} of {len(made)} jobs left, {dict(farm.done)}", flush=True)
            if time.monotonic() - began > LIMIT_SECONDS:
                print(state_of_things()[-6000:])
                break
            time.sleep(0.1)
        seconds = time.monotonic() - began
        farm.come_back(all_of_it=True)
        wrong = _settled(lambda: problems(project, farm.servers))
        wrong += Reader(admin).shows(farm.site, project, made[:20], listed=False)
        executed = farm.executed + sum(sum(server.stats()["executed"].values()) for server in farm.servers)
        states = Counter(RenderJob.objects.filter(project=project).values_list("state", flat=True))
        failed = RenderJob.objects.filter(project=project, state=JobState.FAILED)
        return {
            "round": number,
            "seed": seed,
            "jobs": len(made),
            "succeeded": states[JobState.SUCCEEDED],
            "failed": states[JobState.FAILED],
            "attempts": RenderAttempt.objects.filter(job__project=project).count(),
            "faults": sum(farm.done.values()),
            "extra prompts": executed - len(made),
            "seconds": round(seconds),
            "wrong": len(wrong),
            "what is wrong": wrong,
            "by fault": dict(farm.done),
            "errors": Counter(failed.values_list("error", flat=True)),
        }
    finally:
        farm.close()


def _settled(look: Callable[[], list[str]]) -> list[str]:
    """Workers that slept need a moment to see that their work is somebody else's."""
    end = time.monotonic() + 15
    while (found := look()) and time.monotonic() < end:
        time.sleep(0.5)
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--every", type=float, default=2.0, metavar="SECONDS", help="between two faults, on average")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    from aipipeline.studio.launch import postgres

    with ExitStack() as stack:
        os.environ["AIP_TEST_DATABASE_URL"] = stack.enter_context(postgres.temporary_server())
        os.environ["DJANGO_SETTINGS_MODULE"] = "aipipeline.settings"
        storage = stack.enter_context(tempfile.TemporaryDirectory(prefix="aip-chaos-"))
        from tests.harness import environment  # noqa: F401  (sets the environment before Django reads it)

        os.environ["STORAGE_ROOT"] = storage
        import django
        from django.core.management import call_command
        from django.db import connections

        django.setup()
        call_command("migrate", verbosity=0)
        rows = []
        for number in range(options.rounds):
            seed = options.seed + number
            rows.append(round_of(number + 1, options.jobs, seed, options.every, not options.json))
            if not options.json:
                _print(rows[-1], header=number == 0)
        connections.close_all()  # the database server waits for whoever is still connected
        if options.json:
            print(json.dumps(rows, indent=1, default=str))
    return int(any(row["wrong"] for row in rows))


def _print(row: dict[str, Any], *, header: bool) -> None:
    if header:
        print("| " + " | ".join(COLUMNS) + " |\n|" + "---|" * len(COLUMNS))
    print("| " + " | ".join(str(row[name]) for name in COLUMNS) + " |")
    for name in ("by fault", "errors"):
        print(f"  {name}: {dict(row[name])}")
    for line in row["what is wrong"][:40]:
        print(f"  wrong: {line}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
