"""Names read backwards: what a template wrote is read as what it was, whatever it was called."""

import time
import unicodedata

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from assets.naming import Known, NameContext, NamingTemplates, NotRead, SeveralReadings, check_templates, read_name
from assets.naming.words import MAX_PART_BYTES, fold, path_key
from assets.tests.names import FEW, MANY, owners, parts_said, published, shots, some, templates

DEFAULT = NamingTemplates.of()
SHOT = NameContext(project="PRJ", scene="SCN_010", shot="SHT_0010")
COMP = {"kind": "comp", "version": 1, "ext": "exr"}
KNOWN = Known(
    [
        NameContext(project="PRJ", scene="SCN_010"),
        SHOT,
        SHOT.but(shot="SHT_0020"),
        NameContext(project="PRJ", shot="010A"),
        NameContext(project="PRJ", character="리나"),
        NameContext(project="PRJ", character="리나", unique="7"),
        NameContext(project="PRJ", environment="해변의 밤"),
    ]
)


def tokens_of(naming: NamingTemplates, name: str) -> set[str]:
    return {token.name for token in naming.by_name[name].tokens()}


@MANY
@given(shots(), templates("kind", "version", joins="_-."), st.data())
def test_folders_are_read_back_without_knowing_what_exists(
    names: NameContext, version: str, data: st.DataObject
) -> None:
    # Each of these parts holds one free token at most, so it reads back alone; {version} and {kind} have shapes.
    naming = NamingTemplates.of({"shot": "scenes/SCENE_{scene}/shots/{shot}_sh", "version": version})
    if "<" in version:
        naming = NamingTemplates.of({**naming.sources(), "version": version.replace("<", "").replace(">", "")})
    names = data.draw(published(st.just(names))).but(comment="", artist="", date=None, ext="", project="")
    path = naming.folder("shot", names) / naming.version(names)
    expected = names.but(scene=names.scene or "SCN_000")
    assert read_name(naming, str(path)) == expected
    assert read_name(naming, unicodedata.normalize("NFD", str(path))) == expected


@MANY
@given(published(st.builds(NameContext, shot=some)), st.sampled_from(["", "{date}-", "{kind}.", "x_{version:05}_"]))
def test_a_file_is_read_back_without_knowing_what_exists(names: NameContext, start: str) -> None:
    # One free token, and shapes around it that end where they end.
    left = {"kind", "version"} - {token for token in ("kind", "version") if f"{{{token}" in start}
    end = "".join(f"_{{{token}}}" for token in sorted(left))
    naming = NamingTemplates.of({"file": f"{start}{{shot}}{end}.{{ext}}"})
    assume("{date}" not in start or names.date)
    expected = NameContext(**parts_said(names, tokens_of(naming, "file")))
    assert read_name(naming, naming.file(names)) == expected


@FEW
@given(published(shots()), templates("shot", "scene", "kind", "version", "comment"), st.booleans())
def test_without_knowing_a_name_is_read_right_or_every_way_is_told(
    names: NameContext, source: str, optional: bool
) -> None:
    naming = NamingTemplates.of({"file": (f"<{{environment}}_>{source}" if optional else source) + ".{ext}"})
    template = naming.by_name["file"]
    names = names.but(scene=names.scene or "SCN", comment=names.comment or "c")
    said = NameContext(**parts_said(names, tokens_of(naming, "file")))
    assume(len(template.fill(said).encode()) <= MAX_PART_BYTES)
    written = naming.file(said)
    try:
        readings = [read_name(naming, written)]
    except SeveralReadings as error:
        readings = list(error.readings)
    except NotRead:
        # Bounded work: a name that falls apart in thousands of ways is given up. Nothing wrong is said.
        return
    assert said in readings or len(readings) > 20
    assert all(fold(naming.file(reading)) == fold(written) for reading in readings)


