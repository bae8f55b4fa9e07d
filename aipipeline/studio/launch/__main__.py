"""`./aip COMMAND`."""

import os
import signal
import sys
from collections.abc import Callable, Sequence
from difflib import get_close_matches
from types import FrameType

from aipipeline.studio.launch import backup, commands, doctor, testing, up
from aipipeline.studio.launch.paths import say

HELP = """./aip up                              start the studio in the browser (the first start sets everything up)
./aip produce SCENARIO --out DIR      a scenario becomes a film, without a browser
./aip analyse SCENARIO [--json]       the breakdown alone
./aip worker --comfy URL --vram GB    a worker that drives a ComfyUI machine; --comfy may be repeated
./aip backup [FILE]                   a whole copy of the database
./aip restore FILE --yes              put such a copy back
./aip doctor                          what is there, what is missing, what to do
./aip manage ...                      Django's own commands
./aip test [--quick] [...]            every check; --quick for daily work

./aip COMMAND --help tells more. Settings are variables or lines of .env; .env.example lists them."""

COMMANDS: dict[str, Callable[[Sequence[str]], int]] = {
    "up": up.main,
    "produce": commands.produce,
    "analyse": commands.analyse,
    "worker": commands.worker,
    "manage": commands.manage,
    "backup": backup.backup,
    "restore": backup.restore,
    "doctor": doctor.main,
    "test": testing.main,
}


def main(arguments: Sequence[str]) -> int:
    name = arguments[0] if arguments else "help"
    if name in ("help", "-h", "--help"):
        say(HELP)
        return 0
    command = COMMANDS.get(name)
    if command is None:
        near = get_close_matches(name, COMMANDS, n=1)
        say(f"There is no command {name}." + (f" Did you mean ./aip {near[0]}?" if near else f"\n\n{HELP}"))
        return 2
    signal.signal(signal.SIGTERM, _end)
    try:
        return command(arguments[1:])
    except KeyboardInterrupt:
        return 130
    except OSError as error:
        if error.filename is None:
            raise
        say(f"{os.fsdecode(error.filename)}: {error.strerror}.")
        return 1


def _end(_signal: int, _frame: FrameType | None) -> None:
    """A plain kill ends a command as Ctrl-C does: what it started is stopped first."""
    raise SystemExit(143)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
