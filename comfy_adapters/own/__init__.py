"""Workflows that people bring along: read, look for what goes where, check, describe."""
