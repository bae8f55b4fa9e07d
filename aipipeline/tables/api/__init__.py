"""Grids, views and columns over REST."""
