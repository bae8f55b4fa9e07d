"""Edits of characters, environments, presets and LoRAs."""

from assets.services.copies import add_starter_presets, clone_asset
from assets.services.editing import FIELDS, clean, remove_asset, save_asset

__all__ = ["FIELDS", "add_starter_presets", "clean", "clone_asset", "remove_asset", "save_asset"]
