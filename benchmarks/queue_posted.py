"""From "the worker is free" to "the next prompt is posted", and the cost of a job beside the bare requests.

Used by `queue.py`. One worker of the studio drives the ComfyUI server of the tests; both are processes. Free is the
moment at which the job before ended in the database; posted is the moment at which the server began with the next one,
by its own history (its queue is empty, so it begins what it gets). The bare work posts the same graphs to the same
server with `requests`, follows the history and downloads the result.
"""

import copy
import shutil
import tempfile
import time
import uuid
from pathlib import Path
from typing import Any

from benchmarks.people import percentile

JOBS = 20
STEP_SECONDS = 0.1  # of twenty steps: two seconds for a picture, where a real card takes ten and more


def measure() -> dict[str, Any]:
    from django.core.management import call_command

    from aipipeline.history.project_services import create_project
    from aipipeline.projects.models import User
    from renders.models import JobState, RenderAttempt, RenderJob
    from renders.services.jobs import render_shots
    from renders.services.workflows import sync_workflows
    from tests.doubles.comfyui.process import start
    from tests.factories import applied_project
    from tests.harness import processes

    call_command("migrate", verbosity=0)
    sync_workflows()
    admin = User.objects.create_superuser(username="posted", password="x")
    text = "\n\n".join(f"S#{n}. 카페 — 낮\n\n리나가 창가에 앉아 노트북을 연다." for n in range(1, JOBS + 1))
    project = create_project(actor=admin, code="POST", title="Posted", width=320, height=180)
    shots = applied_project(project, admin, text)[:JOBS]
    double = start()
    double.faults(step_seconds=STEP_SECONDS)
    queues = "gpu.vram8,gpu.vram16,gpu.vram24,gpu.vram48"
    env = {"AIP_WORKER_ENDPOINT": double.url, "AIP_WORKER_VRAM": "48", "RENDER_LEASE_SECONDS": "30"}
    worker = processes.celery("bench", queues, slots=1, **env)
    try:
        render_shots(project=project, actor=admin, shots=shots[:1], workflow="comfy.flux_t2i")
        _wait(lambda: RenderJob.objects.filter(state=JobState.SUCCEEDED).count() == 1, worker)
        render_shots(project=project, actor=admin, shots=shots[1:], workflow="comfy.flux_t2i")
        rest = len(shots) - 1
        _wait(lambda: RenderJob.objects.filter(state=JobState.SUCCEEDED).count() == 1 + rest, worker)
        attempts = list(RenderAttempt.objects.filter(state=JobState.SUCCEEDED).order_by("finished_at"))
        assert len(attempts) == 1 + rest
        ours = (attempts[-1].finished_at - attempts[0].finished_at).total_seconds()
        histories = [double.get(f"/history/{a.saved['prompt_id']}")[a.saved["prompt_id"]] for a in attempts]
        gaps = [
            _began(history) - attempt.finished_at.timestamp()
            for attempt, history in zip(attempts[1:-1], histories[2:], strict=True)
        ]
        bare = _bare(double, [history["prompt"][2] for history in histories[1:]])
    finally:
        worker.stop()
        double.stop()
    return {
        "jobs": rest, "free_to_posted_p50_ms": round(percentile(gaps, 0.5)),
        "free_to_posted_p95_ms": round(percentile(gaps, 0.95)), "seconds_per_job": round(ours / rest, 3),
        "bare_seconds_per_job": round(bare / rest, 3), "ratio": round(ours / bare, 2),
    }  # fmt: skip


def _wait(done: Any, worker: Any) -> None:
    from tests.harness import processes

    processes.wait_until(done, seconds=600, what=worker.text)


def _began(history: dict[str, Any]) -> float:
    for kind, data in history["status"]["messages"]:
        if kind == "execution_start":
            return float(data["timestamp"]) / 1000
    raise AssertionError("the server's history has no beginning")


def _bare(double: Any, graphs: list[dict[str, Any]]) -> float:
    """Seconds for the same graphs, one after the other, with nothing around them."""
    import requests

    http = requests.Session()
    http.trust_env = False
    folder = tempfile.mkdtemp(prefix="aip-bare-")
    began = time.monotonic()
    for number, graph in enumerate(graphs):
        mine = copy.deepcopy(graph)
        for node in mine.values():
            if "filename_prefix" in node["inputs"]:
                node["inputs"]["filename_prefix"] = f"bare_{number}"
        key = str(uuid.uuid4())
        http.post(
            f"{double.url}/prompt", json={"prompt": mine, "prompt_id": key, "client_id": "bare"}
        ).raise_for_status()
        while not (entry := http.get(f"{double.url}/history/{key}").json().get(key)):
            time.sleep(0.02)
        for output in entry["outputs"].values():
            for file in output.get("images", []):
                names = {"filename": file["filename"], "subfolder": file["subfolder"], "type": file["type"]}
                content = http.get(f"{double.url}/view", params=names).content
                (Path(folder) / f"{number}.png").write_bytes(content)
    seconds = time.monotonic() - began
    shutil.rmtree(folder)
    return seconds
