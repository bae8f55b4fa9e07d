"""The local engine: exact sizes and lengths, the same picture every time, captions that fit."""

from fractions import Fraction
from pathlib import Path

import pytest
from PIL import Image, ImageChops

from aipipeline.media import ffmpeg
from aipipeline.media.probe import probe
from comfy_adapters.local.caption import fitted, font, wrapped
from comfy_adapters.local.composition import places
from comfy_adapters.local.moves import cut_frame, planes_of, render_move, window
from comfy_adapters.local.panel import draw_panel
from comfy_adapters.local.spec import PanelSpec
from shots.choices import Movement, ShotSize


def spec(**more: object) -> PanelSpec:
    cast = [{"name": "리나", "color": "#e0875a", "speaking": True}, {"name": "민준", "color": "#5aa9e0"}]
    return PanelSpec.from_subject(
        {"code": "SHT_0010", "characters": cast, "location": "카페", "description": "창가", **more}
    )


@pytest.mark.parametrize("size", ShotSize.values)
@pytest.mark.parametrize("angle", ["eye", "ots", "overhead"])
def test_every_framing_gives_an_exact_picture(size: str, angle: str) -> None:
    panel, clean = draw_panel(spec(size=size, angle=angle), 320, 180, 1)
    assert panel.size == clean.size == (320, 180)
    assert ImageChops.difference(panel, clean).getbbox() is not None


def test_the_same_shot_is_the_same_picture() -> None:
    assert draw_panel(spec(), 320, 180, 7)[0].tobytes() == draw_panel(spec(), 320, 180, 7)[0].tobytes()


def test_closer_framings_show_larger_heads() -> None:
    heads = [places(spec(size=size))[0].head for size in ("EWS", "WS", "MWS", "MS", "MCU", "CU", "ECU")]
    assert heads == sorted(heads)


@pytest.mark.parametrize("size", ["WS", "EWS"])
@pytest.mark.parametrize("angle", ["eye", "low", "high", "dutch", "pov"])
@pytest.mark.parametrize("cast", [1, 2, 3, 5])
def test_wide_framings_show_the_feet_above_the_caption(size: str, angle: str, cast: int) -> None:
    people = [{"name": f"P{i}"} for i in range(cast)]
    found = places(spec(size=size, angle=angle, characters=people))
    assert len(found) == cast
    assert all(place.y - place.head > 0 and place.y + 6.5 * place.head < 0.88 for place in found)


@pytest.mark.parametrize("time", ["밤", "새벽", "낮", ""])
@pytest.mark.parametrize("weather", ["rain", "snow", "fog", "storm", ""])
def test_time_and_weather_change_the_picture(time: str, weather: str) -> None:
    plain = draw_panel(spec(interior=False, location="거리"), 160, 90, 1)[1]
    other = draw_panel(spec(interior=False, location="거리", time_of_day=time, weather=weather), 160, 90, 1)[1]
    same = (time, weather) in (("", ""), ("낮", ""))
    assert (ImageChops.difference(plain, other).getbbox() is None) is same


def test_long_korean_captions_never_leave_their_room() -> None:
    face = font(19)
    assert face.getlength(fitted("아주 긴 설명입니다 " * 50, face, 300)) <= 300
    lines = wrapped("띄어쓰기없는아주긴문장" * 40, face, 300, 2)
    assert len(lines) == 2
    assert all(face.getlength(line) <= 300 for line in lines)


@pytest.mark.parametrize("movement", [*Movement.values])
def test_a_move_has_exactly_its_frames(tmp_path: Path, movement: str) -> None:
    still = tmp_path / "s.png"
    draw_panel(spec(), 160, 90, 1)[1].save(still)
    out = tmp_path / "o.mp4"
    render_move(still, out, frames=13, fps=Fraction(24000, 1001), width=160, height=90, movement=movement)
    facts = probe(out)
    assert (facts.frames, facts.fps, facts.width, facts.height) == (13, Fraction(24000, 1001), 160, 90)


@pytest.mark.parametrize("movement", ["push_in", "pan_right", "tilt_down", "track_left", "handheld"])
def test_a_move_is_where_its_path_says_to_a_tenth_of_a_pixel(tmp_path: Path, movement: str) -> None:
    """A soft spot is followed through the frames: whole-pixel steps, as of ffmpeg's zoompan, would be ten times off."""
    width, height, frames = 320, 180, 48
    spot = Image.radial_gradient("L").resize((61, 61)).point([max(0, 255 - round(v * 1.42)) for v in range(256)])
    picture = Image.new("RGB", (width, height), (16, 16, 16))
    picture.paste((235, 235, 235), (150, 65), spot)
    still = tmp_path / "s.png"
    picture.save(still)
    planes = planes_of(still, width, height)
    at = centre(planes[0])
    views = [window(movement, index / (frames - 1), 3) for index in range(frames)]
    seen = [centre(Image.frombytes("L", (width, height), cut_frame(planes, v, (width, height))[0])) for v in views]
    wanted = []
    for zoom, dx, dy in views:
        left, top = (width - width / zoom) / 2 * (1 + dx), (height - height / zoom) / 2 * (1 + dy)
        wanted.append(((at[0] - left) * zoom, (at[1] - top) * zoom))
    off = [max(abs(a - c), abs(b - d)) for (a, b), (c, d) in zip(seen, wanted, strict=True)]
    assert max(off) < 0.1
    assert len({round(x + y, 2) for x, y in seen}) > frames / 2


def centre(image: Image.Image) -> tuple[float, float]:
    """The centre of light of a picture, in pixels from the corner."""
    mask = image.point([max(0, v - 60) for v in range(256)]).convert("F")
    columns = list(mask.resize((mask.width, 1), Image.Resampling.BOX).getdata())
    rows = list(mask.resize((1, mask.height), Image.Resampling.BOX).getdata())
    across = sum((i + 0.5) * v for i, v in enumerate(columns)) / sum(columns)
    return across, sum((i + 0.5) * v for i, v in enumerate(rows)) / sum(rows)


def test_a_cancelled_move_leaves_nothing(tmp_path: Path) -> None:
    still = tmp_path / "s.png"
    draw_panel(spec(), 160, 90, 1)[1].save(still)
    with pytest.raises(ffmpeg.Cancelled):
        render_move(
            still, tmp_path / "o.mp4", frames=500, fps=Fraction(24), width=160, height=90, movement="push_in",
            cancelled=lambda: True,
        )  # fmt: skip
    assert not (tmp_path / "o.mp4").exists()


def test_ffmpeg_errors_carry_the_reason(tmp_path: Path) -> None:
    with pytest.raises(ffmpeg.FFmpegError) as caught:
        ffmpeg.run(["-i", tmp_path / "missing.mp4", tmp_path / "o.mp4"])
    assert "missing.mp4" in caught.value.tail
