"""How long `./aip produce` takes, by stage, and how much of it is not the bare work of Pillow and ffmpeg.

    python3 benchmarks/produce.py [SCENARIO] [--size 1280x720] [--repeats 1] [--json]

Runs the real command in a data folder of its own, which is thrown away, then the bare work (see `bare.py`) on what that
run made. Needs nothing but Python 3.11: the first `./aip` of all installs the rest, which is not measured. CPU seconds
are those of the command and of every process that it started; by stage they are read from /proc, so on Linux only.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
HERE = Path(__file__).resolve().parent
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass
class Run:
    """Seconds and CPU seconds by stage; `start` lasts until the first stage begins, `stop` follows the last."""

    seconds: dict[str, float] = field(default_factory=dict)
    cpu: dict[str, float] = field(default_factory=dict)
    made: dict[str, Any] = field(default_factory=dict)
    bare: dict[str, Any] = field(default_factory=dict)

    @property
    def total(self) -> float:
        return sum(self.seconds.values())

    @property
    def total_cpu(self) -> float:
        return sum(self.cpu.values())

    def ratio(self) -> float:
        return self.total / float(self.bare["total"])

    def cpu_ratio(self) -> float:
        return self.total_cpu / float(self.bare["total_cpu"])


def main() -> int:
    parser = argparse.ArgumentParser(description="Measure ./aip produce against its bare Pillow and ffmpeg work.")
    parser.add_argument("scenario", nargs="?", type=Path, default=HERE / "scenarios" / "ten_pages.txt")
    parser.add_argument("--size", default="1280x720")
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--json", action="store_true", help="One JSON object as the last line of stdout.")
    options = parser.parse_args()
    scenario = options.scenario.resolve()
    set_up(scenario)
    runs = []
    for number in range(1, options.repeats + 1):
        print(f"Run {number} of {options.repeats}: {scenario.name} at {options.size}", file=sys.stderr)
        run = measure(scenario, options.size)
        describe(run)
        runs.append(run)
    best = min(runs, key=lambda run: run.total)
    if len(runs) > 1:
        ratios = ", ".join(f"{run.ratio():.2f} (CPU {run.cpu_ratio():.2f})" for run in runs)
        print(f"\nFastest of {len(runs)}: {best.total:.1f} s. Ratios to the bare work: {ratios}.")
    if options.json:
        print(json.dumps({**vars(best), "total": best.total, "ratio": best.ratio(), "cpu_ratio": best.cpu_ratio()}))
    return 0


def set_up(scenario: Path) -> None:
    """Everything that is done once on a machine: packages, fonts, byte code."""
    with tempfile.TemporaryDirectory() as data:
        environment = clean_environment(Path(data))
        done = subprocess.run([ROOT / "aip", "analyse", scenario, "--json"], env=environment, stdout=subprocess.PIPE)
    if done.returncode != 0:
        raise SystemExit("./aip analyse failed on this scenario; there is nothing to measure.")


def clean_environment(data: Path) -> dict[str, str]:
    """The embedded Redis, SQLite, and no other studio's settings: what a fresh machine has."""
    inherited = {k: v for k, v in os.environ.items() if k not in ("DATABASE_URL", "REDIS_URL", "COMFYUI_URLS")}
    return {**inherited, "AIP_DATA": str(data), "AIP_SAMPLE": "0"}


def measure(scenario: Path, size: str) -> Run:
    with tempfile.TemporaryDirectory(prefix="aip-bench-") as folder:
        data, out = Path(folder) / "data", Path(folder) / "out"
        run = produce(scenario, size, data, out)
        found = subprocess.run(
            [ROOT / ".venv" / "bin" / "python", HERE / "bare.py", run.made["project"]],
            env=clean_environment(data),
            stdout=subprocess.PIPE,
            check=True,
        )
        run.bare = json.loads(found.stdout.splitlines()[-1])
        return run


def produce(scenario: Path, size: str, data: Path, out: Path) -> Run:
    """Run the command, and look at the clock and at the CPU time whenever it names another stage."""
    run = Run()
    before = spent_by_children()
    began = at = time.monotonic()
    cpu_at, stage = 0.0, "start"
    command = [ROOT / "aip", "produce", scenario, "--out", out, "--size", size, "--json"]
    process = subprocess.Popen(
        command, env=clean_environment(data), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stderr is not None  # both opened as pipes
    assert process.stdout is not None
    tail: list[str] = []
    for line in process.stderr:
        tail = [*tail[-20:], line]
        words = line.split()
        if len(words) < 2 or not words[1].endswith("%"):
            continue
        finished = words[1] == "100%" and words[0] == "export"
        if words[0] == stage and not finished:
            continue
        now, cpu = time.monotonic(), spent_by_tree(process.pid)
        run.seconds[stage], run.cpu[stage] = now - at, cpu - cpu_at
        at, cpu_at, stage = now, cpu, "stop" if finished else words[0]
    text = process.stdout.read()
    if process.wait() != 0:
        raise SystemExit("./aip produce failed:\n" + "".join(tail))
    run.seconds[stage] = time.monotonic() - at
    run.cpu[stage] = spent_by_children() - before - cpu_at
    assert abs(sum(run.seconds.values()) - (time.monotonic() - began)) < 1
    run.made = json.loads(text.splitlines()[-1])
    return run


def spent_by_children() -> float:
    """CPU seconds of all children, and of theirs, that have ended."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def spent_by_tree(root: int) -> float:
    """CPU seconds of a running process, of all below it, and of those below it that have ended."""
    parents: dict[int, int] = {}
    spent: dict[int, float] = {}
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = entry.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        pid = int(entry.parent.name)
        parents[pid] = int(fields[1])
        spent[pid] = sum(map(int, fields[11:15])) / TICKS
    total = 0.0
    for pid in parents:
        above = pid
        while above not in (0, root):
            above = parents.get(above, 0)
        total += spent[pid] if above == root else 0
    return total


def describe(run: Run) -> None:
    counts, frames = run.made["counts"], run.made["frames"]
    print(f"{counts['shots']} shots, {frames['film']} frames, {run.made['size']}, {os.cpu_count()} cores")
    print(f"{'stage':<12}{'seconds':>9}{'CPU s':>9}{'bare s':>9}{'bare CPU s':>12}")
    bare = run.bare
    for stage, seconds in run.seconds.items():
        there = stage in bare["seconds"]
        tail = f"{bare['seconds'][stage]:>9.1f}{bare['cpu'][stage]:>12.1f}" if there else ""
        print(f"{stage:<12}{seconds:>9.1f}{run.cpu[stage]:>9.1f}{tail}")
    print(f"{'total':<12}{run.total:>9.1f}{run.total_cpu:>9.1f}{bare['total']:>9.1f}{bare['total_cpu']:>12.1f}")
    print(f"ratio to the bare work: {run.ratio():.2f} by the clock, {run.cpu_ratio():.2f} by CPU time")


if __name__ == "__main__":
    sys.exit(main())
