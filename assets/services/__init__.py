"""Edits of characters, environments, presets and LoRAs."""

from assets.services.editing import FIELDS, clean, remove_asset, save_asset

__all__ = ["FIELDS", "clean", "remove_asset", "save_asset"]
