"""The local engine: exact sizes and lengths, the same picture every time, captions that fit."""

from fractions import Fraction
from pathlib import Path

import pytest
from PIL import ImageChops

from aipipeline.media import ffmpeg
from aipipeline.media.probe import probe
from comfy_adapters.local.caption import fitted, font, wrapped
from comfy_adapters.local.composition import places
from comfy_adapters.local.moves import render_move
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
