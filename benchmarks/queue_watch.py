"""Fifty pages' sockets and two real pages that watch twenty jobs: how late their progress comes, and the web's CPU.

Used by `queue.py`. Each job tells its progress twice a second through the runner's own reporter, as a sampler of twenty
steps in ten seconds does. The clients are threads of one process; their work on the same processors is in the figures.
"""

import json
import os
import shutil
import threading
import time
from contextlib import ExitStack
from typing import Any

from benchmarks.people import percentile

CLIENTS = 50
JOBS = 20
SECONDS = 20.0
PER_SECOND = 2.0
OBSERVE = """
  window.late = [];
  new MutationObserver((records) => {
    for (const {target} of records) {
      const element = target.nodeType === Node.TEXT_NODE ? target.parentElement : target;
      const said = Number(element?.closest("[data-progress-message]")?.textContent);
      if (said) window.late.push(Date.now() / 1000 - said);
    }
  }).observe(document, {subtree: true, childList: true, characterData: true});
"""
TICKS = os.sysconf("SC_CLK_TCK")


def measure() -> dict[str, Any]:
    from playwright.sync_api import sync_playwright

    from aipipeline.history.project_services import create_project
    from aipipeline.projects import tickets
    from aipipeline.projects.models import User
    from renders.models import RenderAttempt
    from renders.runner import Reporter
    from renders.tests import farm_world as world
    from tests.factories import applied_project
    from tests.harness import processes

    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    admin = User.objects.create_superuser(username="admin", password="pass-for-tests")
    project = create_project(actor=admin, code="WATCH", title="Watched", width=320, height=180)
    shot = applied_project(project, admin)[0]
    gpu, flow = world.worker(), world.workflow()
    for _ in range(JOBS):
        world.job(shot, flow, by=admin)
    reporters = [Reporter(RenderAttempt.objects.select_related("job").get(pk=world.begun(gpu).pk)) for _ in range(JOBS)]
    with ExitStack() as stack:
        web, url = processes.web()
        stack.callback(web.stop)
        driver = stack.enter_context(sync_playwright())
        flags = ["--no-sandbox", "--disable-gpu"]
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=flags)
        stack.callback(browser.close)
        context = browser.new_context(base_url=url)
        page = context.new_page()
        page.goto("/login/")
        page.fill("input[name=username]", "admin")
        page.fill("input[name=password]", "pass-for-tests")
        page.press("input[name=password]", "Enter")
        page.wait_for_url("**/")
        page.goto("/farm/")
        other = context.new_page()
        other.goto(f"/projects/{project.code}/farm/")
        for watcher in (page, other):
            watcher.wait_for_function(f"document.querySelectorAll('[data-progress-message]').length >= {JOBS}")
            watcher.evaluate(OBSERVE)
        late: list[float] = []
        clients = [_Client(url, tickets.issue(admin.pk), f"project:{project.pk}", late) for _ in range(CLIENTS)]
        for client in clients:
            client.ready.wait(60)
        used, began, sent = _cpu(web.pid), time.monotonic(), 0
        while time.monotonic() - began < SECONDS:
            for number, reporter in enumerate(reporters):
                due = began + (sent + number / JOBS) / PER_SECOND
                time.sleep(max(0.0, due - time.monotonic()))
                reporter.progress(min(1.0, sent / (SECONDS * PER_SECOND)), repr(time.time()))
            sent += 1
        spent, elapsed = _cpu(web.pid) - used, time.monotonic() - began
        time.sleep(2.0)
        seen = [number for watcher in (page, other) for number in watcher.evaluate("window.late")]
        for client in clients:
            client.close()
    return {
        "clients": CLIENTS, "pages": 2, "jobs": JOBS, "sent": sent * JOBS, "received": len(late),
        "of": sent * JOBS * CLIENTS, "progress_p50_ms": round(percentile(late, 0.5)),
        "progress_p95_ms": round(percentile(late, 0.95)), "page_updates": len(seen),
        "page_p50_ms": round(percentile(seen, 0.5)), "page_p95_ms": round(percentile(seen, 0.95)),
        "web_cpu_percent": round(spent / elapsed * 100),
    }  # fmt: skip


class _Client:
    """One socket on the project's topic, in a thread of its own."""

    def __init__(self, url: str, ticket: str, topic: str, late: list[float]) -> None:
        import websocket

        self.ready = threading.Event()
        self.late = late
        address = f"{url.replace('http', 'ws', 1)}/ws/?ticket={ticket}"
        self.socket = websocket.create_connection(address, timeout=60, origin=url)
        self.socket.send(json.dumps({"type": "subscribe", "topic": topic}))
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        try:
            while True:
                told = json.loads(self.socket.recv())
                now = time.time()
                if told.get("type") == "subscribed":
                    self.ready.set()
                elif (event := told.get("event", {})).get("type") == "job.progress":
                    self.late.append(now - float(event["message"]))
        except Exception:  # closed at the end
            return

    def close(self) -> None:
        self.socket.close()


def _cpu(pid: int) -> float:
    with open(f"/proc/{pid}/stat") as file:
        parts = file.read().rsplit(")", 1)[1].split()
    return (int(parts[11]) + int(parts[12])) / TICKS
