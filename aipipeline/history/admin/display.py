"""How values look in lists and on read-only pages."""

import json
from typing import Any

from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext as _
from unfold.decorators import display


class _Colours(dict[str, str]):
    """Badges by state; a state that is not named is grey."""

    def __missing__(self, key: str) -> str:
        return "default"


COLOURS = _Colours(
    approved="success", final="success", succeeded="success", published="success", applied="success", online="success",
    approve="success", done="success", admin="primary", director="info",
    generating="info", running="info", leased="info", publishing="info", ready="info", analysed="info",
    review="warning", draining="warning", pending="warning", queued="warning", superseded="warning",
    failed="danger", rejected="danger", reject="danger", cancelled="danger", offline="danger", dead="danger",
)  # fmt: skip


def badge(field: str, description: Any) -> Any:
    """A list column: the field's label in the colour of its value."""

    @display(description=description, ordering=field, label=COLOURS)  # type: ignore[untyped-decorator]
    def show(_admin: Any, row: Any) -> tuple[str, str]:
        value = getattr(row, field)
        label = getattr(row, f"get_{field}_display", None)
        return str(value), str(label() if label else value) or "—"

    return show


def thumbnail(version_id: int | None, width: int = 160) -> str:
    """The picture of a version, leading to the full file."""
    if version_id is None:
        return "—"
    return format_html(
        '<a href="{}"><img class="aip-thumb" src="{}" alt="" loading="lazy"></a>',
        reverse("renders:file", args=[version_id]),
        reverse("renders:thumb", args=[version_id, width]),
    )


def pretty_json(value: Any) -> str:
    """JSON that people can read, in the page's own type."""
    return format_html('<pre class="aip-json">{}</pre>', json.dumps(value, ensure_ascii=False, indent=1, default=str))


def changes_table(changes: list[dict[str, Any]], limit: int = 200) -> str:
    """An action's changes: row, field, before, after."""
    lines = [
        (entry.get("label", ""), name, _short(pair[0]), _short(pair[1]))
        for entry in changes
        for name, pair in entry.get("fields", {}).items()
    ]
    body = format_html_join("", "<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>", lines[:limit])
    more = format_html("<p>{}</p>", _("… and %(count)d more") % {"count": len(lines) - limit}) if lines[limit:] else ""
    return format_html(
        '<table class="aip-changes"><thead><tr><th>{}</th><th>{}</th><th>{}</th><th>{}</th></tr></thead>'
        "<tbody>{}</tbody></table>{}",
        _("Row"), _("Field"), _("Before"), _("After"), body, more,
    )  # fmt: skip


def _short(value: Any) -> str:
    if value is None or value == "":
        return "—"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 200 else f"{text[:200]}…"
