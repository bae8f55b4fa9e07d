"""The shot list's grid in Chromium: blocks of cells from and to spreadsheets, filling, moving rows, roles."""

from typing import Any

import pytest

from shots.models import Scene, Shot
from tests.e2e.griddata import shot_rows, shots, site, web
from tests.e2e.gridpage import (
    cell,
    count_requests,
    drag,
    grid,
    open_grid,
    put_clipboard,
    wait_saved,
    wait_text,
)  # fmt: skip
from tests.harness import processes

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]

__all__ = ["shots", "site", "web"]

# What Excel puts on the clipboard for three rows: a merged cell, a line break, a hidden row, a formatted number.
EXCEL = """<html xmlns:x="urn:schemas-microsoft-com:office:excel"><head>
<style><!--table {mso-displayed-decimal-separator:"\\.";} .xl65 {mso-number-format:"\\@";white-space:normal;}
.xl66 {mso-number-format:"0\\.0\\0022s\\0022";} br {mso-data-placement:same-cell;}--></style></head><body>
<table border=0 cellpadding=0 cellspacing=0 style='border-collapse:collapse'>
<!--StartFragment--> <col width=87 style='mso-width-source:userset'>
<tr height=22><td height=22 class=xl65 rowspan=2>첫 줄<br>
    둘째 줄</td><td class=xl65>고개를&nbsp;든다</td><td class=xl66 align=right x:num="4.5">4.5s</td></tr>
<tr height=0 style='display:none'><td>숨은 행</td><td>숨은 행</td></tr>
<tr height=22><td class=xl65>걷는다
  빠르게</td><td class=xl66>00:00:02:00</td></tr>
<tr height=22><td colspan=2 class=xl65>합친 칸</td><td class=xl66>30</td></tr>
<!--EndFragment--></table></body></html>"""


def rows_of(project: Any) -> list[Shot]:
    return list(Shot.objects.live().filter(project=project).order_by("position", "id"))


def stored(shot: Shot) -> Shot:
    return Shot.objects.get(pk=shot.pk)


def undo(page: Any) -> None:
    page.keyboard.press("Control+z")


@pytest.fixture
def arranged(page: Any, project: Any, shots: list[Shot]) -> list[Shot]:
    """The grid with the columns side by side that the blocks go into."""
    open_grid(page, project)
    columns = [["code", 80], ["description", 200], ["action", 160], ["duration_frames", 110], ["dialogue", 140],
               ["size", 110], ["scene", 120]]  # fmt: skip
    grid(page, "grid.applyView({ columns: args[0], frozen: 1 })", columns)
    return shots


def test_a_block_from_excel_is_pasted_as_a_person_sees_it(page: Any, arranged: list[Shot]) -> None:
    requests = count_requests(page, "/batch/")
    cell(page, arranged[1].pk, "description").click()
    put_clipboard(page, html=EXCEL, text="not this")
    wait_saved(page)
    found = [(s.description, s.action, s.duration_frames) for s in map(stored, arranged[1:4])]
    assert found == [("첫 줄\n둘째 줄", "고개를 든다", 108), ("", "걷는다 빠르게", 48), ("합친 칸", "", 30)]
    assert len(requests) == 1
    undo(page)
    processes.wait_until(lambda: [stored(s).description for s in arranged[1:4]] == ["설명 2", "설명 3", "설명 4"])
    wait_text(page, arranged[1].pk, "description", "설명 2")


