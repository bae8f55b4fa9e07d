"""The browser modules as a person meets them: live refresh, lost connections, input methods."""

import json
from typing import Any

import pytest
from playwright.sync_api import Page, Route, WebSocketRoute, expect

from aipipeline.ui.tests.conftest import ORIGIN, OpenPage

LIVE = """
<section id="list" data-live-topic="project:1" data-live-on="shot.* job.finished" data-live-url="/list/">
  <p>first</p><input id="box" value="">
</section>
<div data-job-progress="j1"><progress max="100" value="0"></progress><span data-progress-text></span></div>
<svg data-batch-progress="b1" viewBox="0 0 100 1" aria-valuenow="25">
  <rect x="0" width="25" height="1"/><rect data-batch-running x="25" width="0" height="1"/></svg>
<b data-batch-progress="b1">25%</b>
"""


class Socket:
    """The server's end of the page's websocket."""

    def __init__(self, seq: int = 4) -> None:
        self.seq = seq
        self.connections: list[WebSocketRoute] = []
        self.received: list[dict[str, Any]] = []

    def accept(self, connection: WebSocketRoute) -> None:
        self.connections.append(connection)
        connection.on_message(lambda message: self.answer(connection, json.loads(message)))

    def answer(self, connection: WebSocketRoute, message: dict[str, Any]) -> None:
        self.received.append(message)
        if message["type"] == "subscribe":
            connection.send(json.dumps({"type": "subscribed", "topic": message["topic"], "seq": self.seq}))

    def event(self, step: int = 1, **event: Any) -> None:
        self.seq += step
        message = {"type": "event", "topic": "project:1", "seq": self.seq, "event": event}
        self.connections[-1].send(json.dumps(message))


class Server:
    """Counts the refetches and answers with the newest text."""

    def __init__(self, text: str = "fresh") -> None:
        self.text = text
        self.fetched = 0

    def __call__(self, route: Route) -> None:
        self.fetched += 1
        body = LIVE.split("</section>")[0].replace("first", self.text) + "</section>"
        route.fulfill(content_type="text/html", body=body)


def live_page(open_page: OpenPage, socket: Socket, server: Server) -> Page:
    page = open_page(LIVE, server)
    page.route_web_socket("**/ws/", socket.accept)
    page.goto(ORIGIN)
    expect(page.locator("[data-connection]")).to_have_attribute("data-state", "open")
    return page


def test_an_event_of_the_right_kind_refreshes_the_element(open_page: OpenPage) -> None:
    socket, server = Socket(), Server()
    page = live_page(open_page, socket, server)
    socket.event(type="note.added", ids=[1])
    socket.event(type="shot.changed", ids=[7])
    expect(page.locator("#list p")).to_have_text("fresh")
    assert server.fetched == 1
    assert page.evaluate("document.getElementById('list').dataset.liveTopic") == "project:1"


def test_what_happened_between_rendering_and_listening_is_fetched(open_page: OpenPage) -> None:
    server = Server("caught up")
    page = live_page(open_page, Socket(seq=6), server)
    expect(page.locator("#list p")).to_have_text("caught up")


def test_a_gap_in_the_numbers_refetches_whatever_was_lost(open_page: OpenPage) -> None:
    socket, server = Socket(), Server("after the gap")
    page = live_page(open_page, socket, server)
    socket.event(step=3, type="membership.changed")
    expect(page.locator("#list p")).to_have_text("after the gap")


def test_a_lost_connection_comes_back_and_catches_up(open_page: OpenPage) -> None:
    socket, server = Socket(), Server("after reconnect")
    page = live_page(open_page, socket, server)
    socket.seq += 1
    socket.connections[-1].close(code=1012)
    expect(page.locator("#list p")).to_have_text("after reconnect", timeout=10_000)
    assert len(socket.connections) == 2


def test_progress_moves_the_bar_without_asking_the_server(open_page: OpenPage) -> None:
    socket, server = Socket(), Server()
    page = live_page(open_page, socket, server)
    socket.event(type="job.progress", job="j1", progress=0.42)
    expect(page.locator("[data-progress-text]")).to_have_text("42%")
    assert page.locator("[data-job-progress] progress").get_attribute("value") == "42"
    assert server.fetched == 0


