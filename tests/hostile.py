"""Values, bodies and addresses that mean harm or are just wrong, for tests that walk every address of the site."""

import re
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

from django.urls import URLPattern, URLResolver, get_resolver

HUGE = 2**70
# What the parser refuses whatever the field is called; tried once for each address.
UNREADABLE: list[Any] = [HUGE, "a\x00b", "\ud800", {"a": {"b": ["\x00"]}}]
# What reaches the field itself.
VALUES: list[Any] = [
    None, True, -1, 0, 2**31, 2**63 - 1, 1.5, "", "²", "9" * 5000, "가" * 300, [], [[]], [None], {}, "../../etc/passwd",
]  # fmt: skip
# For values that lie deeper, where there are many places.
FEW: list[Any] = [None, True, -1, 2**63 - 1, 1.5, "²", "가" * 300, [[1]], {"a": 1}]
BODIES: list[tuple[bytes, str]] = [
    (b"", "application/json"),
    (b"{", "application/json"),
    (b"null", "application/json"),
    (b"[]", "application/json"),
    (b'"text"', "application/json"),
    (b"\xff\xfe{}", "application/json"),
    (b'{"\xed\xa0\x80": 1}', "application/json"),
    (b'{"a": NaN}', "application/json"),
    (b'{"a": 1e999}', "application/json"),
    (b"[" * 100_000, "application/json"),
    (b'{"a":' * 900 + b"1" + b"}" * 900, "application/json"),
    (b'{"a": ' + b"9" * 6000 + b"}", "application/json"),
    (b"a=1", "application/x-www-form-urlencoded"),
    (b"a=%00&title=%ed%a0%80&ids=%c2%b2", "application/x-www-form-urlencoded"),
    (b"x", "text/csv"),
    (b"x", ""),
    (b"--b\r\nbroken", "multipart/form-data; boundary=b"),
    (b'--b\r\nContent-Disposition: form-data; name="file"; filename="../a\x00.png"\r\n\r\nx\r\n--b--\r\n',
     "multipart/form-data; boundary=b"),
    (b"{}", "application/json; charset=no-such"),
]  # fmt: skip
QUERIES = [
    "?page_size=-1", "?page_size=99999999999999999999", "?cursor=garbage", "?cursor=cD0lMDA=", "?cursor=cD14",
    "?cursor=bz0tOTk5OTk5OTk5OTk5OTk5OTk5OTk=", "?cursor=%00", "?state=%00&status=%00", "?page_size=x&state=x&status=x",
]  # fmt: skip
GRID_QUERIES = [
    "?view=%C2%B2", "?view=99999999999999999", "?view=-1", "?filter={", "?filter=[]", "?filter=1", "?filter=%00",
    "?filter=" + "[" * 5000, '?filter={"and":[{"and":[{"and":[{"and":[{"and":[{"and":[]}]}]}]}]}]}', "?sort=x",
    '?filter={"field":"size","op":"any_of","value":[[1],{}]}', '?sort=[["size",1]]', "?search=" + "가" * 300,
    '?filter={"field":"duration_frames","op":"lt","value":[1]}', "?since=x", "?since=-1", "?since=" + "9" * 30,
    '?filter={"field":"seed","op":"ge","value":1e999}',
]  # fmt: skip
PAGE_QUERIES = [
    "?page=-1&scene=%C2%B2&q=%ED%A0%80&status=x&state=x&version=x", "?scene=99999999999999999999999&page=x", "?q=%00",
    "?version=%00&state=%00&project=%00",
]  # fmt: skip
TEXT_PARTS = ["%00", "%ED%A0%80", "..", "²", "가" * 300, "99999999999999999999999", "-1"]
NUMBER_PARTS = ["0", "99999999", str(2**63), str(HUGE)]


def patterns() -> list[str]:
    """Every address of the site as it is declared, the admin's and other libraries' left out."""
    found: list[str] = []

    def walk(entries: list[Any], prefix: str) -> None:
        for entry in entries:
            if isinstance(entry, URLResolver):
                walk(entry.url_patterns, prefix + str(entry.pattern))
            elif isinstance(entry, URLPattern):
                found.append((prefix + str(entry.pattern)).replace("^", "").replace("$", "").replace("\\.", "."))

    walk(get_resolver().url_patterns, "")
    left_out = ("admin/", "flower/", "api/docs", "api/schema", "metrics", "healthz", "readyz", "logout/")
    return sorted({p for p in found if not p.startswith(left_out) and ".*" not in p})


_PART = re.compile(r"\(\?P<(\w+)>[^)]*\)|<(?:(\w+):)?(\w+)>")


def parts_of(pattern: str) -> list[tuple[str, str]]:
    """(converter, name) of each variable part."""
    return [(m.group(2) or "str", m.group(1) or m.group(3)) for m in _PART.finditer(pattern)]


def filled(pattern: str, values: dict[str, Any]) -> str:
    """The address with these values, by the name of the part; "kind" and the like by what the address is of."""

    def value(match: "re.Match[str]") -> str:
        name = match.group(1) or match.group(3)
        if name == "kind":
            return "shots" if "sheets" in pattern else "proxy" if "make" in pattern else values.get(
                "kind", "characters" if pattern.startswith("api/") else "character"
            )  # fmt: skip
        if name in ("suffix", "format"):
            return "csv" if "sheets" in pattern else "edl"
        return str(values.get(name, uuid4()))

    return "/" + _PART.sub(value, pattern)


def spoiled(pattern: str, values: dict[str, Any]) -> Iterator[str]:
    """The address with one part at a time made wrong."""
    for converter, name in parts_of(pattern):
        for bad in NUMBER_PARTS if converter == "int" or name == "asset_id" else TEXT_PARTS:
            yield filled(_PART.sub(lambda m, n=name, b=bad: b if n in m.groups() else m.group(0), pattern), values)  # type: ignore[misc]
