"""The client against a process that speaks the protocol, and misbehaves."""

import time
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.cache import cache
from django.db import transaction

from aipipeline.llm.client import MAX_QUESTION, ask, configured
from aipipeline.llm.errors import LlmError
from tests.doubles.llm.process import LlmDouble, running

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(scope="module")
def server() -> Iterator[LlmDouble]:
    with running() as double:
        yield double


@pytest.fixture
def llm(server: LlmDouble, settings: Any) -> LlmDouble:
    server.set(mode="good", seconds=0, key="")
    settings.LLM_URL, settings.LLM_MODEL, settings.LLM_API_KEY = server.url, "small", ""
    settings.LLM_TIMEOUT_SECONDS = 5.0
    return server


def question(text: str = '{"1": "비"}') -> str:
    return ask(system="s", question=text, max_tokens=10)


def test_one_question_and_its_answer(llm: LlmDouble, settings: Any) -> None:
    settings.LLM_API_KEY = "secret"
    llm.set(key="secret")
    assert question() == '{"1": "en ube44"}'
    asked = llm.questions()[-1]
    assert (asked["model"], asked["authorization"], asked["temperature"]) == ("small", "Bearer secret", 0)
    settings.LLM_URL += "/chat/completions/"
    assert question() == '{"1": "en ube44"}'


def test_nothing_is_asked_without_an_address(settings: Any) -> None:
    settings.LLM_URL = ""
    assert not configured()
    with pytest.raises(LlmError, match="LLM_URL"):
        question()


@pytest.mark.parametrize(
    ("mode", "words"),
    [("error", "500"), ("redirect", "307"), ("html", "/v1"), ("huge", "too long")],
)
def test_a_server_that_misbehaves_is_told_with_a_remedy(llm: LlmDouble, settings: Any, mode: str, words: str) -> None:
    settings.LLM_API_KEY = "secret"
    llm.set(mode=mode)
    before = len(llm.questions())
    with pytest.raises(LlmError, match=words) as caught:
        question()
    assert "secret" not in str(caught.value)
    assert len(llm.questions()) == before + 1  # above all no redirect was followed with the key


def test_a_wrong_key_and_a_wrong_address(llm: LlmDouble, settings: Any) -> None:
    llm.set(key="other")
    with pytest.raises(LlmError, match="LLM_API_KEY"):
        question()
    settings.LLM_URL = llm.url.removesuffix("/v1")
    with pytest.raises(LlmError, match="LLM_URL"):
        question()


@pytest.mark.parametrize("mode", ["drip", "good"])
def test_a_slow_server_costs_the_timeout_once(llm: LlmDouble, settings: Any, mode: str) -> None:
    settings.LLM_TIMEOUT_SECONDS = 0.4
    llm.set(mode=mode, seconds=0 if mode == "drip" else 3)
    began = time.monotonic()
    for _time in range(3):
        with pytest.raises(LlmError):
            question()
    assert time.monotonic() - began < 2.5
    llm.set(mode="good", seconds=0)
    cache.clear()
    assert question()


@pytest.mark.parametrize("address", ["http://127.0.0.1:1/v1", "nonsense", "http://[::1", "http://h:99999/v1"])
def test_an_address_where_nobody_is(settings: Any, address: str) -> None:
    settings.LLM_URL = address
    with pytest.raises(LlmError, match="LLM_URL"):
        question()


def test_never_inside_a_transaction_and_never_too_much(llm: LlmDouble) -> None:
    before = len(llm.questions())
    with transaction.atomic(), pytest.raises(RuntimeError):
        question()
    with pytest.raises(LlmError):
        question("x" * MAX_QUESTION)
    assert len(llm.questions()) == before
