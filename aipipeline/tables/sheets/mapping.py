"""Which column of a sheet is which of the table: known for our own sheets, guessed for others."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from django.utils import translation
from django.utils.translation import gettext as _

from aipipeline.projects.errors import Invalid
from aipipeline.tables.columns import Column, ColumnType
from aipipeline.tables.selectors import Loaded
from aipipeline.tables.sheets.content import BASE, ID, writable
from aipipeline.tables.sheets.raw import MAX_COLUMNS, RawSheet, Special

# What a column may be read as beside the table's own columns: two ends of a range that is the length.
TIME_IN, TIME_OUT = "_in", "_out"
LOOK_AT = 10
LANGUAGES = ("ko", "en")
_SMALL = re.compile(r"[\s_\-./·:#()\[\]（）*]+")
_NAME = re.compile(r"\(([a-z_]+(?:\.\w+)?)\)$")
_BRACKETS = re.compile(r"[(\[（【].*?[)\]）】]")
# Words that foreign sheets use for more than one table; each column adds its own (`Column.aliases`).
WORDS: dict[str, tuple[str, ...]] = {
    "code": ("씬컷", "컷번호", "컷no", "c#", "cut#", "샷no", "shot#",
        "shot no", "shot id", "번호", "no", "넘버", "#"),
    "scene": ("씬", "씬번호", "씬no", "s#", "scene", "scene no", "scene#", "scene number", "장면", "장면번호", "신"),
    "description": ("화면", "화면내용", "화면설명", "내용", "샷내용", "비주얼",
        "visual", "picture", "video", "content"),
    "action": ("액션", "동작", "행동", "지문", "action"),
    "dialogue": ("대사", "dialogue", "dialog", "audio", "오디오", "나레이션", "내레이션", "narration", "vo", "자막"),
    "size": ("샷사이즈", "사이즈", "size", "framing", "shot", "shottype", "shotsize", "앵글사이즈"),
    "angle": ("앵글", "angle", "카메라앵글"),
    "movement": ("카메라", "카메라무빙", "무빙", "카메라워크", "camera", "cameramovement", "movement", "move"),
    "duration_frames": ("길이", "초", "시간", "러닝타임", "재생시간", "duration",
        "length", "dur", "time", "sec", "seconds",
                        "timecode", "frames", "프레임", "tc"),
    TIME_IN: ("in", "tcin", "timein", "start", "시작", "인점", "인"),
    TIME_OUT: ("out", "tcout", "timeout", "end", "끝", "종료", "아웃점", "아웃"),
    "characters": ("인물", "등장인물", "출연", "캐릭터", "character", "characters", "cast", "talent"),
    "environment": ("장소", "배경", "로케이션", "location", "place", "set", "environment"),
    "prompt": ("프롬프트", "prompt", "imageprompt", "이미지프롬프트"),
    "emotion": ("감정", "emotion", "mood"),
    "comment": ("비고", "메모", "note", "notes", "remark", "remarks", "comment"),
    "name": ("이름", "name", "명칭"),
}  # fmt: skip


@dataclass
class SheetMapping:
    """How a sheet is read. Rows count from 1 as in Excel; `columns` is by index from 0 (as text, for JSON).

    `key`: what tells which row a line is: "id", the table's name column, or "" (every line is new). `blank`: an empty
    cell empties ours. `times`: a time of day in a length column is "mssff" (M:SS:FF) or "hmmss". `sections`: a line
    with a single cell names the scene of those below. `make`: names that are not there yet (scenes, characters,
    places) become new rows. `fill`: columns whose value holds until the next one.
    """

    own: bool = False
    worksheet: str = ""
    header: int = 1
    first: int = 2
    columns: dict[str, str] = field(default_factory=dict)
    key: str = ""
    blank: bool = False
    times: str = "mssff"
    sections: bool = False
    make: bool = False
    fill: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    def place(self, name: str) -> int | None:
        """The index of the column that is read as this field."""
        return next((int(index) for index, found in self.columns.items() if found == name), None)


def normal(text: Any) -> str:
    """A header in the form in which headers are compared."""
    plain = unicodedata.normalize("NFKC", str(text or "")).casefold()
    return _SMALL.sub("", plain)


def words_of(loaded: Loaded, labels: Mapping[str, str]) -> dict[str, str]:
    """By header in its compared form: the field. Names and labels of both languages win over looser words."""
    exact: dict[str, str] = {ID: ID, normal(BASE): BASE, "_base": BASE}
    loose: dict[str, str] = {}
    known = {column.name for column in loaded.columns}
    for column in loaded.columns:
        names = [column.name, labels.get(column.name, "")]
        for language in LANGUAGES:
            with translation.override(language):
                names.append(str(column.label))
        for name in names:
            if normal(name):
                exact.setdefault(normal(name), column.name)
        for name in column.aliases:
            loose.setdefault(normal(name), column.name)
    for field_name, names_of in WORDS.items():
        if field_name in known or (field_name in (TIME_IN, TIME_OUT) and "duration_frames" in known):
            for name in names_of:
                loose.setdefault(normal(name), field_name)
    return {**loose, **exact}


def _field(text: Any, words: Mapping[str, str]) -> str:
    if not isinstance(text, str) or len(text) > 80:
        return ""
    text = text.strip()
    if text.startswith("_"):
        return words.get(text, "")
    # Two columns that people gave one label carry their names: "설명 (description)".
    name = _NAME.search(text)
    inner = words.get(normal(name.group(1)), "") if name else ""
    return words.get(normal(text)) or inner or words.get(normal(_BRACKETS.sub("", text))) or ""


def guess(raw: RawSheet, loaded: Loaded, labels: Mapping[str, str]) -> SheetMapping:
    """The likeliest reading: the header among the first ten rows, a field for each of its columns."""
    words = words_of(loaded, labels)
    best, best_score, best_fields = 0, 0.0, dict[str, str]()
    for place, (_number, line) in enumerate(raw.rows[:LOOK_AT]):
        fields = _fields(line, words)
        texts = sum(isinstance(value, str) and 0 < len(value) < 60 for value in line)
        score = 2.0 * len(fields) + 0.1 * texts - 0.5 * sum(isinstance(v, (int, float)) for v in line)
        if fields and score > best_score:
            best, best_score, best_fields = place, score, fields
    found = SheetMapping(worksheet=raw.title)
    if not best_fields:
        number = raw.rows[0][0] if raw.rows else 1
        found.header, found.first = number, number + 1
        return found
    found.header = raw.rows[best][0]
    found.first = found.header + 1
    found.columns = best_fields
    # Without its ids even our own sheet is a foreign one: its rows are found by their names.
    found.own = ID in best_fields.values() and (bool(raw.base) or BASE in best_fields.values())
    _guess_rows(raw, found, loaded)
    return found


def _fields(line: Sequence[Any], words: Mapping[str, str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for index, value in enumerate(line[:MAX_COLUMNS]):
        name = _field(value, words)
        if name and name not in found.values():
            found[str(index)] = name
    return found


def _guess_rows(raw: RawSheet, found: SheetMapping, loaded: Loaded) -> None:
    """The key, the fill-down and the section rows, from the lines below the header."""
    lines = [line for number, line in raw.rows if number >= found.first]
    if found.own:
        found.key = ID
        return
    place = found.place(ID)
    if place is not None:
        header = next(line for number, line in raw.rows if number == found.header)
        values = [v for v in cells_at(lines, place) if v not in (None, "")]
        if str(header[place]).strip() == ID and all(_numeric(value) for value in values):
            found.key = ID
        else:
            del found.columns[str(place)]
    name = loaded.table.name_column
    if not found.key and found.place(name) is not None:
        found.key = name
    scene = found.place("scene")
    if scene is not None:
        values = cells_at(lines, scene)
        filled = [value for value in values if value not in (None, "")]
        if filled and len(filled) < len(values):
            found.fill = ["scene"]
    if loaded.table.column("scene") is not None:
        found.sections = any(is_section(line) for line in lines[:200])
    found.times = _times(lines, found, float(loaded.project.rate))


def _numeric(value: Any) -> bool:
    return isinstance(value, int) or (isinstance(value, str) and value.strip().isascii() and value.strip().isdigit())


def cells_at(lines: Sequence[Sequence[Any]], place: int) -> list[Any]:
    """One column of these lines."""
    return [line[place] if place < len(line) else None for line in lines]


def is_section(line: Sequence[Any]) -> bool:
    """A line with a single text: a heading for those below it."""
    filled = [value for value in line if value not in (None, "")]
    return len(filled) == 1 and isinstance(filled[0], str) and len(line) >= 1


def _times(lines: Sequence[Sequence[Any]], found: SheetMapping, rate: float) -> str:
    """Times whose last part reaches the frame rate cannot be frames."""
    for name in ("duration_frames", TIME_IN, TIME_OUT):
        place = found.place(name)
        for value in cells_at(lines, place) if place is not None else []:
            if isinstance(value, Special) and value.kind == "time" and float(value.value) % 60 >= rate:
                return "hmmss"
    return "mssff"


def from_person(given: Mapping[str, Any], raw: RawSheet, loaded: Loaded) -> SheetMapping:
    """The mapping that a person sent; Invalid names what cannot be."""
    fields = {ID, TIME_IN, TIME_OUT, *(column.name for column in loaded.columns if fillable(column, loaded))}
    columns: dict[str, str] = {}
    errors: dict[str, list[str]] = {}
    sent = given.get("columns")
    for index, name in (sent if isinstance(sent, Mapping) else {}).items():
        if not name:
            continue
        place = str(index)
        known = isinstance(name, str) and name in fields
        if not (place.isascii() and place.isdigit() and len(place) < 4 and int(place) < MAX_COLUMNS and known):
            errors["columns"] = [_("unknown column: %(name)s") % {"name": str(name)[:60]}]
        elif name in columns.values():
            errors["columns"] = [_("two columns are read as %(name)s") % {"name": str(name)[:60]}]
        columns[str(index)] = str(name)
    numbers = {}
    for name in ("header", "first"):
        value = str(given.get(name, ""))
        if not (value.isascii() and value.isdigit() and len(value) < 8):
            errors[name] = [_("a row number is needed")]
        else:
            numbers[name] = int(value)
    if not columns and "columns" not in errors:
        errors["columns"] = [_("say for at least one column what it is")]
    key = str(given.get("key", ""))
    if key and key not in columns.values():
        errors["key"] = [_("no column is read as this")]
    if errors:
        raise Invalid(
            _("The columns cannot be read like this: %(why)s.") % {"why": next(iter(errors.values()))[0]}, fields=errors
        )
    if numbers["first"] <= numbers["header"]:
        numbers["first"] = numbers["header"] + 1
    return SheetMapping(
        worksheet=raw.title,
        header=numbers["header"],
        first=numbers["first"],
        columns=columns,
        key=key,
        blank=given.get("blank") in (True, "true", "on", "1"),
        times="hmmss" if given.get("times") == "hmmss" else "mssff",
        make=given.get("make") in (True, "true", "on", "1"),
        sections=given.get("sections") in (True, "true", "on", "1"),
        fill=["scene"]
        if given.get("fill") in (True, "true", "on", "1", ["scene"]) and "scene" in columns.values()
        else [],
    )


def fillable(column: Column, loaded: Loaded) -> bool:
    """A column that a sheet may be read into: what can be written, and what names the row."""
    return writable(column) or column.name == loaded.table.name_column or column.type == ColumnType.STATUS


def headers_of(raw: RawSheet, header: int) -> list[str]:
    """The header's texts, by which a saved mapping is found again."""
    line = next((line for number, line in raw.rows if number == header), [])
    return [str(value or "") for value in line]
