"""The admin: the base that every app's admin builds on, and the admin of projects, people and the history."""

from aipipeline.history.admin import actions, people, projects

__all__ = ["actions", "people", "projects"]
