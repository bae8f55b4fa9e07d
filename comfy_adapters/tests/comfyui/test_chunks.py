"""Post of clips on a server in pieces: exact frames at the borders, nothing twice, what is finished stays."""

from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from aipipeline.media import ffmpeg
from aipipeline.media.probe import probe
from comfy_adapters.comfyui import chunks, graphs
from comfy_adapters.comfyui.backend import ComfyBackend
from comfy_adapters.comfyui.errors import ComfyError
from comfy_adapters.post import plan
from comfy_adapters.post.clips import read_clip
from comfy_adapters.tests.clips import SIZE, apart, moving, pictures
from comfy_adapters.tests.comfyui.helpers import QUICK, Reporter
from renders.backends import JobCancelled, JobContext
from tests.doubles.comfyui.process import ComfyDouble


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return moving(tmp_path_factory.mktemp("post") / "a.mp4", frames=50, sound=True)


@pytest.fixture(scope="module")
def source(clip: Path) -> list[Image.Image]:
    return pictures(clip)


@pytest.fixture(autouse=True)
def short_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan, "SPAN", 20)


def job(url: str, folder: Path, workflow: str, clip: Path, number: int = 1, **params: Any) -> JobContext:
    out = folder / f"out-{number}"
    out.mkdir()
    role = "source_image" if workflow.endswith("image") else "reference_video"
    wanted = {"prompt": "", "seed": 1, "width": SIZE[0], "height": SIZE[1], "frames": 50, "fps": "24", **params}
    return JobContext(
        "job-1", f"attempt-{number}", workflow, "comp", wanted, {}, {role: clip}, out, url, work_dir=folder / ".work-j"
    )  # fmt: skip


def shows(shown: list[Image.Image], source: list[Image.Image], k: int, ratio: Fraction) -> int:
    """Which frame of the source this one of the result shows."""
    around = int(k / ratio)
    near = range(max(0, around - 2), min(len(source), around + 3))
    return min(near, key=lambda i: apart(shown[k], source[i]))


