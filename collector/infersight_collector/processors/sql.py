"""SQL expressions over the rows of a batch, evaluated by DuckDB with the column names of the public views.

A batch has the attribute keys of its own rows; a key that none of them has is NULL.
"""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false, reportAttributeAccessIssue=false
# pyarrow publishes no types and makes its compute functions at import.

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from infersight_collector.processors.edited import array_of
from infersight_collector.processors.other_members import Mask
from infersight_collector.store.layout import ATTRIBUTE_COLUMNS, NESTED_ATTRIBUTES, TIME_COLUMN
from infersight_collector.store.schema import COLUMNS

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

VIEW_TIMES: Final[dict[str, dict[str, str]]] = {
    "spans": {"start_time": "start_time_ns", "end_time": "end_time_ns"},
    "logs": {"time": "time_ns", "observed_time": "observed_time_ns"},
    "metrics": {"time": "time_ns", "start_time": "start_time_ns"},
    "exemplars": {"time": "time_ns", "point_time": "point_time_ns"},
}
"""The timestamps of the public views, and the columns that they are made of."""

_LOCKED: Final = {
    "threads": 1,  # batches come one after the other on the thread that delivers
    "enable_external_access": False,
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "python_enable_replacements": False,
    "lock_configuration": True,
}

_ELEMENTS: Final = {
    "events": pa.list_(
        pa.struct(
            [
                ("time_ns", pa.int64()),
                ("name", pa.string()),
                ("attributes_other", pa.string()),
                ("dropped_attributes_count", pa.int64()),
            ]
        )
    ),
    "links": pa.list_(
        pa.struct(
            [
                ("trace_id", pa.string()),
                ("span_id", pa.string()),
                ("trace_state", pa.string()),
                ("flags", pa.int64()),
                ("attributes_other", pa.string()),
                ("dropped_attributes_count", pa.int64()),
            ]
        )
    ),
}

_NO_KEYS: Final = pa.map_(pa.string(), pa.string())
"""Type of an attribute column without any key: asked for one, it answers NULL."""


@dataclass(frozen=True, slots=True)
class Expression:
    """A checked SQL expression over one table.

    Attributes:
        text: as configured.
        kind: its type, as DuckDB names it; `"NULL"` where only a batch will tell.
        columns: the stored columns that it reads.
        keys: of attribute columns the keys that it reads, None among them where it reads the column as a whole.
    """

    text: str
    kind: str
    columns: frozenset[str]
    keys: Mapping[str, frozenset[str | None]]


@dataclass(frozen=True, slots=True)
class Output:
    """What is computed for each row.

    Attributes:
        expression: what it is made of, the columns that it needs.
        sql: the SQL around the expression's text.
    """

    expression: Expression
    sql: str


@dataclass(frozen=True, slots=True)
class Result:
    """The values of an output.

    Attributes:
        values: one a row; None where it cannot be computed for this batch.
        computed: which rows have one; None for all of them.
        error: what went wrong with the others, without anything of the rows in it.
    """

    values: pa.Array | None
    computed: Mask | None = None
    error: str | None = None


class Database:
    """A DuckDB in memory that reads nothing but the rows that it is given."""

    def __init__(self) -> None:
        import duckdb  # noqa: PLC0415 - takes 0.1 s, and only some processors need it

        self._connection = duckdb.connect(config=dict(_LOCKED))

    def check(self, table: str, text: str) -> Expression:
        """Reads an expression.

        Raises:
            ValueError: it is none, or DuckDB cannot evaluate it over this table.
        """
        columns, keys = _reads(_references(_parse(self._connection, text), table), table)
        # With every column there, DuckDB knows which names are near one that is wrong.
        draft = Expression(text, "", columns.union(COLUMNS[table].names), keys)
        # One row of nothing: what reads no column is evaluated, and what fails for every row fails here.
        nothing = pa.table({field.name: pa.nulls(1, field.type) for field in COLUMNS[table]})
        # What WHERE takes is a value of one row: no aggregate, no window.
        sql = f"select ({text}\n) from {table} where ({text}\n) is null"  # noqa: S608 - the operator's own
        try:
            kind = self._run(table, [draft], nothing, sql)[0]
        except _Failed as error:
            raise ValueError(str(error)) from error
        return Expression(text, kind, columns, keys)

    def evaluate(self, table: str, outputs: Sequence[Output], rows: pa.Table) -> list[Result]:
        """Computes outputs for rows; those of them that fail for some rows are computed for the others."""
        expressions = [output.expression for output in outputs]
        select = ", ".join(f'({output.sql}) as "{number}"' for number, output in enumerate(outputs))
        try:
            values = self._run(table, expressions, rows, f"select {select} from {table}")[1]  # noqa: S608 - see `check`
            return [Result(array_of(values, name)) for name in values.column_names]
        except _Failed as error:
            if len(outputs) > 1:
                return [result for output in outputs for result in self.evaluate(table, [output], rows)]
            cause = error.kind
        try:
            # A struct tells a value of NULL from none.
            sql = f"select try({{'value': {outputs[0].sql}}}) as tried from {table}"  # noqa: S608 - see `check`
            tried = array_of(self._run(table, expressions, rows, sql)[1], "tried")
        except _Failed:
            return [Result(None, error=cause)]
        computed: Mask = tried.is_valid().to_numpy(zero_copy_only=False)
        return [Result(pc.struct_field(tried, [0]), computed, cause)]

    def _run(self, table: str, expressions: Sequence[Expression], rows: pa.Table, sql: str) -> tuple[str, pa.Table]:
        """What a query over the columns that expressions read gives, and the type of its first column."""
        from duckdb import Error  # noqa: PLC0415 - see `__init__`

        self._connection.register(table, _view(table, expressions, rows))
        try:
            relation = self._connection.sql(sql)
            return str(relation.types[0]), relation.to_arrow_table()
        except Error as error:
            raise _Failed(error) from error
        finally:
            self._connection.unregister(table)


