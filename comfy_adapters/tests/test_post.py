"""Post of clips by the local engine: exact lengths, no seams, pieces that outlive an attempt."""

from array import array
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import pytest
from PIL import Image

from aipipeline.media import ffmpeg
from aipipeline.media.probe import probe
from comfy_adapters.local.backend import LocalBackend
from comfy_adapters.local.post import MOTION
from comfy_adapters.post import clips, plan
from comfy_adapters.tests.clips import SIZE, Listening, apart, job, moving, pictures, pieces
from renders.backends import BackendError, JobCancelled

FILM = Fraction(24000, 1001)


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return moving(tmp_path_factory.mktemp("post") / "a.mp4", frames=130, sound=True)


@pytest.fixture(scope="module")
def source(clip: Path) -> list[Image.Image]:
    return pictures(clip)


def facts(frames: int, fps: Fraction, size: tuple[int, int] = SIZE) -> clips.Clip:
    return clips.Clip(Path("a.mp4"), "", *size, fps, array("q", range(frames)), "")


@pytest.mark.parametrize(
    ("frames", "fps", "params", "rate", "made"),
    [
        (100, Fraction(24), {}, 48, 200),
        (100, Fraction(24), {"fps": "24"}, 48, 200),
        (101, Fraction(24), {"fps": "60"}, 60, 253),
        (100, Fraction(24), {"fps": "24", "multiplier": 4}, 96, 400),
        (100, Fraction(24), {"fps": "24", "slow": 2}, 24, 200),
        (77, Fraction(24), {"slow": 4}, 24, 308),
        (100, FILM, {"fps": "60000/1001"}, Fraction(60000, 1001), 250),
        (1, Fraction(24), {}, 48, 2),
    ],
)
def test_a_clip_stays_as_long_as_it_was(
    frames: int, fps: Fraction, params: dict[str, object], rate: Fraction, made: int
) -> None:
    target = plan.interpolated(facts(frames, fps), params)
    assert (target.fps, target.frames) == (rate, made)
    assert abs(Fraction(frames) / fps * target.slow - target.frames / target.fps) <= 1 / (2 * target.fps)


