"""Nothing of the tree page leaves the project's folder, whatever lies in it and whatever is asked for."""

import os
import threading
from pathlib import Path
from typing import Any

import pytest

from aipipeline.media.patience import MOST_HELD, within
from aipipeline.media.rooted import Rooted, StorageAway, split_path
from aipipeline.projects.errors import Invalid, NotFound

SECRET = b"not of this production"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A production folder with links of every kind in it, and a secret beside it."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.txt").write_bytes(SECRET)
    root = tmp_path / "TEST"
    (root / "scenes" / "SCN_010").mkdir(parents=True)
    (root / "scenes" / "plain.txt").write_text("ours")
    (root / "scenes" / "리나.txt").write_text("한글")
    (root / "to_folder").symlink_to(outside)
    (root / "to_file").symlink_to(outside / "secret.txt")
    (root / "to_parent").symlink_to("..")
    (root / "to_itself").symlink_to("to_itself")
    os.mkfifo(root / "pipe")
    return root


@pytest.mark.parametrize(
    "text",
    ["../outside", "scenes/../../outside", "/etc/passwd", "a\x00b", "\ud800", "x/" * 70, "가" * 100, "a" * 5000, ".."],
)
def test_a_path_that_could_lead_out_is_refused_with_its_reason(text: str) -> None:
    with pytest.raises(Invalid) as refused:
        split_path(text)
    assert refused.value.fields["path"]


def test_a_path_is_its_names() -> None:
    assert split_path("scenes//SCN_010/./shots/") == ("scenes", "SCN_010", "shots")
    assert split_path("") == ()
    assert split_path("a\\b") == ("a\\b",)


@pytest.mark.parametrize(
    "path",
    ["to_folder/secret.txt", "to_file", "to_parent/outside/secret.txt", "to_itself", "to_itself/x", "pipe", "scenes"],
)
def test_what_is_no_plain_file_of_ours_is_not_opened(root: Path, path: str) -> None:
    with pytest.raises(NotFound):
        Rooted(root).open(split_path(path))


def test_links_are_listed_and_not_entered(root: Path) -> None:
    rooted = Rooted(root)
    found = {entry.name: entry.kind for entry in rooted.names((), 100)[0]}
    assert found == {
        "scenes": "folder", "to_folder": "link", "to_file": "link", "to_parent": "link", "to_itself": "link",
        "pipe": "other",
    }  # fmt: skip
    with pytest.raises(NotFound):
        rooted.names(("to_folder",), 10)
    walked = ["/".join(path) for path, _entry in rooted.walk((), 1000)]
    assert sorted(walked) == ["scenes", "scenes/SCN_010", "scenes/plain.txt", "scenes/리나.txt"]
    assert rooted.entry(("to_file",)).size == 0


def test_a_folder_that_becomes_a_link_while_it_is_read_is_not_followed(root: Path, tmp_path: Path) -> None:
    """Somebody swaps a folder and a link as fast as they can; what is read is ours or nothing."""
    rooted, stop = Rooted(root), threading.Event()
    folder, link, aside = root / "swap", root / "swap.link", root / "swap.aside"
    folder.mkdir()
    (folder / "secret.txt").write_bytes(b"ours")
    link.symlink_to(tmp_path / "outside")

    def swap() -> None:
        while not stop.is_set():
            os.rename(folder, aside)
            os.rename(link, folder)
            os.rename(folder, link)
            os.rename(aside, folder)

    thread = threading.Thread(target=swap)
    thread.start()
    read = {True: 0, False: 0}
    try:
        for _try in range(3000):
            try:
                with rooted.open(("swap", "secret.txt")) as file:
                    assert file.read() == b"ours"
                read[True] += 1
            except NotFound:
                read[False] += 1
    finally:
        stop.set()
        thread.join()
    assert read[True] > 0
    assert read[False] > 0, "the race was never met"


def test_an_open_file_is_the_one_that_was_looked_at(root: Path, tmp_path: Path) -> None:
    with Rooted(root).open(("scenes", "plain.txt")) as file:
        (root / "scenes" / "plain.txt").unlink()
        (root / "scenes" / "plain.txt").symlink_to(tmp_path / "outside" / "secret.txt")
        assert file.read() == b"ours"


def test_a_root_that_is_gone_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(StorageAway, match="mounted"):
        Rooted(tmp_path / "nowhere").names((), 10)
    assert StorageAway.status == 503


def test_a_walk_ends_at_its_limit(root: Path) -> None:
    for number in range(30):
        (root / "scenes" / f"f{number}").mkdir()
    assert len(list(Rooted(root).walk((), 10))) <= 10


def test_a_name_that_is_no_text_can_be_listed(root: Path) -> None:
    (root / "scenes" / os.fsdecode(b"\xff\xfe.png")).write_bytes(b"x")
    found = [entry for entry in Rooted(root).names(("scenes",), 10)[0] if not entry.readable]
    assert len(found) == 1


def test_a_storage_that_hangs_gives_an_error_in_time_and_is_not_waited_for_again(tmp_path: Path) -> None:
    free = threading.Event()
    try:
        for _try in range(MOST_HELD):
            with pytest.raises(StorageAway, match="does not answer"):
                within(tmp_path, free.wait, 0.05)
        called: list[int] = []
        with pytest.raises(StorageAway):
            within(tmp_path, lambda: called.append(1), 5.0)
        assert called == [], "one more thread joined those that hang"
        assert within(tmp_path / "other", lambda: 7) == 7
    finally:
        free.set()
    for _try in range(100):
        try:
            assert within(tmp_path, lambda: 3) == 3
            return
        except StorageAway:
            threading.Event().wait(0.02)
    pytest.fail("the storage came back, but is still refused")


def test_what_the_work_raises_comes_through(tmp_path: Path) -> None:
    def work() -> Any:
        raise NotFound("x")

    with pytest.raises(NotFound):
        within(tmp_path, work)