class _Failed(Exception):  # noqa: N818 - caught here
    """DuckDB cannot evaluate something; the text may have values of the rows in it."""

    def __init__(self, error: Exception) -> None:
        message = str(error).split("\n\nLINE ")[0]
        super().__init__(" ".join(message.split()))
        self.kind = type(error).__name__.removesuffix("Exception")


def _view(table: str, expressions: Sequence[Expression], rows: pa.Table) -> pa.Table:
    """Of the columns of the public view those that expressions read, of attributes the keys."""
    # The time column says how many rows there are, where nothing else is read.
    names = frozenset({TIME_COLUMN[table]}).union(*(expression.columns for expression in expressions))
    columns: dict[str, Any] = {}
    for name in sorted(names):
        if name in ATTRIBUTE_COLUMNS[table]:
            columns[name] = _struct(rows, name, [expression.keys.get(name, frozenset()) for expression in expressions])
        elif name in rows.column_names:
            columns[name] = array_of(rows, name)
        else:
            columns[name] = pa.nulls(rows.num_rows, _ELEMENTS[name])
    for name, stored in VIEW_TIMES[table].items():
        if stored in columns:
            columns[name] = columns[stored].cast(pa.timestamp("ns"))
    return pa.table(columns)


def _struct(rows: pa.Table, column: str, read: Sequence[frozenset[str | None]]) -> pa.Array:
    """An attribute column with the keys that are read."""
    struct = array_of(rows, column) if column in rows.column_names else None
    present = dict(zip(struct.type.names, struct.flatten(), strict=True)) if struct is not None else {}
    keys = frozenset[str | None]().union(*read)
    names = sorted({key for key in keys if key is not None}.union(present if None in keys else ()))
    if not names:
        return pa.nulls(rows.num_rows, _NO_KEYS)
    return pa.StructArray.from_arrays([present.get(name, pa.nulls(rows.num_rows)) for name in names], names)


def _parse(connection: "DuckDBPyConnection", text: str) -> Any:
    """The tree of an expression in DuckDB's JSON form."""
    if not text.strip():
        raise ValueError("the expression is empty")
    plain, own = (
        json.loads(connection.execute("select json_serialize_sql(?)", [f"select ({sql}\n)"]).fetchall()[0][0])
        for sql in ("1", text)
    )
    if own["error"]:
        raise ValueError(f"{own['error_message']}: {text}")
    (frame,) = plain["statements"]
    frame["node"].pop("select_list")
    selected = [part for statement in own["statements"] for part in statement["node"].pop("select_list", [])]
    if own["statements"] != [frame] or len(selected) != 1:
        raise ValueError(f"write one SQL expression, without FROM or anything else around it: {text}")
    if any(node.get("class") in ("SUBQUERY", "STAR") for node in _nodes(selected)):
        raise ValueError(f"a subquery or * is no expression over one row: {text}")
    return selected


def _nodes(tree: Any) -> Iterator[dict[str, Any]]:
    """All objects of a tree."""
    if isinstance(tree, dict):
        yield tree
        tree = list(tree.values())
    if isinstance(tree, list):
        for part in tree:
            yield from _nodes(part)


def _references(tree: Any, table: str) -> Iterator[tuple[str, str | None]]:
    """The names of columns that a tree has, each with the key that follows it, if one does."""
    if isinstance(tree, list):
        for part in tree:
            yield from _references(part, table)
    if not isinstance(tree, dict):
        return
    path = _path(tree, table)
    if path:
        yield path[0].lower(), path[1] if len(path) > 1 else None
        return
    if tree.get("type") in ("ARRAY_EXTRACT", "STRUCT_EXTRACT"):
        path, literal = _path(tree["children"][0], table), tree["children"][1].get("literal", {})
        if len(path) == 1 and literal.get("kind") == "STRING":
            yield path[0].lower(), literal["text"]
            return
    yield from _references(list(tree.values()), table)


def _path(node: dict[str, Any], table: str) -> list[str]:
    """The parts of the name of a column, without the table's; none where a node is no column."""
    names: list[str] = node["column_names"] if node.get("class") == "COLUMN_REF" else []
    return names[1:] if len(names) > 1 and names[0].lower() == table else names


def _reads(
    references: Iterator[tuple[str, str | None]], table: str
) -> tuple[frozenset[str], dict[str, frozenset[str | None]]]:
    """The stored columns among references, and the keys of those that have attributes."""
    known = {*COLUMNS[table].names, *ATTRIBUTE_COLUMNS[table], *NESTED_ATTRIBUTES.get(table, ())}
    columns: set[str] = set()
    keys: dict[str, frozenset[str | None]] = {}
    for reference, key in references:
        column = VIEW_TIMES[table].get(reference, reference)
        if column in known:  # else it is a name inside the expression, or DuckDB will complain
            columns.add(column)
        if column in ATTRIBUTE_COLUMNS[table]:
            keys[column] = keys.get(column, frozenset()) | {key}
    return frozenset(columns), keys