def test_texts_and_single_values_fill_what_is_selected(page: Any, project: Any, arranged: list[Shot]) -> None:
    cell(page, arranged[0].pk, "code").click(position={"x": 72, "y": 36})  # beside the link
    put_clipboard(
        page, text='X\t"둘러싼 ""말""\n둘째 줄"\t"그냥" 따옴표\r\nY\t셋\t넷\r\n'
    )  # as Google Sheets writes it
    wait_saved(page)
    assert [(s.description, s.action) for s in map(stored, arranged[:3])] == [
        ('둘러싼 "말"\n둘째 줄', '"그냥" 따옴표'), ("셋", "넷"), ("설명 3", ""),
    ]  # fmt: skip
    assert [stored(s).code for s in arranged[:2]] == ["C0010", "C0020"]  # read-only, and that is told
    page.wait_for_selector(".toast >> text=read-only")

    cell(page, arranged[3].pk, "dialogue").click()  # one value into a range
    cell(page, arranged[6].pk, "dialogue").click(modifiers=["Shift"])
    put_clipboard(page, text="한 값\n")
    wait_saved(page)
    assert [stored(s).dialogue for s in arranged[2:8]] == ["", "한 값", "한 값", "한 값", "한 값", ""]

    cell(page, arranged[6].pk, "action").click()  # two rows into four: twice
    cell(page, arranged[9].pk, "action").click(modifiers=["Shift"])
    put_clipboard(page, text="a\nb")
    wait_saved(page)
    assert [stored(s).action for s in arranged[6:11]] == ["a", "b", "a", "b", ""]

    grid(page, "grid.range.setActive({ row: 10, cell: 2 })")  # longer than the list: asks, then adds, one undo step
    put_clipboard(page, text="끝 1\n끝 2\n새 행 1\n새 행 2")
    page.click("#confirm-dialog [data-confirm-yes]")
    wait_saved(page)
    assert [s.description for s in rows_of(project)[10:]] == ["끝 1", "끝 2", "새 행 1", "새 행 2"]
    undo(page)
    processes.wait_until(lambda: [s.description for s in rows_of(project)[10:]] == ["설명 11", "설명 12"])
    page.wait_for_function("() => document.querySelector('[data-grid]').grid.items().length === 12")

    grid(page, "grid.setGroup([['scene', 'asc']])")  # over the head of the next group, and over a row that is hidden
    grid(page, "grid.setFilter((item) => item.id !== args[0])", arranged[7].pk)
    cell(page, arranged[5].pk, "size").click()
    put_clipboard(page, text="CU\nECU\nWS")
    wait_saved(page)
    assert [stored(s).size for s in arranged[4:10]] == ["MS", "CU", "ECU", "MS", "WS", "MS"]


def test_a_copy_pastes_into_the_grid_and_into_a_spreadsheet(page: Any, arranged: list[Shot]) -> None:
    cell(page, arranged[0].pk, "description").click()
    cell(page, arranged[1].pk, "duration_frames").click(modifiers=["Shift"])
    copied = page.evaluate("""() => {
      const data = new DataTransfer();
      const event = new ClipboardEvent("copy", { clipboardData: data, bubbles: true, cancelable: true });
      document.activeElement.dispatchEvent(event);
      return Object.fromEntries([...data.types].map((type) => [type, data.getData(type)]));
    }""")
    assert copied["text/plain"] == "설명 1\t\t00:00:01:00\r\n설명 2\t\t00:00:01:01"
    assert "<td>00:00:01:01</td>" in copied["text/html"]
    cell(page, arranged[4].pk, "description").click()
    page.evaluate(
        """(kinds) => {
          const data = new DataTransfer();
          for (const [kind, text] of Object.entries(kinds)) data.setData(kind, text);
          const event = new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true });
          document.activeElement.dispatchEvent(event);
        }""",
        copied,
    )
    wait_saved(page)
    assert [(s.description, s.duration_frames) for s in map(stored, arranged[4:6])] == [("설명 1", 24), ("설명 2", 25)]


def test_a_thousand_cells_are_one_request_and_one_undo_step(page: Any, project: Any, admin_user: Any) -> None:
    rows = shot_rows(project, 240)
    open_grid(page, project)
    columns = [["code", 80], ["description", 200], ["action", 160], ["dialogue", 140], ["duration_frames", 110],
               ["size", 110]]  # fmt: skip
    grid(page, "grid.applyView({ columns: args[0], frozen: 1 })", columns)
    requests = count_requests(page, "/batch/")
    before = [(s.description, s.action, s.dialogue, s.duration_frames, s.size) for s in rows_of(project)]
    cell(page, rows[10 - 1].pk, "description").click()
    lines = [f"새 설명 {n}\t동작 {n}\t대사 {n}\t{n + 48}\tCU" for n in range(200)]
    put_clipboard(page, text="\r\n".join(lines) + "\r\n")
    wait_saved(page)
    assert len(requests) == 1
    assert len(requests[0]["items"]) == 200
    now = [(s.description, s.action, s.dialogue, s.duration_frames, s.size) for s in rows_of(project)]
    assert now[9:209] == [(f"새 설명 {n}", f"동작 {n}", f"대사 {n}", n + 48, "CU") for n in range(200)]
    assert (now[:9], now[209:]) == (before[:9], before[209:])
    undo(page)
    processes.wait_until(lambda: rows_of(project)[208].description == "설명 209")
    assert [(s.description, s.action, s.dialogue, s.duration_frames, s.size) for s in rows_of(project)] == before
    wait_text(page, rows[9].pk, "description", "설명 10")


