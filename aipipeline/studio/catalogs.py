"""The catalogues of `locale/`: what the code says, held against what people have translated.

Babel reads Python and JavaScript; templates go through Django's own `templatize` first. No gettext tools are needed.
"""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract
from babel.messages.pofile import read_po, write_po
from django.utils.translation.template import templatize

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = (
    "aipipeline", "assets", "shots", "renders", "timeline", "mirror", "celery_workers", "comfy_adapters",
    "blender_bridge",
)  # fmt: skip
KEYWORDS: dict[str, tuple[int | tuple[int, str], ...] | None] = {
    "_": None,
    "gettext": None,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext": (1, 2),
    "ngettext_lazy": (1, 2),
    "pgettext": ((1, "c"), 2),
    "pgettext_lazy": ((1, "c"), 2),
}
# Written by hand: no dates and no names, so that a catalogue changes only with its messages.
HEADER = """msgid ""
msgstr ""
"Project-Id-Version: AIPipeline 1\\n"
"Language: {language}\\n"
"Plural-Forms: {plural}\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Content-Transfer-Encoding: 8bit\\n"

"""


# JavaScript says words inside `template ${strings}` too.
OPTIONS = {"parse_template_string": "true"}


@dataclass(frozen=True)
class Found:
    """One message of the code. `singular`, or `singular` and `plural`; `place` is file:line."""

    singular: str
    plural: str
    context: str
    place: str

    @property
    def key(self) -> str | tuple[str, str]:
        return (self.singular, self.plural) if self.plural else self.singular


def messages(domain: str) -> list[Found]:
    """Every message of "django" (Python and templates) or "djangojs" (browser modules), in the order of files."""
    found: dict[tuple[str, str], Found] = {}
    for path, method, source in _sources(domain):
        for line, text, _comments, context in extract(method, io.BytesIO(source), KEYWORDS, options=OPTIONS):
            singular, plural = (text[0], text[1]) if isinstance(text, tuple) else (text, "")
            if not singular:
                continue
            place = f"{path.relative_to(ROOT).as_posix()}:{line}"
            entry = Found(str(singular), str(plural), context or "", place)
            kept = found.setdefault((entry.singular, entry.context), entry)
            if plural and not kept.plural:
                found[entry.singular, entry.context] = entry
    return list(found.values())


def _sources(domain: str) -> Iterator[tuple[Path, str, bytes]]:
    if domain == "djangojs":
        for path in sorted((ROOT / "static" / "js").rglob("*.js")):
            yield path, "javascript", path.read_bytes()
        return
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            if not {"tests", "migrations"} & set(path.parts):
                yield path, "python", path.read_bytes()
    for path in sorted((ROOT / "templates").rglob("*.html")):
        # Indentation means nothing in a template, but would end Python's tokenizer.
        lines = templatize(path.read_text(encoding="utf-8"), origin=str(path)).splitlines()
        yield path, "python", "\n".join(line.lstrip() for line in lines).encode()


def catalog_path(language: str, domain: str) -> Path:
    return ROOT / "locale" / language / "LC_MESSAGES" / f"{domain}.po"


def read_catalog(language: str, domain: str) -> Catalog:
    with open(catalog_path(language, domain), "rb") as file:
        return read_po(file, locale=language, domain=domain)


def update_catalog(language: str, domain: str) -> list[Found]:
    """Write the catalogue anew: translations stay, what the code no longer says goes; returns what is missing."""
    old = read_catalog(language, domain)
    fresh = Catalog(locale=language, domain=domain)
    missing = []
    for entry in messages(domain):
        known = old.get(entry.singular, entry.context or None)
        text = known.string if known else ""
        if entry.plural and isinstance(text, str):
            text = (text,) * fresh.num_plurals
        elif not entry.plural and isinstance(text, tuple):
            text = text[0]
        if not any(text if isinstance(text, tuple) else [text]):
            missing.append(entry)
        fresh.add(entry.key, text, context=entry.context or None)
    with open(catalog_path(language, domain), "wb") as file:
        file.write(HEADER.format(language=language, plural=fresh.plural_forms).encode())
        write_po(file, fresh, omit_header=True, no_location=True, sort_output=True, width=0)
    return missing
