"""A project with rows of every kind that a person can make, confirmed, and some of it changed since."""

from pathlib import Path
from typing import Any

from aipipeline.history.project_services import set_member, update_project
from aipipeline.history.services import recording
from aipipeline.notes.models import Note
from aipipeline.projects.models import Project
from aipipeline.studio.notes import write_note
from aipipeline.tables.models import CustomColumn, SheetMapping
from aipipeline.tables.registry import table_of
from aipipeline.tables.services import columns, views
from assets.models import Character, CinematicPreset, Environment, LoRA
from comfy_adapters.comfyui import graphs
from comfy_adapters.own.detect import detect
from renders.models import RenderPreset, Version, Workflow
from renders.services.own_workflows import add_version, create_workflow
from renders.services.publishing import publish_files
from renders.services.reviews import review_version
from renders.services.workflows import sync_workflows
from shots.models import Casting, Scene, Shot, ShotStep
from shots.services import scenarios
from shots.services.confirm import confirm
from shots.services.translations import save_translation
from shots.services.tree.metadata import write_stale
from shots.services.tree.moves import move_folders
from tests.factories import SCRIPT, applied_project, picture
from timeline.models import Clip, Marker, Track
from timeline.services.edits import apply_ops, ensure_edit

SECOND = "S#7. 옥상 — 새벽\r\n\r\n바람이 분다.\t별이 없다.\r\n"


def build(project: Project, admin: Any, artist: Any, folder: Path) -> Project:
    """Everything, with the files written: what is on disk is what a crash of the database leaves."""
    set_member(project=project, actor=admin, user=artist, role="artist")
    shots = applied_project(project, admin)
    draft = scenarios.add_scenario(project=project, actor=admin, data=SECOND.encode(), filename="옥상 2고.txt")
    scenarios.analyse_scenario(scenario=draft, actor=admin)
    _library(project, admin)
    _tables(project, admin, artist)
    _shots(project, admin, artist, shots)
    with recording(project=project, actor=admin, kind="x") as recorder:
        loose = Scene.objects.create(project=project, code="SCN_900", heading="지워진 장면", position=1)
        recorder.remove([loose, *Character.objects.filter(name="지워진 인물")])
    confirm(project=project, actor=admin)
    _versions(project, admin, artist, shots, folder)
    _cut(project, admin, artist, shots)
    _notes(project, admin, artist, shots)
    with recording(project=project, actor=admin, kind="x") as recorder:
        recorder.update(Environment.objects.filter(project=project).order_by("id")[0], name="찻집 · 낮")
    write_stale(project.pk)
    assert move_folders(project=project, actor=admin).moved
    with recording(project=project, actor=admin, kind="x") as recorder:
        gone = Shot.objects.get(pk=shots[-1].pk)
        recorder.update(gone, locked=False)
        recorder.remove([gone])
    confirm(project=project, actor=admin)
    _after(project, admin)
    write_stale(project.pk)
    return Project.objects.get(pk=project.pk)


def _library(project: Project, admin: Any) -> None:
    for text, words in (("쓸쓸함", "lonely, “quiet”"), ("지워진 말", "gone"), ("지워진 말", "")):
        save_translation(project=project, actor=admin, text=text, words=words)
    with recording(project=project, actor=admin, kind="x") as recorder:
        lora = recorder.create(
            LoRA(project=project, name="리나 얼굴", path="faces/rina.safetensors", base_model="sdxl", strength=0.8)
        )
        recorder.create(
            CinematicPreset(project=project, name="심야", camera="ARRI Alexa 35", lens="35 mm", filters='"½ 미스트"')
        )
        rina = Character.objects.get(project=project, name="리나")
        recorder.update(
            rina, description="스무 살,\n작가", outfits=[{"name": "우비", "description": "노란 우비"}], color="#AA3300",
            use_lora=True, lora=lora, lora_strength=1.25, age="스물", role="주인공", trigger_words="rina girl",
        )  # fmt: skip
        recorder.create(Character(project=project, name="mina/1 ‘쌍둥이’"))
        recorder.create(Character(project=project, name="MINA?1 ‘쌍둥이’"))
        recorder.create(Character(project=project, name="지워진 인물"))
        place = Environment.objects.filter(project=project).order_by("id")[0]
        recorder.update(place, weather="비", mood="쓸쓸함", prompt="rain on glass")


