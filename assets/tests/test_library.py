"""Outfits that are renamed, presets that are copied, applied and begun with, castings in place."""

from typing import Any

import pytest
from rest_framework.test import APIClient

from aipipeline.history.project_services import set_member
from aipipeline.history.services import redo, undo
from aipipeline.projects.models import User
from assets.models import Character, CinematicPreset, LoRA
from assets.services import add_starter_presets, save_asset
from assets.services.outfits import renamed_outfits
from shots.models import Casting, Shot
from shots.services.castings import update_casting
from tests.factories import applied_project

pytestmark = pytest.mark.django_db
COAT, SUIT = {"name": "코트", "description": "갈색 모직"}, {"name": "정장", "description": "회색"}


@pytest.fixture
def shots(project: Any, admin_user: Any) -> list[Shot]:
    return applied_project(project, admin_user)


@pytest.fixture
def lina(project: Any, admin_user: Any, shots: list[Shot]) -> Character:
    row = Character.objects.get(name="리나")
    save_asset(
        model=Character, project=project, actor=admin_user, fields={"outfits": [COAT, SUIT]}, asset_id=row.pk
    )  # fmt: skip
    for casting in row.castings.all():
        update_casting(casting=casting, actor=admin_user, fields={"outfit": "코트"})
    return row


def client_of(project: Any, role: str) -> APIClient:
    client = APIClient(raise_request_exception=False)
    user = User.objects.create_user(username=role, password="x")
    set_member(project=project, actor=User.objects.get(username="admin"), user=user, role=role)
    client.force_login(user)
    return client


@pytest.mark.parametrize(
    ("before", "after", "wanted"),
    [
        ([COAT, SUIT], [{**COAT, "name": "외투"}, SUIT], {"코트": "외투"}),
        ([COAT, SUIT], [SUIT, COAT], {}),
        ([COAT], [COAT, SUIT], {}),
        ([COAT, SUIT], [SUIT], {}),
        ([COAT, SUIT], [{**SUIT, "name": "양복"}], {"정장": "양복"}),
        ([COAT], [SUIT, {**COAT, "name": "외투"}], {"코트": "외투"}),
        ([{"name": "a"}], [{"name": "b"}, {"name": "c"}], {}),
        ([], [COAT], {}),
    ],
)
def test_what_counts_as_a_renamed_outfit(before: Any, after: Any, wanted: dict[str, str]) -> None:
    assert renamed_outfits(before, after) == wanted


def test_renaming_an_outfit_renames_it_in_the_castings_and_undo_takes_both_back(
    project: Any, admin_user: Any, lina: Character
) -> None:
    def worn() -> set[str]:
        return set(lina.castings.values_list("outfit", flat=True))

    assert worn() == {"코트"}
    other = Casting.objects.exclude(character=lina)[0]
    update_casting(casting=other, actor=admin_user, fields={"outfit": "코트"})
    renamed = [{**COAT, "name": "외투"}, SUIT]
    save_asset(
        model=Character, project=project, actor=admin_user, fields={"outfits": renamed}, asset_id=lina.pk, tab="t"
    )  # fmt: skip
    assert worn() == {"외투"}
    other.refresh_from_db()
    assert other.outfit == "코트"
    undo(project=project, actor=admin_user, tab="t")
    lina.refresh_from_db()
    assert (worn(), [row["name"] for row in lina.outfits]) == ({"코트"}, ["코트", "정장"])
    redo(project=project, actor=admin_user, tab="t")
    assert worn() == {"외투"}


def test_what_an_outfit_is_reaches_the_prompt(lina: Character) -> None:
    from shots.prompts import FAMILIES, write_prompt

    casting = lina.castings.select_related("character", "shot")[0]
    for family in FAMILIES:
        assert "갈색 모직" in write_prompt(shot=casting.shot, cast=[casting], family=family).positive