def test_cells_are_filled_and_emptied(page: Any, arranged: list[Shot]) -> None:
    cell(page, arranged[0].pk, "action").click()
    page.keyboard.type("채움")
    page.keyboard.press("Enter")
    cell(page, arranged[0].pk, "action").click()
    drag(page, page.locator(".tg-fill-handle"), cell(page, arranged[3].pk, "action"), to=(0.5, 0.5))
    wait_saved(page)
    assert [stored(s).action for s in arranged[:5]] == ["채움"] * 4 + [""]
    assert grid(page, "grid.selection().range.rows") == [s.pk for s in arranged[:4]]
    cell(page, arranged[2].pk, "description").click()  # from one side of the frozen edge to the other
    drag(page, cell(page, arranged[2].pk, "code"), cell(page, arranged[5].pk, "action"), at=(0.9, 0.8), to=(0.5, 0.5))
    assert grid(page, "grid.selection().range.fields") == ["code", "description", "action"]
    page.keyboard.press("Control+d")
    wait_saved(page)
    assert [stored(s).description for s in arranged[2:7]] == ["설명 3"] * 4 + ["설명 7"]
    page.keyboard.press("Delete")
    wait_saved(page)
    assert [(stored(s).description, stored(s).action) for s in arranged[2:6]] == [("", "")] * 4
    assert stored(arranged[2]).code == "C0030"


def test_rows_are_moved_added_and_removed(page: Any, project: Any, arranged: list[Shot]) -> None:
    codes = [s.code for s in arranged]

    def order() -> list[str]:
        return [s.code for s in rows_of(project)]

    def grip(shot: Shot) -> Any:
        return page.locator(f".slick-row[data-id='{shot.pk}'] .tg-grip")

    def rowhead(shot: Shot) -> Any:
        return page.locator(f".slick-row[data-id='{shot.pk}'] .tg-rowhead")

    drag(page, grip(arranged[0]), rowhead(arranged[2]), to=(0.6, 0.9))
    moved = [*codes[1:3], codes[0], *codes[3:]]
    processes.wait_until(lambda: order() == moved)
    for shot in (arranged[0], arranged[1]):
        rowhead(shot).hover()
        rowhead(shot).click(position={"x": 26, "y": 22})
    assert sorted(grid(page, "grid.selection().rows")) == sorted(s.pk for s in arranged[:2])
    page.wait_for_selector("[data-bulk-bar]:visible >> text=2 rows chosen")
    drag(page, grip(arranged[0]), rowhead(arranged[5]), to=(0.6, 0.9))  # both go
    together = [codes[2], *codes[3:6], codes[1], codes[0], *codes[6:]]
    processes.wait_until(lambda: order() == together)
    page.keyboard.press("Escape")
    cell(page, arranged[2].pk, "description").click()
    page.keyboard.press("Alt+ArrowDown")
    processes.wait_until(lambda: order()[:2] == [codes[3], codes[2]])

    wait_saved(page)
    first = f"[data-id='{arranged[3].pk}']"
    page.wait_for_function("row => document.querySelector('.slick-row' + row)?.offsetTop === 0", arg=first)
    grid(page, "grid.setGroup([['scene', 'asc']])")  # into another group: the scene follows
    scenes = list(Scene.objects.filter(project=project).order_by("position"))
    drag(page, grip(arranged[2]), rowhead(arranged[6]), to=(0.6, 0.9))
    processes.wait_until(lambda: stored(arranged[2]).scene_id == scenes[1].pk)
    assert order().index(codes[2]) == order().index(codes[6]) + 1
    assert "SCN_20" in page.locator(".tg-group").nth(1).inner_text()
    grid(page, "grid.setGroup([])")

    page.locator(".slick-header-column[data-column=duration_frames]").click()  # sorted: refused, and told
    kept = order()
    drag(page, grip(arranged[7]), rowhead(arranged[9]), to=(0.6, 0.9))
    page.wait_for_selector(".toast >> text=sorted")
    assert order() == kept
    grid(page, "grid.setSort([])")

    cell(page, arranged[8].pk, "description").click()
    grid(page, "grid.command('insertAbove')")
    page.wait_for_function("() => document.querySelector('[data-grid]').grid.range.item?.description === ''")
    assert order().index(codes[8]) == kept.index(codes[8]) + 1
    page.keyboard.type("새 샷")
    page.keyboard.press("Enter")
    wait_saved(page)
    new = rows_of(project)[order().index(codes[8]) - 1]
    assert (new.description, new.scene_id) == ("새 샷", stored(arranged[8]).scene_id)
    page.wait_for_function(f"() => document.querySelector('[data-grid]').grid.range.item?.id === {arranged[8].pk}")
    grid(page, "grid.command('duplicate')")
    processes.wait_until(lambda: len(order()) == 14)
    page.keyboard.press("Shift+Space")
    grid(page, "grid.command('remove')")
    page.click("#confirm-dialog [data-confirm-yes]")
    processes.wait_until(lambda: len(order()) == 13)
    page.wait_for_selector(".toast >> text=Ctrl+Z")
    undo(page)
    processes.wait_until(lambda: len(order()) == 14)