@FEW
@given(
    st.lists(owners(), min_size=1, max_size=8),
    published(st.just(SHOT)),
    st.sampled_from(["{kind}/{version}", "{kind:upper}-{version:05}", "{version}/{kind}_{shot}"]),
    st.sampled_from(
        ["s/{scene}/{shot}", "{project:lower}/{shot}_{scene}", "all/{scene:upper}/{shot:03}", "sh-{shot:lower}"]
    ),
)
def test_with_what_exists_every_valid_template_reads_back(
    rows: list[NameContext], said: NameContext, version: str, shot: str
) -> None:
    wanted = {"shot": shot, "version": version, "scene": "sc/{scene}"}
    checked = check_templates(wanted, rows)
    assume(not checked.errors)
    naming = checked.templates
    folded = [(names.owner, fold(getattr(names, names.owner))) for names in rows]
    known = Known(rows)
    for names, identity in zip(rows, folded, strict=True):
        if folded.count(identity) > 1:
            continue
        assert read_name(naming, str(naming.folder(names.owner, names)), known) == names
        whole = names.but(kind=said.kind, version=said.version)
        path = str(naming.folder(names.owner, names) / naming.version(whole))
        assert read_name(naming, path, known) == whole
        assert read_name(naming, unicodedata.normalize("NFD", path), known) == whole
        # The capital of a dotless i is that of i: to no filesystem these are one name.
        if fold(path.upper()) == fold(path):
            assert read_name(naming, unicodedata.normalize("NFD", path.upper()), known) == whole
        assert read_name(naming, f"{path}/shot_meta.json", known) == whole


@MANY
@given(
    st.lists(owners(), min_size=1, max_size=6), published(st.just(SHOT)), templates("shot", "scene", "kind", "version")
)
def test_with_what_exists_a_file_is_read_right_or_every_way_is_told(
    rows: list[NameContext], said: NameContext, source: str
) -> None:
    naming = NamingTemplates.of({"file": f"<{{character}}+><{{environment}}=>{source}<_{{comment}}>.{{ext}}"})
    template = naming.by_name["file"]
    known = Known(rows)
    for names in rows:
        names = names.but(kind=said.kind, version=said.version, ext=said.ext, comment=said.comment)
        if not all(getattr(names, name) for name in template.required()):
            continue
        if len(template.fill(names).encode()) > MAX_PART_BYTES:
            continue
        written = naming.file(names)
        try:
            readings = [read_name(naming, written, known)]
        except SeveralReadings as error:
            readings = list(error.readings)
        assert names in readings
        assert all(fold(naming.file(reading)) == fold(written) for reading in readings)


@FEW
@given(st.lists(owners(), min_size=1, max_size=6), published(st.just(SHOT)))
def test_a_file_in_its_folder_is_always_read_right(rows: list[NameContext], said: NameContext) -> None:
    known = Known(rows)
    seen = [path_key(DEFAULT.folder(names.owner, names)) for names in rows]
    for names, key in zip(rows, seen, strict=True):
        names = names.but(kind=said.kind, version=said.version, ext=said.ext)
        if seen.count(key) > 1 or len(DEFAULT.raw("file", names).encode()) > MAX_PART_BYTES:
            continue
        path = DEFAULT.folder(names.owner, names) / DEFAULT.version(names) / DEFAULT.file(names)
        assert read_name(DEFAULT, str(path), known) == names


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("PRJ_SCN_010_SHT_0010_render_v003.mp4", {"kind": "render", "version": 3, "ext": "mp4"}),
        ("prj_scn_010_sht_0010_RENDER_V003.MP4", {"kind": "render", "version": 3, "ext": "mp4"}),
        ("PRJ_SCN_010_SHT_0010_comp_v1200_ta_v2.exr", {**COMP, "version": 1200, "comment": "ta_v2"}),
        ("SHT_0010", {}),
        ("sht_0010_comp_v007.mov", {"kind": "comp", "version": 7, "ext": "mov"}),
        ("SHT_0010.v002.mov", {"version": 2, "ext": "mov"}),
        ("scenes/SCN_010/shots/SHT_0010", {}),
        ("scenes\\SCN_010\\shots\\SHT_0010\\render", {"kind": "render"}),
        ("./scenes//SCN_010/shots/SHT_0010/render/v002/", {"kind": "render", "version": 2}),
        ("scenes/SCN_010/shots/SHT_0010/render/v002/frame_0001.png", {"kind": "render", "version": 2}),
        ("scenes/SCN_010/shots/SHT_0010/drop/PRJ_SCN_010_SHT_0010_comp_v001.exr", COMP),
        ("Downloads/from the agency/PRJ_SCN_010_SHT_0010_comp_v001.exr", COMP),
    ],
)  # fmt: skip
def test_what_a_name_says(text: str, expected: dict[str, object]) -> None:
    assert read_name(DEFAULT, text, KNOWN).parts() == {**SHOT.parts(), **expected}


