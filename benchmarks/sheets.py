"""Sheets of 10,000 shots and 15 columns: export and import-diff against the bare openpyxl write and read.

    python3 benchmarks/sheets.py [--rows 10000] [--json]

Everything in one run and one process, on a SQLite file in a temporary folder, each figure the best of three: what
counts is the ratio. All seconds are of the CPU. The bare write appends the same values to a write-only workbook and
saves it; the bare read goes through the cells of that workbook in read-only mode. The export reads the database, and
its sheet carries styles, drop-downs and the hidden base; the import-diff keeps the upload, reads it, reads the table
and compares three ways (200 cells changed in the sheet, 50 here, 20 of them the same). Apply and undo are told too.
"""

import argparse
import io
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
COLUMNS = (
    "code", "scene", "description", "action", "dialogue", "emotion", "characters", "environment", "preset", "size",
    "angle", "movement", "duration_frames", "status", "prompt",
)  # fmt: skip
TRIES = 3


def best(work: Callable[[], Any]) -> tuple[float, Any]:
    """The shortest of three runs in CPU seconds (which say the same on a busy machine), and the last result."""
    times, result = [], None
    for _n in range(TRIES):
        began = time.process_time()
        result = work()
        times.append(time.process_time() - began)
    return min(times), result


def make_shots(rows: int) -> Any:
    from aipipeline.history.project_services import create_project
    from aipipeline.projects.models import User
    from assets.models import Character, CinematicPreset, Environment
    from shots.models import Casting, Scene, Shot

    actor = User.objects.create_superuser(username="bench", password="bench")
    project = create_project(actor=actor, code="BENCH", title="Bench", width=1280, height=720)
    people = [Character.objects.create(project=project, name=f"인물 {n}") for n in range(12)]
    places = [Environment.objects.create(project=project, name=f"장소 {n}") for n in range(40)]
    preset = CinematicPreset.objects.create(project=project, name="밤")
    scenes = [Scene.objects.create(project=project, code=f"SCN_{n:03d}", position=n) for n in range(1, 101)]
    shots = Shot.objects.bulk_create(
        Shot(
            project=project, code=f"SHT_{n:05d}", position=n * 1000, scene=scenes[n % 100], environment=places[n % 40],
            preset=preset, description=f"비 내리는 골목에서 우산 없이 걷는 사람 {n}", action=f"천천히 돌아본다 {n}",
            dialogue=f"여기서 처음 쓰는 이야기야 {n}", emotion="쓸쓸함", duration_frames=48 + n % 50,
            prompt=f"rainy alley at night, wet asphalt, neon, medium shot, film grain, {n}",
        )
        for n in range(rows)
    )  # fmt: skip
    Casting.objects.bulk_create(
        Casting(project=project, shot=shot, character=people[n % 12], order=0) for n, shot in enumerate(shots)
    )
    return project, actor, shots


def bare_write(values: list[list[Any]]) -> bytes:
    from openpyxl import Workbook

    book = Workbook(write_only=True)
    sheet = book.create_sheet()
    sheet.append(list(COLUMNS))
    for line in values:
        sheet.append(line)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def bare_read(data: bytes) -> int:
    from openpyxl import load_workbook

    book = load_workbook(io.BytesIO(data), read_only=True)
    return sum(1 for line in book.worksheets[0].iter_rows(values_only=True) for value in line if value is not None)


def edit(data: bytes) -> tuple[bytes, list[int]]:
    """200 descriptions changed in the exported sheet; the ids of their rows."""
    from openpyxl import load_workbook

    book = load_workbook(io.BytesIO(data))
    sheet = book.worksheets[0]
    column = next(cell.column for cell in sheet[1] if cell.value == "description")
    ids = []
    for row in range(2, 2 + 200 * 40, 40):
        if row <= sheet.max_row:
            sheet.cell(row, column).value = f"시트에서 {row}"
            ids.append(int(str(sheet.cell(row, 1).value)))
    out = io.BytesIO()
    book.save(out)
    return out.getvalue(), ids


def measure(rows: int) -> dict[str, Any]:
    from aipipeline.history.services import undo
    from aipipeline.tables.sheets.apply import apply_import
    from aipipeline.tables.sheets.content import Wanted, content_of
    from aipipeline.tables.sheets.export import export_sheet
    from aipipeline.tables.sheets.imports import create_import, look
    from shots.services.editing import update_shots

    project, actor, shots = make_shots(rows)
    wanted = Wanted(project, "shots", {"columns": list(COLUMNS)})
    values = [line[1:] for line in content_of(wanted).values()]

    def ours() -> bytes:
        with export_sheet(wanted=wanted, format="xlsx").file as file:
            return file.read()

    write, plain = best(lambda: bare_write(values))
    export, sheet = best(ours)
    read, _count = best(lambda: bare_read(plain))
    data, ids = edit(sheet)
    here = [{"id": pk, "fields": {"description": f"여기 {pk}"}} for pk in ids[:20]]
    here += [{"id": shot.pk, "fields": {"description": f"여기 {shot.pk}"}} for shot in shots[-30:]]
    update_shots(project=project, actor=actor, items=here)

    def upload() -> Any:
        row = create_import(project=project, actor=actor, kind="shots", name="s.xlsx", chunks=[data], size=len(data))
        return row, look(row)

    difference, (row, diff) = best(upload)
    began = time.process_time()
    look(row)
    again = time.process_time() - began
    began = time.process_time()
    apply_import(row=row, actor=actor, accept="all")
    applied = time.process_time() - began
    began = time.process_time()
    undo(project=project, actor=actor)
    undone = time.process_time() - began
    return {
        "rows": rows,
        "columns": len(COLUMNS),
        "bare_write_s": round(write, 2),
        "export_s": round(export, 2),
        "export_ratio": round(export / write, 2),
        "bare_read_s": round(read, 2),
        "import_diff_s": round(difference, 2),
        "import_diff_ratio": round(difference / read, 2),
        "next_page_s": round(again, 2),
        "counts": {name: diff.counts[name] for name in ("changed", "conflict", "here", "errors")},
        "apply_s": round(applied, 2),
        "undo_s": round(undone, 2),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        # The events of the edits have no server to go to here; that they are not sent costs nothing that is measured.
        os.environ.update(
            AIP_DATA=folder, STORAGE_ROOT=f"{folder}/projects", DATABASE_URL=f"sqlite:///{folder}/bench.sqlite3",
            DJANGO_SETTINGS_MODULE="aipipeline.settings", LOG_LEVEL="CRITICAL",
        )  # fmt: skip
        import django
        from django.core.management import call_command

        django.setup()
        call_command("migrate", verbosity=0)
        found = measure(arguments.rows)
    if arguments.json:
        print(json.dumps(found))
        return
    for name, value in found.items():
        print(f"{name:>20}: {value}")


if __name__ == "__main__":
    main()
