"""What a project is made of again from its files: the files that were read, the rows so far, and what was odd."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Field, Model
from django.utils.translation import gettext as _

from aipipeline.projects.models import User

MOST_TOLD = 200


@dataclass
class Entry:
    """One row's facts as they were read.

    `path`: its folder relative to the project; None when the row has none and its facts stand in the project's file.
    `where` names the place to a person. `digest`: SHA-256 of the file. `row` is set once it is made.
    """

    path: str | None
    facts: dict[str, Any]
    where: str
    digest: str = ""
    row: Any = None


@dataclass
class Rebuild:
    """A project that is made again from its files, inside one transaction.

    `found`: rows by the label of their model and their natural key. `problems` end the rebuild, `warnings` tell what
    was left out. `versions`: the folders that hold a sealed version, relative to the project.
    `stale`: (kind, id) of rows whose files on disk tell less than what was found there.
    """

    root: Path
    code: str
    storage_root: str = ""
    project: Any = None
    found: dict[str, dict[Any, Any]] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    people_made: list[str] = field(default_factory=list)
    names: dict[str, str] = field(default_factory=dict)
    versions: set[str] = field(default_factory=set)
    stale: set[tuple[str, int]] = field(default_factory=set)
    untold: int = 0
    _people: dict[str, Any] | None = None

    def warn(self, where: str, text: str) -> None:
        self._tell(self.warnings, f"{where}: {text}")

    def problem(self, where: str, text: str) -> None:
        self._tell(self.problems, f"{where}: {text}")

    def _tell(self, told: list[str], line: str) -> None:
        if len(told) < MOST_TOLD:
            told.append(line)
        else:
            self.untold += 1

    def keep(self, rows: Mapping[Any, Model]) -> None:
        """Let later files name these rows, by natural key."""
        for key, row in rows.items():
            self.found.setdefault(row._meta.label_lower, {})[key] = row

    def named(self, label: str, key: Any, where: str) -> Any:
        """The row that a file names; None, with a warning, when there is none."""
        if key is None:
            return None
        if label == User._meta.label_lower:
            return self.person(key, where)
        row = self.found.get(label, {}).get(key) if isinstance(key, (str, int, tuple)) else None
        if row is None:
            self.warn(where, _("there is no %(name)s in this tree; the reference is left out") % {"name": short(key)})
        return row

    def person(self, username: Any, where: str) -> Any:
        """The account of this name; one that is not there is made, closed: nobody can sign in with it."""
        if self._people is None:
            self._people = {user.username: user for user in User.objects.all()}
        if isinstance(username, str) and username in self._people:
            return self._people[username]
        user = User(username=username, display_name=self.names.get(username, "") if isinstance(username, str) else "")
        user.is_active = False
        user.set_unusable_password()
        try:
            if not isinstance(username, str):
                raise ValidationError(_("a user name is a text"))
            user.full_clean(validate_unique=False)
        except ValidationError as error:
            self.problem(
                where, _("%(name)s is no user name (%(why)s)") % {"name": short(username), "why": first(error)}
            )
            return None
        user.save()
        self._people[username] = user
        self.people_made.append(username)
        return user

    def objects(self, facts: Mapping[str, Any], name: str, where: str) -> Iterable[tuple[str, dict[str, Any]]]:
        """(place, object) of the list of objects that stands under this name; a problem when it is none."""
        found = facts.get(name, [])
        if not isinstance(found, list) or not all(isinstance(part, dict) for part in found):
            self.problem(f"{where}: {name}", _("a list of objects is needed"))
            return
        for number, part in enumerate(found):
            yield f"{where}: {name}[{number}]", part

    def no_field(self, where: str, field: "Field[Any, Any]", why: str) -> None:
        self.problem(f"{where}: {field.name}", why)


def short(value: Any) -> str:
    """A value of a file, as it may be shown in one line."""
    return repr(value)[:80]


def first(error: ValidationError) -> str:
    return str(error.messages[0]) if error.messages else str(error)
