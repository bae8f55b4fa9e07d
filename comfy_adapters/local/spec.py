"""What a panel shows, read from a job's subject."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from assets import conditions


@dataclass(frozen=True)
class Figure:
    """One character in the frame; `color` is "#rrggbb"."""

    name: str
    color: str
    speaking: bool = False
    traits: str = ""


@dataclass(frozen=True)
class PanelSpec:
    """A shot as the engine draws it. `time` and `weather` are keys of assets.conditions, "" when unknown."""

    code: str
    scene: str
    title: str
    size: str
    angle: str
    movement: str
    text: str
    dialogue: str
    figures: tuple[Figure, ...]
    location: str
    interior: bool | None
    time: str
    weather: str
    frames: int
    fps: str

    @classmethod
    def from_subject(cls, subject: Mapping[str, Any]) -> "PanelSpec":
        """Tolerant: whatever is missing or odd becomes empty."""

        def text(name: str) -> str:
            return str(subject.get(name) or "").strip()

        cast = subject.get("characters") or []
        figures = tuple(
            Figure(
                name=str(c.get("name") or ""),
                color=str(c.get("color") or color_for(str(c.get("name") or ""))),
                speaking=bool(c.get("speaking")),
                traits=f"{c.get('description') or ''} {c.get('outfit') or ''}",
            )
            for c in cast
            if isinstance(c, Mapping)
        )
        time = conditions.time_of_day(text("time_of_day"))
        weather = conditions.weather(text("weather"))
        return cls(
            code=text("code"),
            scene=text("scene_code"),
            title=text("project_title"),
            size=text("size") or "MS",
            angle=text("angle") or "eye",
            movement=text("movement") or "static",
            text=text("description") or text("action"),
            dialogue=text("dialogue"),
            figures=figures[:7],
            location=text("location"),
            interior=subject.get("interior") if isinstance(subject.get("interior"), bool) else None,
            time=str(time) if time else "",
            weather=str(weather) if weather else "",
            frames=int(subject.get("duration_frames") or 0),
            fps=text("fps") or "24",
        )

    @property
    def inside(self) -> bool:
        """Interior when the script says so, or when the place is one that is a room."""
        if self.interior is not None:
            return self.interior
        rooms = ("카페", "술집", "사무실", "거실", "방", "병원", "학교", "교실", "빵집", "가게", "복도", "집", "room", "office",
                 "cafe", "café", "bar", "kitchen", "house", "hall")  # fmt: skip
        return any(word in self.location.lower() for word in rooms)


def color_for(name: str) -> str:
    """A stable colour for a name that has none."""
    palette = ("#e0875a", "#5aa9e0", "#8fbf6a", "#c78be0", "#e0c15a", "#e06a8b", "#5ac7b4", "#a69a8b")
    return palette[hashlib.sha256(name.encode()).digest()[0] % len(palette)]
