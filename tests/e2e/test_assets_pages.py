"""The library in Chromium: fields that save themselves, conflicts, outfits, references, presets on shots."""

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from assets.models import Character, CinematicPreset, LoRA
from assets.services import save_asset
from renders.models import Version
from renders.services.workflows import sync_workflows
from shots.models import Shot
from shots.services.castings import update_casting
from tests.factories import applied_project, picture
from tests.harness import processes

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]
COAT, SUIT = {"name": "코트", "description": "갈색 모직"}, {"name": "정장", "description": "회색"}
# What a person drops from their desk, as the browser would hand it over.
DROP = """([files, target]) => {
  const data = new DataTransfer();
  for (const [name, type, text] of files) {
    const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
    data.items.add(new File([bytes], name, { type }));
  }
  const place = document.querySelector(target);
  for (const type of ["dragenter", "dragover", "drop"]) {
    place.dispatchEvent(new DragEvent(type, { bubbles: true, cancelable: true, dataTransfer: data }));
  }
}"""


@pytest.fixture
def farm(transactional_db: None, own_storage: None) -> Iterator[dict[str, processes.Process]]:
    """The web alone: nothing is rendered here."""
    started: dict[str, processes.Process] = {}
    yield started
    for process in started.values():
        process.stop()


@pytest.fixture
def lina(project: Any, admin_user: Any) -> Character:
    applied_project(project, admin_user)
    sync_workflows()
    row = Character.objects.get(name="리나")
    fields = {"outfits": [COAT, SUIT]}
    save_asset(model=Character, project=project, actor=admin_user, fields=fields, asset_id=row.pk)
    for casting in row.castings.all():
        update_casting(casting=casting, actor=admin_user, fields={"outfit": "코트"})
    return row


def opened(page: Any, project: Any, kind: str, row: Any) -> None:
    page.goto(f"/projects/{project.code}/assets/{kind}/{row.pk}/")
    page.wait_for_selector("#used")


def value_of(row: Any, name: str) -> Any:
    return type(row).objects.values_list(name, flat=True).get(pk=row.pk)


def saved(page: Any) -> None:
    page.wait_for_selector("[data-save-state][data-state=saved]")


def test_a_character_is_written_in_place(page: Any, project: Any, artist: Any, lina: Character, tmp_path: Path) -> None:
    opened(page, project, "character", lina)
    role = page.locator("[data-control=role]")
    role.fill("주인공")
    role.press("Tab")
    processes.wait_until(lambda: value_of(lina, "role") == "주인공")
    saved(page)

    # Somebody else changes the age first: both values are shown, the person chooses.
    for keep, wanted in (("theirs", "40"), ("mine", "31")):
        page.locator("[data-control=age]").click()
        theirs = {"age": "40" if keep == "theirs" else "50"}
        save_asset(model=Character, project=project, actor=artist, fields=theirs, asset_id=lina.pk)
        page.locator("[data-control=age]").fill("31")
        page.locator("[data-control=age]").press("Tab")
        dialog = page.locator("dialog:has(.conflict)")
        dialog.wait_for()
        assert "31" in dialog.inner_text()
        assert theirs["age"] in dialog.inner_text()
        dialog.locator(f"button[value={keep}]").click()
        processes.wait_until(lambda wanted=wanted: value_of(lina, "age") == wanted)  # type: ignore[misc]
        saved(page)
        assert page.locator("[data-control=age]").input_value() == wanted

    # A wrong value is told at its field, and the page's others go on.
    page.locator("[data-control=color]").fill("red")
    page.locator("[data-control=color]").press("Tab")
    page.wait_for_selector("[data-field=color] [data-field-error]:not(:empty)")
    page.locator("[data-control=color]").fill("#c06040")
    page.locator("[data-control=color]").press("Tab")
    processes.wait_until(lambda: value_of(lina, "color") == "#c06040")

    # An outfit's new name reaches the shots; one undo takes both back.
    name = page.locator("[data-outfit=name]").first
    name.fill("외투")
    name.press("Tab")
    page.locator("[data-control=role]").focus()
    processes.wait_until(lambda: set(lina.castings.values_list("outfit", flat=True)) == {"외투"})
    saved(page)
    page.wait_for_function("() => document.querySelector('#used [data-control=outfit]').value === '외투'")
    page.locator("#used-title").click()
    page.keyboard.press("Control+z")
    processes.wait_until(lambda: set(lina.castings.values_list("outfit", flat=True)) == {"코트"})
    page.wait_for_function("() => document.querySelector('[data-outfit=name]').value === '코트'")

    # A LoRA made in place is chosen and used; a casting has its own strength.
    page.click("[data-open-dialog=new-lora]")
    page.fill("#lora-path", "characters/lina_v3.safetensors")
    page.fill("#lora-strength", "0.5")
    assert page.locator("#lora-name").input_value() == "lina_v3"
    page.click("#new-lora .btn.primary")
    processes.wait_until(lambda: value_of(lina, "lora") is not None and value_of(lina, "use_lora"))
    assert LoRA.objects.get().path == "characters/lina_v3.safetensors"
    page.wait_for_function("() => document.querySelector('[data-effective]').textContent === '0.50'")
    casting = lina.castings.order_by("shot__position")[0]
    strength = page.locator(f"#casting-{casting.pk} [data-control=strength]")
    strength.fill("1.5")
    strength.press("Enter")
    processes.wait_until(lambda: value_of(casting, "strength") == 1.5)
    page.wait_for_function(f"() => document.querySelector('#casting-{casting.pk} output').textContent === '0.75'")

    # Pictures dropped from the desk: the good ones are there, the wrong one says why.
    files = [(f"{n}.png", "image/png", picture(tmp_path / f"{n}.png", color=(40 * n, 90, 160))) for n in (1, 2)]
    dropped = [[name, kind, base64.b64encode(path.read_bytes()).decode()] for name, kind, path in files]
    dropped.append(["notes.txt", "text/plain", "aGk="])
    page.evaluate(DROP, [dropped, "#references"])
    processes.wait_until(lambda: Version.objects.live().filter(character=lina).count() == 2)
    page.wait_for_function("() => document.querySelectorAll('.reference img').length === 2")
    assert page.locator(".reference .corner.start").all_inner_texts() == ["v002", "v001"]
    assert "notes.txt" in page.locator(".uploads li").inner_text()
    page.locator(".reference").first.get_by_role("button").click()
    page.wait_for_selector(".sheet-image img")
    assert Version.objects.get(status="approved").number == 2


