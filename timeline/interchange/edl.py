"""CMX3600 edit decision lists, written by hand: the adapter loses speed, start times and Korean names.

Column layout: event, reel, track, transition, source in and out, record in and out. Comments carry what the
columns cannot: clip names (Korean is fine there), scene, markers.
"""

from timeline.cut import Cut, CutClip, CutMarker
from timeline.interchange.names import one_line
from timeline.timecode import to_timecode

MAX_EVENTS = 999
STYLES = ("resolve", "premiere")


def write_edl(cut: Cut, *, style: str = "resolve") -> list[str]:
    """The list in parts of at most 999 events each: more do not fit the format's three digits.

    style "resolve": a reel of its own per shot, so that conform by reel or timecode works. "premiere": reel AX
    and the file's name in FROM CLIP NAME.
    """
    starts = cut.starts()
    parts: list[str] = []
    for first in range(0, max(len(cut.clips), 1), MAX_EVENTS):
        title = one_line(cut.title, 70) or "UNTITLED"
        if len(cut.clips) > MAX_EVENTS:
            title = f"{title} PART {first // MAX_EVENTS + 1}"
        lines = [f"TITLE: {title}", "FCM: NON-DROP FRAME", ""]
        chunk = zip(cut.clips[first : first + MAX_EVENTS], starts[first : first + MAX_EVENTS], strict=True)
        for number, (clip, start) in enumerate(chunk, 1):
            lines.extend(_event(cut, clip, start, number, style))
        parts.append("\n".join(lines) + "\n")
    return parts


def _event(cut: Cut, clip: CutClip, start: int, number: int, style: str) -> list[str]:
    source_in = (clip.media_start if style == "resolve" else 0) + clip.source_in
    record_in = cut.start_frame + start
    times = " ".join(
        to_timecode(frame, cut.fps)
        for frame in (source_in, source_in + clip.duration, record_in, record_in + clip.duration)
    )
    reel = "AX" if style == "premiere" else clip.reel[:8]
    name = clip.media.name if clip.media else f"{clip.name} (missing)"
    shown = name if style == "premiere" else f"{clip.shot_code} {name}"
    lines = [f"{number:03d}  {reel:<8} V     C        {times}", f"* FROM CLIP NAME: {one_line(shown)}"]
    if style == "resolve":
        lines.append(f"* SHOT: {one_line(clip.shot_code, 60)}")
        if clip.scene:
            lines.append(f"* SCENE: {one_line(clip.scene, 60)}")
        if clip.comment:
            lines.append(f"* COMMENT: {one_line(clip.comment, 120)}")
    inside = [m for m in cut.markers if start <= m.frame < start + clip.duration]
    lines.extend(_locator(cut, marker) for marker in inside)
    lines.append("")
    return lines


def _locator(cut: Cut, marker: CutMarker) -> str:
    text = one_line(" ".join(part for part in (marker.name, marker.comment) if part), 100)
    return f"* LOC: {to_timecode(cut.start_frame + marker.frame, cut.fps)} {marker.color.upper():<7} {text}"