@pytest.mark.parametrize("frames", [1, 2, 47, 48, 60, 61, 500])
@pytest.mark.parametrize("params", [{}, {"fps": "60"}, {"fps": "60000/1001"}, {"slow": 4}])
def test_pieces_cover_the_result_once_and_reach_what_they_need(frames: int, params: dict[str, object]) -> None:
    clip = facts(frames, Fraction(24))
    target = plan.interpolated(clip, params)
    parts = plan.spans(clip, target, overlap=3)
    assert [part.first for part in parts] == [0, *(part.last for part in parts[:-1])]
    assert parts[-1].last == target.frames
    for part in parts:
        assert 0 <= part.low < part.high <= frames
        assert part.low <= max(0, part.first * clip.fps // target.grid - 3)
        assert part.high >= min(frames, (part.last - 1) * clip.fps // target.grid + 3)


@pytest.mark.parametrize(
    ("params", "size"), [({}, (320, 180)), ({"scale": 4}, (640, 360)), ({"width": 641, "height": 361}, (640, 360)),
                         ({"width": 160, "height": 90}, (320, 180)), ({"width": 160, "height": 90, "scale": 1}, SIZE)]
)  # fmt: skip
def test_the_size_is_the_asked_one_or_twice_the_source(params: dict[str, object], size: tuple[int, int]) -> None:
    target = plan.upscaled(facts(10, Fraction(24)), params)
    assert (target.width, target.height, target.frames, target.fps) == (*size, 10, 24)


@pytest.mark.parametrize(
    "params",
    [{"scale": 9}, {"scale": "x"}, {"scale": 1.5}, {"width": 20000, "height": 90}, {"width": "a", "height": 1}],
)
def test_a_wrong_size_names_what_is_wrong(params: dict[str, object]) -> None:
    with pytest.raises(BackendError, match=r"scale|width|20000") as caught:
        plan.upscaled(facts(10, Fraction(24)), params)
    assert caught.value.retryable is False


@pytest.mark.parametrize("params", [{"slow": "a"}, {"multiplier": 99}, {"fps": "12"}, {"fps": "1/0"}, {"fps": "500"}])
def test_a_wrong_rate_names_what_is_wrong(params: dict[str, object]) -> None:
    with pytest.raises(BackendError, match=next(iter(params))) as caught:
        plan.interpolated(facts(10, Fraction(24)), params)
    assert caught.value.retryable is False


def nearest(picture: Image.Image, shown: list[Image.Image], around: int) -> int:
    """The number of the frame that looks most like the picture, among those around it."""
    return min(range(around - 2, min(around + 3, len(shown))), key=lambda k: apart(picture, shown[k]))


def in_one_piece(clip: Path, folder: Path, *, grid: Fraction, fps: int, frames: int) -> Path:
    out = folder / "whole.mp4"
    chain = f"tpad=stop=5:stop_mode=clone,{MOTION.format(grid=grid)},settb=1/{fps},setpts=N,format=yuv420p"
    ffmpeg.run(["-i", clip, "-vf", chain, "-frames:v", str(frames), *clips.encode(Fraction(fps)), out])
    return out


@pytest.mark.parametrize(
    ("params", "fps", "frames"),
    [({}, 48, 260), ({"fps": "60"}, 60, 325), ({"fps": "24", "slow": 2}, 24, 260)],
)
def test_more_frames_show_no_seam_and_keep_the_sources_own(
    tmp_path: Path, clip: Path, source: list[Image.Image], params: dict[str, object], fps: int, frames: int
) -> None:
    reporter = Listening()
    result = LocalBackend().run(job(tmp_path, "local.interpolate", {"source_video": clip}, **params), reporter)
    made = probe(result.files[0])
    assert (made.frames, made.fps, made.width, made.height, made.has_audio) == (frames, fps, *SIZE, True)
    assert made.seconds is not None
    assert abs(made.seconds - Fraction(frames, fps)) < Fraction(1, 10)
    assert (result.provenance["pieces"], result.provenance["pieces_kept"]) == (3, 0)
    shown = pictures(result.files[0])
    every = Fraction(frames, len(source))
    for i in range(1, len(source) - 1):
        if (i * every).denominator == 1:
            assert nearest(source[i], shown, int(i * every)) == int(i * every), "the source's frames, at their times"
    still = [k for k, (one, other) in enumerate(pairwise(shown)) if apart(one, other) < 0.01]
    assert all(k >= (len(source) - 1) * every - 1 for k in still), "only the end stands"
    whole = pictures(in_one_piece(clip, tmp_path, grid=Fraction(24) * every, fps=fps, frames=frames))
    for border in (int(48 * every), int(96 * every)):
        near = range(border - 8, border + 8)
        assert [nearest(whole[k], shown, k) for k in near] == list(near), "as if it had been made in one piece"
    assert reporter.told == sorted(reporter.told)
    assert reporter.messages[-1] == "Putting the pieces together"


def test_a_larger_clip_is_the_same_clip(tmp_path: Path, clip: Path, source: list[Image.Image]) -> None:
    result = LocalBackend().run(job(tmp_path, "local.upscale", {"source_video": clip}, scale=2), Listening())
    made = probe(result.files[0])
    assert (made.frames, made.fps, made.width, made.height, made.has_audio) == (130, 24, 320, 180, True)
    shown = pictures(result.files[0])
    small = [picture.resize(SIZE, Image.Resampling.LANCZOS) for picture in shown]
    for i in (2, 47, 48, 49, 95, 96, 128):
        assert nearest(source[i], small, i) == i


def test_what_is_finished_is_not_made_again(tmp_path: Path, clip: Path) -> None:
    """Stopped after its first piece, then its second, and one is torn after that: only what is whole is taken."""
    engine, inputs, work = LocalBackend(), {"source_video": clip}, tmp_path / ".work-j"
    with pytest.raises(JobCancelled):
        engine.run(job(tmp_path, "local.interpolate", inputs), Listening(made=(work, 1)))
    assert len(pieces(work)) == 1
    assert [path for path in work.iterdir() if ".part" in path.name] == []
    (work / ".7.ab.part.mp4").write_bytes(b"left by a death")
    with pytest.raises(JobCancelled):
        engine.run(job(tmp_path, "local.interpolate", inputs, 2), Listening(made=(work, 2)))
    kept = {path: path.stat().st_mtime_ns for path in pieces(work)}
    assert len(kept) == 2
    whole = engine.run(job(tmp_path, "local.interpolate", inputs, 3), Listening())
    assert whole.provenance["pieces_kept"] == 2
    assert all(path.stat().st_mtime_ns == before for path, before in kept.items())
    torn = max(kept, key=lambda path: path.stat().st_size)
    torn.write_bytes(torn.read_bytes()[:-9] + b"x" * 9)
    again = engine.run(job(tmp_path, "local.interpolate", inputs, 4), Listening())
    assert again.provenance["pieces_kept"] == 2
    assert again.files[0].read_bytes() == whole.files[0].read_bytes(), "the same clip, byte by byte"
    other = engine.run(job(tmp_path, "local.interpolate", inputs, 5, slow=2), Listening())
    assert other.provenance["pieces_kept"] == 0, "what was asked for differs"


def test_pieces_of_different_coding_are_joined_all_the_same(tmp_path: Path) -> None:
    one = moving(tmp_path / "1.mp4", frames=20)
    two = moving(tmp_path / "2.mp4", frames=10, fps="30")
    clips.put_together([one, two, one], tmp_path / "o.mp4", clip=clips.read_clip(one), fps=Fraction(24), frames=50)
    made = probe(tmp_path / "o.mp4")
    assert (made.frames, made.fps) == (50, 24)


def test_a_still_becomes_larger_with_its_clean_picture(tmp_path: Path) -> None:
    inputs = {}
    for role in ("source_image", "clean_image"):
        inputs[role] = tmp_path / f"{role}.png"
        Image.effect_noise(SIZE, 40).convert("RGB").save(inputs[role])
    result = LocalBackend().run(job(tmp_path, "local.upscale_image", inputs, scale=4), Listening())
    assert [(path.name, Image.open(path).size) for path in result.files] == [
        ("upscaled.png", (640, 360)), ("clean.png", (640, 360)),
    ]  # fmt: skip


def test_what_is_no_clip_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(b"nothing")
    with pytest.raises(BackendError, match=r"a\.mp4 cannot be read as a clip"):
        LocalBackend().run(job(tmp_path, "local.upscale", {"source_video": tmp_path / "a.mp4"}), Listening())
    with pytest.raises(BackendError, match="Render the shot first"):
        LocalBackend().run(job(tmp_path, "local.upscale", {}, 2), Listening())
