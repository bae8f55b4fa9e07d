"""What a job costs through the ComfyUI adapter, beside posting the same graph with bare `requests`.

    .venv/bin/python benchmarks/adapter.py [--jobs 10] [--seconds 2.0] [--json]

Both send the same FLUX graph, with seeds of their own, to the same server (the double of the tests, in a process of
its own), turn about, and wait until the finished file lies on the disk. Bare: POST /prompt, GET /history ten times a
second, GET /view, one connection for all. The adapter besides: looks whether the server has nodes and models, follows
the websocket, checks the file, and keeps how it was made. `--seconds`: what the server works on each, as a short real
job would; the longer it works, the smaller the ratio.
"""

import argparse
import copy
import json
import os
import statistics
import sys
import tempfile
import time
import uuid
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import requests

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "aipipeline.settings")
POLL = 0.1
STEPS = 20
SIZE = {"width": 1024, "height": 576}


@dataclass(frozen=True)
class Overhead:
    """Median seconds of a job; `ratio` is adapter to bare."""

    jobs: int
    bare: float
    adapter: float
    ratio: float


def bare_job(http: requests.Session, url: str, graph: dict[str, Any], out: Path) -> float:
    """Seconds from the graph in hand to the file on the disk."""
    began = time.perf_counter()
    prompt_id = http.post(f"{url}/prompt", json={"prompt": graph}, timeout=30).json()["prompt_id"]
    entry: dict[str, Any] = {}
    while not entry:
        time.sleep(POLL)
        entry = http.get(f"{url}/history/{prompt_id}", timeout=30).json().get(prompt_id, {})
    image = next(item for output in entry["outputs"].values() for item in output.get("images", []))
    out.write_bytes(http.get(f"{url}/view", params=image, timeout=30).content)
    return time.perf_counter() - began


def measure(url: str, *, jobs: int = 10) -> Overhead:
    """Run pairs of jobs against the server at `url`; Django must be set up. One pair before does not count."""
    from comfy_adapters.comfyui import graphs
    from comfy_adapters.comfyui.backend import ComfyBackend
    from comfy_adapters.comfyui.values import slot_values
    from renders.backends import JobContext, JobReporter, Stop

    class Silent(JobReporter):
        def stop(self) -> Stop | None:
            return None

    backend, http = ComfyBackend(), requests.Session()
    http.trust_env = False
    graph, slots = graphs.load("flux_t2i")
    params: dict[str, Any] = {"prompt": "rain", "frames": 1, "fps": "24", "steps": STEPS, **SIZE}
    pairs = []
    with tempfile.TemporaryDirectory() as folder:
        for number in range(jobs + 1):
            mine = params | {"seed": number * 2}
            prefix = f"bare/{uuid.uuid4().hex}"
            values = slot_values(graph, slots, {**params, "seed": number * 2 + 1}, prefix=prefix, job_id="")
            filled = copy.deepcopy(graphs.fill(graph, slots, values).prompt)
            alone = bare_job(http, url, filled, Path(folder) / f"{number}.png")
            out = Path(folder) / str(number)
            out.mkdir()
            began = time.perf_counter()
            backend.run(JobContext("job", f"a{number}", "comfy.flux_t2i", "previz", mine, {}, {}, out, url), Silent())
            pairs.append((alone, time.perf_counter() - began))
    bare, adapter = (statistics.median(column) for column in zip(*pairs[1:], strict=True))
    return Overhead(jobs, round(bare, 4), round(adapter, 4), round(adapter / bare, 3))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, default=10)
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    import django

    django.setup()
    from tests.doubles.comfyui.process import running

    with running() as double:
        double.faults(step_seconds=options.seconds / STEPS)
        found = measure(double.url, jobs=options.jobs)
    if options.json:
        print(json.dumps(asdict(found)))
    else:
        print(f"{found.jobs} pairs: bare {found.bare:.3f} s, adapter {found.adapter:.3f} s, ratio {found.ratio:.3f}")


if __name__ == "__main__":
    main()
