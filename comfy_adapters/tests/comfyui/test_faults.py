"""Whatever dies or goes dumb, a job ends, is rendered once, and nobody else's work is touched."""

import os
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest

from comfy_adapters.comfyui.backend import ComfyBackend
from comfy_adapters.comfyui.client import ComfyClient
from comfy_adapters.comfyui.errors import ComfyError
from comfy_adapters.tests.comfyui.helpers import QUICK, Reporter, context, filled
from renders.backends import JobCancelled, Stop
from tests.doubles.comfyui.process import ROOT, ComfyDouble


def until(condition: Callable[[], bool], seconds: float = 15.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)


def occupy(double: ComfyDouble, steps: int = 400) -> str:
    """Somebody else's job, running."""
    prompt_id = str(uuid.uuid4())
    client = ComfyClient(double.url)
    client.submit(filled(steps=steps, seed=99), prompt_id=prompt_id, client_id="neighbour")
    until(lambda: prompt_id in client.queue().running)
    return prompt_id


def test_a_silent_websocket_still_finishes(start_comfy: Callable[..., ComfyDouble], tmp_path: Path) -> None:
    double = start_comfy("0.33.0", "--silent")
    reporter = Reporter()
    assert ComfyBackend(QUICK).run(context(double.url, tmp_path, steps=4), reporter).files
    assert reporter.previews == []


def test_a_socket_that_breaks_is_opened_again(comfy_server: ComfyDouble, tmp_path: Path) -> None:
    """Previews and steps are heard again afterwards, and the prompt runs once."""
    comfy_server.faults(step_seconds=0.08)
    reporter = Reporter()
    cut_at: list[int] = []

    def cut() -> None:
        until(lambda: len(reporter.previews) >= 2)
        comfy_server.faults(drop_sockets=True)
        cut_at.append(len(reporter.previews))

    thread = threading.Thread(target=cut)
    thread.start()
    assert ComfyBackend(QUICK).run(context(comfy_server.url, tmp_path, steps=60), reporter).files
    thread.join()
    assert len(reporter.previews) > cut_at[0] + 1
    assert list(comfy_server.stats()["executed"].values()) == [1]


def test_a_killed_worker_comes_back_to_its_running_prompt(comfy_server: ComfyDouble, tmp_path: Path) -> None:
    comfy_server.faults(step_seconds=0.1)
    state = _run_and_kill(comfy_server, tmp_path)
    reporter = Reporter()
    result = ComfyBackend(QUICK).run(context(comfy_server.url, tmp_path, state=state, attempt="second"), reporter)
    assert result.files[0].is_file()
    assert comfy_server.stats()["executed"] == {state["prompt_id"]: 1}
    assert comfy_server.stats()["posts"] == 1
    assert reporter.previews, "the second worker hears the same prompt"
    # The graph in the provenance is the one that ran: it bears the first attempt's file prefix.
    assert result.provenance["filled_graph"]["60"]["inputs"]["filename_prefix"].endswith("attempt1")


def test_what_finished_meanwhile_is_collected(comfy_server: ComfyDouble, tmp_path: Path) -> None:
    comfy_server.faults(step_seconds=0.05)
    state = _run_and_kill(comfy_server, tmp_path)
    until(lambda: ComfyClient(comfy_server.url).locate(state["prompt_id"]) == "finished")
    job = context(comfy_server.url, tmp_path, state=state, attempt="second")
    assert ComfyBackend(QUICK).run(job, Reporter()).files[0].is_file()
    assert comfy_server.stats()["executed"] == {state["prompt_id"]: 1}
    # Its file was cleared away since: made again under a new id.
    for path in (comfy_server.data / "output").rglob("*.png"):
        path.unlink()
    job = context(comfy_server.url, tmp_path, state=state, attempt="third")
    assert ComfyBackend(QUICK).run(job, Reporter()).files[0].is_file()
    assert sorted(comfy_server.stats()["executed"].values()) == [1, 1]


def _run_and_kill(double: ComfyDouble, folder: Path) -> dict[str, str]:
    """Start a worker process, kill -9 it while its prompt runs; what it had saved."""
    import json

    line = [sys.executable, "-m", "comfy_adapters.tests.comfyui.run_client", double.url, str(folder)]
    worker = subprocess.Popen(line, cwd=ROOT, env={**os.environ, "DJANGO_SETTINGS_MODULE": "aipipeline.settings"})
    client = ComfyClient(double.url)
    try:
        until(lambda: bool(client.queue().running), 30)
    finally:
        worker.send_signal(signal.SIGKILL)
        worker.wait()
    assert not (folder / "done").exists()
    return dict(json.loads((folder / "state.json").read_text()))


