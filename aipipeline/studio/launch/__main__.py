"""`./aip COMMAND`."""

import sys
from collections.abc import Callable, Sequence

from aipipeline.studio.launch import backup, commands, doctor, testing, up
from aipipeline.studio.launch.paths import say

HELP = """./aip up                      start the studio (first start sets everything up)
./aip produce SCENARIO --out DIR   a scenario becomes a film, without a browser
./aip analyse SCENARIO --json      the breakdown alone
./aip worker --comfy URL --vram GB a worker that drives a ComfyUI machine
./aip backup [FILE]                a whole copy of the database
./aip restore FILE --yes           put such a copy back
./aip doctor                       what is there, what is missing, what to do
./aip manage ...                   Django's own commands
./aip test [--quick] [...]         every check; --quick for daily work"""

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
        say(f"There is no command {name!r}.\n\n{HELP}")
        return 2
    try:
        return command(arguments[1:])
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