def test_assistive_technology_finds_a_grid(page: Any, arranged: list[Shot]) -> None:
    grid(page, "grid.setGroup([['scene', 'asc']])")
    grid(page, "grid.setSort([['duration_frames', 'desc']])")
    cell(page, arranged[0].pk, "description").click()
    found = page.evaluate("""() => {
      const board = document.querySelector("[role=grid]");
      const roles = (element) => [...element.children].flatMap((child) =>
        child.getAttribute("role") ? [child.getAttribute("role")] : roles(child));
      const problems = [];
      for (const role of roles(board)) if (role !== "rowgroup") problems.push(`grid > ${role}`);
      for (const group of board.querySelectorAll("[role=rowgroup]"))
        for (const role of roles(group)) if (role !== "row") problems.push(`rowgroup > ${role}`);
      for (const row of board.querySelectorAll("[role=row]")) {
        if (!row.getAttribute("aria-rowindex")) problems.push("a row without its number");
        for (const role of roles(row)) if (!["gridcell", "columnheader"].includes(role)) problems.push(`row > ${role}`);
      }
      for (const cell of board.querySelectorAll("[role=gridcell], [role=columnheader]"))
        if (!cell.getAttribute("aria-colindex")) problems.push("a cell without its column");
      for (const element of board.querySelectorAll("[tabindex]"))
        if (element.tabIndex === 0) problems.push(`takes the focus: ${element.className}`);
      for (const control of board.querySelectorAll("button, input, a[href]"))
        if (!control.getAttribute("aria-label") && !control.textContent.trim())
          problems.push(`no name: ${control.className}`);
      const input = document.activeElement;
      const active = document.getElementById(input.getAttribute("aria-activedescendant"));
      return {
        problems: [...new Set(problems)], rows: board.getAttribute("aria-rowcount"),
        columns: board.getAttribute("aria-colcount"), label: board.getAttribute("aria-label"),
        sort: board.querySelector("[data-column=duration_frames]").getAttribute("aria-sort"),
        active: active?.dataset.field, selected: active?.getAttribute("aria-selected"),
        says: input.getAttribute("aria-label"), controls: input.getAttribute("aria-controls") === board.id,
      };
    }""")
    assert found == {
        "problems": [], "rows": "15", "columns": "8", "label": "Shots", "sort": "descending", "active": "description",
        "selected": "true", "says": "Description: 설명 1", "controls": True,
    }  # fmt: skip
