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
from dataclasses import dataclass
from pathlib import Path

from aipipeline.studio.launch.paths import ROOT, data, redis_socket

# Started in this order; supervisor stops in the reverse order of these priorities.
PRIORITIES = {"redis": 1, "web": 20, "flower": 30, "worker": 40, "farm": 40, "gpu": 45, "system": 50, "beat": 60}
STOP_SECONDS = {"worker": 60, "farm": 90, "gpu": 60, "system": 30}


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
    """supervisord.conf in the run folder."""
    config = configparser.RawConfigParser()
    logs = data() / "logs"
    config["supervisord"] = {
        "nodaemon": "true",
        "logfile": str(logs / "supervisor.log"),
        "pidfile": str(run / "supervisord.pid"),
        "childlogdir": str(logs),
        "silent": "true",
        "minfds": "256",
        **({"user": "root"} if os.getuid() == 0 else {}),
    }
    for program in programs:
        config[f"program:{program.name}"] = {
            # supervisor expands %(name)s in its file; the commands' own % signs are doubled.
            "command": f"/bin/sh -c 'exec {program.command}'".replace("%", "%%"),
            "directory": str(ROOT),
            "priority": str(PRIORITIES.get(program.name, 50)),
            "autorestart": "true",
            "startsecs": "1",
            "startretries": "10",
            "stopsignal": "TERM",
            "stopasgroup": "false",
            "killasgroup": "true",
            "stopwaitsecs": str(STOP_SECONDS.get(program.name, 15)),
            "stdout_logfile": str(logs / f"{program.name}.log"),
            "redirect_stderr": "true",
            "stdout_logfile_maxbytes": "20MB",
            "stdout_logfile_backups": "3",
        }
    path = run / "supervisord.conf"
    with open(path, "w", encoding="utf-8") as file:
        config.write(file)
    return path


def start(programs: list[Program]) -> "subprocess.Popen[bytes]":
    """Start supervisor with these programs, in a session of its own: Ctrl-C reaches only the launcher."""
    run = data() / "run"
    redis_socket().unlink(missing_ok=True)
    path = write_config(programs, run)
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ.get('PATH', '')}"}
    with open(data() / "logs" / "supervisor.out", "ab") as out:
        return subprocess.Popen(
            [sys.executable, "-m", "supervisor.supervisord", "-c", str(path)],
            cwd=ROOT,
            env=environment,
            start_new_session=True,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
        )


def stop(supervisor: "subprocess.Popen[bytes]", *, seconds: float = 120) -> None:
    """Ask supervisor to stop its programs in order, and wait."""
    if supervisor.poll() is None:
        supervisor.send_signal(signal.SIGTERM)
        try:
            supervisor.wait(seconds)
        except subprocess.TimeoutExpired:
            os.killpg(supervisor.pid, signal.SIGKILL)


def running_pid() -> int | None:
    """The process id of a supervisor that runs on this data folder."""
    try:
        pid = int((data() / "run" / "supervisord.pid").read_text())
        os.kill(pid, 0)
        command = Path(f"/proc/{pid}/cmdline")
        if command.exists() and b"supervisor" not in command.read_bytes():
            return None
    except (OSError, ValueError):
        return None
    return pid


def wait_for_redis(seconds: float = 20) -> None:
    """Until the queue's server answers; SystemExit tells where to look when it does not."""
    import redis

    url = os.environ.get("REDIS_URL") or f"unix://{redis_socket()}"
    client = redis.Redis.from_url(url, socket_connect_timeout=1)
    end = time.monotonic() + seconds
    while True:
        try:
            client.ping()
            return
        except redis.RedisError as error:
            if time.monotonic() > end:
                raise SystemExit(f"Redis does not answer ({error}). See {data() / 'logs' / 'redis.log'}.") from error
            time.sleep(0.05)
        finally:
            client.close()