def test_a_worker_killed_before_the_post_sends_under_the_saved_id(comfy_server: ComfyDouble, tmp_path: Path) -> None:
    state = {"prompt_id": "saved-before-post", "client_id": "c", "endpoint": comfy_server.url}
    ComfyBackend(QUICK).run(context(comfy_server.url, tmp_path, state=state, steps=2), Reporter())
    assert comfy_server.stats()["executed"] == {"saved-before-post": 1}


def test_the_id_is_saved_before_the_post(comfy_server: ComfyDouble, tmp_path: Path) -> None:
    class Dying(Reporter):
        def save_state(self, **state: object) -> None:
            assert comfy_server.stats()["posts"] == 0
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ComfyBackend(QUICK).run(context(comfy_server.url, tmp_path), Dying())
    assert comfy_server.stats()["posts"] == 0


def test_a_result_on_another_machine_is_fetched_and_unfinished_work_there_stopped(
    start_comfy: Callable[..., ComfyDouble], tmp_path: Path
) -> None:
    old, new = start_comfy(), start_comfy()
    reporter = Reporter()
    ComfyBackend(QUICK).run(context(old.url, tmp_path, steps=2), reporter)
    job = context(new.url, tmp_path, state=reporter.state, attempt="second", steps=2)
    assert ComfyBackend(QUICK).run(job, Reporter()).provenance["endpoint"] == old.url
    old.faults(step_seconds=0.1)
    running = occupy(old)
    state = {"prompt_id": running, "client_id": "c", "endpoint": old.url}
    job = context(new.url, tmp_path, state=state, attempt="third", steps=2)
    assert ComfyBackend(QUICK).run(job, Reporter()).provenance["endpoint"] == new.url
    until(lambda: not ComfyClient(old.url).queue().running)


def test_cancelling_a_pending_job_leaves_the_running_one(comfy_server: ComfyDouble, tmp_path: Path) -> None:
    comfy_server.faults(step_seconds=0.05)
    neighbour = occupy(comfy_server)
    client = ComfyClient(comfy_server.url)
    reporter = Reporter(cancel_when=lambda me: bool(me.state) and me.state["prompt_id"] in client.queue().pending)
    with pytest.raises(JobCancelled):
        ComfyBackend(QUICK).run(context(comfy_server.url, tmp_path), reporter)
    assert client.queue().pending == ()
    assert client.queue().running == (neighbour,)
    assert reporter.state["prompt_id"] not in comfy_server.stats()["executed"]


def test_cancelling_a_running_job_leaves_the_pending_one(comfy_server: ComfyDouble, tmp_path: Path) -> None:
    comfy_server.faults(step_seconds=0.05)
    client = ComfyClient(comfy_server.url)
    neighbour = str(uuid.uuid4())
    placed = threading.Event()

    def cancel_when(me: Reporter) -> bool:
        if me.state and not placed.is_set() and me.state["prompt_id"] in client.queue().running:
            client.submit(filled(steps=3), prompt_id=neighbour, client_id="neighbour")
            placed.set()
        return placed.is_set()

    began = time.monotonic()
    with pytest.raises(JobCancelled):
        ComfyBackend(QUICK).run(context(comfy_server.url, tmp_path, steps=400), Reporter(cancel_when=cancel_when))
    assert time.monotonic() - began < 10
    until(lambda: client.locate(neighbour) == "finished")
    entry = client.history(neighbour)
    assert entry is not None
    assert entry["status"]["status_str"] == "success"


def test_an_attempt_that_lost_its_lease_does_not_stop_the_prompt(comfy_server: ComfyDouble, tmp_path: Path) -> None:
    """Another attempt follows that prompt by now."""
    comfy_server.faults(step_seconds=0.05)
    client = ComfyClient(comfy_server.url)

    def cancel_when(me: Reporter) -> bool:
        return bool(me.state) and me.state["prompt_id"] in client.queue().running

    reporter = Reporter(cancel_when=cancel_when, reason=Stop.LOST)
    with pytest.raises(JobCancelled):
        ComfyBackend(QUICK).run(context(comfy_server.url, tmp_path), reporter)
    until(lambda: client.locate(reporter.state["prompt_id"]) == "finished")
    entry = client.history(reporter.state["prompt_id"])
    assert entry is not None
    assert entry["status"]["status_str"] == "success"


