"""The shot grid with ten thousand shots in a real browser: first rows, edits, a paste, scrolling.

    .venv/bin/python benchmarks/grid.py [--rows 10000] [--json]

Starts the studio by `./aip up` in a data folder of its own (SQLite, embedded Redis), which is thrown away, fills a
project through the REST API, and opens it in Chromium. Needs what `./aip test` installs (Playwright). Times are those
of the page's own clock; a frame is the time between two animation frames.
"""

import argparse
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.people import Site, percentile  # noqa: E402

FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip
FIRST_ROWS = """() => new Promise((resolve) => {
  const look = () => document.querySelector(".slick-row .slick-cell")
    ? requestAnimationFrame(() => resolve(performance.now())) : requestAnimationFrame(look);
  look();
})"""
ALL_ROWS = """() => new Promise((resolve) => {
  const grid = document.querySelector("[data-grid]").grid;
  const look = () => grid.loaded ? resolve(performance.now()) : setTimeout(look, 10);
  look();
})"""
# One cell: from the commit to the server's answer, as a person's Enter does it.
EDIT = """async (place) => {
  const grid = document.querySelector("[data-grid]").grid;
  const item = grid.items()[place];
  const started = performance.now();
  const answer = await grid.commit([{ id: item.id, field: "action", value: `동작 ${place} ${started}` }], "edit");
  if (!answer) throw new Error("the edit was refused");
  return performance.now() - started;
}"""
PASTE = """async (text) => {
  const grid = document.querySelector("[data-grid]").grid;
  const before = performance.getEntriesByType("resource").filter((e) => e.name.endsWith("/batch/")).length;
  const first = grid.items()[100];
  grid.openCell(first.id, "description");
  grid.input.finish();
  const data = new DataTransfer();
  data.setData("text/plain", text);
  const saved = new Promise((resolve) => {
    const listen = (event) => {
      if (event.detail.state === "saved") { grid.removeEventListener("saving", listen); resolve(); }
    };
    grid.addEventListener("saving", listen);
  });
  const started = performance.now();
  const paste = new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true });
  document.activeElement.dispatchEvent(paste);
  await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
  const painted = performance.now() - started;
  await saved;
  const requests = performance.getEntriesByType("resource").filter((e) => e.name.endsWith("/batch/")).length - before;
  return { painted, saved: performance.now() - started, requests };
}"""
SCROLL = """async (step) => {
  const view = document.querySelector(".slick-viewport-top.slick-viewport-right");
  const times = [];
  let last = performance.now();
  for (let n = 0; n < 120; n++) {
    view.scrollTop += step;
    await new Promise((resolve) => requestAnimationFrame(resolve));
    const now = performance.now();
    times.push(now - last);
    last = now;
  }
  return times;
}"""


def main() -> int:
    parser = argparse.ArgumentParser(description="Measure the shot grid in Chromium.")
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--json", action="store_true", help="One JSON object as the last line of stdout.")
    options = parser.parse_args()
    password = secrets.token_urlsafe(12)
    with tempfile.TemporaryDirectory(prefix="aip-") as folder, studio(Path(folder), password) as url:
        fill(site_of(url, password), options.rows)
        found = measure(url, password, options.rows)
    for name, value in found.items():
        print(f"{name:34} {value}")
    if options.json:
        print(json.dumps(found))
    return 0