@pytest.mark.parametrize("names", [["코트", "코트"], [""], ["가" * 121]])
def test_outfits_need_names_of_their_own(project: Any, admin_user: Any, lina: Character, names: list[str]) -> None:
    body = {"outfits": [{"name": name, "description": ""} for name in names]}
    answer = client_of(project, "artist").patch(f"/api/v1/projects/TEST/characters/{lina.pk}/", body, format="json")
    assert answer.status_code == 422
    assert list(answer.json()["fields"]) == ["outfits"]


def test_castings_are_read_and_changed_in_place(project: Any, lina: Character) -> None:
    lora = LoRA.objects.create(project=project, name="l", path="l.safetensors", strength=0.5)
    Character.objects.filter(pk=lina.pk).update(lora=lora, use_lora=True, lora_strength=0.8)
    casting = lina.castings.all()[0]
    artist, guest = client_of(project, "artist"), client_of(project, "guest")
    url = f"/api/v1/shots/{casting.shot_id}/castings/"
    row = next(r for r in artist.get(url).json()["results"] if r["id"] == casting.pk)
    assert (row["outfit"], row["strength"], row["effective"]) == ("코트", None, 0.4)
    body = {"outfit": "정장", "strength": 1.5, "revision": row["revision"]}
    changed = artist.patch(f"{url}{casting.pk}/", body, format="json")
    assert (changed.status_code, changed.json()["effective"]) == (200, 0.75)
    stale = artist.patch(f"{url}{casting.pk}/", {"outfit": "코트", "revision": row["revision"]}, format="json")
    assert (stale.status_code, stale.json()["details"]["current"]) == (409, {"outfit": "정장"})
    assert artist.patch(f"{url}{casting.pk}/", {"use_lora": False}, format="json").json()["effective"] == 0
    assert artist.patch(f"{url}{casting.pk}/", {"strength": 9}, format="json").status_code == 422
    assert guest.patch(f"{url}{casting.pk}/", {"outfit": "x"}, format="json").status_code == 403
    other = Shot.objects.exclude(pk=casting.shot_id)[0]
    assert artist.patch(f"/api/v1/shots/{other.pk}/castings/{casting.pk}/", {}, format="json").status_code == 404
    assert artist.delete(f"{url}{casting.pk}/").status_code == 204
    back = artist.post(url, {"character": lina.pk, "outfit": "코트"}, format="json")
    assert (back.status_code, back.json()["id"], back.json()["outfit"]) == (201, casting.pk, "코트")
    assert artist.post(url, {"character": 10**9}, format="json").status_code == 422


def test_a_preset_is_checked_cloned_and_applied_as_one_step(project: Any, shots: list[Shot]) -> None:
    artist, guest = client_of(project, "artist"), client_of(project, "guest")
    base = "/api/v1/projects/TEST/presets/"
    bad = {"camera": "ARRI Alexa 35", "film_stock": "Kodak Vision3 500T"}
    made = artist.post(base, {"name": "누아르", **bad}, format="json").json()
    assert [warning["rule"] for warning in made["warnings"]] == ["digital-stock"]
    checked = guest.post(f"{base}check/", bad, format="json")
    assert checked.json()["warnings"] == made["warnings"]
    assert guest.post(f"{base}check/", {"name": "x"}, format="json").status_code == 422
    names = [artist.post(f"{base}{made['id']}/clone/", {}, format="json").json()["name"] for _n in range(2)]
    assert names == ["누아르 2", "누아르 3"]
    again = artist.post(f"{base}{CinematicPreset.objects.get(name='누아르 2').pk}/clone/", {}, format="json")
    assert again.json()["name"] == "누아르 4"
    assert CinematicPreset.objects.get(name="누아르 4").film_stock == bad["film_stock"]
    assert guest.post(f"{base}{made['id']}/clone/", {}, format="json").status_code == 403

    ids = [shot.pk for shot in shots]
    url = f"{base}{made['id']}/apply/"
    assert artist.post(url, {"shots": [*ids, 10**9]}, format="json").status_code == 422
    assert not Shot.objects.exclude(preset=None).exists()
    assert artist.post(url, {"shots": []}, format="json").status_code == 422
    assert guest.post(url, {"shots": ids}, format="json").status_code == 403
    assert artist.post(f"{base}{10**9}/apply/", {"shots": ids}, format="json").status_code == 404
    applied = artist.post(url, {"shots": ids}, format="json", HTTP_X_AIP_TAB="t")
    assert (applied.status_code, sorted(applied.json()["changed"])) == (200, sorted(ids))
    assert set(Shot.objects.live().values_list("preset", flat=True)) == {made["id"]}
    assert artist.post("/api/v1/projects/TEST/undo/", HTTP_X_AIP_TAB="t").status_code == 200
    assert set(Shot.objects.live().values_list("preset", flat=True)) == {None}


