"""Clips put one after another in one file, by ffmpeg's concat demuxer."""

import os
import secrets
from collections.abc import Callable, Sequence
from pathlib import Path

from aipipeline.media import ffmpeg


def join(
    files: Sequence[Path],
    out: Path,
    *,
    arguments: Sequence[str | Path] = ("-c", "copy"),
    cancelled: Callable[[], bool] | None = None,
) -> None:
    """Concatenate without encoding. No duration lines: they round, and drift by a frame over many clips.

    `arguments` say otherwise: further inputs, mappings, encoders. `out` is there whole or not at all.
    """
    temporary = out.with_name(f".{out.stem}.{os.getpid()}.{secrets.token_hex(4)}.mp4")
    listing = temporary.with_suffix(".txt")
    try:
        listing.write_text("".join(f"file '{_quoted(path)}'\n" for path in files), encoding="utf-8")
        source: list[str | Path] = ["-f", "concat", "-safe", "0", "-i", listing]
        ffmpeg.run([*source, *arguments, "-movflags", "+faststart", temporary], cancelled=cancelled)
        os.replace(temporary, out)
    finally:
        temporary.unlink(missing_ok=True)
        listing.unlink(missing_ok=True)


def _quoted(path: Path) -> str:
    return str(path).replace("'", "'\\''")