def test_somebody_elses_interrupt_is_a_retry_under_a_new_id(comfy_server: ComfyDouble, tmp_path: Path) -> None:
    comfy_server.faults(step_seconds=0.05)
    reporter = Reporter()

    def interrupt() -> None:
        until(lambda: bool(ComfyClient(comfy_server.url).queue().running))
        comfy_server.post("/interrupt")

    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.raises(ComfyError, match="interrupted") as caught:
        ComfyBackend(QUICK).run(context(comfy_server.url, tmp_path, steps=400), reporter)
    thread.join()
    assert caught.value.retryable
    first = reporter.state["prompt_id"]
    ComfyBackend(QUICK).run(context(comfy_server.url, tmp_path, state=dict(reporter.state), steps=2), reporter)
    assert reporter.state["prompt_id"] != first


def test_out_of_memory_is_told_apart(comfy_server: ComfyDouble, tmp_path: Path) -> None:
    comfy_server.faults(out_of_memory=1)
    with pytest.raises(ComfyError, match="card with more memory") as caught:
        ComfyBackend(QUICK).run(context(comfy_server.url, tmp_path), Reporter())
    assert caught.value.out_of_memory
    comfy_server.faults(node_error=1)
    with pytest.raises(ComfyError, match=r"Node 40 Sampler \(KSampler\): RuntimeError: mat1") as caught:
        ComfyBackend(QUICK).run(context(comfy_server.url, tmp_path), Reporter())
    assert not caught.value.out_of_memory


def test_a_blocked_output_is_not_mistaken_for_a_result(comfy_server: ComfyDouble, tmp_path: Path) -> None:
    comfy_server.faults(blocked=1)
    with pytest.raises(ComfyError, match=r"without a result: The input of this node was blocked"):
        ComfyBackend(QUICK).run(context(comfy_server.url, tmp_path, steps=2), Reporter())


def test_a_bare_500_can_be_tried_again(comfy_server: ComfyDouble, tmp_path: Path) -> None:
    comfy_server.faults(broken_posts=1)
    reporter = Reporter()
    with pytest.raises(ComfyError, match="answered 500 to /prompt") as caught:
        ComfyBackend(QUICK).run(context(comfy_server.url, tmp_path, steps=2), reporter)
    assert caught.value.retryable
    again = context(comfy_server.url, tmp_path, steps=2, state=reporter.state)
    assert ComfyBackend(QUICK).run(again, reporter).files


@pytest.mark.parametrize("how", ["restart", "lose_queue", "kill"])
def test_a_server_that_forgets_ends_the_attempt_and_the_next_one_renders(
    comfy_server: ComfyDouble, tmp_path: Path, how: str
) -> None:
    comfy_server.faults(step_seconds=0.05)
    reporter = Reporter()

    def strike() -> None:
        until(lambda: bool(ComfyClient(comfy_server.url).queue().running))
        if how == "kill":
            comfy_server.kill()
            comfy_server.start_again()
        else:
            comfy_server.faults(**{how: 0.5 if how == "restart" else True})

    thread = threading.Thread(target=strike)
    thread.start()
    with pytest.raises(ComfyError, match="no longer knows this work") as caught:
        ComfyBackend(QUICK).run(context(comfy_server.url, tmp_path, steps=400), reporter)
    thread.join()
    assert caught.value.retryable
    comfy_server.faults(step_seconds=0.01)
    again = context(comfy_server.url, tmp_path, state=reporter.state, attempt="second", steps=2)
    assert ComfyBackend(QUICK).run(again, reporter).files[0].is_file()


def test_a_server_that_stays_away_is_reported(comfy_server: ComfyDouble, tmp_path: Path) -> None:
    comfy_server.faults(step_seconds=0.05)
    reporter = Reporter()

    def strike() -> None:
        until(lambda: bool(ComfyClient(comfy_server.url).queue().running))
        comfy_server.kill()

    thread = threading.Thread(target=strike)
    thread.start()
    with pytest.raises(ComfyError, match="does not answer") as caught:
        ComfyBackend(QUICK).run(context(comfy_server.url, tmp_path, steps=400), reporter)
    thread.join()
    assert caught.value.retryable
    assert "Waiting for the ComfyUI server" in reporter.messages


def test_a_damaged_download_is_refused(comfy_server: ComfyDouble, tmp_path: Path) -> None:
    comfy_server.faults(cut_download=1)
    job = context(comfy_server.url, tmp_path, steps=2)
    reporter = Reporter()
    with pytest.raises(ComfyError, match="damaged"):
        ComfyBackend(QUICK).run(job, reporter)
    assert list(job.out_dir.iterdir()) == []
    # The next attempt collects the same result instead of rendering again.
    again = context(comfy_server.url, tmp_path, state=reporter.state, attempt="second", steps=2)
    assert ComfyBackend(QUICK).run(again, reporter).files
    assert comfy_server.stats()["posts"] == 1
