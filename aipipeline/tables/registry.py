"""Tables that apps register: what a row is, its columns, and the services that write it."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from django.db.models import Model, QuerySet
from django.utils.translation import gettext as _

from aipipeline.projects.errors import NotFound
from aipipeline.projects.models import Project
from aipipeline.projects.tracked import Tracked
from aipipeline.tables.columns import Column, Options

# By row id; a row that the provider does not name has an empty cell.
Provider = Callable[[Project, Sequence[int]], Mapping[int, Any]]


@dataclass
class Done:
    """What a batch did: ids; `conflicts` holds rows that were left out because somebody else was faster."""

    changed: list[int] = field(default_factory=list)
    created: list[int] = field(default_factory=list)
    removed: list[int] = field(default_factory=list)
    conflicts: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True)
class Sheet:
    """A sheet of a table: its kind in addresses, its title, and the built-in columns in their order."""

    kind: str
    title: Any
    columns: tuple[str, ...]
    with_custom: bool = True


class Table(ABC):
    """One kind of rows. Apps subclass it, fill it, and `register` it.

    `children` are rows that belong to a row, by the column that points at it: an edit of them is an edit of the row.
    `lookups` are models whose rows are options of this table. `facts` are providers of what every row carries beside
    its columns ("job"), `flags` are fields of the row that do the same ("locked").
    `makes` are option lists to which an import of a foreign sheet may add.
    """

    key: ClassVar[str]
    label: ClassVar[Any]
    model: ClassVar[type[Tracked]]
    edit_operation: ClassVar[str]
    delete_operation: ClassVar[str]
    columns: ClassVar[tuple[Column, ...]]
    sheets: ClassVar[tuple[Sheet, ...]]
    children: ClassVar[Mapping[str, str]] = {}
    lookups: ClassVar[tuple[str, ...]] = ()
    ordering: ClassVar[tuple[str, ...]] = ("id",)
    movable: ClassVar[bool] = False
    flags: ClassVar[tuple[str, ...]] = ()
    name_column: ClassVar[str] = "name"
    makes: ClassVar[frozenset[str]] = frozenset()

    def __init__(self) -> None:
        self.providers: dict[str, Provider] = {}
        self.facts: dict[str, Provider] = {}

    @property
    def label_lower(self) -> str:
        """The model's name as history knows it."""
        return self.model._meta.label_lower

    def column(self, name: str) -> Column | None:
        return next((column for column in self.columns if column.name == name), None)

    def rows(self, project: Project) -> "QuerySet[Any]":
        """The table's live rows in order."""
        found: QuerySet[Any] = self.model.objects.live().filter(project=project).order_by(*self.ordering)
        return found

    @abstractmethod
    def options(self, project: Project) -> Options:
        """The lists that choices and references take their values from, by `Column.options`. Few queries."""

    @abstractmethod
    def apply_batch(
        self,
        *,
        project: Project,
        actor: Any,
        items: Sequence[Mapping[str, Any]] = (),
        create: Sequence[Mapping[str, Any]] = (),
        remove: Sequence[int] = (),
        on_conflict: str = "fail",
        tab: str = "",
        key: str = "",
    ) -> Done:
        """One action: items are {"id", "revision", "fields"}; create {"fields", "before" (an id, None: at the end)}.

        Fields are JSON cells by column name, custom ones too. Invalid with errors by row number ("3", "create.0"),
        Conflict with details["conflicts"] unless `on_conflict` is skip. Repeated when this person's batch with this
        `key` was made before.
        """

    @abstractmethod
    def results(self, project: Project, actor: Any, ids: Sequence[int]) -> list[dict[str, Any]]:
        """These rows in the form of the REST contract."""

    def clean_json(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        """Cells as a client sent them, each of its own type; Invalid by field. Names are checked when written."""
        return dict(fields)

    def cells_of(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        """Cells from values as the history keeps them, which are the model's; here they are the same."""
        return dict(fields)

    def make_option(self, *, project: Project, actor: Any, options: str, text: str, tab: str = "") -> Any:
        """A new row for a name that a foreign sheet uses; its id. Only for the lists in `makes`."""
        raise NotFound(_("Rows of this list are not made from here."))

    def move(
        self,
        *,
        project: Project,
        actor: Any,
        ids: Sequence[int],
        before: int | None,
        tab: str = "",
        fields: Mapping[str, Any] | None = None,
    ) -> None:
        """Put rows, in this order, just before another one (None: at the end), setting `fields` on them as well."""
        raise NotFound(_("The rows of this table have no order."))

    def moves(self, actor: Any, project: Project) -> dict[str, list[str]]:
        """By status: the statuses that this person may move a row to; {} for a table without a status."""
        return {}

    def address(self, project: Project) -> str:
        """The page of one row, with {id} in its place; "" when there is none."""
        return ""


_tables: dict[str, Table] = {}


def register(table: Table) -> Table:
    """Make a table known; the last of two with one key wins."""
    _tables[table.key] = table
    return table


def table_of(key: str) -> Table:
    """The table with this key; NotFound otherwise."""
    found = _tables.get(key)
    if found is None:
        raise NotFound(_("There is no such table."))
    return found


def tables() -> list[Table]:
    return list(_tables.values())


def table_of_model(model: type[Model]) -> Table | None:
    return next((table for table in _tables.values() if table.model is model), None)


def sheet_of(kind: str) -> tuple[Table, Sheet]:
    """The table and the sheet of a kind; NotFound otherwise."""
    for table in _tables.values():
        for sheet in table.sheets:
            if sheet.kind == kind:
                return table, sheet
    raise NotFound(_("There is no such sheet."))


def provide(key: str, name: str, provider: Provider, *, fact: bool = False) -> None:
    """A layer above feeds a column (or, with `fact`, something that rows carry beside their columns) in bulk."""
    table = table_of(key)
    (table.facts if fact else table.providers)[name] = provider


def sheet_kinds() -> Iterable[str]:
    return [sheet.kind for table in _tables.values() for sheet in table.sheets]
