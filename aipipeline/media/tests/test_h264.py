"""Held pictures: exactly their frames on the frame grid, in a stream that joins with every other of its size."""

from fractions import Fraction
from pathlib import Path

import av
import pytest
from PIL import Image, ImageChops, ImageDraw, ImageStat

from aipipeline.media import ffmpeg, h264

FIT = "scale=160:90,setsar=1,format=yuv420p"


@pytest.fixture
def still(tmp_path: Path) -> Path:
    image = Image.effect_noise((160, 90), 40).convert("RGB")
    ImageDraw.Draw(image).ellipse([20, 20, 90, 70], fill=(200, 80, 40))
    path = tmp_path / "still.png"
    image.save(path)
    return path


def held(still: Path, out: Path, frames: int, fps: Fraction) -> Path:
    h264.hold(still, out, frames=frames, fps=fps, fit=FIT, encode=h264.encoder(fps, preset="superfast", crf=18))
    return out


@pytest.mark.parametrize("fps", [Fraction(24), Fraction(25), Fraction(24000, 1001), Fraction(30000, 1001)])
@pytest.mark.parametrize("frames", [1, 11, 12, 13, 24, 61])
def test_a_held_picture_has_its_frames_on_the_grid(still: Path, tmp_path: Path, frames: int, fps: Fraction) -> None:
    out = held(still, tmp_path / "out.mp4", frames, fps)
    with av.open(str(out)) as container:
        stream = container.streams.video[0]
        ticks = h264.timescale(fps) / fps
        packets = [packet for packet in container.demux(stream) if packet.size]
        assert stream.average_rate == fps
        assert stream.duration == frames * ticks
        assert [p.pts for p in packets] == [p.dts for p in packets] == [i * ticks for i in range(frames)]
        assert [i for i, p in enumerate(packets) if p.is_keyframe] == list(range(0, frames, h264.GROUP))
    assert [path.name for path in tmp_path.iterdir() if path.suffix == ".mp4"] == ["out.mp4"]


def test_every_frame_shows_the_picture(still: Path, tmp_path: Path) -> None:
    out = held(still, tmp_path / "out.mp4", 40, Fraction(24))
    wanted = Image.open(still).convert("L")
    with av.open(str(out)) as container:
        pictures = [frame.to_image().convert("L") for frame in container.decode(video=0)]  # type: ignore[no-untyped-call]
    assert len(pictures) == 40
    assert max(ImageStat.Stat(ImageChops.difference(p, wanted)).mean[0] for p in pictures) < 6


def test_a_held_picture_has_the_header_of_any_other_clip(still: Path, tmp_path: Path) -> None:
    fps = Fraction(24)
    moving = tmp_path / "moving.mp4"
    encode = h264.encoder(fps, preset="superfast", crf=20)
    ffmpeg.run(["-f", "lavfi", "-i", "testsrc2=size=160x90:rate=24", "-frames:v", "30", *encode, moving])
    headers = []
    for path in (moving, held(still, tmp_path / "a.mp4", 30, fps), held(still, tmp_path / "b.mp4", 5, fps)):
        with av.open(str(path)) as container:
            headers.append(bytes(container.streams.video[0].codec_context.extradata or b""))
    assert headers[0] == headers[1] == headers[2] != b""


def test_a_picture_that_cannot_be_read_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "bad.png").write_bytes(b"no picture")
    with pytest.raises(ffmpeg.FFmpegError):
        held(tmp_path / "bad.png", tmp_path / "out.mp4", 40, Fraction(24))
    assert [path.name for path in tmp_path.iterdir()] == ["bad.png"]
