"""What differs between how two versions were made, by field and in words that people know."""

import difflib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from renders.models import Version, Workflow

LONGEST = 2000  # of a value as it is shown
MOST_WORDS = 3000


class Relation(StrEnum):
    SAME = "same"
    DIFFERENT = "different"
    ONLY_A = "only_a"
    ONLY_B = "only_b"


@dataclass(frozen=True)
class Word:
    """A piece of one of two texts: in both, or in one only."""

    text: str
    only: bool


@dataclass(frozen=True)
class Field:
    """One fact of both versions, as text. `words_a` and `words_b` for texts that are compared word by word."""

    name: str
    label: str
    a: str
    b: str
    words_a: tuple[Word, ...] = ()
    words_b: tuple[Word, ...] = ()

    @property
    def relation(self) -> Relation:
        if self.a == self.b:
            return Relation.SAME
        return Relation.DIFFERENT if self.a and self.b else Relation.ONLY_A if self.a else Relation.ONLY_B

    @property
    def same(self) -> bool:
        return self.relation is Relation.SAME

    def as_json(self) -> dict[str, Any]:
        return {"name": self.name, "label": self.label, "relation": self.relation, "a": self.a, "b": self.b}


Facts = Mapping[str, Any]
_WORDS = re.compile(r"\s+|[^\s\w]|\w+")
# Of the parameters: what other fields tell already, or what is no choice of anybody.
_TOLD = frozenset(
    {"prompt", "negative_prompt", "seed", "loras", "after_out_of_memory", "width", "height", "frames", "fps"}
)
_LABELS = {
    "steps": gettext_noop("Sampling steps"),
    "cfg": gettext_noop("CFG"),
    "guidance": gettext_noop("Guidance"),
    "denoise": gettext_noop("Denoise"),
    "strength": gettext_noop("Strength"),
    "shift": gettext_noop("Shift"),
    "movement": gettext_noop("Movement"),
    "multiplier": gettext_noop("Frames of one"),
    "slow": gettext_noop("Slow motion"),
    "scale": gettext_noop("Scale"),
    "post_scale": gettext_noop("Scale after the model"),
    "reproduces": gettext_noop("Made again from"),
}

_ROLES = {
    "first_image": gettext_noop("first image"),
    "last_image": gettext_noop("last image"),
    "source_image": gettext_noop("picture to work on"),
    "source_video": gettext_noop("clip to work on"),
    "reference_video": gettext_noop("clip to work on"),
    "driving_video": gettext_noop("driving clip"),
    "reference_image": gettext_noop("reference"),
    "control_image": gettext_noop("control picture"),
    "style_image": gettext_noop("style"),
}


def compare(before: Version, after: Version) -> list[Field]:
    """All facts of both, those that differ first, each group in a fixed order. Three queries at most."""
    a, b = before.provenance, after.provenance
    titles = _titles(a, b)
    inputs = _input_names(before, after)
    found = [*_of_versions(before, after, titles), *_of_params(a, b)]
    found += _listed("model", _("Model"), _models(a), _models(b))
    found += _listed("lora", _("LoRA"), _loras(a), _loras(b))
    found += _listed("input", _("Input"), _inputs(a, inputs), _inputs(b, inputs), _ROLES)
    found += [*_of_making(a, b), *_of_files(before, after)]
    shown = [field for field in found if field.a or field.b]
    return sorted(shown, key=lambda field: field.same)


def _of_versions(a: Version, b: Version, titles: Mapping[str, str]) -> Iterator[Field]:
    yield _field("owner", _("Of"), str(a.owner), str(b.owner))
    yield _field("kind", _("Kind"), a.get_kind_display(), b.get_kind_display())
    yield _field("status", _("Status"), a.get_status_display(), b.get_status_display())
    workflow = [str(v.provenance.get("workflow") or "") for v in (a, b)]
    yield _field("workflow", _("Workflow"), *(titles.get(key, key) for key in workflow))
    yield _field("variant", _("Variant"), *(_text(v.provenance.get("variant")) for v in (a, b)))
    for name, label in (("prompt", _("Prompt")), ("negative_prompt", _("Negative prompt"))):
        texts = [_prompt(v.provenance, name) for v in (a, b)]
        yield Field(name, label, texts[0], texts[1], *_word_diff(texts[0], texts[1]))
    yield _field("seed", _("Seed"), *(_seed(v.provenance) for v in (a, b)))
    yield _field("size", _("Size"), _size(a), _size(b))
    yield _field("frames", _("Frames"), _text(a.frames), _text(b.frames))
    yield _field("fps", _("Frames per second"), a.fps, b.fps)