def _tables(project: Project, admin: Any, artist: Any) -> None:
    table = table_of("shots")
    for label, kind in (
        ("렌즈 메모", "text"),
        ("컷 수", "number"),
        ("담당", "person"),
        ("끝남", "tick"),
        ("날", "date"),
    ):
        columns.add_column(project=project, table=table, actor=admin, label=label, type=kind)
    choices = [{"label": "좋음", "color": "green"}, {"label": "나쁨"}]
    columns.add_column(project=project, table=table, actor=admin, label="평", type="choice", choices=choices)
    columns.add_column(project=project, table=table_of("characters"), actor=admin, label="배우", type="text")
    columns.add_column(project=project, table=table_of("environments"), actor=admin, label="장소 담당", type="person")
    columns.add_column(project=project, table=table_of("presets"), actor=admin, label="빌림", type="tick")
    columns.add_column(project=project, table=table, actor=admin, label="지워진 열", type="text")
    columns.remove_column(project=project, table=table, actor=admin, name="custom.c7")
    columns.update_column(project=project, table=table, actor=admin, name="size", fields={"label": "크기"})
    rina = Character.objects.get(project=project, name="리나")
    place = Environment.objects.filter(project=project).order_by("id")[0]
    node = {
        "and": [
            {"field": "custom.c3", "op": "is", "value": artist.pk},
            {"or": [
                {"field": "characters", "op": "has_any", "value": [rina.pk]},
                {"field": "environment", "op": "is_not", "value": place.pk},
                {"field": "size", "op": "is", "value": "CU"},
                {"field": "assignee", "op": "empty"},
            ]},
        ]
    }  # fmt: skip
    config = {"filter": node, "columns": [["code", 90], ["custom.c1", 120]], "sort": [["code", "desc"]], "row": "l"}
    shared = views.save_view(project=project, table=table, actor=admin, name="감독 보기", config=config, shared=True)
    views.save_view(project=project, table=table, actor=artist, name="내 것", config={"search": "비"})
    doubled = views.save_view(project=project, table=table, actor=admin, name="내 것", config={})
    views.remove_view(view=doubled, actor=admin)
    views.set_default(project=project, table=table, actor=admin, view=shared)
    with recording(project=project, actor=admin, kind="x") as recorder:
        mapping = SheetMapping(
            project=project, table="shots", name="조감독 표", headers=["씬", "컷"], config={"header": 2}
        )
        recorder.create(mapping)


def _shots(project: Project, admin: Any, artist: Any, shots: list[Shot]) -> None:
    rina = Character.objects.get(project=project, name="리나")
    minjun = Character.objects.get(project=project, name="민준")
    choice = CustomColumn.objects.get(project=project, table="shots", key="c6").choices[0]["id"]
    cells = {
        "c1": "줌\n천천히",
        "c2": 2.5,
        "c3": artist.pk,
        "c4": True,
        "c5": "2026-11-25",
        "c6": choice,
        "c7": "옛 값",
    }
    with recording(project=project, actor=admin, kind="x") as recorder:
        shot = Shot.objects.get(pk=shots[0].pk)
        recorder.update(
            shot, prompt="창가의 리나", negative_prompt="blur", seed=2**53 - 1, size="CU", movement="push_in",
            angle="ots",
            preset=CinematicPreset.objects.get(project=project), duration_frames=101, cut_in=3, cut_out=99, handles=8,
            workflow="local.panel", seen_by_person=False, emotion="설렘",
            **{f"custom.{key}": value for key, value in cells.items()},
        )  # fmt: skip
        for character in (rina, minjun):
            casting = Casting.objects.filter(shot=shot, character=character).first()
            if casting is None:
                recorder.create(Casting(project=project, shot=shot, character=character, order=5, strength=0.5))
            else:
                recorder.update(casting, outfit="우비", use_lora=False, strength=-0.25, speaks=True)
        extra = recorder.create(Casting(project=project, shot=Shot.objects.get(pk=shots[-1].pk),
                                        character=Character.objects.get(name="MINA?1 ‘쌍둥이’")))  # fmt: skip
        recorder.remove([extra])
        for step in ShotStep.objects.filter(shot=shot)[:1]:
            recorder.update(step, assignee=artist, due_date="2026-12-24", reason="다시 봄")
        recorder.update(rina, **{"custom.c1": "배우 이름 없음"})
        recorder.update(Environment.objects.filter(project=project).order_by("id")[0], **{"custom.c1": artist.pk})
        recorder.update(CinematicPreset.objects.get(project=project), **{"custom.c1": True})