def test_starters_come_in_the_projects_language_once(project: Any, admin_user: Any) -> None:
    client = client_of(project, "artist")
    url = "/api/v1/projects/TEST/presets/starters/"
    made = client.post(url, {}, format="json", HTTP_X_AIP_TAB="t")
    assert (made.status_code, len(made.json()["results"])) == (201, 12)
    assert CinematicPreset.objects.filter(name="누아르").exists()
    assert client.post(url, {}, format="json").status_code == 409
    assert client.post("/api/v1/projects/TEST/undo/", HTTP_X_AIP_TAB="t").json()["rows"] == 12
    assert not CinematicPreset.objects.live().exists()
    project.language = "en"
    project.save(update_fields=["language"])
    assert "Film noir" in [row.name for row in add_starter_presets(project=project, actor=admin_user)]


def test_the_table_of_presets_tells_warnings(project: Any, admin_user: Any) -> None:
    from django.utils import translation

    from aipipeline.tables.registry import table_of

    for name, stock in (("나쁨", "Kodak Vision3 500T"), ("좋음", "")):
        CinematicPreset.objects.create(project=project, name=name, camera="ARRI Alexa 35", film_stock=stock)
    rows = {row.name: row.pk for row in CinematicPreset.objects.all()}
    told = table_of("presets").providers["warnings"](project, list(rows.values()))
    with translation.override("en"):
        options = table_of("presets").options(project)["warning"]
    labels = {option.id: option.label for option in options}
    assert {pk: [labels[number] for number in numbers] for pk, numbers in told.items()} == {
        rows["나쁨"]: ["⚠ film in a digital camera"]
    }


@pytest.mark.parametrize("kind", ["character", "environment", "preset"])
def test_a_page_asks_as_often_for_many_shots_as_for_few(
    project: Any, admin_user: Any, shots: list[Shot], client: Any, kind: str
) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from assets.models import Environment
    from renders.models import Version
    from shots.services.editing import create_shot

    preset = CinematicPreset.objects.create(project=project, name="p")
    row = {"character": Character.objects.all()[0], "environment": Environment.objects.all()[0], "preset": preset}[kind]
    client.force_login(admin_user)
    url = f"/projects/TEST/assets/{kind}/{row.pk}/"

    def queries() -> int:
        client.get(url)
        with CaptureQueriesContext(connection) as found:
            page = client.get(url)
        assert page.status_code == 200
        assert page.content.count(b"SHT_") >= Shot.objects.count() - len(shots)
        return len(found)

    def grow(count: int) -> None:
        fields: dict[str, Any] = {"character": {"characters": [row.pk]}}.get(kind, {kind: row.pk})
        for _n in range(count):
            create_shot(project=project, actor=admin_user, **fields)
            LoRA.objects.create(project=project, name=f"l{LoRA.objects.count()}", path="l")
            if kind != "preset":
                number = Version.objects.count() + 1
                Version.objects.create(
                    project=project, kind="reference", number=number, state="published", path="x",
                    created_by=admin_user, manifest=[{"name": "a.png", "size": 1, "sha256": ""}],
                    **{kind: row},
                )  # fmt: skip

    grow(2)
    few = queries()
    grow(12)
    assert queries() == few
