"""Movies: every frame in its place, pieces re-used, nothing left behind by a cancel."""

from fractions import Fraction
from pathlib import Path

import av
import pytest
from PIL import Image

from aipipeline.media import ffmpeg
from aipipeline.media.probe import probe
from comfy_adapters.local.moves import render_move
from timeline.assembly.build import build_movie
from timeline.assembly.profiles import FILM, PROXY
from timeline.cut import Cut, CutClip

W, H = 160, 90


def grey(path: Path, value: int) -> Path:
    Image.new("RGB", (W, H), (value, value, value)).save(path)
    return path


def levels(path: Path) -> list[int]:
    """The grey level of every decoded frame."""
    with av.open(str(path)) as container:
        return [_level(frame) for frame in container.decode(video=0)]


def _level(frame: "av.VideoFrame") -> int:
    return int(frame.to_image().convert("L").resize((1, 1)).getpixel((0, 0)))  # type: ignore[arg-type]


def a_cut(folder: Path, fps: Fraction, lengths: list[int], *, video: bool = False) -> Cut:
    clips = []
    for i, length in enumerate(lengths):
        still = grey(folder / f"{i}.png", 20 + i * 25)
        media = still
        if video and i % 2:
            media = folder / f"{i}.mp4"
            render_move(still, media, frames=length, fps=fps, width=W, height=H, movement="push_in")
        clips.append(
            CutClip(
                name=f"S{i}", shot_code=f"S{i}", reel=f"R{i}", duration=length, media=media, is_still=media is still
            )
        )
    return Cut("t", fps, W, H, 0, tuple(clips))


@pytest.mark.parametrize("fps", [Fraction(24), Fraction(24000, 1001), Fraction(30000, 1001)])
@pytest.mark.parametrize("profile", [PROXY, FILM])
def test_every_frame_stands_where_the_cut_says(tmp_path: Path, fps: Fraction, profile: object) -> None:
    lengths = [5, 1, 12, 7, 3]
    cut = a_cut(tmp_path, fps, lengths, video=True)
    out = tmp_path / "out.mp4"
    built = build_movie(cut, out, cache=tmp_path / "cache", profile=profile)  # type: ignore[arg-type]
    facts = probe(out)
    assert (built.frames, facts.frames, facts.fps, facts.codec) == (28, 28, fps, "h264")
    seen = levels(out)
    wanted = [20 + i * 25 for i, n in enumerate(lengths) for _ in range(n)]
    assert len(seen) == len(wanted)
    assert all(abs(a - b) <= 6 for a, b in zip(seen, wanted, strict=True))


def test_one_changed_clip_is_one_new_piece(tmp_path: Path) -> None:
    cut = a_cut(tmp_path, Fraction(24), [4] * 8)
    first = build_movie(cut, tmp_path / "a.mp4", cache=tmp_path / "cache", profile=PROXY)
    grey(tmp_path / "3.png", 250)
    second = build_movie(cut, tmp_path / "b.mp4", cache=tmp_path / "cache", profile=PROXY)
    assert (first.rendered, second.rendered, second.reused) == (8, 1, 7)


def test_clips_of_our_own_join_without_encoding_again(tmp_path: Path) -> None:
    cut = a_cut(tmp_path, Fraction(24), [6, 6, 6, 6], video=True)
    built = build_movie(cut, tmp_path / "a.mp4", cache=tmp_path / "cache", profile=FILM)
    assert built.copied == 2


def test_clips_that_stand_and_clips_that_move_join_without_encoding_again(tmp_path: Path) -> None:
    fps, clips = Fraction(24), []
    for index, movement in enumerate(["static", "push_in", "static", "handheld"]):
        media = tmp_path / f"{index}.mp4"
        still = grey(tmp_path / f"{index}.png", 40 + index * 40)
        render_move(still, media, frames=30 + index, fps=fps, width=W, height=H, movement=movement)
        name = f"S{index}"
        clips.append(CutClip(name=name, shot_code=name, reel=name, duration=30 + index, media=media))
    out = tmp_path / "a.mp4"
    built = build_movie(Cut("t", fps, W, H, 0, tuple(clips)), out, cache=tmp_path / "cache", profile=FILM)
    assert (built.copied, built.rendered) == (4, 4)
    wanted = [40 + index * 40 for index in range(4) for _ in range(30 + index)]
    assert all(abs(a - b) <= 6 for a, b in zip(levels(out), wanted, strict=True))


def test_missing_media_is_a_slate_and_short_media_holds(tmp_path: Path) -> None:
    short = tmp_path / "short.mp4"
    render_move(grey(tmp_path / "x.png", 120), short, frames=4, fps=Fraction(24), width=W, height=H, movement="static")
    clips = (
        CutClip(name="A", shot_code="A", reel="A", duration=5, media=tmp_path / "gone.mp4"),
        CutClip(name="B", shot_code="B", reel="B", duration=9, media=short, media_frames=4),
    )
    built = build_movie(Cut("t", Fraction(24), W, H, 0, clips), tmp_path / "o.mp4", cache=tmp_path / "c", profile=PROXY)
    assert built.frames == 14


def test_a_cancel_leaves_no_movie(tmp_path: Path) -> None:
    cut = a_cut(tmp_path, Fraction(24), [200] * 6)
    with pytest.raises(ffmpeg.Cancelled):
        build_movie(cut, tmp_path / "o.mp4", cache=tmp_path / "c", profile=FILM, cancelled=lambda: True)
    assert not (tmp_path / "o.mp4").exists()
    assert not list((tmp_path / "c").glob(".*"))
