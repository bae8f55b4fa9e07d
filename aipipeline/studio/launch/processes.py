"""The studio's processes, run by supervisor: each in a session of its own, stopped one after the other.

An order matters: the scheduler first, then workers (who finish what they hold), then the web, Redis last. See
docs/decisions/003-process-manager.md.
"""

import configparser
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from aipipeline.studio.launch import locks
from aipipeline.studio.launch.paths import ROOT, data, redis_socket
from aipipeline.studio.launch.supervised import CONFIG

# Started in this order; supervisor stops in the reverse order of these priorities.
PRIORITIES = {
    "redis": 1,
    "web": 20,
    "flower": 30,
    "worker": 40,
    "farm": 40,
    "gpu": 45,
    "files": 48,
    "system": 50,
    "beat": 60,
}
STOP_SECONDS = {"worker": 60, "farm": 90, "gpu": 60, "files": 30, "system": 30}


class NotUp(SystemExit):
    """Processes that were started do not answer; the text says where to look."""


@dataclass(frozen=True)
class Program:
    name: str
    command: str


def procfile() -> list[Program]:
    """The lines of the Procfile, with the variables of the environment filled in by the shell at start."""
    found = []
    for line in (ROOT / "Procfile").read_text(encoding="utf-8").splitlines():
        name, separator, command = line.partition(":")
        if separator and not line.startswith("#"):
            found.append(Program(name.strip(), command.strip()))
    return found


def wanted(only: set[str] | None = None) -> list[Program]:
    """The programs that this start needs: no embedded Redis beside a real one, no GPU worker without a GPU."""
    programs = []
    for program in procfile():
        if program.name == "redis" and os.environ.get("REDIS_URL"):
            continue
        if program.name == "gpu" and not os.environ.get("COMFYUI_URLS"):
            continue
        if only is None or program.name in only:
            programs.append(program)
    return programs


def write_config(programs: list[Program], run: Path) -> Path:
    """supervisord.conf in the run folder.

    Its paths are relative to the data folder, in which supervisor runs, and the checkout comes by a variable: % signs
    in that file are expanded once or twice, depending on the setting, and people's folders may have any name.
    """
    config = configparser.RawConfigParser()
    config["supervisord"] = {
        "nodaemon": "true",
        "logfile": "logs/supervisor.log",
        "pidfile": "run/supervisord.pid",
        "childlogdir": "logs",
        "silent": "true",
        "minfds": "256",
        **({"user": "root"} if os.getuid() == 0 else {}),
    }
    for program in programs:
        config[f"program:{program.name}"] = {
            "command": f"/bin/sh -c 'cd \"$AIP_ROOT\" && exec {program.command}'".replace("%", "%%"),
            "priority": str(PRIORITIES.get(program.name, 50)),
            "autorestart": "true",
            "startsecs": "1",
            "startretries": "10",
            "stopsignal": "TERM",
            "stopasgroup": "false",
            "killasgroup": "true",
            "stopwaitsecs": str(STOP_SECONDS.get(program.name, 15)),
            "stdout_logfile": f"logs/{program.name}.log",
            "redirect_stderr": "true",
            "stdout_logfile_maxbytes": "20MB",
            "stdout_logfile_backups": "3",
        }
    path = run / CONFIG
    with open(path, "w", encoding="utf-8") as file:
        config.write(file)
    return path


def start(programs: list[Program], *, purpose: str) -> "subprocess.Popen[bytes]":
    """Start supervisor with these programs, in a session of its own: Ctrl-C reaches only the launcher.

    `purpose` is the command that needs them. The child ends with code TAKEN when others run on this data folder.
    """
    write_config(programs, data() / "run")
    environment = {
        **os.environ,
        "AIP_ROOT": str(ROOT),
        "PATH": f"{Path(sys.executable).parent}:{os.environ.get('PATH', '')}",
    }
    with open(data() / "logs" / "supervisor.out", "ab") as out:
        return subprocess.Popen(
            [sys.executable, "-m", "aipipeline.studio.launch.supervised", purpose],
            cwd=ROOT,
            env=environment,
            start_new_session=True,
            stdin=subprocess.PIPE,
            stdout=out,
            stderr=subprocess.STDOUT,
        )


def stop(supervisor: "subprocess.Popen[bytes]", *, seconds: float = 180) -> None:
    """Ask supervisor to stop its programs in order, and wait."""
    if supervisor.poll() is None:
        supervisor.send_signal(signal.SIGTERM)
        try:
            supervisor.wait(seconds)
        except subprocess.TimeoutExpired:
            os.killpg(supervisor.pid, signal.SIGKILL)


@dataclass(frozen=True)
class Running:
    """The supervisor of this data folder, and the command that started it: up or produce."""

    pid: int
    purpose: str


def running() -> Running | None:
    """What runs on this data folder now."""
    note = locks.holder(data() / "run" / "supervisor.lock")
    if note is None:
        return None
    pid, _space, purpose = note.partition(" ")
    return Running(int(pid or 0), purpose)


def wait_for_redis(seconds: float = 60, *, ended: Callable[[], bool] = lambda: False) -> None:
    """Until the queue's server answers; NotUp tells where to look when it does not, or all `ended`."""
    import redis

    url = os.environ.get("REDIS_URL") or f"unix://{redis_socket()}"
    client = redis.Redis.from_url(url, socket_connect_timeout=1)
    end = time.monotonic() + seconds
    while True:
        try:
            client.ping()
            return
        except redis.RedisError as error:
            if ended():
                raise NotUp(f"The processes do not start. See {data() / 'logs' / 'supervisor.out'}.") from error
            if time.monotonic() > end:
                raise NotUp(f"Redis does not answer ({error}). See {data() / 'logs' / 'redis.log'}.") from error
            time.sleep(0.05)
        finally:
            client.close()
