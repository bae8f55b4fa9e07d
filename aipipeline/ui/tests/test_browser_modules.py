"""The browser modules as a person meets them: live refresh, lost connections, input methods."""

import json
from typing import Any
from urllib.parse import parse_qs

import pytest
from playwright.sync_api import Page, Route, WebSocketRoute, expect

from aipipeline.ui.tests.conftest import ORIGIN, OpenPage

LIVE = """
<section id="list" data-live-topic="project:1" data-live-on="shot.* job.finished" data-live-url="/list/">
  <p>first</p><input id="box" value="">
</section>
<div data-job-progress="j1"><progress max="100" value="0"></progress><span data-progress-text></span></div>
"""
ROW = (
    '<tr id="shot-{id}" data-row="{id}" data-url="/shots/{id}/" data-revision="{revision}">'
    '<td data-field="description" data-editor="longtext" data-value="{text}" tabindex="-1">'
    "<span data-text>{text}</span></td>"
    '<td data-field="duration_frames" data-editor="duration" data-value="48" tabindex="-1">48</td></tr>'
)


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


class Sheet:
    """Keeps the cells that the page saves; `refuse` answers 409 with both values once."""

    def __init__(self) -> None:
        self.saved: list[dict[str, str]] = []
        self.refuse = ""

    def __call__(self, route: Route) -> None:
        sent = {name: values[0] for name, values in parse_qs(route.request.post_data or "", True).items()}
        self.saved.append(sent)
        if self.refuse:
            field, value = sent["field"], sent["value"]
            details = {"details": {"revision": 9, "current": {field: self.refuse}, "yours": {field: value}}}
            self.refuse = ""
            body = f"<div data-details='{json.dumps(details)}'><p data-error-message>Changed.</p></div>"
            route.fulfill(status=409, content_type="text/html", headers={"X-AIP-Error": "conflict"}, body=body)
            return
        number = route.request.url.rstrip("/").rsplit("/", 1)[-1]
        text = sent["value"] if sent["field"] == "description" else "first"
        route.fulfill(content_type="text/html", body=ROW.format(id=number, revision=2, text=text))


@pytest.fixture
def sheet() -> Sheet:
    return Sheet()


@pytest.fixture
def sheet_page(open_page: OpenPage, sheet: Sheet) -> Page:
    rows = "".join(ROW.format(id=i, revision=1, text=f"text {i}") for i in (1, 2, 3))
    page = open_page(
        '<div data-shotlist data-fps="24"><div class="sheet-scroll"><table><thead><tr>'
        '<th data-column="description">Description</th>'
        '<th data-column="duration_frames">Length</th></tr></thead>'
        f"<tbody>{rows}</tbody></table></div></div>",
        sheet,
    )
    page.route_web_socket("**/ws/", Socket().accept)
    page.goto(ORIGIN)
    expect(page.locator("textarea.cell-input")).to_have_count(1)
    return page


def cell(page: Page, row: int, field: str) -> Any:
    return page.locator(f'tr[data-row="{row}"] td[data-field="{field}"]')


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
    assert sheet.saved == [{"field": "description", "value": "한", "revision": "1"}]
    assert sheet_page.locator("tr[data-row='2'] td.is-active").count() == 1


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
    expect(sheet_page.locator("textarea.cell-input")).to_have_attribute("aria-invalid", "true")
    assert sheet.saved == []
    sheet_page.keyboard.press("ControlOrMeta+a")
    sheet_page.keyboard.type("2.5s")
    sheet_page.keyboard.press("Tab")
    expect(sheet_page.locator("tr[data-row='2'] td.is-active")).to_have_count(1)
    assert sheet.saved[-1]["value"] == "60"


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
    if answer == "mine":
        expect(cell(sheet_page, 1, "description")).to_have_text("my text")
        assert sheet.saved[-1] == {"field": "description", "value": "my text", "revision": "9"}
    assert len(sheet.saved) == sent