@pytest.mark.parametrize(
    ("workflow", "params", "fps", "frames", "times"),
    [
        ("comfy.rife_core", {}, 48, 100, 2),
        ("comfy.rife_core", {"fps": "60"}, 60, 125, 5),
        ("comfy.rife_core", {"slow": 4}, 24, 200, 4),
        ("comfy.rife_core", {"fps": "60000/1001"}, Fraction(60000, 1001), 125, 6),
        ("comfy.rife_vfi", {"multiplier": 2}, 48, 100, 2),
        ("comfy.rife_vfi", {"multiplier": 8}, 192, 400, 8),
        ("comfy.rife_vfi", {"slow": 8}, 24, 400, 8),  # its clip cannot say more than 120 frames a second
    ],
)
def test_more_frames_are_the_right_ones(
    shared_server: ComfyDouble,
    tmp_path: Path,
    clip: Path,
    source: list[Image.Image],
    workflow: str,
    params: dict[str, Any],
    fps: int | Fraction,
    frames: int,
    times: int,
) -> None:
    """The double repeats frames instead of inventing some, so each frame of the result tells where it came from."""
    reporter = Reporter()
    result = ComfyBackend(QUICK).run(job(shared_server.url, tmp_path, workflow, clip, **params), reporter)
    made = probe(result.files[0])
    assert (made.frames, made.fps, made.width, made.height, made.has_audio) == (frames, fps, *SIZE, True)
    shown, ratio = pictures(result.files[0]), Fraction(frames, 50)
    found = [shows(shown, source, k, ratio) for k in range(frames)]
    exact = Fraction(fps) * params.get("slow", 1) / 24
    nearest = [int(Fraction(k * times) / exact + Fraction(1, 2)) for k in range(frames)]
    assert found == [min(index // times, 49) for index in nearest]
    kept = result.provenance
    assert (kept["pieces"], len(kept["prompts"]), kept["graph"]) == (3, 3, workflow.partition(".")[2])
    node = kept["filled_graph"]["40"]["inputs"]
    assert node["multiplier"] == times
    assert kept["filled_graph_hash"] == graphs.graph_hash(kept["filled_graph"])
    assert reporter.values == sorted(reporter.values)


@pytest.mark.parametrize(
    ("params", "size"),
    [
        ({"scale": 2}, (320, 180)),
        ({"width": 640, "height": 400}, (640, 400)),
        ({"scale": 2, "post_scale": 0.45}, (320, 180)),
    ],
)
def test_a_larger_clip_has_the_size_that_was_asked_for(
    each_server: ComfyDouble,
    tmp_path: Path,
    clip: Path,
    source: list[Image.Image],
    params: dict[str, Any],
    size: tuple[int, int],
) -> None:
    result = ComfyBackend(QUICK).run(
        job(each_server.url, tmp_path, "comfy.realesrgan_video", clip, **params), Reporter()
    )
    made = probe(result.files[0])
    assert (made.frames, made.fps, made.width, made.height, made.has_audio) == (50, 24, *size, True)
    shown = [picture.resize(SIZE) for picture in pictures(result.files[0])]
    if size == (320, 180):
        assert [shows(shown, source, k, Fraction(1)) for k in range(50)] == list(range(50))


def test_what_is_finished_is_not_sent_again(comfy_server: ComfyDouble, tmp_path: Path, clip: Path) -> None:
    engine = ComfyBackend(QUICK)
    told = Reporter(cancel_when=lambda reporter: bool(reporter.values) and reporter.values[-1] >= 0.32)
    with pytest.raises(JobCancelled):
        engine.run(job(comfy_server.url, tmp_path, "comfy.rife_core", clip), told)
    assert told.state["piece"] == "0"
    first = comfy_server.stats()
    assert list(first["executed"].values()) == [1]
    result = engine.run(job(comfy_server.url, tmp_path, "comfy.rife_core", clip, 2), Reporter())
    assert result.provenance["pieces_kept"] == 1
    second = comfy_server.stats()
    assert list(second["executed"].values()) == [1, 1, 1]
    assert second["uploads"] == 3
    assert probe(result.files[0]).frames == 100
    (tmp_path / ".work-j").rename(tmp_path / "away")
    again = ComfyBackend(QUICK).run(job(comfy_server.url, tmp_path, "comfy.rife_core", clip, 3), Reporter())
    assert comfy_server.stats()["uploads"] == 3, "each piece of the source goes there once"
    assert again.files[0].read_bytes() == result.files[0].read_bytes()


def test_a_prompt_that_still_runs_is_followed(comfy_server: ComfyDouble, tmp_path: Path, clip: Path) -> None:
    """The attempt is lost while the second piece is on the server: the next one takes up its prompt."""
    from dataclasses import replace

    from renders.backends import Stop

    engine = ComfyBackend(QUICK)
    lost = Reporter(cancel_when=lambda reporter: reporter.state.get("piece") == "1", reason=Stop.LOST)
    with pytest.raises(JobCancelled):
        engine.run(job(comfy_server.url, tmp_path, "comfy.rife_core", clip), lost)
    following = replace(job(comfy_server.url, tmp_path, "comfy.rife_core", clip, 2), state=lost.state)
    result = engine.run(following, Reporter())
    assert result.provenance["prompts"][0] == lost.state["prompt_id"]
    assert list(comfy_server.stats()["executed"].values()) == [1, 1, 1]
    assert probe(result.files[0]).frames == 100


def test_the_prompt_of_another_clip_is_not_taken_up(comfy_server: ComfyDouble, tmp_path: Path, clip: Path) -> None:
    """The source was made anew while its second piece was on the server; pieces have the same numbers."""
    from dataclasses import replace

    from renders.backends import Stop

    lost = Reporter(cancel_when=lambda reporter: reporter.state.get("piece") == "1", reason=Stop.LOST)
    with pytest.raises(JobCancelled):
        ComfyBackend(QUICK).run(job(comfy_server.url, tmp_path, "comfy.rife_core", clip), lost)
    other = tmp_path / "other.mp4"
    ffmpeg.run(["-i", clip, "-vf", "negate", "-c:a", "copy", other])
    following = replace(job(comfy_server.url, tmp_path, "comfy.rife_core", other, 2), state=lost.state)
    result = ComfyBackend(QUICK).run(following, Reporter())
    assert lost.state["prompt_id"] not in result.provenance["prompts"]
    assert result.provenance["pieces_kept"] == 0
    shown, source = pictures(result.files[0]), pictures(other)
    assert [shows(shown, source, k, Fraction(2)) for k in range(0, 100, 7)] == [k // 2 for k in range(0, 100, 7)]


def test_pieces_of_an_earlier_version_of_the_graph_are_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    context = JobContext("j", "a", "comfy.rife_core", "comp", {}, {}, {}, Path())
    before = chunks._identity(context)
    graph, slots = graphs.load("rife_core")
    changed = graphs.Graph(graph.name, "2", {**graph.nodes, "99": {"class_type": "Note", "inputs": {}}})
    monkeypatch.setattr(graphs, "load", lambda name: (changed, slots))
    assert chunks._identity(context) != before


def test_a_picture_becomes_as_large_as_asked(shared_server: ComfyDouble, tmp_path: Path) -> None:
    Image.effect_noise(SIZE, 40).convert("RGB").save(tmp_path / "a.png")
    work = job(shared_server.url, tmp_path, "comfy.realesrgan_image", tmp_path / "a.png", scale=4)
    result = ComfyBackend(QUICK).run(work, Reporter())
    assert Image.open(result.files[0]).size == (640, 360)


def test_a_server_gets_no_more_than_its_memory_bears(clip: Path) -> None:
    """Twelve bytes for each pixel of each frame that it makes: a piece of a large clip is short."""
    facts = read_clip(clip)
    from dataclasses import replace

    context = JobContext("j", "a", "comfy.x", "comp", {}, {}, {}, Path())
    large = chunks._Upscale(replace(facts, width=1280, height=720), context)
    assert large.length == chunks.MOST_BYTES // (12 * 5120 * 2880)
    assert chunks._Upscale(replace(facts, width=3840, height=2160), context).length == chunks.SHORTEST


def test_one_frame_has_nothing_between(shared_server: ComfyDouble, tmp_path: Path) -> None:
    one = moving(tmp_path / "one.mp4", frames=1)
    with pytest.raises(ComfyError, match="one frame only") as caught:
        ComfyBackend(QUICK).run(job(shared_server.url, tmp_path, "comfy.rife_core", one), Reporter())
    assert caught.value.retryable is False


def test_which_graphs_work_on_clips() -> None:
    roles = {name: graphs.role_of(graphs.load(name)[1]) for name in graphs.names()}
    assert {name for name, role in roles.items() if role} == {"rife_core", "rife_vfi", "realesrgan_video"}
