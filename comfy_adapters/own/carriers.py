"""Pictures and clips that ComfyUI wrote carry the graph that made them: a text chunk of a PNG, a tag of a container."""

import struct
import zlib
from pathlib import Path
from typing import BinaryIO

import av
from django.utils.translation import gettext as _

from comfy_adapters.own.strict import MAX_BYTES, refuse

PNG = b"\x89PNG\r\n\x1a\n"
WANTED = ("prompt", "workflow")
_MAX_CHUNKS = 200_000
_MAX_MOOV = 64 << 20


def is_movie(head: bytes) -> bool:
    """By the first bytes: MP4 and MOV have their brand at 4, Matroska and WebM begin with EBML."""
    return head[4:8] in (b"ftyp", b"moov", b"mdat", b"free", b"wide") or head[:4] == b"\x1aE\xdf\xa3"


def png_texts(path: Path) -> dict[str, str]:
    """The texts under `prompt` and `workflow`, compressed or not; picture data is passed over, never read."""
    found: dict[str, str] = {}
    with open(path, "rb") as file:
        file.seek(len(PNG))
        for _count in range(_MAX_CHUNKS):
            head = file.read(8)
            if len(head) < 8 or head[4:] == b"IEND":
                return found
            (size,) = struct.unpack(">I", head[:4])
            if head[4:] not in (b"tEXt", b"zTXt", b"iTXt"):
                file.seek(size + 4, 1)
                continue
            _read_text(file, head[4:], size, found)
    raise refuse(_("The picture has too many parts to be read."))


def _read_text(file: BinaryIO, kind: bytes, size: int, found: dict[str, str]) -> None:
    start = file.tell()
    keyword = file.read(min(size, 80)).partition(b"\0")[0].decode("latin-1")
    if keyword in WANTED and keyword not in found:
        if size > MAX_BYTES:
            raise _too_large()
        file.seek(start)
        body = file.read(size)
        if len(body) < size or struct.pack(">I", zlib.crc32(body, zlib.crc32(kind))) != file.read(4):
            raise refuse(_("The picture is damaged or cut off. Take the file as ComfyUI wrote it."))
        found[keyword] = _text(kind, body.partition(b"\0")[2])
    file.seek(start + size + 4)


def _text(kind: bytes, rest: bytes) -> str:
    if kind == b"tEXt":
        # The standard says Latin-1; JSON is written in ASCII or, by some, in UTF-8.
        try:
            return rest.decode("utf-8")
        except UnicodeDecodeError:
            return rest.decode("latin-1")
    if kind == b"zTXt":
        return _inflated(rest[1:]).decode("utf-8", "replace")
    packed, rest = rest[:1] == b"\1", rest[2:]
    rest = rest.partition(b"\0")[2].partition(b"\0")[2]  # language, translated keyword
    return (_inflated(rest) if packed else rest).decode("utf-8", "replace")


def _inflated(data: bytes) -> bytes:
    try:
        unpacker = zlib.decompressobj()
        text = unpacker.decompress(data, MAX_BYTES + 1)
    except zlib.error as error:
        raise refuse(_("The picture is damaged or cut off. Take the file as ComfyUI wrote it.")) from error
    if len(text) > MAX_BYTES:
        raise _too_large()
    return text


def movie_texts(path: Path) -> dict[str, str]:
    """The container's tags `prompt` and `workflow`, whatever their case."""
    _check_index(path)
    try:
        with av.open(str(path), metadata_errors="replace") as container:
            tags = {str(name).lower(): str(value) for name, value in container.metadata.items()}
    except (av.FFmpegError, OSError, ValueError) as error:
        text = _("The clip cannot be read (%(reason)s). Take the file as ComfyUI wrote it.")
        raise refuse(text % {"reason": str(error)[:120]}) from error
    found = {name: tags[name] for name in WANTED if name in tags}
    if "comment" in tags and "prompt" not in found and tags["comment"].lstrip().startswith("{"):
        found["comment"] = tags["comment"]  # VideoHelperSuite keeps both in one tag
    if any(len(text) > MAX_BYTES for text in found.values()):
        raise _too_large()
    return found


def _check_index(path: Path) -> None:
    """The index of an MP4 is read into memory whole: refuse one that is no index. Matroska's tags have a limit."""
    with open(path, "rb") as file:
        whole = path.stat().st_size
        for _box in range(10_000):
            head = file.read(16)
            if len(head) < 8 or head[:4] == b"\x1aE\xdf\xa3":
                return
            size = int.from_bytes(head[:4], "big")
            if size == 1 and len(head) == 16:
                size = int.from_bytes(head[8:], "big")
            if size == 0:
                size = whole - file.tell() + len(head)
            if head[4:8] in (b"moov", b"meta", b"udta") and size > _MAX_MOOV:
                raise _too_large()
            if size < 8:
                return
            file.seek(size - len(head), 1)


def _too_large() -> Exception:
    return refuse(_("The file carries more than %(size)d MB of text. That is no workflow.") % {"size": MAX_BYTES >> 20})
