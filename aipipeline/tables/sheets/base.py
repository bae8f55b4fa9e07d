"""What a sheet was made from, hidden inside it: so that an import knows which side changed a cell.

An xlsx carries the texts themselves; a csv or json carries per row a hash of each cell, by the column's name.
"""

import base64
import json
import re
import unicodedata
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any

from django.utils.translation import gettext as _

from aipipeline.tables.sheets.raw import SheetError

FORMAT = 1
MAX_UNPACKED = 64 * 1024 * 1024
# Stands for a base that is known to differ from both sides, without its text.
OTHER = "\x00"
_HASH = 6
_TOKEN = re.compile(r"(\d{1,7})\.([A-Za-z0-9_-]*)$")


@dataclass
class Base:
    """By row, in the order of the export: the text of each cell. `ordered`: that order was the table's own."""

    table: str
    project: int
    project_code: str
    columns: list[str] = field(default_factory=list)
    ordered: bool = True
    rows: dict[int, dict[str, str]] = field(default_factory=dict)


def plain_text(value: Any) -> str:
    """The text by which cells are compared: numbers as people write them, letters composed, line ends evened."""
    if value is None:
        return ""
    if isinstance(value, str):
        if value.isascii():
            return value.replace("\r\n", "\n").replace("\r", "\n") if "\r" in value else value
        return unicodedata.normalize("NFC", value).replace("\r\n", "\n").replace("\r", "\n")
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return str(int(value))
    return str(value)


def pack(base: Base, rows: Iterable[tuple[int, Sequence[str]]]) -> str:
    """The base as one text; `rows` are (id, the texts of its columns)."""
    content = {
        "format": FORMAT,
        "table": base.table,
        "project": base.project,
        "code": base.project_code,
        "columns": base.columns,
        "ordered": base.ordered,
        "rows": [[row_id, *texts] for row_id, texts in rows],
    }
    packed = zlib.compress(json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode(), 6)
    return base64.b64encode(packed).decode()


def unpack(text: str) -> Base:
    """The opposite of `pack`; SheetError when somebody changed it."""
    broken = SheetError(
        _("The hidden part of the sheet is damaged. Export the sheet again and copy your changes into the new one.")
    )
    try:
        stream = zlib.decompressobj()
        data = stream.decompress(base64.b64decode(text, validate=True), MAX_UNPACKED)
        if stream.unconsumed_tail:
            raise broken
        found = json.loads(data)
        if found["format"] != FORMAT:
            raise SheetError(
                _("The sheet was exported by another version of the program. Export it again and copy your changes.")
            )
        columns = [str(name) for name in found["columns"]]
        base = Base(str(found["table"]), int(found["project"]), str(found["code"]), columns, bool(found["ordered"]))
        base.rows = {int(row[0]): dict(zip(columns, map(str, row[1:]), strict=True)) for row in found["rows"]}
    except (ValueError, KeyError, TypeError, zlib.error, RecursionError, AttributeError) as error:
        raise broken from error
    return base


def cell_hash(name: str, text: str) -> str:
    """Six characters that a cell of a column has as long as its text is the same."""
    return base64.urlsafe_b64encode(blake2b(f"{name}\0{text}".encode(errors="replace"), digest_size=5).digest())[
        :_HASH
    ].decode()


def token(index: int, names: Sequence[str], texts: Sequence[str]) -> str:
    """What a row of a csv or json carries: its place in the export and the hashes of its cells."""
    return f"{index}.{''.join(map(cell_hash, names, texts))}"


def base_of_tokens(
    tokens: Mapping[int, str], here: Mapping[int, Mapping[str, str]], sheet: Mapping[int, Mapping[str, str]]
) -> dict[int, dict[str, str | None]]:
    """The base as far as hashes tell it: the text of the side that did not change, `OTHER` when both did.

    A column that no row of the sheet has a hash of was not exported: unknown (None). Rows in the export's order.
    """
    hashes: dict[int, set[str]] = {}
    order: list[tuple[int, int]] = []
    for row_id, text in tokens.items():
        if match := _TOKEN.match(text):
            packed = match.group(2)
            hashes[row_id] = {packed[at : at + _HASH] for at in range(0, len(packed), _HASH)}
            order.append((int(match.group(1)), row_id))
    found: dict[int, dict[str, str | None]] = {}
    known: set[str] = set()
    for _index, row_id in sorted(order):
        cells: dict[str, str | None] = {}
        for name, text in sheet[row_id].items():
            held = here.get(row_id, {}).get(name, "")
            if cell_hash(name, text) in hashes[row_id]:
                cells[name] = text
            elif text != held and cell_hash(name, held) in hashes[row_id]:
                cells[name] = held
            else:
                cells[name] = OTHER
                continue
            known.add(name)
        found[row_id] = cells
    for cells in found.values():
        for name in cells:
            if name not in known:
                cells[name] = None
    return found
