"""Shots that are longer than their model makes: chains of clips, each kept, joined to exactly the shot."""

from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from aipipeline.media import ffmpeg
from aipipeline.media.frames import take_frame
from aipipeline.media.probe import probe
from comfy_adapters.comfyui import graphs, long
from comfy_adapters.comfyui.backend import ComfyBackend
from comfy_adapters.comfyui.servers import lacks
from comfy_adapters.tests.comfyui.helpers import QUICK, Reporter
from comfy_adapters.tests.comfyui.test_catalogue import server
from comfy_adapters.tests.comfyui.test_inputs import job
from renders.backends import JobCancelled, JobContext, Stop, Wanted
from tests.doubles.comfyui.process import ComfyDouble

LONG = {"width": 160, "height": 96, "frames": 200, "fps": "24"}  # 134 frames of WAN's own, in two clips


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "first.png"
    Image.linear_gradient("L").resize((160, 96)).convert("RGB").save(path)
    return path


def with_folder(context: JobContext, folder: Path, **more: Any) -> JobContext:
    return JobContext(**{**vars(context), "work_dir": folder, **more})


CHAINED = ["ltx23_i2v", "ltx25_i2v", "ltx2_i2v", "wan22_i2v", "wan22_i2v_4step", "wan_animate", "wan_animate2"]


@pytest.mark.parametrize("name", CHAINED)
@pytest.mark.parametrize("fps", ["24", "25", "30", "60", "24000/1001", "30000/1001"])
def test_chains_cover_the_shot_evenly(name: str, fps: str) -> None:
    _graph, slots = graphs.load(name)
    limits = slots.constraints
    rate = limits.rate(Fraction(fps))
    for frames in range(1, 3001, 7):
        chain = long.plan(slots, {"frames": frames, "fps": fps})
        seconds = Fraction(frames) / Fraction(fps)
        if chain is None:
            assert seconds * rate <= limits.max_length
            continue
        assert chain.clips >= 2
        assert chain.length <= limits.max_length
        assert chain.rate == rate
        assert (chain.length - 1) % limits.length_step == 0
        assert chain.frames / chain.rate >= seconds
        assert chain.frames - seconds * chain.rate < limits.length_step * chain.clips + 1
        shared = slots.continues.frames if slots.continues else 1
        assert chain.overlap == shared
        assert (chain.clips - 1) * (limits.max_length - shared) + shared < seconds * rate + 1  # no clip too many


def test_only_graphs_that_begin_with_a_picture_and_end_freely_are_chained() -> None:
    chained = {name for name in graphs.names() if graphs.load(name)[1].can_chain}
    assert chained == set(CHAINED)


@pytest.fixture
def whole(comfy_server: ComfyDouble, tmp_path: Path, picture: Path) -> tuple[Any, JobContext]:
    context = job(comfy_server.url, tmp_path, "wan22_i2v", {"first_image": picture}, **LONG)
    return ComfyBackend(QUICK).run(context, Reporter()), context


def test_a_long_shot_is_made_of_clips_that_follow_each_other(
    whole: tuple[Any, JobContext], comfy_server: ComfyDouble, tmp_path: Path
) -> None:
    result, context = whole
    assert [path.name for path in result.files] == ["shot.mp4", "source-01.mp4", "source-02.mp4"]
    made = probe(result.files[0])
    assert (made.frames, made.fps, made.width, made.height) == (200, Fraction(24), 160, 96)
    kept = result.provenance
    first, second = kept["clips"]
    assert [clip["source"]["frames"] for clip in (first, second)] == [69, 69]
    assert kept["snapped"]["length"] == [134, 137]
    assert second["seed"] == first["seed"] + 1 == kept["seed"] + 1
    assert first["prompt_id"] != second["prompt_id"]
    assert "filled_graph" not in kept
    assert first["filled_graph"]["33"]["inputs"]["length"] == 69
    # The second begins with the frame that the first ended with.
    take_frame(result.files[1], 68, tmp_path / "last.png")
    with Image.open(tmp_path / "last.png") as last, Image.open(comfy_server.data / "input" / sent(second)) as began:
        assert last.tobytes() == began.convert(last.mode).tobytes()
    assert comfy_server.stats()["posts"] == 2
    assert [path.name for path in context.out_dir.iterdir() if path.name.startswith(".")] == []


def sent(clip: dict[str, Any]) -> str:
    return str(clip["uploads"]["first_image"]["name"])


