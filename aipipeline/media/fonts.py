"""A font with Hangul for everything that is drawn: Pretendard from set-up, else one of the machine."""

import subprocess
from functools import cache
from pathlib import Path

from django.conf import settings

from aipipeline.media.errors import MediaError


@cache
def font_path(weight: str = "Regular") -> Path:
    """The font file for a weight (Regular, SemiBold, Bold); MediaError says how to get one when there is none."""
    own = Path(settings.BASE_DIR) / "static" / "vendor" / "pretendard" / f"Pretendard-{weight}.otf"
    if own.is_file():
        return own
    try:
        found = subprocess.run(
            ["fc-match", "-f", "%{file}", ":lang=ko"], capture_output=True, text=True, timeout=10, check=True
        ).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        found = ""
    if found and Path(found).is_file():
        return Path(found)
    raise MediaError("No font with Hangul is installed. Run ./aip doctor: the set-up brings Pretendard.")
