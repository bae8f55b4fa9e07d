"""Making a clip piece by piece: what is there is taken, what is missing is made, nothing is made twice."""

import hashlib
import json
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _

from comfy_adapters.post.clips import Clip, checked, put_together
from comfy_adapters.post.plan import Span, Target
from renders.backends import JobCancelled, JobContext, JobReporter
from renders.services.workdirs import Pieces

JOINED = 0.97  # where the last piece ends on the way to the whole

# Makes one piece in this file; the function takes its progress, from 0 to 1.
Make = Callable[[Span, Path, Callable[[float], None]], None]


@contextmanager
def pieces_of(context: JobContext) -> Iterator[Pieces]:
    """Where this job's pieces are; for a job without a work folder they live as long as the attempt."""
    if context.work_dir is not None:
        pieces = Pieces(context.work_dir)
        pieces.clean()
        yield pieces
        return
    with tempfile.TemporaryDirectory(prefix="aip-pieces-") as folder:
        yield Pieces(Path(folder))


def make_clip(
    context: JobContext,
    reporter: JobReporter,
    *,
    clip: Clip,
    target: Target,
    parts: Sequence[Span],
    recipe: Mapping[str, Any],
    make: Make,
    out: Path,
) -> dict[str, Any]:
    """Write the whole clip to `out`; returns what is to be kept of how it was made.

    `recipe` is everything that decides what a piece looks like, beside the clip and the span. JobCancelled when told
    to stop; what is finished by then stays for the next attempt.
    """
    found: list[Path] = []
    taken = 0
    with pieces_of(context) as pieces:
        for part in parts:
            if reporter.cancelled():
                raise JobCancelled
            key = _key(clip, target, part, recipe)
            piece = pieces.find(key)
            taken += piece is not None
            told = _Portion(reporter, part, len(parts))
            found.append(piece or _make(pieces, key, part, make, told))
            told.kept()
        reporter.progress(JOINED, _("Putting the pieces together"))
        put_together(
            found,
            out,
            clip=clip,
            fps=target.fps,
            frames=target.frames,
            slow=target.slow,
            cancelled=reporter.cancelled,
        )
    about = {"frames": clip.frames, "fps": str(clip.fps), "width": clip.width, "height": clip.height}
    return {"source": about, "pieces": len(parts), "pieces_kept": taken, "slow": target.slow}


def _make(pieces: Pieces, key: str, part: Span, make: Make, told: "_Portion") -> Path:
    aside = pieces.aside(".mp4")
    try:
        make(part, aside, told)
        return pieces.keep(key, checked(aside, part.frames))
    finally:
        aside.unlink(missing_ok=True)


class _Portion:
    """The share of the job's progress that one piece has."""

    def __init__(self, reporter: JobReporter, part: Span, parts: int) -> None:
        self.reporter, self.number, self.parts = reporter, part.number, parts
        self.message = _("Part %(number)d of %(parts)d") % {"number": part.number + 1, "parts": parts}

    def __call__(self, done: float) -> None:
        # A piece is not there before it is kept.
        self.reporter.progress(JOINED * (self.number + min(done, 0.99)) / self.parts, self.message)

    def kept(self) -> None:
        self.reporter.progress(JOINED * ((self.number + 1) / self.parts), self.message)


def _key(clip: Clip, target: Target, part: Span, recipe: Mapping[str, Any]) -> str:
    facts = {
        "source": clip.sha256,
        "span": [part.first, part.last, part.low, part.high],
        "target": [target.width, target.height, str(target.fps), target.frames, target.slow],
        "recipe": recipe,
    }
    return hashlib.sha256(json.dumps(facts, sort_keys=True, default=str).encode()).hexdigest()
