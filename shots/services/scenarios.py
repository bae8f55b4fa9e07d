"""Scenarios: taken in, broken down as a draft, applied to the production."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _

from aipipeline.history.rows import update_row
from aipipeline.history.services import Recorder, lock, recording
from aipipeline.projects.errors import Conflict, Invalid
from aipipeline.projects.frames import seconds_to_frames
from aipipeline.projects.models import Project
from assets.models import Character, Environment
from shots.choices import Angle, Movement, ShotSize
from shots.models import Casting, Scenario, ScenarioState, Scene, Shot
from shots.scenario import analyse, read_text
from shots.services import ordering
from shots.services.steps import ensure_steps

LISTS = ("characters", "environments", "scenes", "shots")


def add_scenario(
    *, project: Project, actor: Any, data: bytes, filename: str, title: str = "", tab: str = ""
) -> Scenario:
    """Keep a scenario's text; ScenarioError when it cannot be read. It is not analysed yet."""
    script = read_text(data, filename)
    with recording(project=project, actor=actor, kind="scenario.add", tab=tab) as recorder:
        scenario: Scenario = recorder.create(
            Scenario(
                project=project,
                title=title[:200] or filename.rsplit("/", 1)[-1].rsplit(".", 1)[0][:200],
                text=script.text,
                source_name=filename[:200],
                author=actor if getattr(actor, "pk", None) else None,
            )
        )
    return scenario


def analyse_scenario(*, scenario: Scenario, actor: Any, tab: str = "") -> Scenario:
    """Break the text down into an editable draft; earlier hand edits of the draft are an undo away."""
    breakdown = analyse(read_text(scenario.text.encode(), scenario.source_name or "scenario.txt"))
    proposal = breakdown.to_dict()
    with recording(project=scenario.project, actor=actor, kind="scenario.analyse", tab=tab) as recorder:
        row: Scenario = lock(Scenario.objects.filter(pk=scenario.pk)).get()
        state = row.state if row.state == ScenarioState.APPLIED else ScenarioState.ANALYSED
        recorder.update(row, proposal=proposal, dialect=proposal.get("dialect", "")[:40], state=state)
    return row


def update_scenario(
    *, scenario: Scenario, actor: Any, fields: Mapping[str, Any], seen: int | None = None, tab: str = ""
) -> Scenario:
    """Change a scenario's title or text; a draft that was made of the old text stays until it is analysed again."""
    if "text" in fields:
        read_text(str(fields["text"]).encode(), scenario.source_name or "scenario.txt")
    return update_row(row=scenario, actor=actor, fields=fields, known=("title", "text"), seen=seen, tab=tab)


def update_proposal(
    *,
    scenario: Scenario,
    actor: Any,
    rows: Mapping[str, Sequence[Any]],
    seen: int | None = None,
    tab: str = "",
) -> Scenario:
    """Replace lists of the draft (characters, environments, scenes, shots); Conflict when it is stale."""
    for name, value in rows.items():
        if name not in LISTS or not isinstance(value, list) or not all(isinstance(r, dict) for r in value):
            raise Invalid(
                _("A draft holds lists of objects named %(names)s.") % {"names": ", ".join(LISTS)},
                fields={str(name): [_("not a list of objects")]},
            )
    with recording(project=scenario.project, actor=actor, kind="scenario.edit", tab=tab) as recorder:
        row: Scenario = lock(Scenario.objects.filter(pk=scenario.pk)).get()
        recorder.update(row, seen=seen, proposal={**row.proposal, **rows})
    return row


def apply_scenario(*, scenario: Scenario, actor: Any, tab: str = "", chosen: Sequence[int] | None = None) -> list[Shot]:
    """Make the draft's characters, environments, scenes and shots; one undo step. Conflict when done before.

    `chosen`: indices into the draft's shots (default all). Characters and environments that the project
    already has, by name, are used as they are.
    """
    with recording(
        project=scenario.project,
        actor=actor,
        kind="scenario.apply",
        tab=tab,
        params={"scenario": scenario.pk},
    ) as recorder:
        row: Scenario = lock(Scenario.objects.filter(pk=scenario.pk)).get()
        if row.state == ScenarioState.APPLIED:
            raise Conflict(_("This draft is already applied. Undo that first, or analyse a new scenario."))
        drafts = [s for i, s in enumerate(row.proposal.get("shots", [])) if chosen is None or i in set(chosen)]
        if not drafts:
            raise Invalid(_("The draft has no shots to apply. Analyse a text with scenes or actions first."))
        made = _Applier(recorder, row, machine=not getattr(actor, "pk", None)).apply(drafts)
        recorder.update(row, state=ScenarioState.APPLIED)
    return made


