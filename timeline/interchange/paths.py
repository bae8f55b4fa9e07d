"""Media paths as URLs that editors open."""

from pathlib import Path
from urllib.parse import quote


def file_url(path: Path, *, host: str = "") -> str:
    """file:///…, percent-encoded; `host` "localhost" is what FCP7 XML wants."""
    return f"file://{host}{quote(path.as_posix(), safe='/:')}"