def test_what_runs_grows_a_batchs_bar_behind_what_has_ended(open_page: OpenPage) -> None:
    socket, server = Socket(), Server()
    page = live_page(open_page, socket, server)
    socket.event(type="batch.progress", batch="b2", progress=0.9)
    socket.event(type="batch.progress", batch="b1", progress=0.405)
    expect(page.locator("b")).to_have_text("41%")
    assert page.locator("[data-batch-running]").get_attribute("width") == "15.5"
    assert page.locator("svg[data-batch-progress]").get_attribute("aria-valuenow") == "41"
    assert server.fetched == 0


def test_a_refresh_waits_until_the_person_has_stopped_writing(open_page: OpenPage) -> None:
    socket, server = Socket(), Server()
    page = live_page(open_page, socket, server)
    page.locator("#box").fill("half a word")
    page.locator("#box").focus()
    socket.event(type="shot.changed", ids=[7])
    page.wait_for_timeout(900)
    assert server.fetched == 0
    expect(page.locator("#box")).to_have_value("half a word")
    page.locator("#box").blur()
    expect(page.locator("#list p")).to_have_text("fresh")


def column(name: str, label: str, kind: str) -> dict[str, Any]:
    return {
        "name": name, "label": label, "own_label": None, "type": kind, "width": 220, "editable": True, "options": "",
        "required": False, "nullable": True, "max_length": None, "minimum": None, "maximum": None, "hidden": False,
        "custom": False, "help": "",
    }  # fmt: skip


class Sheet:
    """The server of one table: streams three rows, keeps what is saved; `refuse` answers 409 with both values once."""

    def __init__(self) -> None:
        self.rows = {
            number: {"id": number, "revision": 1, "position": number, "locked": False, "job": None,
                     "description": f"text {number}", "duration_frames": 48}
            for number in (1, 2, 3)
        }  # fmt: skip
        self.saved: list[dict[str, Any]] = []
        self.refuse = ""
        self.seq = 1

    def __call__(self, route: Route) -> None:
        path = route.request.url.split("?")[0]
        if path.endswith("/grid/"):
            lines = [self.head(), {"type": "rows", "rows": self.columns()}, {"type": "end", "total": 3}]
            body = "".join(json.dumps(line) + "\n" for line in lines)
            route.fulfill(content_type="application/x-ndjson", body=body)
        elif path.endswith("/batch/"):
            self.batch(route, json.loads(route.request.post_data or "{}"))
        else:
            route.fulfill(json=self.changes())

    def head(self) -> dict[str, Any]:
        columns = [
            column("description", "Description", "long_text"),
            column("duration_frames", "Length", "duration"),
        ]
        return {
            "type": "head", "table": "shots", "seq": self.seq, "total": 3, "fps": "24", "movable": True,
            "address": "/shots/{id}/", "user": {"id": 1, "name": "A"}, "may": ["shots.edit"], "edit": "shots.edit",
            "delete": "shots.delete", "columns": columns, "options": {}, "moves": {}, "views": [],
            "view": {"id": None, "config": {"frozen": 0}},
        }  # fmt: skip

    def columns(self) -> dict[str, list[Any]]:
        return {name: [row[name] for row in self.rows.values()] for name in self.rows[1]}

    def changes(self) -> dict[str, Any]:
        return {"seq": self.seq, "reset": False, "rows": self.columns(), "removed": []}

    def batch(self, route: Route, sent: dict[str, Any]) -> None:
        (item,) = sent["items"]
        (field, value), row = next(iter(item["fields"].items())), self.rows[item["id"]]
        self.saved.append({"row": item["id"], "field": field, "value": value, "revision": item["revision"]})
        if self.refuse:
            row.update({field: self.refuse, "revision": 9})
            conflict = {"id": row["id"], "revision": 9, "current": {field: self.refuse}, "yours": {field: value}}
            self.refuse = ""
            answer = {"type": "conflict", "message": "Changed.", "details": {"conflicts": [conflict]}}
            route.fulfill(status=409, json=answer)
            return
        row.update({field: value, "revision": int(str(row["revision"])) + 1})
        self.seq += 1
        route.fulfill(json={"created": [], "deleted": [], "conflicts": [], "changes": self.changes()})


