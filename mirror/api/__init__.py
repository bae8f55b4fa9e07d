"""Mirrors over REST."""