def _of_files(a: Version, b: Version) -> Iterator[Field]:
    yield _field("files", _("File size, bytes"), *(_bytes(v) for v in (a, b)))
    yield _field(
        "published",
        _("Published"),
        *(date_format(localtime(v.published_at), "Y-m-d H:i") if v.published_at else "" for v in (a, b)),
    )
    yield _field("by", _("By"), *(str(v.created_by) if v.created_by else "" for v in (a, b)))


def _of_making(a: Facts, b: Facts) -> Iterator[Field]:
    simple: tuple[tuple[str, str, Callable[[Facts], Any]], ...] = (
        ("graph", _("Graph"), lambda told: _joined(told, "graph", "graph_version")),
        ("graph_hash", _("Graph (checksum)"), lambda told: _text(told.get("graph_hash"))[:16]),
        ("engine", _("Engine"), lambda told: _joined(told, "engine", "engine_version")),
        ("worker", _("Worker"), lambda told: told.get("worker")),
        ("gpu", _("GPU"), _gpu),
        ("software", _("Server"), lambda told: _of(told, "server").get("comfyui")),
        ("seconds", _("Seconds of work"), lambda told: told.get("seconds")),
        ("server_seconds", _("Seconds on the server"), lambda told: told.get("server_seconds")),
        ("snapped", _("Moved to what the model makes"), _snapped),
        ("pieces", _("Pieces"), lambda told: told.get("pieces")),
        ("original_name", _("Original name"), lambda told: "" if told.get("workflow") else told.get("original_name")),
    )  # fmt: skip
    for name, label, value in simple:
        yield _field(name, label, _text(value(a)), _text(value(b)))


def _of_params(a: Facts, b: Facts) -> Iterator[Field]:
    ours, theirs = _of(a, "params"), _of(b, "params")
    for name in sorted((set(ours) | set(theirs)) - _TOLD):
        label = _(_LABELS[name]) if name in _LABELS else name.replace("_", " ").capitalize()
        yield _field(f"params.{name}", label, _text(ours.get(name)), _text(theirs.get(name)))


def _listed(
    name: str, label: str, a: Mapping[str, str], b: Mapping[str, str], known: Mapping[str, str] | None = None
) -> Iterator[Field]:
    """One field for each thing of a list, in the order of the first. `known`: what some of them are called."""
    for key in dict.fromkeys([*a, *b]):
        called = _((known or {})[key]) if key in (known or {}) else key.replace("_", " ")
        yield _field(f"{name}.{key}", f"{label}: {called if known else key}", a.get(key, ""), b.get(key, ""))


def _models(told: Facts) -> dict[str, str]:
    """By folder (numbered where a graph loads several of one) the file, and its identity as far as known."""
    found: dict[str, str] = {}
    for entry in _rows(told, "models"):
        folder, number = str(entry.get("folder") or "model"), 1
        key = folder
        while key in found:
            number += 1
            key = f"{folder} {number}"
        digest = str(entry.get("sha256") or "")[:12]
        found[key] = f"{entry.get('file')} ({digest})" if digest else str(entry.get("file"))
    return found


def _loras(told: Facts) -> dict[str, str]:
    """By file the strength."""
    rows = _rows(told, "loras") or _rows(_of(told, "params"), "loras")
    return {
        str(row.get("file") or row.get("name")).replace("\\", "/"): _text(row.get("strength")) or "1" for row in rows
    }