def test_finished_clips_survive_a_death(comfy_server: ComfyDouble, tmp_path: Path, picture: Path) -> None:
    folder = tmp_path / "work"
    context = with_folder(job(comfy_server.url, tmp_path, "wan22_i2v", {"first_image": picture}, **LONG), folder)
    dying = Reporter(cancel_when=lambda reporter: any("Clip 2" in message for message in reporter.messages))
    dying.reason = Stop.LOST
    with pytest.raises(JobCancelled):
        ComfyBackend(QUICK).run(context, dying)
    posts = comfy_server.stats()["posts"]
    assert len(list(folder.glob("*.piece.json"))) == 2  # the clip, and what is known of it
    again = job(comfy_server.url, tmp_path, "wan22_i2v", {"first_image": picture}, "again", **LONG)
    result = ComfyBackend(QUICK).run(with_folder(again, folder, state=dying.state), Reporter())
    assert probe(result.files[0]).frames == 200
    assert comfy_server.stats()["posts"] <= max(posts + 1, 2)
    assert max(comfy_server.stats()["executed"].values()) == 1
    assert len(result.provenance["clips"]) == 2


def test_a_shot_of_more_than_twenty_seconds_is_made_of_clips_by_ltx(
    comfy_server: ComfyDouble, tmp_path: Path, picture: Path
) -> None:
    """Their rate is the shot's own, and their sound stays behind."""
    facts = {**LONG, "width": 128, "height": 128, "frames": 500, "fps": "25"}
    context = job(comfy_server.url, tmp_path, "ltx2_i2v", {"first_image": picture}, **facts)
    result = ComfyBackend(QUICK).run(context, Reporter())
    made = probe(result.files[0])
    assert (made.frames, made.fps, made.width, made.height) == (500, Fraction(25), 128, 128)
    clips = result.provenance["clips"]
    assert [clip["source"]["frames"] for clip in clips] == [257, 257]
    take_frame(result.files[1], 256, tmp_path / "last.png")
    with Image.open(tmp_path / "last.png") as last, Image.open(comfy_server.data / "input" / sent(clips[1])) as began:
        assert last.tobytes() == began.convert(last.mode).tobytes()


def bar(path: Path, frame: int, folder: Path) -> int:
    """Where the white bar begins in a frame."""
    take_frame(path, frame, folder / "edge.png")
    with Image.open(folder / "edge.png") as picture:
        box = picture.convert("L").point(lambda value: 255 if value > 128 else 0).getbbox()
    return box[0] if box else 0


@pytest.mark.parametrize(("name", "shared"), [("wan_animate", 5), ("wan_animate2", 1)])
def test_a_driven_clip_takes_up_the_one_before_and_keeps_its_reference(
    comfy_server: ComfyDouble, tmp_path: Path, picture: Path, name: str, shared: int
) -> None:
    drive = tmp_path / "drive.mp4"
    bars = "color=black:size=160x96:rate=24[a];color=white:size=10x96:rate=24[b];[a][b]overlay=x=n/240*150"
    ffmpeg.run(["-f", "lavfi", "-i", bars, "-frames:v", "240", "-pix_fmt", "yuv420p", drive])
    inputs = {"first_image": picture, "reference_video": drive}
    context = job(comfy_server.url, tmp_path, name, inputs, **{**LONG, "frames": 240})
    result = ComfyBackend(QUICK).run(context, Reporter())
    assert probe(result.files[0]).frames == 240
    first, second, *more = result.provenance["clips"]
    assert len(more) == (1 if name == "wan_animate" else 0)
    # A model that takes its picture for what somebody looks like gets the same one for every clip.
    assert first["uploads"]["first_image"] == second["uploads"]["first_image"]
    assert "before" not in first["uploads"]
    assert second["filled_graph"]["33"]["inputs"]["continue_motion"][0].startswith("aip_before")
    assert "continue_motion" not in first["filled_graph"]["33"]["inputs"]
    assert first["filled_graph"]["33"]["inputs"].get("continue_motion_max_frames", 1) == shared
    length = first["filled_graph"]["33"]["inputs"]["length"]
    assert first["source"]["frames"] == length
    assert second["source"]["frames"] == length - (shared if name == "wan_animate" else 0)
    given = comfy_server.data / "input" / second["uploads"]["before"]["name"]
    assert probe(given).frames == shared
    drives = [comfy_server.data / "input" / clip["uploads"]["reference_video"]["name"] for clip in (first, second)]
    assert [(probe(path).frames, probe(path).fps) for path in drives] == [(length, Fraction(16))] * 2
    for frame in range(shared):  # the clip before ended with the moments at which the driving clip begins
        moment = bar(drives[1], frame, tmp_path)
        assert abs(moment - bar(drives[0], length - shared + frame, tmp_path)) <= 1
        assert abs(moment - bar(result.files[1], length - shared + frame, tmp_path)) <= 2
        assert name == "wan_animate2" or abs(moment - bar(given, frame, tmp_path)) <= 2
    # The double shows the driving clip: nothing of it is there twice, and nothing is missing at the seams.
    places = [bar(result.files[0], frame, tmp_path) for frame in range(0, 240, 8)]
    steps = [after - before for before, after in pairwise(places)]
    assert all(3 <= step <= 7 for step in steps), steps


def test_a_long_shot_is_not_refused_before_there_is_a_job() -> None:
    table = server("0.33.0", graphs.load("wan22_i2v")[1])
    assert lacks(Wanted("comfy.wan22_i2v", {**LONG, "frames": 900}), table) == []
