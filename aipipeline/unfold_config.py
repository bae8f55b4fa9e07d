"""The look of the admin: the studio's colours, a side bar by pipeline stage, and the way back."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy as _


def environment(request: HttpRequest) -> list[Any] | None:
    """The label beside the title: what is not the studio's production server says so."""
    from django.conf import settings
    from django.db import connection

    if settings.DEBUG:
        return [_("Development"), "danger"]
    return [_("Local"), "info"] if connection.vendor == "sqlite" else [_("Production"), "success"]


def _never(request: HttpRequest) -> bool:
    """The way back is never the page that is open, though every address begins with it."""
    return False


def _seen(app: str, model: str) -> Callable[[HttpRequest], bool]:
    def permission(request: HttpRequest) -> bool:
        from django.apps import apps
        from django.contrib import admin

        return admin.site._registry[apps.get_model(app, model)].has_module_permission(request)

    return permission


def _item(title: Any, icon: str, app: str, model: str) -> dict[str, Any]:
    return {
        "title": title,
        "icon": icon,
        "link": reverse_lazy(f"admin:{app}_{model}_changelist"),
        "permission": _seen(app, model),
    }


def _group(title: Any, *items: dict[str, Any], folded: bool = False) -> dict[str, Any]:
    return {"title": title, "separator": True, "collapsible": folded, "items": list(items)}


NAVIGATION: list[dict[str, Any]] = [
    {
        "title": "",
        "items": [
            {
                "title": _("Back to the studio"),
                "icon": "arrow_back",
                "link": reverse_lazy("studio:projects"),
                "active": _never,
            },
            {"title": _("Overview"), "icon": "dashboard", "link": reverse_lazy("admin:index")},
        ],
    },
    _group(
        _("Production"),
        _item(_("Projects"), "movie", "projects", "project"),
        _item(_("Members"), "badge", "projects", "membership"),
        _item(_("Scenarios"), "description", "shots", "scenario"),
    ),
    _group(
        _("Assets"),
        _item(_("Characters"), "person", "assets", "character"),
        _item(_("Environments"), "landscape", "assets", "environment"),
        _item(_("Cinematic presets"), "photo_camera", "assets", "cinematicpreset"),
        _item(_("LoRAs"), "extension", "assets", "lora"),
    ),
    _group(
        _("Shots"),
        _item(_("Scenes"), "view_agenda", "shots", "scene"),
        _item(_("Shots"), "camera_roll", "shots", "shot"),
        _item(_("Castings"), "theater_comedy", "shots", "casting"),
        _item(_("Shot steps"), "checklist", "shots", "shotstep"),
    ),
    _group(
        _("Tables"),
        _item(_("Custom columns"), "view_column", "tables", "customcolumn"),
        _item(_("Saved views"), "filter_list", "tables", "savedview"),
        _item(_("Table settings"), "table_view", "tables", "tablesettings"),
        _item(_("Sheet mappings"), "rule_settings", "tables", "sheetmapping"),
        _item(_("Imported sheets"), "upload_file", "tables", "sheetimport"),
    ),
    _group(
        _("Renders"),
        _item(_("Versions"), "photo_library", "renders", "version"),
        _item(_("Reviews"), "rate_review", "renders", "review"),
        _item(_("Render jobs"), "queue", "renders", "renderjob"),
        _item(_("Attempts"), "replay", "renders", "renderattempt"),
        _item(_("Workflows"), "account_tree", "renders", "workflow"),
        _item(_("Render presets"), "tune", "renders", "renderpreset"),
        _item(_("Workers"), "memory", "renders", "worker"),
    ),
    _group(
        _("Timeline"),
        _item(_("Edits"), "video_settings", "timeline", "edit"),
        _item(_("Tracks"), "view_stream", "timeline", "track"),
        _item(_("Clips"), "view_timeline", "timeline", "clip"),
        _item(_("Markers"), "bookmark", "timeline", "marker"),
        _item(_("Movies"), "local_movies", "timeline", "movie"),
    ),
    _group(
        _("Talk and history"),
        _item(_("Notes"), "sticky_note_2", "notes", "note"),
        _item(_("Notifications"), "notifications", "notes", "notification"),
        _item(_("Actions"), "history", "history", "action"),
    ),
    _group(
        _("Studio"),
        _item(_("People"), "group", "projects", "user"),
        _item(_("Groups"), "groups", "auth", "group"),
        _item(_("Background tasks"), "pending_actions", "celery_workers", "ledgertask"),
        _item(_("Mirrors"), "backup", "mirror", "mirrortarget"),
        _item(_("Schedules"), "schedule", "celery_workers", "schedule"),
    ),
]

# Neutral greys and one blue, as in static/css/tokens.css.
COLOURS = {
    "base": {
        "50": "oklch(98.5% .002 265)",
        "100": "oklch(96% .003 265)",
        "200": "oklch(91% .004 265)",
        "300": "oklch(84% .006 265)",
        "400": "oklch(71% .01 265)",
        "500": "oklch(56% .012 265)",
        "600": "oklch(44% .011 265)",
        "700": "oklch(34% .01 265)",
        "800": "oklch(27% .008 265)",
        "900": "oklch(19% .005 265)",
        "950": "oklch(15% .004 265)",
    },
    "primary": {
        "50": "oklch(97% .014 258)",
        "100": "oklch(94% .03 258)",
        "200": "oklch(89% .055 258)",
        "300": "oklch(83% .09 258)",
        "400": "oklch(78% .11 258)",
        "500": "oklch(70% .135 258)",
        "600": "oklch(58% .15 258)",
        "700": "oklch(50% .14 258)",
        "800": "oklch(42% .11 258)",
        "900": "oklch(36% .08 258)",
        "950": "oklch(27% .06 258)",
    },
}

UNFOLD: dict[str, Any] = {
    "COLORS": COLOURS,
    "SITE_TITLE": "AIPipeline",
    "SITE_HEADER": "AIPipeline",
    "SITE_SUBHEADER": _("Administration"),
    "SITE_SYMBOL": "movie_filter",
    "SITE_URL": "/",
    "THEME": "dark",
    "SHOW_LANGUAGES": True,
    "SHOW_VIEW_ON_SITE": True,
    "SHOW_BACK_BUTTON": True,
    "ENVIRONMENT": "aipipeline.unfold_config.environment",
    "SITE_FAVICONS": [
        {"rel": "icon", "sizes": "any", "type": "image/svg+xml", "href": lambda request: static("img/mark.svg")}
    ],
    "STYLES": [lambda request: static("css/admin.css")],
    "SIDEBAR": {"show_search": True, "command_search": False, "show_all_applications": False, "navigation": NAVIGATION},
}