class _Applier:
    """Turns draft rows into rows of the project, inside one recording."""

    def __init__(self, recorder: Recorder, scenario: Scenario, *, machine: bool) -> None:
        self.recorder = recorder
        self.scenario = scenario
        self.project = scenario.project
        self.draft: dict[str, Any] = scenario.proposal
        self.machine = machine

    def apply(self, drafts: list[dict[str, Any]]) -> list[Shot]:
        characters = self._characters()
        environments = self._environments()
        scenes = self._scenes(drafts, environments)
        shots = self._shots(drafts, scenes, environments)
        self._castings(drafts, shots, characters)
        return shots

    def _characters(self) -> dict[str, Character]:
        wanted = {_text(c.get("name"), 120): c for c in self.draft.get("characters", []) if c.get("name")}
        have = {c.name: c for c in Character.objects.filter(project=self.project, name__in=list(wanted))}
        self._revive(have.values())
        new = [
            Character(
                project=self.project,
                name=name,
                description=_text(c.get("description")),
                default_clothing=_joined(c.get("clothing")),
                age=_text(c.get("age"), 40),
                role=_text(c.get("role"), 120),
                relations=_joined(c.get("relations"))[:300],
            )
            for name, c in wanted.items()
            if name not in have
        ]
        return have | {c.name: c for c in self.recorder.create_many(new)}

    def _environments(self) -> dict[str, Environment]:
        by_ref = {str(e.get("id")): e for e in self.draft.get("environments", [])}
        names = {ref: _environment_name(e) for ref, e in by_ref.items()}
        have = {e.name: e for e in Environment.objects.filter(project=self.project, name__in=names.values())}
        self._revive(have.values())
        new: dict[str, Environment] = {}
        for ref, e in by_ref.items():
            if names[ref] not in have and names[ref] not in new:
                new[names[ref]] = Environment(
                    project=self.project,
                    name=names[ref],
                    location=_text(e.get("location"), 160),
                    interior=e.get("interior") if isinstance(e.get("interior"), bool) else None,
                    time_of_day=_text(e.get("time_of_day"), 40),
                    weather=_text(e.get("weather"), 40),
                    mood=_joined(e.get("mood"))[:120],
                )
        self.recorder.create_many(list(new.values()))
        rows = have | new
        return {ref: rows[name] for ref, name in names.items()}

    def _revive(self, rows: Any) -> None:
        removed = [row for row in rows if row.removed_at is not None]
        self.recorder.restore(removed)

    def _scenes(self, drafts: list[dict[str, Any]], environments: dict[str, Environment]) -> dict[str, Scene]:
        used = list(dict.fromkeys(str(s.get("scene", "")) for s in drafts))
        described = {str(s.get("number", "")): s for s in self.draft.get("scenes", [])}
        codes, _shots = ordering.next_codes(self.project, scenes=len(used))
        first = ordering.end_position(self.project, Scene)
        rows = [
            Scene(
                project=self.project,
                code=code,
                number=number[:20],
                heading=_text(described.get(number, {}).get("heading"), 300),
                environment=environments.get(str(described.get(number, {}).get("environment_ref"))),
                position=first + ordering.GAP * index,
            )
            for index, (number, code) in enumerate(zip(used, codes, strict=True))
        ]
        self.recorder.create_many(rows)
        return dict(zip(used, rows, strict=True))

    def _shots(
        self, drafts: list[dict[str, Any]], scenes: dict[str, Scene], environments: dict[str, Environment]
    ) -> list[Shot]:
        _scenes, codes = ordering.next_codes(self.project, shots=len(drafts))
        first = ordering.end_position(self.project)
        rows = [
            Shot(
                project=self.project,
                scene=scenes[str(draft.get("scene", ""))],
                code=code,
                position=first + ordering.GAP * index,
                description=_text(draft.get("description")),
                action=_text(draft.get("action")),
                dialogue=_dialogue(draft.get("dialogue")),
                emotion=_joined(draft.get("emotion"))[:80],
                environment=environments.get(str(draft.get("environment_ref"))),
                size=_choice(draft.get("size"), ShotSize.values, ShotSize.MS),
                angle=_choice(draft.get("angle"), Angle.values, Angle.EYE),
                movement=_choice(draft.get("movement"), Movement.values, Movement.STATIC),
                duration_frames=seconds_to_frames(_seconds(draft.get("suggested_duration")), self.project.rate),
                scenario=self.scenario,
                source_span=draft.get("span"),
                seen_by_person=not self.machine,
            )
            for index, (draft, code) in enumerate(zip(drafts, codes, strict=True))
        ]
        self.recorder.create_many(rows)
        ensure_steps(self.recorder, rows)
        return rows

    def _castings(self, drafts: list[dict[str, Any]], shots: list[Shot], characters: dict[str, Character]) -> None:
        rows = []
        for draft, shot in zip(drafts, shots, strict=True):
            speakers = {d.get("character") for d in _rows(draft.get("dialogue")) if isinstance(d, dict)}
            for order, name in enumerate(dict.fromkeys(map(str, _rows(draft.get("characters"))))):
                if character := characters.get(name):
                    rows.append(
                        Casting(
                            project=self.project,
                            shot=shot,
                            character=character,
                            order=order,
                            speaks=name in speakers,
                        )
                    )
        self.recorder.create_many(rows)


def _text(value: Any, limit: int = 10_000) -> str:
    return ("" if value is None else str(value)).replace("\x00", "").strip()[:limit]


def _rows(value: Any) -> list[Any]:
    """A list of the draft, empty for anything else: drafts are edited by people and by programs."""
    return value if isinstance(value, list) else []


def _joined(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return ", ".join(_text(part) for part in value if part)
    return _text(value)


def _dialogue(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        lines = [
            f"{_text(d.get('character'))}: {_text(d.get('text'))}" if isinstance(d, dict) else _text(d) for d in value
        ]
        return "\n".join(line for line in lines if line)
    return _text(value)


def _choice(value: Any, allowed: Sequence[str], default: str) -> str:
    return value if value in allowed else default


def _seconds(value: Any) -> float:
    return min(max(float(value), 0.1), 600.0) if isinstance(value, (int, float)) else 3.0


def _environment_name(draft: Mapping[str, Any]) -> str:
    parts = [_text(draft.get("location"), 100) or _("Unnamed place")]
    if isinstance(draft.get("interior"), bool):
        parts.append(str(_("INT") if draft["interior"] else _("EXT")))
    if time := _text(draft.get("time_of_day"), 30):
        parts.append(time)
    return " · ".join(parts)[:160]
