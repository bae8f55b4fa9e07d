"""What the shot list knows of each row, for the metadata files of the production tree."""

from assets.metadata import register_part
from shots.exporters.places import describe_loose, describe_places, restore_places
from shots.exporters.rows import describe_scenes, describe_shots, restore_scenes, restore_shots
from shots.exporters.scripts import describe_scenarios, restore_scenarios, scripts_beside
from shots.exporters.translations import describe_translations, restore_translations
from shots.exporters.views import describe_views, restore_views
from shots.services.tree.metadata import register_beside


def register() -> None:
    """Shots, scenes, scripts, translations, saved views (which name rows of all these), and where the folders are."""
    register_part("scenario", describe_scenarios, restore_scenarios)
    register_part("scene", describe_scenes, restore_scenes)
    register_part("shot", describe_shots, restore_shots)
    register_part("project", describe_views, restore_views, last=True)
    register_part("project", describe_translations, restore_translations)
    register_part("project", describe_loose)
    for kind in ("project", "scenario", "edit", "scene", "shot", "character", "environment"):
        register_part(kind, describe_places(kind), restore_places(kind), last=True)
    register_beside(scripts_beside)
