"""Files that hold a graph, files that do not, and files that were made to hurt."""

import json
import resource
import time
import zlib
from pathlib import Path
from typing import Any

import pytest

from aipipeline.projects.errors import Invalid
from comfy_adapters.own import strict
from comfy_adapters.own.reading import read_file, read_text
from comfy_adapters.tests.own import files


def refusal(data: str | bytes) -> str:
    with pytest.raises(Invalid) as caught:
        read_text(data, source="x.json")
    assert "file" in caught.value.fields
    return str(caught.value)


def kept(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def test_json_is_read_wrapped_or_not_with_and_without_a_mark(tmp_path: Path) -> None:
    plain = json.dumps(files.graph())
    for data in (
        plain.encode(),
        b"\xef\xbb\xbf" + plain.encode(),
        plain.encode("utf-16"),
        json.dumps({"prompt": files.graph(), "client_id": "x"}).encode(),
        json.dumps({"prompt": {"prompt": files.graph()}}).encode(),
    ):
        found = read_file(kept(tmp_path / "a.json", data), name="a.json")
        assert found.nodes == files.graph()
        assert found.source == "a.json"


def test_only_what_a_server_reads_is_kept_of_a_node() -> None:
    nodes = files.graph()
    nodes["10"]["is_changed"] = [float("nan")]  # as ComfyUI writes it
    nodes["10"]["_meta"] = {"title": "모델", "color": "#fff"}
    found = read_text(json.dumps(nodes), source="x").nodes["10"]
    assert found == {"inputs": nodes["10"]["inputs"], "class_type": "UNETLoader", "_meta": {"title": "모델"}}


@pytest.mark.parametrize("how", ["text", "packed", "unicode", "packed unicode"])
def test_a_picture_that_comfyui_wrote_is_read(tmp_path: Path, how: str) -> None:
    text = json.dumps(files.graph(), ensure_ascii=False)
    made = {
        "text": lambda: files.text_chunk("prompt", text),
        "packed": lambda: files.packed_chunk("prompt", text),
        "unicode": lambda: files.unicode_chunk("prompt", text, packed=False),
        "packed unicode": lambda: files.unicode_chunk("prompt", text, packed=True),
    }[how]()
    path = files.png(tmp_path / "p.png", files.text_chunk("Software", "x"), made)
    assert read_file(path, name="p.png").nodes == files.graph()


@pytest.mark.parametrize("suffix", [".mp4", ".webm"])
def test_a_clip_that_comfyui_wrote_is_read(tmp_path: Path, suffix: str) -> None:
    path = files.clip(tmp_path / f"c{suffix}", prompt=json.dumps(files.graph("wan22_i2v")), workflow="{}")
    assert read_file(path, name=path.name).nodes == files.graph("wan22_i2v")
    both = json.dumps({"prompt": json.dumps(files.graph("svi_i2v")), "workflow": UI})
    path = files.clip(tmp_path / f"vhs{suffix}", comment=both)
    assert read_file(path, name=path.name).nodes == files.graph("svi_i2v")


def test_the_first_bytes_say_what_a_file_is_not_its_name(tmp_path: Path) -> None:
    path = files.png(tmp_path / "p.json", files.text_chunk("prompt", json.dumps(files.graph())))
    assert read_file(path, name="p.json").nodes == files.graph()
    path = kept(tmp_path / "g.png", json.dumps(files.graph()).encode())
    assert read_file(path, name="g.png").nodes == files.graph()
    with pytest.raises(Invalid, match="neither JSON nor"):
        read_file(kept(tmp_path / "z.json", b"PK\x03\x04" + bytes(100)), name="z.json")


UI: dict[str, Any] = {"version": 0.4, "nodes": [{"id": 1, "type": "KSampler"}], "links": []}


def test_a_workflow_of_the_editor_is_refused_with_the_way_out(tmp_path: Path) -> None:
    assert "Export (API)" in refusal(json.dumps(UI))
    assert "Export (API)" in refusal(json.dumps({"prompt": UI}))
    path = files.png(tmp_path / "p.png", files.text_chunk("workflow", json.dumps(UI)))
    with pytest.raises(Invalid, match=r"only the editor's workflow.*Export") as caught:
        read_file(path, name="p.png")
    assert "p.png" in str(caught.value)
    with pytest.raises(Invalid, match="carries no workflow"):
        read_file(files.png(tmp_path / "q.png"), name="q.png")
    with pytest.raises(Invalid, match="carries no workflow"):
        read_file(files.clip(tmp_path / "q.mp4"), name="q.mp4")


NODE: dict[str, Any] = {"class_type": "A", "inputs": {}}
HOSTILE = {
    "nothing": ("", "empty"),
    "no json": ("{'a': 1}", "line 1, column 2"),
    "a list": ("[1]", "no ComfyUI workflow"),
    "not a number": ('{"1": {"class_type": "A", "inputs": {"x": NaN}}}', "nan, which is no number"),
    "infinite": ('{"1": {"class_type": "A", "inputs": {"x": 1e999}}}', "inf, which is no number"),
    "a huge number": ('{"1": {"class_type": "A", "inputs": {"x": 99999999999999999999999}}}', "too large"),
    "endless digits": ('{"1": ' + "9" * 6000 + "}", "cannot be read"),
    "a key twice": ('{"1": {"class_type": "A", "inputs": {"x": 1, "x": 2}}}', "“x” is there twice"),
    "a node twice": ('{"1": {"class_type": "A"}, "1": {"class_type": "B"}}', "“1” is there twice"),
    "a node that is none": ('{"1": 5, "2": {"class_type": "A"}}', "Node 1 is not an object"),
    "no class": ('{"7": {"inputs": {}}}', "Node 7 has no “class_type”"),
    "inputs that are none": ('{"7": {"class_type": "A", "inputs": [1]}}', "“inputs” of node 7"),
    "a link to nowhere": ('{"7": {"class_type": "A", "inputs": {"x": ["9", 0]}}}', "comes from node 9"),
    "deep": ('{"1": ' + "[" * 50_000 + "]" * 50_000 + "}", "deeper than"),
    "open brackets": ("[" * 500_000, "deeper than"),
    "many nodes": (json.dumps({str(n): NODE for n in range(10_000)}), "10000 nodes"),
    "many inputs": (json.dumps({"1": {"class_type": "A", "inputs": {str(n): n for n in range(5000)}}}), "at most"),
    "a huge text": (json.dumps({"1": {"class_type": "A", "inputs": {"text": "x" * 200_000}}}), "longer than"),
    "nul": (json.dumps({"1": {"class_type": "A", "inputs": {"text": "a\0b"}}}), "cannot be stored"),
    "half a pair": ('{"1": {"class_type": "A", "inputs": {"text": "\\ud800"}}}', "cannot be stored"),
    "not utf-8": (b'{"1": "\xff\xfe\xfd"}', "UTF-8"),
    "a circle": (
        json.dumps({a: {"class_type": "A", "inputs": {"x": [b, 0]}} for a, b in (("1", "2"), ("2", "3"), ("3", "1"))}),
        "1, 2, 3 feed each other",
    ),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_no_graph_is_refused_in_words(name: str) -> None:
    data, words = HOSTILE[name]
    began = time.monotonic()
    assert words in refusal(data)
    assert time.monotonic() - began < 3


@pytest.mark.parametrize(
    "value", ["/etc/passwd", "C:\\models\\a.safetensors", "\\\\nas\\a.png", "../../secret.png", "~/a.png", "file:///x"]
)
def test_a_place_on_one_computer_is_refused_and_the_node_named(value: str) -> None:
    nodes = files.graph("flux_i2i")
    (key,) = [key for key, node in nodes.items() if node["class_type"] == "LoadImage"]
    nodes[key]["inputs"]["image"] = value
    said = refusal(json.dumps(nodes))
    assert f"Node {key} LoadImage: image" in said
    assert "ComfyUI's own folders" in said
    nodes[key]["inputs"]["image"] = "aip/picture.png [output]"
    nodes["20"]["inputs"]["text"] = "/imagine ../ C:\\ as a painting"
    assert read_text(json.dumps(nodes), source="x").nodes


def test_seeds_of_64_bits_pass() -> None:
    nodes = files.graph()
    nodes["40"]["inputs"]["seed"] = 2**64 - 1
    assert read_text(json.dumps(nodes), source="x").nodes["40"]["inputs"]["seed"] == 2**64 - 1


def test_files_of_hundreds_of_megabytes_cost_neither_time_nor_memory(tmp_path: Path) -> None:
    json_file = tmp_path / "large.json"
    with open(json_file, "wb") as out:
        out.write(b'{"1": "')
        for _count in range(100):
            out.write(b"x" * (1 << 20))
    bomb = zlib.compress(b'{"a": "' + b"x" * (120 << 20), 9)
    large = files.chunk(b"tEXt", b"prompt\0" + b"{" * (20 << 20))
    paths = [
        json_file,
        files.png(tmp_path / "bomb.png", files.chunk(b"zTXt", b"prompt\0\0" + bomb)),
        files.png(tmp_path / "large.png", large),
        files.png(tmp_path / "cut.png", files.chunk(b"tEXt", b"prompt\0{}")[:-6]),
        files.png(tmp_path / "crc.png", files.chunk(b"tEXt", b"prompt\0{}", crc=1)),
        kept(tmp_path / "cut.mp4", files.clip(tmp_path / "whole.mp4", prompt="{}").read_bytes()[:600]),
        kept(tmp_path / "moov.mp4", b"\0\0\0\x10ftypisom\0\0\0\0" + b"\x7f\xff\xff\xffmoov" + bytes(4096)),
    ]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for path in paths:
        began = time.monotonic()
        with pytest.raises(Invalid):
            read_file(path, name=path.name)
        assert time.monotonic() - began < 5, path.name
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 120_000, f"{grown} kB"  # the limit of a text, its decoded copy and the parser's room
    assert strict.MAX_BYTES <= 8 << 20