def _inputs(told: Facts, names: Mapping[int, str]) -> dict[str, str]:
    found = {}
    digests = _of(told, "input_files")
    for role, named in _of(told, "inputs").items():
        pk, frame = (named.get("version"), named.get("frame")) if isinstance(named, Mapping) else (named, None)
        text = names.get(pk, f"#{pk}") if isinstance(pk, int) else _text(pk)
        text += "" if frame is None else f" · {_frame(frame)}"
        digest = str(digests.get(role) or "")[:12]
        found[str(role)] = f"{text} ({digest})" if digest else text
    return found


def _frame(named: Any) -> str:
    words = {"first": _("first frame"), "last": _("last frame")}
    return words.get(str(named)) or _("frame %(n)s") % {"n": named}


def _input_names(a: Version, b: Version) -> dict[int, str]:
    pks = set()
    for version in (a, b):
        for named in _of(version.provenance, "inputs").values():
            pk = named.get("version") if isinstance(named, Mapping) else named
            if isinstance(pk, int):
                pks.add(pk)
    rows = Version.objects.filter(pk__in=pks, project__in=(a.project_id, b.project_id))
    named = rows.select_related("shot", "character", "environment")
    return {row.pk: f"{row.owner} · {row.get_kind_display()} · {row.label}" for row in named}


def _titles(a: Facts, b: Facts) -> dict[str, str]:
    keys = {str(told.get("workflow") or "") for told in (a, b)}
    return {key: _(title) for key, title in Workflow.objects.filter(key__in=keys).values_list("key", "title")}


# --- values as text -----------------------------------------------------------------------------------


def _field(name: str, label: str, a: str, b: str) -> Field:
    return Field(name, label, a, b)


def _text(value: Any) -> str:
    if value is None or value == "":
        return ""
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, float):
        return f"{value:.6g}"
    return str(value)[:LONGEST]


def _joined(told: Facts, *names: str) -> str:
    return " ".join(filter(None, (_text(told.get(name)) for name in names)))


def _of(told: Facts, name: str) -> Mapping[str, Any]:
    """A part of the provenance; what was adopted from elsewhere may hold anything under any name."""
    found = told.get(name)
    return found if isinstance(found, Mapping) else {}


def _rows(told: Facts, name: str) -> list[Mapping[str, Any]]:
    found = told.get(name)
    return [row for row in found if isinstance(row, Mapping)] if isinstance(found, Sequence) else []


def _prompt(told: Facts, name: str) -> str:
    return _text(told.get(name)) or _text(_of(told, "params").get(name))


def _seed(told: Facts) -> str:
    seed = told.get("seed")
    return _text(seed if seed is not None else _of(told, "params").get("seed"))


def _size(version: Version) -> str:
    return f"{version.width}×{version.height}" if version.width and version.height else ""


def _bytes(version: Version) -> str:
    return f"{version.manifest[0]['size']:,}" if version.manifest else ""


def _gpu(told: Facts) -> str:
    return ", ".join(str(device.get("name") or "") for device in _rows(_of(told, "server"), "devices"))


def _snapped(told: Facts) -> str:
    rows = _of(told, "snapped").items()
    return ", ".join(
        f"{name} {pair[0]} → {pair[1]}" for name, pair in rows if isinstance(pair, Sequence) and len(pair) == 2
    )


def _word_diff(a: str, b: str) -> tuple[tuple[Word, ...], tuple[Word, ...]]:
    """Both texts in pieces, those of one alone marked; nothing where they are the same or beyond any prompt."""
    ours, theirs = _WORDS.findall(a), _WORDS.findall(b)
    if a == b or not a or not b or max(len(ours), len(theirs)) > MOST_WORDS:
        return (), ()
    left: list[Word] = []
    right: list[Word] = []
    for kind, a0, a1, b0, b1 in difflib.SequenceMatcher(None, ours, theirs, autojunk=False).get_opcodes():
        for found, words in ((left, ours[a0:a1]), (right, theirs[b0:b1])):
            if words:
                found.append(Word("".join(words), kind != "equal"))
    return tuple(left), tuple(right)