def _versions(project: Project, admin: Any, artist: Any, shots: list[Shot], folder: Path) -> None:
    sync_workflows()
    nodes = graphs.load("flux_t2i")[0].nodes
    brought = create_workflow(
        actor=admin, project=project, nodes=nodes, about=detect(nodes, title="밤 골목").about, name="alley"
    )
    add_version(
        workflow=brought, actor=admin, nodes=nodes, about={**detect(nodes, title="밤 골목").about, "vram_gb": 12}
    )
    with recording(project=project, actor=admin, kind="x") as recorder:
        workflow = Workflow.objects.get(key="local.panel")
        recorder.create(
            RenderPreset(project=project, name="빠르게", workflow=workflow, params={"steps": 4}, author=artist)
        )
    shot = Shot.objects.select_related("project", "scene").get(pk=shots[0].pk)
    made = [
        publish_files(
            owner=shot, kind="previz", files={"그림.png": picture(folder / f"{n}.png", color=(n, 9, 9))}, actor=artist,
            comment=f"{n}번째", provenance={"seed": n, "note": "손으로"},
        )
        for n in (1, 2, 3)
    ]  # fmt: skip
    review_version(
        version=made[0], actor=admin, verdict="reject", text="너무 어둡다", frame=0, region=[0.1, 0.2, 0.3, 0.4]
    )
    review_version(version=made[1], actor=admin, verdict="approve", text="좋다")
    review_version(version=made[1], actor=artist, verdict="comment", text="고맙습니다")
    rina = Character.objects.select_related("project").get(project=project, name="리나")
    publish_files(owner=rina, kind="reference", files={"a.png": picture(folder / "a.png")}, actor=None)
    place = Environment.objects.filter(project=project).select_related("project").order_by("id")[0]
    publish_files(owner=place, kind="reference", files={"e.png": picture(folder / "e.png")}, actor=admin)


def _cut(project: Project, admin: Any, artist: Any, shots: list[Shot]) -> None:
    edit = ensure_edit(project)
    apply_ops(project=project, actor=artist, ops=[{"op": "marker", "frame": 12, "name": "음악", "color": "red"}])
    apply_ops(project=project, actor=admin, ops=[{"op": "marker", "frame": 12, "comment": "같은 곳"}])
    with recording(project=project, actor=admin, kind="x") as recorder:
        recorder.remove(Marker.objects.filter(edit=edit, comment="같은 곳"))
        recorder.update(edit, start_frame=86400, name="1차 편집")
        sound = recorder.create(Track(project=project, edit=edit, kind="audio", name="A1", index=1, muted=True))
        over = recorder.create(Track(project=project, edit=edit, kind="video", name="V2", index=2))
        version = Version.objects.live().filter(shot=shots[0]).order_by("number")[0]
        recorder.create(
            Clip(project=project, track=over, shot_id=shots[0].pk, primary=False, version=version, source_in=2,
                 record_in=40, duration_frames=10, enabled=False)
        )  # fmt: skip
        recorder.create(Clip(project=project, track=sound, primary=False, record_in=0, duration_frames=48))
        primary = Clip.objects.get(track__edit=edit, track__index=1, track__kind="video", shot_id=shots[0].pk)
        recorder.update(primary, version=version, source_in=1)


def _notes(project: Project, admin: Any, artist: Any, shots: list[Shot]) -> None:
    version = Version.objects.live().filter(shot=shots[0]).order_by("number")[1]
    scene = Scene.objects.live().filter(project=project).order_by("id")[0]
    rina = Character.objects.get(project=project, name="리나")
    place = Environment.objects.filter(project=project).order_by("id")[0]
    for row in (shots[0], scene, rina, place, version):
        write_note(
            project=project, actor=artist, target_model=row._meta.label_lower, target_id=str(row.pk),
            text=f"{row}에 대한 메모", frame=3,
        )  # fmt: skip
    with recording(project=project, actor=admin, kind="x") as recorder:
        first, second = Note.objects.filter(project=project).order_by("id")[:2]
        recorder.update(first, resolved=True, region=[0.0, 0.0, 0.5, 1.0])
        recorder.remove([second])


def _after(project: Project, admin: Any) -> None:
    """What came after the last confirm has no folder yet, and is on disk all the same."""
    update_project(project=project, actor=admin, fields={"description": "비 오는 날의\n이야기", "fps": "25"})
    with recording(project=project, actor=admin, kind="x") as recorder:
        scene = recorder.create(Scene(project=project, code="SCN_500", heading="새 장면", position=2**40))
        shot = recorder.create(Shot(project=project, code="SHT_5000", scene=scene, position=2**40, action="달린다"))
        recorder.create(Casting(project=project, shot=shot, character=Character.objects.get(name="리나")))
        recorder.create(ShotStep(project=project, shot=shot, step="render"))
    write_note(project=project, actor=admin, target_model="shots.shot", target_id=str(shot.pk), text="아직 폴더 없음")


__all__ = ["SCRIPT", "SECOND", "build"]
