"""Template tags that every page shares: icons, time, status, people, navigation."""

import zlib
from collections.abc import Iterable
from fractions import Fraction
from functools import cache
from math import floor
from typing import Any

from django import forms, template
from django.conf import settings
from django.forms.boundfield import BoundField
from django.template.context import Context
from django.templatetags.static import static
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from aipipeline.projects.frames import frames_to_timecode
from aipipeline.ui.context_processors import PROJECT_NAV, STUDIO_NAV, NavItem

register = template.Library()

STATUS_LABELS = {
    "draft": gettext_lazy("Draft"),
    "ready": gettext_lazy("Ready"),
    "generating": gettext_lazy("Generating"),
    "review": gettext_lazy("In review"),
    "approved": gettext_lazy("Approved"),
    "final": gettext_lazy("Final"),
    "queued": gettext_lazy("Queued"),
    "leased": gettext_lazy("Starting"),
    "running": gettext_lazy("Running"),
    "publishing": gettext_lazy("Publishing"),
    "succeeded": gettext_lazy("Done"),
    "failed": gettext_lazy("Failed"),
    "cancelled": gettext_lazy("Cancelled"),
    "pending": gettext_lazy("Waiting for review"),
    "rejected": gettext_lazy("Rejected"),
}


@cache
def _modules(folder: str) -> list[str]:
    return sorted(f"{folder}/{path.name}" for path in (settings.BASE_DIR / "static" / folder).glob("*.js"))


@register.simple_tag
def module_preloads(folder: str) -> SafeString:
    """Ask for every module of a static folder at once, not each only when another one has named it."""
    return format_html_join(
        "\n", '<link rel="modulepreload" href="{}">', ((static(name),) for name in _modules(folder))
    )


@register.simple_tag
def icon(name: str, size: str = "", label: str = "") -> SafeString:
    """One drawing of the sprite; decorative unless it has a label. Sizes: "" (16 px), "s", "l", "xl"."""
    described = format_html('role="img" aria-label="{}"', label) if label else mark_safe('aria-hidden="true"')
    return format_html(
        '<svg class="icon{}" {}><use href="{}#{}"></use></svg>',
        f" {size}" if size else "",
        described,
        static("img/icons.svg"),
        name,
    )


@register.simple_tag
def timecode(frames: int | None, fps: Fraction | str | int, start: int | None = 0) -> str:
    """Timecode of a frame count; `start` (frames) is added, for an edit that begins at 01:00:00:00."""
    return "" if frames is None else frames_to_timecode(int(frames) + int(start or 0), fps)


@register.simple_tag
def duration(frames: int | None, fps: Fraction | str | int) -> str:
    """A length that people read: "3.2s" below a minute, "2:05" above."""
    if frames is None:
        return ""
    tenths = floor(Fraction(int(frames)) / Fraction(fps) * 10 + Fraction(1, 2))
    if tenths < 600:
        return f"{tenths // 10}.{tenths % 10}s"
    return elapsed((tenths + 5) // 10)


@register.filter
def elapsed(seconds: float | None) -> str:
    """Working time: "0.4s", "8s", "2:05", "1:02:05"."""
    if seconds is None:
        return ""
    if 0 < seconds < 9.95 and seconds != int(seconds):
        return _("%(n)ss") % {"n": f"{seconds:.1f}"}
    total = max(0, round(seconds))
    if total < 60:
        return _("%(n)ss") % {"n": total}
    minutes, rest = divmod(total, 60)
    return f"{minutes}:{rest:02}" if minutes < 60 else f"{minutes // 60}:{minutes % 60:02}:{rest:02}"


@register.filter
def filesize(size: int | None) -> str:
    """Bytes as a person reads them, in powers of 1000 as disks are sold."""
    if size is None:
        return ""
    value = float(size)
    for unit in ("B", "kB", "MB", "GB"):
        if value < 1000:
            return f"{value:.0f} {unit}" if unit == "B" or value >= 100 else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} TB"


@register.filter
def percent(value: float | None) -> int:
    """0..1 as whole percent, kept inside 0..100."""
    return min(100, max(0, int((value or 0) * 100)))


@register.filter
def get(mapping: Any, key: Any) -> Any:
    """A mapping's value by a variable key; empty when there is none."""
    return mapping.get(key, "") if hasattr(mapping, "get") else ""


@register.filter
def label_of(choices: Iterable[tuple[Any, Any]], value: Any) -> str:
    """The words of a value among choices; the value itself when it is none of them."""
    return str(next((label for key, label in choices if key == value), value))