@contextmanager
def studio(data: Path, password: str) -> Iterator[str]:
    """`./aip up` until the block ends; its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    wanted = {"AIP_DATA": str(data), "AIP_PORT": str(port), "AIP_ADMIN_PASSWORD": password, "AIP_SAMPLE": "0"}
    process = subprocess.Popen([ROOT / "aip", "up"], env={**os.environ, **wanted}, stdout=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}"
    try:
        for _try in range(240):
            try:
                with urllib.request.urlopen(f"{url}/readyz", timeout=5):
                    break
            except OSError:
                time.sleep(0.5)
        else:
            raise SystemExit("The studio did not start within two minutes.")
        yield url
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(60)


def site_of(url: str, password: str) -> Site:
    """The administrator's connection, with a token of its own."""
    body = json.dumps({"username": "admin", "password": password}).encode()
    asked = urllib.request.Request(f"{url}/api/v1/auth/token/", body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(asked, timeout=30) as answer:
        return Site(url, json.load(answer)["access"])


def fill(site: Site, rows: int) -> None:
    """A project BIG with so many shots in scenes of fifty, with characters and places."""
    base = "/api/v1/projects/BIG"
    said(site.call("POST", "/api/v1/projects/", {"code": "BIG", "title": "만 개의 샷"}))
    people = [said(site.call("POST", f"{base}/characters/", {"name": f"인물 {n}"}))["id"] for n in range(8)]
    scenes = [
        said(site.call("POST", f"{base}/scenes/", {"heading": f"INT. 카페 {n} - 낮"}))["id"]
        for n in range(max(1, rows // 50))
    ]
    for start in range(0, rows, 2000):
        create = [
            {
                "scene": scenes[min(n // 50, len(scenes) - 1)],
                "description": f"{n}번째 샷. 창가에 앉은 사람이 노트북을 연다.",
                "action": "카메라가 천천히 다가간다",
                "dialogue": "여기서 처음 쓰는 이야기야.",
                "size": ("CU", "MS", "WS")[n % 3],
                "duration_frames": 24 + n % 200,
                "characters": people[: n % 3],
            }
            for n in range(start, min(start + 2000, rows))
        ]
        said(site.call("POST", f"{base}/shots/batch/", {"create": create}))


def said(answer: tuple[int, Any]) -> Any:
    status, body = answer
    if status >= 300:
        raise SystemExit(f"{status}: {str(body)[:300]}")
    return body


def measure(url: str, password: str, rows: int) -> dict[str, Any]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=list(FLAGS))
        page = browser.new_page(viewport={"width": 1920, "height": 1080})
        page.goto(f"{url}/login/")
        page.fill("[name=username]", "admin")
        page.fill("[name=password]", password)
        page.press("[name=password]", "Enter")
        page.wait_for_load_state()
        opened = [first_rows(page, f"{url}/projects/BIG/shots/") for _try in range(5)]
        found: dict[str, Any] = {
            "rows": rows,
            "first rows, ms": [round(first) for first, _all in opened],
            "all rows, ms": [round(everything) for _first, everything in opened],
        }
        edits = [page.evaluate(EDIT, place) for place in range(60)]
        found["edit saved p50 / p95, ms"] = [round(percentile([e / 1000 for e in edits], p)) for p in (0.5, 0.95)]
        text = "\r\n".join("\t".join(f"붙여넣기 {row}-{cell}" for cell in range(2)) for row in range(200))
        # Five columns that take texts stand side by side in this view.
        page.evaluate(
            """() => document.querySelector("[data-grid]").grid.applyView({ columns: [["code", 90],
              ["description", 200], ["action", 200], ["dialogue", 200], ["emotion", 120], ["prompt", 200]] })"""
        )
        text = "\r\n".join("\t".join(f"붙인 값 {row}-{cell}" for cell in range(5)) for row in range(200))
        paste = page.evaluate(PASTE, text)
        found["paste 200 x 5 painted / saved, ms"] = [round(paste["painted"]), round(paste["saved"])]
        found["paste requests"] = paste["requests"]
        found["frames at 120 px p50 / p95, ms"] = frames(page.evaluate(SCROLL, 120))
        found["frames at 1200 px p50 / p95, ms"] = frames(page.evaluate(SCROLL, 1200))
        browser.close()
    return found


def first_rows(page: Page, address: str) -> tuple[float, float]:
    """Milliseconds from navigation to the first painted rows, and to the last row loaded."""
    page.goto(address, wait_until="commit")
    first = page.evaluate(FIRST_ROWS)
    return first, page.evaluate(ALL_ROWS)


def frames(times: Sequence[float]) -> list[float]:
    return [round(percentile([value / 1000 for value in times], share), 1) for share in (0.5, 0.95)]


def chromium() -> str | None:
    """The system's browser when there is one; else Playwright's own."""
    return next((path for path in ("/usr/bin/chromium", "/usr/bin/google-chrome") if Path(path).exists()), None)


if __name__ == "__main__":
    sys.exit(main())
