"""Edits of custom columns, saved views and rows of a table."""
