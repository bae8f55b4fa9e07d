"""Translations: fetched once, stored, edited by people, used again; and nothing is lost whatever the model does."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from aipipeline.history.models import Action
from aipipeline.history.services import redo, undo
from aipipeline.projects.errors import Conflict, Invalid
from assets.models import Character
from shots.models import Translation
from shots.prompts.stored import wordings_for
from shots.services import translations
from shots.services.translations import MAX_CHARACTERS, MAX_TEXTS, ensure_translations, save_translation
from tests.doubles.llm.process import LlmDouble, running

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(scope="module")
def server() -> Iterator[LlmDouble]:
    with running() as double:
        yield double


@pytest.fixture
def llm(server: LlmDouble, settings: Any) -> LlmDouble:
    server.set(mode="good", seconds=0, key="")
    settings.LLM_URL, settings.LLM_TIMEOUT_SECONDS = server.url, 5.0
    return server


def stored(project: Any) -> dict[str, tuple[str, str]]:
    rows = Translation.objects.live().filter(project=project)
    return {row.text: (row.words, row.origin) for row in rows}


def test_missing_ones_are_fetched_with_one_question_and_used_again(project: Any, llm: LlmDouble) -> None:
    before = len(llm.questions())
    done = ensure_translations(project=project, texts=["비", "눈", "비", "rain", "  비 "])
    assert (dict(done.wordings), done.missing, done.problem) == ({"비": "en ube44", "눈": "en ub208"}, (), "")
    assert ensure_translations(project=project, texts=["눈", "비"]).wordings == done.wordings
    assert len(llm.questions()) == before + 1
    assert stored(project)["비"] == ("en ube44", "machine")


def test_a_persons_wording_is_never_overwritten(project: Any, llm: LlmDouble, admin_user: Any) -> None:
    save_translation(project=project, actor=admin_user, text="비", words="drizzle")
    ensure_translations(project=project, texts=["비", "눈"])
    assert stored(project) == {"비": ("drizzle", "person"), "눈": ("en ub208", "machine")}
    save_translation(project=project, actor=admin_user, text="눈", words="snow")
    translations._store(project, {"눈": "machine again", "비": "machine again"}, "en")
    assert stored(project) == {"비": ("drizzle", "person"), "눈": ("snow", "person")}


def test_editing_is_undone_and_redone(project: Any, llm: LlmDouble, admin_user: Any) -> None:
    ensure_translations(project=project, texts=["비"])
    save_translation(project=project, actor=admin_user, text="비", words="drizzle", tab="t")
    undo(project=project, actor=admin_user, tab="t")
    assert stored(project) == {"비": ("en ube44", "machine")}
    redo(project=project, actor=admin_user, tab="t")
    assert stored(project) == {"비": ("drizzle", "person")}
    assert save_translation(project=project, actor=admin_user, text="비", words="  ", tab="t") is None
    assert stored(project) == {}
    undo(project=project, actor=admin_user, tab="t")
    assert stored(project) == {"비": ("drizzle", "person")}


def test_a_wording_that_was_taken_away_may_come_again(project: Any, llm: LlmDouble, admin_user: Any) -> None:
    save_translation(project=project, actor=admin_user, text="비", words="drizzle")
    save_translation(project=project, actor=admin_user, text="비", words="")
    ensure_translations(project=project, texts=["비"])
    assert stored(project) == {"비": ("en ube44", "machine")}
    save_translation(project=project, actor=admin_user, text="비", words="")
    save_translation(project=project, actor=admin_user, text="비", words="drops", seen=0)
    assert stored(project) == {"비": ("drops", "person")}
    assert Translation.objects.filter(project=project).count() == 1


def test_who_edits_what_somebody_changed_is_told(project: Any, admin_user: Any, artist: Any) -> None:
    row = save_translation(project=project, actor=admin_user, text="비", words="drizzle")
    assert row is not None
    save_translation(project=project, actor=artist, text="비", words="drops", seen=row.revision)
    with pytest.raises(Conflict) as caught:
        save_translation(project=project, actor=admin_user, text="비", words="rain", seen=row.revision)
    assert caught.value.details["current"] == {"words": "drops"}


@pytest.mark.parametrize(
    ("text", "words", "target", "field"),
    [
        ("", "x", "en", "text"),
        ("rain", "x", "en", "text"),
        ("비", "x", "fr", "target"),
        ("비", "x" * 4001, "en", "words"),
        ("비" * 4001, "x", "en", "text"),
    ],
)
def test_what_is_no_translation_is_refused(
    project: Any, admin_user: Any, text: str, words: str, target: str, field: str
) -> None:
    with pytest.raises(Invalid) as caught:
        save_translation(project=project, actor=admin_user, text=text, words=words, target=target)
    assert list(caught.value.fields) == [field]
    assert stored(project) == {}


@pytest.mark.parametrize(
    ("mode", "known"),
    [
        ("partial", ["비"]),
        ("fenced", ["비", "눈"]),
        *((mode, []) for mode in ("echo", "wrong_types", "other_keys", "essay", "words", "broken")),
        *((mode, []) for mode in ("error", "html", "huge", "redirect")),
    ],
)
def test_a_wrong_answer_loses_nothing(
    project: Any, llm: LlmDouble, admin_user: Any, mode: str, known: list[str]
) -> None:
    save_translation(project=project, actor=admin_user, text="바람", words="wind")
    llm.set(mode=mode)
    done = ensure_translations(project=project, texts=["바람", "비", "눈"])
    assert list(done.wordings) == ["바람", *known]
    assert done.missing == tuple(text for text in ("비", "눈") if text not in known)
    assert bool(done.problem) == (mode in ("error", "html", "huge", "redirect"))
    assert set(stored(project)) == {"바람", *known}
    llm.set(mode="good")
    assert ensure_translations(project=project, texts=["바람", "비", "눈"]).missing == ()
    assert stored(project)["바람"] == ("wind", "person")


def test_without_a_model_nothing_happens(project: Any, settings: Any) -> None:
    settings.LLM_URL = ""
    done = ensure_translations(project=project, texts=["비"])
    assert (done.missing, done.problem, stored(project)) == (("비",), "", {})


def test_one_question_is_bounded_and_the_rest_comes_with_the_next(project: Any, llm: LlmDouble) -> None:
    texts = [f"비 {number}" for number in range(MAX_TEXTS + 5)]
    assert len(ensure_translations(project=project, texts=texts).missing) == 5
    assert ensure_translations(project=project, texts=texts).missing == ()
    long = ["가" * 3000 + str(number) for number in range(5)] + ["나" * 5000]
    done = ensure_translations(project=project, texts=long)
    assert len(done.missing) == len(long) - MAX_CHARACTERS // 3001
    assert ensure_translations(project=project, texts=long).missing == (long[-1],)


def test_names_are_spelled_as_they_are_stored(project: Any, llm: LlmDouble, admin_user: Any) -> None:
    for name in ("리나", "민준", "서연"):
        Character.objects.create(project=project, name=name)
    save_translation(project=project, actor=admin_user, text="리나", words="Lina")
    ensure_translations(project=project, texts=["리나가 민준을 본다"])
    system = llm.questions()[-1]["messages"][0]["content"]
    assert "리나 = Lina" in system
    assert "서연" not in system


def test_two_that_translate_the_same_at_once_store_it_once(project: Any, llm: LlmDouble) -> None:
    llm.set(seconds=0.3)
    problems: list[Any] = []

    def work() -> None:
        try:
            found = ensure_translations(project=project, texts=["비", "눈"])
            problems.extend(found.missing)
        except Exception as error:
            problems.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []
    assert Translation.objects.filter(project=project).count() == 2


def test_the_model_is_never_asked_inside_a_transaction(project: Any, llm: LlmDouble) -> None:
    with transaction.atomic(), pytest.raises(RuntimeError):
        ensure_translations(project=project, texts=["비"])


def test_a_text_is_one_row_by_constraint(project: Any, admin_user: Any) -> None:
    row = save_translation(project=project, actor=admin_user, text="비", words="drizzle")
    assert row is not None
    copy = Translation(project=project, text="비", words="x", text_hash=row.text_hash, origin="machine")
    with pytest.raises(IntegrityError):
        copy.save()


def test_projects_do_not_share_their_wordings(project: Any, admin_user: Any) -> None:
    from aipipeline.history.project_services import create_project

    other = create_project(actor=admin_user, code="OTHER", title="x")
    save_translation(project=other, actor=admin_user, text="비", words="drizzle")
    assert wordings_for(project.pk, ["비"]) == {}


def test_reading_costs_one_query_however_many_texts(project: Any, admin_user: Any) -> None:
    for number in range(30):
        save_translation(project=project, actor=admin_user, text=f"비 {number}", words=f"rain {number}")
    with CaptureQueriesContext(connection) as queries:
        found = ensure_translations(project=project, texts=[f"비 {number}" for number in range(30)])
    assert (len(found.wordings), len(queries)) == (30, 1)


def test_what_the_machine_stored_is_in_the_history_and_nobodys_undo(
    project: Any, llm: LlmDouble, admin_user: Any
) -> None:
    ensure_translations(project=project, texts=["비"])
    action = Action.objects.filter(kind="translation.create").get()
    assert action.actor is None
    assert [entry["label"] for entry in action.changes] == ["비"]


@pytest.mark.parametrize("mode", ["good", "partial", "error"])
def test_the_button_of_the_shot_page_translates_what_is_missing(
    project: Any, llm: LlmDouble, admin_user: Any, client: Any, mode: str
) -> None:
    from shots.services.editing import create_shot

    shot = create_shot(project=project, actor=admin_user, description="비가 온다", emotion="설렘")
    llm.set(mode=mode)
    client.force_login(admin_user)
    answer = client.post(f"/projects/TEST/shots/{shot.pk}/prompt/translate/", {"family": "flux"})
    page = answer.content.decode()
    assert answer.status_code == 200
    assert ("prompt-translate" in page) == (mode != "good")
    assert ("en ube44uac00" in page) == (mode != "error")
    toast = answer.headers["HX-Trigger"]
    assert {"good": "success", "partial": "warning", "error": "error"}[mode] in toast