def test_rows_told_apart_by_a_suffix_are_read_as_themselves() -> None:
    assert read_name(DEFAULT, "assets/characters/CHR_리나", KNOWN).unique == ""
    assert read_name(DEFAULT, "assets/characters/CHR_리나_7/reference/v001", KNOWN).unique == "7"
    assert read_name(DEFAULT, "CHR_리나_7", KNOWN).unique == "7"
    with pytest.raises(SeveralReadings):
        read_name(DEFAULT, "PRJ_리나_reference_v001.png", KNOWN)


def test_a_name_is_read_though_capitals_have_another_length() -> None:
    naming = NamingTemplates.of({"version": "{version}/{kind}_{shot}"})
    names = SHOT.but(shot="ß1", kind="render", version=2)
    path = str(naming.folder("shot", names) / naming.version(names))
    assert read_name(naming, path.upper(), Known([names])) == names
    endings = NamingTemplates.of({"scene": "{scene}/ss", "shot": "{scene}/ss/x{shot}ss"})
    for text in ("a/ss/xbß", "a/ss/xbs", "a/SS/xbs"):
        assert read_name(endings, text, Known([names, SHOT])).scene == "a"
    with pytest.raises(NotRead):
        read_name(endings, "a/ß")


def test_a_shot_of_the_default_scene_and_one_that_is_not_known_yet() -> None:
    assert read_name(DEFAULT, "scenes/SCN_000/shots/010A/render/v001", KNOWN).scene == ""
    new = read_name(DEFAULT, "scenes/SCN_010/shots/SHT_9990/render/v001", KNOWN)
    assert new == SHOT.but(shot="SHT_9990", kind="render", version=1)


def test_a_file_that_lies_in_the_wrong_folder_is_told() -> None:
    with pytest.raises(SeveralReadings) as caught:
        read_name(DEFAULT, "scenes/SCN_010/shots/SHT_0010/render/v001/PRJ_SCN_010_SHT_0020_render_v001.png", KNOWN)
    assert [names.shot for names in caught.value.readings] == ["SHT_0010", "SHT_0020"]
    assert "SHT_0010" in caught.value.message
    assert "SHT_0020" in caught.value.message


@pytest.mark.parametrize(
    "text",
    [
        "", "/", ".", "/etc/passwd", "C:\\x", "../x", "a/../b", "a\x00b", "a\nb", "\ud800", "x" * 256, "가" * 100,
        "_" * 5000, "_" * 100_000, "a/" * 50_000, "(" * 100_000, "PRJ_" + "render_v001_" * 20, "PRJ" + "_" * 250,
        "\u0301" * 100, "hello.png", "scenes/SCN_010/shots/" + "/" * 4000 + "..",
    ],
)  # fmt: skip
@pytest.mark.parametrize("known", [None, KNOWN])
def test_hostile_text_is_refused_at_once(text: str, known: Known | None) -> None:
    began = time.perf_counter()
    with pytest.raises(NotRead) as caught:
        read_name(DEFAULT, text, known)
    assert caught.value.message
    assert len(caught.value.message) < 500
    assert time.perf_counter() - began < 2


def test_the_worst_template_and_text_end_soon() -> None:
    source = "".join(f"<{{{name}}}_>" for name in ("project", "scene", "shot", "character", "environment", "artist"))
    naming = NamingTemplates.of({"file": f"{source}{{comment}}_{{kind}}_{{version}}.{{ext}}"})
    for text in (
        "_" * 255,
        "_" * 230 + "render_v001.png",
        "..." * 70 + "_render_v001.png",
        "ab_" * 70 + "render_v001.png",
    ):
        began = time.perf_counter()
        with pytest.raises(NotRead):
            read_name(naming, text, KNOWN)
        assert time.perf_counter() - began < 3


def test_reading_among_ten_thousand_shots_takes_no_longer_than_among_ten() -> None:
    def rows(count: int) -> list[NameContext]:
        return [NameContext(project="PRJ", scene=f"SCN_{i // 10:04}", shot=f"SHT_{i * 10:06}") for i in range(count)]

    taken = []
    for count in (10, 10_000):
        known = Known(rows(count))
        files = [DEFAULT.file(names.but(kind="render", version=1, ext="png")) for names in rows(10)]
        read_name(DEFAULT, files[0], known)
        best = min(_seconds(files, known) for _round in range(5))
        taken.append(best)
    assert taken[1] < taken[0] * 10


def _seconds(files: list[str], known: Known) -> float:
    began = time.perf_counter()
    for name in files:
        read_name(DEFAULT, name, known)
    return time.perf_counter() - began
