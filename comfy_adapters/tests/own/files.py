"""Files as ComfyUI writes them, made byte by byte."""

import json
import struct
import zlib
from pathlib import Path
from typing import Any

import av
from PIL import Image

from comfy_adapters.comfyui.graphs import FOLDER

DOUBLE = Path(__file__).resolve().parents[3] / "tests" / "doubles" / "comfyui"


def graph(name: str = "flux_t2i") -> dict[str, Any]:
    found: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    return found


def about(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((FOLDER / f"{name}.slots.json").read_text(encoding="utf-8"))
    return found


def blind(name: str) -> dict[str, Any]:
    """The graph without what its author wrote into titles."""
    nodes = graph(name)
    for node in nodes.values():
        node["_meta"] = {"title": node["class_type"]}
    return nodes


def chunk(kind: bytes, body: bytes, *, crc: int | None = None) -> bytes:
    check = zlib.crc32(body, zlib.crc32(kind)) if crc is None else crc
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", check)


def png(path: Path, *chunks: bytes) -> Path:
    """A small picture with these chunks behind its header."""
    Image.new("RGB", (8, 8), "navy").save(path, format="PNG")
    data = path.read_bytes()
    path.write_bytes(data[:33] + b"".join(chunks) + data[33:])
    return path


def text_chunk(name: str, text: str) -> bytes:
    return chunk(b"tEXt", name.encode() + b"\0" + text.encode())


def packed_chunk(name: str, text: str) -> bytes:
    return chunk(b"zTXt", name.encode() + b"\0\0" + zlib.compress(text.encode()))


def unicode_chunk(name: str, text: str, *, packed: bool) -> bytes:
    body = zlib.compress(text.encode()) if packed else text.encode()
    return chunk(b"iTXt", name.encode() + b"\0" + bytes([packed, 0]) + b"ko\0\0" + body)


def clip(path: Path, **tags: str) -> Path:
    """A clip of a few frames whose container has these tags, as SaveVideo and SaveWEBM write them."""
    options = {"movflags": "use_metadata_tags"} if path.suffix == ".mp4" else {}
    with av.open(str(path), "w", options=options) as out:
        for name, value in tags.items():
            out.metadata[name] = value
        stream = out.add_stream("libx264" if path.suffix == ".mp4" else "libvpx", rate=8)
        stream.width, stream.height, stream.pix_fmt = 32, 32, "yuv420p"
        for _count in range(3):
            frame = av.VideoFrame.from_image(Image.new("RGB", (32, 32), "teal"))
            for packet in stream.encode(frame):
                out.mux(packet)
        for packet in stream.encode():
            out.mux(packet)
    return path