@pytest.fixture
def sheet() -> Sheet:
    return Sheet()


@pytest.fixture
def sheet_page(open_page: OpenPage, sheet: Sheet) -> Page:
    page = open_page(
        '<div id="holder"><div class="table-grid" data-grid data-table="shots" data-project="P" data-url="/shots/"'
        ' data-live-topic-id="project:1" data-fps="24" aria-label="Shots"></div></div>',
        sheet,
    )
    page.route_web_socket("**/ws/", Socket().accept)
    page.goto(ORIGIN)
    expect(page.locator("[data-grid]")).to_have_attribute("data-loaded", "true")
    return page


def cell(page: Page, row: int, field: str) -> Any:
    return page.locator(f'.slick-row[data-id="{row}"] .slick-cell[data-field="{field}"]')


def active_row(page: Page) -> Any:
    return page.evaluate("() => document.querySelector('[data-grid]').grid.range.item?.id")


def test_typing_korean_over_a_cell_keeps_the_first_syllable(sheet_page: Page, sheet: Sheet) -> None:
    cell(sheet_page, 1, "description").click()
    keys = sheet_page.context.new_cdp_session(sheet_page)
    for text in ("ㅎ", "하", "한"):
        keys.send("Input.imeSetComposition", {"text": text, "selectionStart": 1, "selectionEnd": 1})
    keys.send("Input.dispatchKeyEvent", {"type": "rawKeyDown", "key": "Process", "windowsVirtualKeyCode": 229})
    assert sheet.saved == []
    keys.send("Input.insertText", {"text": "한"})
    sheet_page.keyboard.press("Enter")
    expect(cell(sheet_page, 1, "description")).to_have_text("한")
    assert sheet.saved == [{"row": 1, "field": "description", "value": "한", "revision": 1}]
    assert active_row(sheet_page) == 2


def test_escape_leaves_the_cell_as_it_was(sheet_page: Page, sheet: Sheet) -> None:
    cell(sheet_page, 2, "description").dblclick()
    sheet_page.keyboard.type("something else")
    sheet_page.keyboard.press("Escape")
    expect(cell(sheet_page, 2, "description")).to_have_text("text 2")
    assert sheet.saved == []


def test_a_length_is_sent_in_whole_frames_and_nonsense_stays_in_the_cell(sheet_page: Page, sheet: Sheet) -> None:
    cell(sheet_page, 1, "duration_frames").click()
    sheet_page.keyboard.type("soon")
    sheet_page.keyboard.press("Enter")
    expect(sheet_page.locator("textarea.tg-input")).to_have_attribute("aria-invalid", "true")
    assert sheet.saved == []
    sheet_page.keyboard.press("ControlOrMeta+a")
    sheet_page.keyboard.type("2.5s")
    sheet_page.keyboard.press("Tab")
    expect(cell(sheet_page, 1, "duration_frames")).to_have_text("00:00:02:12")
    assert active_row(sheet_page) == 2
    assert sheet.saved[-1]["value"] == 60


@pytest.mark.parametrize(("answer", "sent"), [("mine", 2), ("theirs", 1)])
def test_a_conflict_shows_both_values_and_the_person_decides(
    sheet_page: Page, sheet: Sheet, answer: str, sent: int
) -> None:
    sheet.refuse = "their text"
    cell(sheet_page, 1, "description").click()
    sheet_page.keyboard.type("my text")
    sheet_page.keyboard.press("Enter")
    expect(sheet_page.locator("dialog .conflict")).to_contain_text("their text")
    sheet_page.locator(f'dialog button[value="{answer}"]').click()
    expect(sheet_page.locator("dialog")).to_have_count(0)
    expect(cell(sheet_page, 1, "description")).to_have_text("my text" if answer == "mine" else "their text")
    if answer == "mine":
        assert sheet.saved[-1] == {"row": 1, "field": "description", "value": "my text", "revision": 9}
    assert len(sheet.saved) == sent