def test_presets_warn_are_cloned_and_applied(page: Any, project: Any, admin_user: Any) -> None:
    shots = applied_project(project, admin_user)
    page.goto(f"/projects/{project.code}/assets/?kind=preset")
    page.click(".empty [data-starters]")
    page.wait_for_selector("a:has-text('누아르')")
    assert CinematicPreset.objects.count() == 12
    preset = CinematicPreset.objects.get(name="자연주의 드라마")
    opened(page, project, "preset", preset)
    assert page.locator("#words-camera option").count() > 30
    page.locator("[data-control=film_stock]").press_sequentially("Kodak Vision3 500T")
    page.wait_for_selector("[data-rule=digital-stock]")
    page.locator("[data-control=lighting]").focus()
    processes.wait_until(lambda: value_of(preset, "film_stock") == "Kodak Vision3 500T")
    saved(page)
    page.click("[data-clone]")
    processes.wait_until(lambda: CinematicPreset.objects.filter(name="자연주의 드라마 2").exists())
    page.wait_for_function("() => document.querySelector('[data-control=name]').value === '자연주의 드라마 2'")
    page.wait_for_selector("[data-rule=digital-stock]")
    page.locator("[data-control=film_stock]").fill("")
    page.locator("[data-control=film_stock]").press("Tab")
    page.wait_for_function("() => document.querySelector('[data-rule]') === null")

    ids = [shot.pk for shot in shots[:2]]
    script = "([code, ids]) => import('/static/js/apply-preset.js').then((m) => { m.openApplyPreset(code, ids); })"
    page.evaluate(script, [project.code, ids])
    page.fill("dialog.apply-preset input[type=search]", "드라마")
    page.locator(f"dialog.apply-preset input[value='{preset.pk}']").check()
    page.wait_for_selector("dialog.apply-preset [data-rule=digital-stock]")
    page.click("dialog.apply-preset .btn.primary")
    page.wait_for_selector("dialog.apply-preset", state="detached")
    assert list(Shot.objects.filter(preset=preset).order_by("pk").values_list("pk", flat=True)) == sorted(ids)
    page.locator("#used-title").click()  # the field that one came from takes its own Ctrl+Z
    page.keyboard.press("Control+z")
    processes.wait_until(lambda: not Shot.objects.filter(preset=preset).exists())


def test_who_may_not_edit_reads_the_same_page(
    chromium: Any, site: str, project: Any, admin_user: Any, artist: Any, lina: Character
) -> None:
    from aipipeline.history.project_services import set_member

    set_member(project=project, actor=admin_user, user=artist, role="guest")
    page = chromium.new_context(base_url=site, locale="en").new_page()
    page.goto(f"/login/?next=/projects/{project.code}/assets/character/{lina.pk}/")
    page.fill("input[name=username]", "artist")
    page.fill("input[name=password]", "pass-for-tests")
    page.press("input[name=password]", "Enter")
    page.wait_for_selector("#used")
    assert page.locator("[data-outfit=name]").first.input_value() == "코트"
    assert page.locator("#asset-form :is(input, textarea, select):enabled").count() == 0
    assert page.locator("[data-outfit-add], [data-drop], [data-generate], .btn.danger, #used input").count() == 0
    page.context.close()