@register.inclusion_tag("ui/status.html")
def status_tag(status: Any, label: Any = "", quiet: bool = False) -> dict[str, Any]:
    """The coloured chip of a shot, job or version state. `quiet` shows the dot with the text for readers."""
    value = str(getattr(status, "value", status) or "draft")
    return {"status": value, "label": label or STATUS_LABELS.get(value, value), "quiet": quiet}


def initials(name: str) -> str:
    """One syllable of a Korean name, up to two letters of any other."""
    words = [word for word in name.replace(".", " ").replace("_", " ").split() if word[0].isalnum()]
    if not words:
        return "?"
    if ord(words[0][0]) > 0x1100:
        return words[0][0]
    return "".join(word[0] for word in words[:2]).upper()


@register.inclusion_tag("ui/avatar.html")
def avatar(person: Any, size: str = "") -> dict[str, Any]:
    """The round initials of a person; None draws an empty seat."""
    name = str(person) if person else ""
    hue = zlib.crc32(str(getattr(person, "pk", None) or name).encode()) % 8
    return {"name": name, "initials": initials(name) if name else "–", "hue": hue, "size": size}


@register.simple_tag
def ring(value: float | None, size: str = "") -> SafeString:
    """A progress ring, 0..1. Its arc is a presentation attribute, so no inline style is needed."""
    return format_html(
        '<svg class="ring{}" viewBox="0 0 18 18" aria-hidden="true">'
        '<circle class="track" cx="9" cy="9" r="7"/>'
        '<circle class="value" cx="9" cy="9" r="7" pathLength="100" stroke-dasharray="{} 100"/></svg>',
        f" {size}" if size else "",
        percent(value),
    )


@register.simple_tag(takes_context=True)
def active(context: Context, *names: str) -> SafeString:
    """`aria-current="page"` when the current view is one of these URL names."""
    return mark_safe('aria-current="page"') if _view_name(context) in names else SafeString("")


@register.simple_tag
def maybe_url(name: str, *args: Any, **kwargs: Any) -> str:
    """Like `url`, but empty when the address does not exist in this installation."""
    try:
        return reverse(name, args=args, kwargs=kwargs)
    except NoReverseMatch:
        return ""


@register.simple_tag(takes_context=True)
def nav(context: Context, scope: str) -> list[dict[str, Any]]:
    """The side bar's entries: scope "project" needs a project in the context, "studio" does not."""
    project = context.get("project")
    code = getattr(project, "code", None)
    items: Iterable[NavItem] = PROJECT_NAV if scope == "project" else STUDIO_NAV
    if scope == "project" and not code:
        return []
    current = _view_name(context)
    at = next((item for item in items if current in (item.url_name, *item.also)), None)
    family = (at.parent or at.key) if at else ""
    entries = []
    for item in items:
        url = maybe_url(item.url_name, code) if scope == "project" else maybe_url(item.url_name)
        if url:
            entries.append(
                {
                    "url": url,
                    "label": item.label,
                    "icon": item.icon,
                    "key": item.key,
                    "shortcut": item.shortcut,
                    "current": item is at,
                    "parent": item.parent,
                    "hidden": bool(item.parent) and item.parent != family,
                }
            )
    return entries


@register.filter
def frames_text(frames: int | None) -> str:
    """ "72 frames", in the reader's language."""
    if frames is None:
        return ""
    return ngettext("%(n)s frame", "%(n)s frames", int(frames)) % {"n": int(frames)}


@register.filter
def styled(field: BoundField) -> SafeString:
    """A form field's widget with the page's own look."""
    widget = field.field.widget
    if isinstance(widget, forms.CheckboxInput):
        return field.as_widget()
    if isinstance(widget, forms.Textarea):
        return field.as_widget(attrs={"class": "textarea", "rows": "4"})
    kind = "select" if isinstance(widget, forms.Select) else "input"
    return field.as_widget(attrs={"class": kind})


@register.filter
def is_wide(field: BoundField) -> bool:
    """Long texts take the whole width of a form."""
    return isinstance(field.field.widget, forms.Textarea)


@register.simple_tag
def yes_no(value: Any) -> str:
    return _("Yes") if value else _("No")


def _view_name(context: Context) -> str:
    match = getattr(context.get("request"), "resolver_match", None)
    return str(getattr(match, "view_name", "") or "")


@register.filter
def model_name(row: Any) -> str:
    """The name that a row, or its model, has in live events: "cinematicpreset"."""
    return str(row._meta.model_name)


@register.filter
def unlocalized(value: Any) -> str:
    """A number as a form control takes it, with a point in every language."""
    return str(value)
