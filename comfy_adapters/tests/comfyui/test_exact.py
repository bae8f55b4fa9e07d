"""A shot of N frames comes out as exactly N frames in exactly its size, whatever lattice its model works on."""

from fractions import Fraction
from pathlib import Path

import pytest

from aipipeline.media import ffmpeg
from aipipeline.media.probe import probe
from comfy_adapters.comfyui import graphs
from comfy_adapters.comfyui.backend import ComfyBackend
from comfy_adapters.comfyui.convert import retime, source_length
from comfy_adapters.comfyui.errors import ComfyError
from comfy_adapters.comfyui.graphs import snap_length
from comfy_adapters.comfyui.servers import advice, lacks
from comfy_adapters.comfyui.values import slot_values
from comfy_adapters.tests.comfyui.helpers import QUICK, Reporter, context
from comfy_adapters.tests.comfyui.test_catalogue import server
from renders.backends import Wanted
from tests.doubles.comfyui.process import ComfyDouble

RATES = ("24", "25", "30", "60", "24000/1001", "30000/1001")
TIMED = [name for name in graphs.names() if "length" in graphs.load(name)[1].targets]


def planned(name: str, frames: int, fps: str) -> tuple[int, Fraction]:
    """How many frames the graph is told to make, and at what rate; the slots' own values are on the lattice."""
    graph, slots = graphs.load(name)
    values = slot_values(graph, slots, {"frames": frames, "fps": fps}, prefix="x", job_id="1")
    filled = graphs.fill(graph, slots, values)
    limits = slots.constraints
    target = slots.targets["length"][0]
    length = filled.prompt[target.node]["inputs"][target.input]
    assert (length - 1) % limits.length_step == 0
    made = limits.joined(length)
    if made != values["length"]:
        assert filled.snapped["length"] == (values["length"], made)
    rate = limits.rate(Fraction(fps))
    for place in slots.targets.get("fps", ()):
        sent = filled.prompt[place.node]["inputs"][place.input]
        assert sent == pytest.approx(float(rate), abs=0.51 if isinstance(sent, int) else 1e-9)
    return made, rate


@pytest.mark.parametrize("name", TIMED)
def test_the_source_covers_every_length_with_as_little_over_as_the_lattice_allows(name: str) -> None:
    limits = graphs.load(name)[1].constraints
    most = limits.joined(limits.max_length) if limits.max_length else 10**9
    shortest = limits.joined(limits.overlap // 4 * 4 + 5) if limits.clips > 1 else 1
    for fps in map(Fraction, RATES):
        rate = limits.rate(fps)
        for frames in range(1, 501):
            wanted = source_length(frames, fps, rate)
            assert wanted - 1 < frames * rate / fps <= wanted
            if wanted > most:
                with pytest.raises(ComfyError, match=f"at most {most}"):
                    snap_length(wanted, limits)
                continue
            length = snap_length(wanted, limits)
            made = limits.joined(length)
            assert (length - 1) % limits.length_step == 0
            assert made >= wanted
            assert made - wanted < limits.length_step * limits.clips + 1 or made == shortest


@pytest.mark.parametrize("name", TIMED)
def test_the_graph_is_told_so(name: str) -> None:
    for fps in RATES:
        for frames in (1, 24, 50):
            made, rate = planned(name, frames, fps)
            assert made / rate >= frames / Fraction(fps)


@pytest.mark.parametrize("fps", RATES)
@pytest.mark.parametrize(
    ("name", "frames"), [("wan22_i2v", 37), ("ltx25_i2v", 480), ("fflf_wan22", 160), ("fflf_ltx25", 480)]
)
def test_what_is_published_has_exactly_the_frames_and_the_size(
    tmp_path: Path, name: str, frames: int, fps: str
) -> None:
    made, rate = planned(name, frames, fps)
    source, out = tmp_path / "source.mp4", tmp_path / "shot.mp4"
    video = f"testsrc=size=96x64:rate={round(rate * 1000)}/1000"  # as the server writes the rate into its file
    ffmpeg.run(["-f", "lavfi", "-i", video, "-frames:v", str(made), "-preset", "ultrafast", source])
    retime(source, out, frames=frames, fps=Fraction(fps), width=90, height=52)
    facts = probe(out)
    assert (facts.frames, facts.fps, facts.width, facts.height) == (frames, Fraction(fps), 90, 52)


def test_a_clip_that_is_damaged_inside_is_not_published(tmp_path: Path) -> None:
    source = tmp_path / "source.mp4"
    ffmpeg.run(["-f", "lavfi", "-i", "testsrc2=size=320x180:rate=16", "-frames:v", "33", "-bf", "0", source])
    content = bytearray(source.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 3000] = bytes(3000)
    source.write_bytes(content)
    assert probe(source).frames == 33  # the container is whole
    with pytest.raises(ffmpeg.FFmpegError):
        retime(source, tmp_path / "out.mp4", frames=48, fps=Fraction(24), width=320, height=180)


def test_a_shot_that_is_too_long_is_refused_before_anything_is_sent(shared_server: ComfyDouble, tmp_path: Path) -> None:
    posts = shared_server.stats()["posts"]
    job = context(shared_server.url, tmp_path, workflow="comfy.svi_i2v", frames=241)
    with pytest.raises(ComfyError, match=r"makes at most 157\. At its 16 frames per second that is 9\.8 seconds"):
        ComfyBackend(QUICK).run(job, Reporter())
    assert shared_server.stats()["posts"] == posts


def test_what_is_longer_than_the_model_was_trained_on_is_said_and_what_it_does_not_make_refused() -> None:
    """Between two given pictures no chain can be made: 81 frames at 16 per second are five seconds."""
    table = server("0.33.0", graphs.load("fflf_wan22")[1])

    def told(frames: int) -> tuple[list[str], list[str]]:
        wanted = Wanted("comfy.fflf_wan22", {"width": 320, "height": 192, "frames": frames, "fps": "24"})
        return advice(wanted), lacks(wanted, table)

    assert told(121) == ([], [])
    (said,), refused = told(122)
    assert refused == []
    assert "82 frames" in said
    assert "trained on 81 (5.1 seconds)" in said
    assert "first image alone" in said
    assert [len(found) for found in told(241)] == [1, 0]
    assert told(242)[0] == []
    assert "at most 161" in told(242)[1][0]
    assert "10.1 seconds" in told(242)[1][0]
    ltx = {"width": 320, "height": 192, "fps": "24"}
    assert advice(Wanted("comfy.ltx2_i2v", {**ltx, "frames": 2000})) == []  # a chain
    assert advice(Wanted("comfy.flux_t2i", {**ltx, "frames": 2000})) == []
    table = server("0.33.0", graphs.load("fflf_ltx25")[1])
    assert lacks(Wanted("comfy.fflf_ltx25", {**ltx, "frames": 481}), table) == []
    assert "20.0 seconds" in lacks(Wanted("comfy.fflf_ltx25", {**ltx, "frames": 482}), table)[0]
