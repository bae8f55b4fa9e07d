"""Whether this host can carry a worker of the studio: what stands in the way, each with its remedy."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from aipipeline.studio.launch.processes import running

HERE = "On the studio's own host, start ./aip up first (or set COMFYUI_URLS for it)."


def obstacles() -> list[str]:
    """Empty when a worker can start here.

    Beside a running studio of the same data folder everything is shared. From anywhere else the database, Redis and
    the storage must be such that another host reaches them, and must answer.
    """
    if running() is not None:
        return []
    found = list(_settings())
    return found or list(_reached())


def _settings() -> Iterator[str]:
    database, redis = os.environ.get("DATABASE_URL", ""), os.environ.get("REDIS_URL", "")
    if not database:
        yield f"DATABASE_URL is not set: set it to the studio's PostgreSQL (postgres://user:password@host/name). {HERE}"
    elif urlsplit(database).scheme.startswith("sqlite"):
        yield (
            "DATABASE_URL is SQLite, a file that only the studio's own host may open. Move the studio to PostgreSQL "
            f"and set DATABASE_URL to it here and there. {HERE}"
        )
    if not redis:
        yield (
            "REDIS_URL is not set, and the embedded Redis is not reached from another host: run a Redis server and set "
            f"REDIS_URL (redis://host:6379/0) here and for the studio. {HERE}"
        )
    elif urlsplit(redis).scheme not in ("redis", "rediss"):
        yield "REDIS_URL is a socket of one host: set it to redis://host:6379/0 here and for the studio."
    storage = os.environ.get("STORAGE_ROOT", "")
    if not storage:
        yield "STORAGE_ROOT is not set: mount the studio's storage on this host and set STORAGE_ROOT to it."
    elif not Path(storage).is_dir():
        yield f"STORAGE_ROOT={storage} is not there: mount the studio's storage on this host."
    elif problem := _unusable(Path(storage)):
        yield f"STORAGE_ROOT={storage} cannot be used ({problem}): let this user read and write there."


def _unusable(folder: Path) -> str:
    try:
        next(folder.iterdir(), None)
        with tempfile.NamedTemporaryFile(dir=folder, prefix=".worker-check-"):
            return ""
    except OSError as error:
        return error.strerror or type(error).__name__


def _reached() -> Iterator[str]:
    import django
    from django.db import DatabaseError
    from redis import Redis, RedisError

    django.setup()
    from aipipeline.projects.models import Project

    try:
        Redis.from_url(os.environ["REDIS_URL"], socket_connect_timeout=5, socket_timeout=5).ping()
    except (RedisError, ValueError) as error:
        yield f"REDIS_URL does not answer ({error}). Start Redis, or correct the address."
    try:
        projects = list(Project.objects.filter(removed_at=None))
    except DatabaseError as error:
        reason = str(error).strip().splitlines()[0]
        yield f"DATABASE_URL does not answer ({reason}). Start PostgreSQL, correct the address, or run ./aip up once."
        return
    folders = [project for project in projects if project.root.is_dir()]
    if projects and not folders:
        names = ", ".join(project.code for project in projects[:3])
        yield (
            f"STORAGE_ROOT={os.environ['STORAGE_ROOT']} holds no production of this studio ({names}…): "
            "mount the same storage that the studio uses."
        )
