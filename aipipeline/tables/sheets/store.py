"""Uploaded sheets on the storage root, which every web process and every host shares, until they are applied."""

import json
import shutil
import uuid
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _

from aipipeline.media.files import write_atomic
from aipipeline.media.storage import storage_errors
from aipipeline.projects.errors import NotFound
from aipipeline.tables.sheets.raw import MAX_BYTES, Note, RawSheet, SheetError, Special
from aipipeline.tables.sheets.text_in import read_text
from aipipeline.tables.sheets.xlsx_in import read_xlsx, refuse_ole

FOLDER = ".imports"
UPLOAD = "sheet"


def root() -> Path:
    return Path(settings.STORAGE_ROOT) / FOLDER


def folder_of(import_id: uuid.UUID) -> Path:
    return root() / import_id.hex


def keep_upload(import_id: uuid.UUID, chunks: Iterable[bytes]) -> Path:
    """Write an upload piece by piece; SheetError as soon as it is larger than 20 MB, with nothing left behind."""
    folder = folder_of(import_id)
    with storage_errors(folder):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = folder / UPLOAD
        size = 0
        try:
            with open(path, "wb") as file:
                for chunk in chunks:
                    size += len(chunk)
                    if size > MAX_BYTES:
                        raise too_large()
                    file.write(chunk)
            if not size:
                raise SheetError(_("The sheet is empty."), fields={"file": [_("empty")]})
        except BaseException:
            drop(import_id)
            raise
    return path


def too_large() -> SheetError:
    return SheetError(
        _("The sheet is larger than 20 MB. Take pictures and sheets that are not needed out of it."),
        fields={"file": [_("too large")]},
    )


def drop(import_id: uuid.UUID) -> None:
    """Take an upload away; no error when it is gone."""
    shutil.rmtree(folder_of(import_id), ignore_errors=True)


def read_upload(path: Path, name: str, *, worksheet: str = "") -> RawSheet:
    """The sheet by its content, whatever its name ends on; SheetError says what to send instead."""
    with open(path, "rb") as file:
        head = file.read(8)
    lowered = name.lower()
    if head[:2] == b"PK":
        if lowered.endswith(".xlsm"):
            raise SheetError(_("Sheets with macros are not read. Save it as .xlsx and send it again."))
        return read_xlsx(path, worksheet=worksheet)
    refuse_ole(head, path)
    if lowered.endswith((".xls", ".xlsx", ".xlsm", ".xlsb")):
        if lowered.endswith(".xls"):
            raise SheetError(_("Old .xls files are not read. Save the sheet as .xlsx and send it again."))
        if lowered.endswith(".xlsm"):
            raise SheetError(_("Sheets with macros are not read. Save it as .xlsx and send it again."))
        raise SheetError(_("The file is damaged or no .xlsx. Open it in Excel and save it again."))
    if path.stat().st_size == 0:
        raise SheetError(_("The sheet is empty."))
    return read_text(path, kind="json" if lowered.endswith(".json") else "csv" if lowered.endswith(".csv") else "")


def load_raw(import_id: uuid.UUID, name: str, *, worksheet: str = "") -> RawSheet:
    """The upload's rows, from what was read before when there is any; NotFound when the upload is gone."""
    found = _load(_kept_raw(import_id, worksheet))
    if found is not None:
        sheet = RawSheet(found["rows"], [], found["base"], found["title"], found["others"])
        sheet.rows = [(number, [_plain(value) for value in line]) for number, line in found["rows"]]
        sheet.notes = [Note(*note) for note in found["notes"]]
        return sheet
    path = folder_of(import_id) / UPLOAD
    if not path.is_file():
        raise NotFound(_("This upload is not there any more. Upload the sheet again."))
    sheet = read_upload(path, name, worksheet=worksheet)
    content = {
        "rows": sheet.rows,
        "notes": [(note.row, note.column, note.message) for note in sheet.notes],
        "base": sheet.base,
        "title": sheet.title,
        "others": sheet.others,
    }
    _save(_kept_raw(import_id, sheet.title), content)
    return sheet


def _kept_raw(import_id: uuid.UUID, worksheet: str) -> Path:
    return folder_of(import_id) / f"raw-{zlib.crc32(worksheet.encode()):08x}.json"


def load_diff(import_id: uuid.UUID) -> dict[str, Any] | None:
    """The difference that was looked at last, with the change number that it was true for."""
    return _load(folder_of(import_id) / "diff.json")


def save_diff(import_id: uuid.UUID, content: dict[str, Any]) -> None:
    _save(folder_of(import_id) / "diff.json", content)


def _plain(value: Any) -> Any:
    return Special(value["k"], value["v"]) if isinstance(value, dict) else value


def _special(value: Any) -> Any:
    if isinstance(value, Special):
        return {"k": value.kind, "v": value.value}
    raise TypeError(type(value).__name__)


def _save(path: Path, content: dict[str, Any]) -> None:
    data = json.dumps(content, ensure_ascii=False, separators=(",", ":"), default=_special).encode(errors="replace")
    write_atomic(path, zlib.compress(data, 1))


def _load(path: Path) -> dict[str, Any] | None:
    """None when it was never written, or is not whole."""
    try:
        found = json.loads(zlib.decompress(path.read_bytes()))
    except (FileNotFoundError, zlib.error, ValueError):
        return None
    return found if isinstance(found, dict) else None


def drop_folder(folder: Path) -> None:
    """Take away a folder that belongs to no import any more."""
    shutil.rmtree(folder, ignore_errors=True)
