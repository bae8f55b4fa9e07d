"""People who edit one shot list at the same time, as their pages do it: cells with the revision that each has seen.

Standard library only. `edit_together` runs them against a running site; `lost_updates` then asks the site's own history
whether anything that was acknowledged is missing.
"""

import http.client
import json
import random
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any
from urllib.parse import urlsplit

IDLE = 20.0
FIELDS = ("description", "action", "dialogue", "emotion")


class Site:
    """One person's connection, kept open; answers are (status, JSON)."""

    def __init__(self, url: str, token: str) -> None:
        parts = urlsplit(url)
        self.used = time.monotonic()
        self.connection = http.client.HTTPConnection(parts.hostname or "", parts.port or 80, timeout=60)
        self.headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}

    def call(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        data = None if body is None else json.dumps(body).encode()
        if time.monotonic() - self.used > IDLE:
            self.connection.close()  # the server has let go of it; the next request opens another
        self.connection.request(method, path, data, self.headers)
        answer = self.connection.getresponse()
        self.used = time.monotonic()
        text = answer.read()
        return answer.status, json.loads(text) if text else None


@dataclass
class Edits:
    """What one person did. `acknowledged`: by (row, field), the values that the site said it had saved."""

    acknowledged: dict[tuple[int, str], list[str]] = field(default_factory=dict)
    seconds: list[float] = field(default_factory=list)
    conflicts: int = 0
    failures: list[str] = field(default_factory=list)


class Person(threading.Thread):
    """Edits one random cell about every `pause` seconds, and learns from each answer what the others did."""

    def __init__(
        self, site: Site, project: str, rows: Sequence[int], *, name: str, seconds: float, pause: float
    ) -> None:
        super().__init__(name=name, daemon=True)
        self.site = site
        self.base = f"/api/v1/projects/{project}/shots"
        self.rows = list(rows)
        self.until = seconds
        self.pause = pause
        self.done = Edits()
        self.random = random.Random(name)
        self.seen: dict[int, int] = {}
        self.seq = 0

    def learn(self, changes: dict[str, Any]) -> None:
        self.seq = changes["seq"]
        if changes["reset"]:
            self.read_all()
        else:
            self.seen.update(zip(changes["rows"].get("id", []), changes["rows"].get("revision", []), strict=True))

    def read_all(self) -> None:
        """Every row's revision, as a page that was just opened has it."""
        self.site.connection.request("GET", f"{self.base}/grid/", headers=self.site.headers)
        lines = self.site.connection.getresponse().read().splitlines()
        for line in map(json.loads, lines):
            if line["type"] == "head":
                self.seq = line["seq"]
            elif line["type"] == "rows":
                self.seen.update(zip(line["rows"]["id"], line["rows"]["revision"], strict=True))

    def run(self) -> None:
        end = time.monotonic() + self.until
        number = 0
        time.sleep(self.random.uniform(0, self.pause))
        while time.monotonic() < end:
            number += 1
            try:
                self.edit(number)
            except (OSError, http.client.HTTPException, ValueError) as error:
                self.done.failures.append(repr(error))
                self.site.connection.close()
            time.sleep(self.random.uniform(0.5, 1.5) * self.pause)

    def edit(self, number: int) -> None:
        row, name = self.random.choice(self.rows), self.random.choice(FIELDS)
        value = f"{self.name} {number}"
        item = {"id": row, "revision": self.seen.get(row, 0), "fields": {name: value}}
        started = time.perf_counter()
        status, body = self.site.call("POST", f"{self.base}/batch/", {"items": [item], "since": self.seq})
        self.done.seconds.append(time.perf_counter() - started)
        if status == 200:
            self.done.acknowledged.setdefault((row, name), []).append(value)
            self.learn(body["changes"])
        elif status == 409:
            self.done.conflicts += 1
            status, body = self.site.call("GET", f"{self.base}/changes/?since={self.seq}")
            self.learn(body)
        else:
            self.done.failures.append(f"{status} {str(body)[:200]}")


def edit_together(
    url: str, project: str, rows: Sequence[int], people: Sequence[tuple[str, str]], *, seconds: float, pause: float
) -> list[Edits]:
    """Everybody (name, token) opens the list; then all edit at once for so many seconds."""
    everybody = [
        Person(Site(url, token), project, rows, name=name, seconds=seconds, pause=pause) for name, token in people
    ]
    for person in everybody:
        person.read_all()
    for person in everybody:
        person.start()
    for person in everybody:
        person.join()
    return [person.done for person in everybody]


def lost_updates(site: Site, project: str, rows: Sequence[int], edits: Sequence[Edits]) -> list[str]:
    """What is wrong, one line each: an acknowledged value that no edit holds, an edit that began from another value
    than the one before it left, a cell that does not hold what its last edit wrote. Empty when nothing was lost."""
    wrong: list[str] = []
    for row in rows:
        chains = _chains(site, project, row)
        _status, now = site.call("GET", f"/api/v1/shots/{row}/")
        for name in FIELDS:
            chain = chains.get(name, [])
            values = [after for _before, after in chain]
            said = [value for one in edits for value in one.acknowledged.get((row, name), [])]
            wrong += [
                f"{row} {name}: {value!r} was acknowledged and is in no edit" for value in said if value not in values
            ]
            wrong += [
                f"{row} {name}: {later[1]!r} was written over {later[0]!r}, but {earlier[1]!r} stood there"
                for earlier, later in pairwise(chain)
                if later[0] != earlier[1]
            ]
            if values and now[name] != values[-1]:
                wrong.append(f"{row} {name}: holds {now[name]!r}, the last edit wrote {values[-1]!r}")
    return wrong


def _chains(site: Site, project: str, row: int) -> dict[str, list[tuple[Any, Any]]]:
    """By field: every edit's value before and after, oldest first."""
    found: dict[str, list[tuple[Any, Any]]] = {}
    path: str | None = f"/api/v1/projects/{project}/shots/{row}/history/?page_size=100"
    while path is not None:
        status, body = site.call("GET", path)
        if status != 200:
            raise RuntimeError(f"{path}: {status} {body}")
        for edit in body["results"]:
            for cell in edit["cells"]:
                found.setdefault(cell["field"], []).insert(0, (cell["before"], cell["after"]))
        path = body["next"] and body["next"].partition(site.connection.host)[2].partition("/")[2]
        path = f"/{path}" if path else None
    return found


def percentile(seconds: Sequence[float], share: float) -> float:
    """The value below which this share of the measurements lies, in milliseconds."""
    ordered = sorted(seconds)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] * 1000 if ordered else 0.0
