"""`./aip manage mirror`: what it says and how it ends."""

import json
from collections.abc import Callable
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command

from mirror.models import MirrorTarget

pytestmark = [pytest.mark.django_db(transaction=True)]


def called(*arguments: str) -> tuple[int, str, str]:
    """Exit code, stdout, stderr."""
    out, err = StringIO(), StringIO()
    try:
        call_command("mirror", *arguments, stdout=out, stderr=err)
    except SystemExit as end:
        return int(str(end.code)), out.getvalue(), err.getvalue()
    return 0, out.getvalue(), err.getvalue()


def test_it_says_what_it_did(make: Callable[..., MirrorTarget], tree: Path, nas: Path) -> None:
    make(path=str(nas))
    code, out, err = called("TEST", "--dry-run")
    assert (code, err) == (0, "")
    assert "would copy 7 new and 0 changed files" in out
    assert "export/final/film.mp4" in out
    assert not nas.exists()
    assert "copied 7 files" in called("TEST", "--target", "NAS")[1]
    assert "7 read back" in called("TEST", "--verify")[1]
    (nas / "export/final/film.mp4").write_bytes(b"by hand")
    code, out, err = called("TEST")
    assert code == 1
    assert "conflict: export/final/film.mp4" in out
    found = json.loads(called("TEST", "--json")[1])
    assert (found["NAS"]["state"], found["NAS"]["conflict"]) == ("succeeded", 1)


def test_wrong_names_and_failures_have_their_codes(make: Callable[..., MirrorTarget], tree: Path, nas: Path) -> None:
    assert called("NOPE")[0] == 2
    assert "none" in called("TEST")[2]
    make(path=str(nas / "deep" / "er"))
    code, _out, err = called("TEST", "--target", "other")
    assert (code, "Mirrors: NAS" in err) == (2, True)
    code, _out, err = called("TEST")
    assert code == 1
    assert "There is no folder" in err


def test_a_mirror_that_is_switched_off_runs_only_by_its_name(
    make: Callable[..., MirrorTarget], tree: Path, nas: Path
) -> None:
    make(path=str(nas), enabled=False)
    assert called("TEST")[0] == 2
    assert called("TEST", "--target", "NAS")[0] == 0
