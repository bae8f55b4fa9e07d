"""Set-up in steps, each done once for what it depends on."""

import hashlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager
from functools import cache
from pathlib import Path

from aipipeline.studio.launch.locks import turn
from aipipeline.studio.launch.paths import ROOT, data, environment, say

MIGRATION_SECONDS = 300
# What the pages load, from the packages of package-lock.json to static/vendor/.
VENDOR = {
    "pretendard/dist/public/static/Pretendard-Regular.otf": "pretendard/Pretendard-Regular.otf",
    "pretendard/dist/public/static/Pretendard-SemiBold.otf": "pretendard/Pretendard-SemiBold.otf",
    "pretendard/dist/public/static/Pretendard-Bold.otf": "pretendard/Pretendard-Bold.otf",
    "pretendard/dist/web/variable/woff2/PretendardVariable.woff2": "pretendard/PretendardVariable.woff2",
    "pretendard/dist/LICENSE.txt": "pretendard/LICENSE.txt",
    "idiomorph/dist/idiomorph.min.js": "idiomorph/idiomorph.min.js",
    "sortablejs/Sortable.min.js": "sortablejs/Sortable.min.js",
    "slickgrid/dist/browser/slick.core.js": "slickgrid/slick.core.js",
    "slickgrid/dist/browser/slick.interactions.js": "slickgrid/slick.interactions.js",
    "slickgrid/dist/browser/slick.grid.js": "slickgrid/slick.grid.js",
    "slickgrid/LICENSE": "slickgrid/LICENSE",
}


def run(arguments: Sequence[str | Path], *, cwd: Path = ROOT, quiet: bool = False, remedy: str = "") -> None:
    """Run a child; its output goes to stderr. SystemExit names the command that failed.

    The child has a session of its own and ends, with all that it started, when this command is told to stop.
    """
    out = subprocess.PIPE if quiet else sys.stderr
    # Node trusts the certificates that the machine trusts, as Python's installer does: offices have their own.
    environment = {**os.environ, "NODE_USE_SYSTEM_CA": "1"}
    child = subprocess.Popen(
        [str(a) for a in arguments],
        cwd=cwd,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=out,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        told, _nothing = child.communicate()
    except BaseException:
        os.killpg(child.pid, signal.SIGTERM)
        child.wait()
        raise
    if child.returncode != 0:
        if quiet:
            say((told or b"").decode(errors="replace")[-4000:])
        raise SystemExit(f"This step failed: {' '.join(map(str, arguments))}" + (f"\n{remedy}" if remedy else ""))


def manage(*arguments: str, quiet: bool = False) -> None:
    run([sys.executable, ROOT / "manage.py", *arguments], quiet=quiet)


def prepare(*, database: bool = True) -> None:
    """Everything that the studio needs before its first process starts; a second call does next to nothing."""
    environment()
    with _turn_at_the_checkout():
        front_end()
        translations()
    if database:
        prepare_database()


def prepare_database(*, here: bool = False) -> None:
    """Migrate, one command at a time. `here`: in this process, for a caller that goes on with Django anyway."""
    with turn(data() / "run" / "setup.lock", "Another ./aip prepares this data folder; waiting for it."):
        migrate(here=here)


def prepare_words() -> None:
    """What a command needs that only reads: its words in the user's language."""
    environment()
    with _turn_at_the_checkout():
        translations()


def _turn_at_the_checkout() -> AbstractContextManager[None]:
    return turn(ROOT / ".setup.lock", "Another ./aip sets this checkout up; waiting for it.")


def _hash(paths: Sequence[Path]) -> str:
    digest = hashlib.sha256()
    for path in sorted(paths):
        digest.update(str(path.relative_to(ROOT)).encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:24]


def front_end() -> None:
    """Front-end packages from npm, of which only the files that pages load are kept."""
    target = ROOT / "static" / "vendor"
    stamp = target / ".stamp"
    mark = (
        _hash([ROOT / "package.json", ROOT / "package-lock.json"])
        + hashlib.sha256(repr(VENDOR).encode()).hexdigest()[:8]
    )
    if stamp.is_file() and stamp.read_text() == mark and all((target / t).is_file() for t in VENDOR.values()):
        return
    say("Installing front-end packages; this happens once.")
    npm = shutil.which("npm")
    if npm is None:
        raise SystemExit("npm was not found. Install the Python packages again (./aip brings node by itself).")
    run(
        [npm, "ci", "--no-audit", "--no-fund", "--ignore-scripts"],
        quiet=True,
        remedy="The front-end packages come from the npm registry once. Check the network (a mirror: npm config set "
        "registry URL), then start again.",
    )
    for source, wanted in VENDOR.items():
        place = target / wanted
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / "node_modules" / source, place)
    stamp.write_text(mark)
    shutil.rmtree(ROOT / "node_modules", ignore_errors=True)


def translations() -> None:
    """Compile what people wrote in `locale/` with Babel: no gettext tools are needed."""
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    for source in (ROOT / "locale").glob("*/LC_MESSAGES/*.po"):
        target = source.with_suffix(".mo")
        if target.is_file() and target.stat().st_mtime >= source.stat().st_mtime:
            continue
        with open(source, "rb") as file:
            catalog = read_po(file)
        temporary = target.with_suffix(f".{os.getpid()}.part")
        with open(temporary, "wb") as out:
            write_mo(out, catalog)
        os.replace(temporary, target)


def migrate(*, here: bool) -> None:
    """Bring the database up to date; skipped in a moment when nothing about it changed."""
    if is_migrated():
        return
    say("Preparing the database.")
    mark = _migration_mark()
    if here:
        import django
        from django.core.management import call_command

        django.setup()
        call_command("migrate", interactive=False, verbosity=0, skip_checks=True)
    else:
        manage("migrate", "--no-input", "--skip-checks", "-v", "0")
    temporary = _migration_stamp().with_suffix(f".{os.getpid()}.part")
    temporary.write_text(mark)
    os.replace(temporary, _migration_stamp())


def is_migrated() -> bool:
    """True when this database was brought up to date with these migrations."""
    sqlite_there = "DATABASE_URL" in os.environ or (data() / "aipipeline.sqlite3").is_file()
    stamp = _migration_stamp()
    return stamp.is_file() and stamp.read_text() == _migration_mark() and sqlite_there


def wait_until_migrated() -> None:
    """For processes that a command starts before it prepares the database."""
    end = time.monotonic() + MIGRATION_SECONDS
    while not is_migrated():
        if time.monotonic() > end:
            raise SystemExit("The database was not prepared in time.")
        time.sleep(0.05)


def _migration_stamp() -> Path:
    return data() / "run" / "migrated"


def _declarations() -> list[Path]:
    """What the rows of workflows follow from: they are written after each migrate."""
    app = ROOT / "comfy_adapters"
    files = [app / "engines.py", app / "local" / "declared.py", app / "comfyui" / "catalogue.py"]
    return [*files, *sorted((app / "graphs").glob("*.json"))]


@cache
def _migration_mark() -> str:
    migrations = [p for p in ROOT.glob("**/migrations/0*.py") if ".venv" not in p.parts]
    return (
        _hash([*migrations, *_declarations()])
        + hashlib.sha256(os.environ.get("DATABASE_URL", "").encode()).hexdigest()[:8]
    )
