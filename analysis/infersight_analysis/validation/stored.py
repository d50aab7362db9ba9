"""Inputs of which a store knows what the SDK said of them: each rule as a condition on that."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import duckdb

from infersight_analysis.findings import Evidence, InputViolation, ReportedViolation, RuleResult, Validation
from infersight_analysis.quality.reading import Chosen
from infersight_analysis.reading import query
from infersight_analysis.stored import literal, literals
from infersight_analysis.validation.rules import InputRules
from infersight_analysis.validation.wording import statement_of

_EXAMPLES: Final = 5
_TRACES: Final = 20
_INPUT: Final = "infersight.input."


@dataclass(frozen=True)
class _Condition:
    """A rule in SQL on the view `predictions`.

    Attributes:
        known: when the characterisation tells.
        broken: when it then tells that the rule is broken.
        found: the text of what was found.
    """

    known: str
    broken: str
    found: str


def validate_stored(
    connection: duckdb.DuckDBPyConnection,
    rules: InputRules,
    chosen: Chosen = Chosen(),  # noqa: B008 - immutable
) -> Validation:
    """Check what is known of the inputs of predictions, and list what services reported of theirs.

    Args:
        connection: from `connect`.
        rules: what is asked of the inputs.
        chosen: which predictions.
    """
    characteristics = _Characteristics.of(connection)
    conditions = characteristics.conditions(rules)
    counts = [
        f",\n    count(*) filter ({each.known}), count(*) filter (({each.known}) and ({each.broken}))"
        for each in conditions.values()
    ]
    where = " and ".join([*chosen.conditions, f"{characteristics.type} is not null"])
    text = query("checked_inputs").format(
        sampled=f"{characteristics.sample_size} is not null", counts="".join(counts), chosen=where
    )
    row = connection.execute(text).fetchone() or (0, 0, *[0] * 2 * len(conditions))
    inputs, sampled, *counted = row
    results: list[RuleResult] = []
    sql: list[str] = []
    for place, (check, condition) in enumerate(conditions.items()):
        known, broken = counted[2 * place : 2 * place + 2]
        examples: list[InputViolation] = []
        if broken:
            sql.append(_examples_query(condition, where))
            examples = _examples(connection, sql[-1])
        results.append(RuleResult(check, rules.expected[check], known, broken, inputs - known, examples))
    reported = _reported(connection, chosen)
    results.sort(key=lambda each: -each.broken)
    traces = [example.trace_id for result in results for example in result.examples if example.trace_id]
    traces += [trace for each in reported for trace in each.trace_ids]
    evidence = Evidence(list(dict.fromkeys(traces))[:_TRACES], sql)
    return Validation(chosen.about, inputs, sampled, results, reported, statement_of(results, reported), evidence)


@dataclass(frozen=True)
class _Characteristics:
    """Expressions for what the SDK says of an input; null where it never said that of any."""

    keys: frozenset[str]

    @classmethod
    def of(cls, connection: duckdb.DuckDBPyConnection) -> "_Characteristics":
        found = connection.execute(
            "select key from attribute_keys where table_name = 'logs' and column_name = 'attributes'"
        ).fetchall()
        return cls(frozenset(key for (key,) in found))

    def _get(self, key: str, kind: str) -> str:
        value = f"attributes[{literal(key)}]" if key in self.keys else "null"
        return f"cast({value} as {kind})"  # unlike `::`, it can be followed by the position in a list

    @property
    def type(self) -> str:
        return self._get(f"{_INPUT}type", "varchar")

    @property
    def sample_size(self) -> str:
        return self._get(f"{_INPUT}sample_size", "bigint")

    def conditions(self, rules: InputRules) -> Mapping[str, _Condition]:
        """The rules by the name of the check."""
        return dict(self._conditions(rules))

    def _conditions(self, rules: InputRules) -> Iterator[tuple[str, _Condition]]:
        given = f"{self.type} is not null"
        dtype = self._get(f"{_INPUT}dtype", "varchar")
        if rules.types:
            yield "type", _Condition(given, f"{self.type} not in ({literals(rules.types)})", self.type)
        if rules.dtype is not None:
            differs = f"{dtype} is distinct from {literal(rules.dtype)}"
            yield "dtype", _Condition(given, differs, f"coalesce({dtype}, 'no dtype')")
        if rules.shape is not None:
            yield "shape", self._shape(rules.shape)
        if rules.non_empty:
            yield "non_empty", self._non_empty()
        if rules.max_length is not None:
            length = self._length
            yield (
                "max_length",
                _Condition(f"{length} is not null", f"{length} > {rules.max_length}", f"{length}::varchar"),
            )
        if rules.range is not None:
            yield "range", self._range(*rules.range)
        if rules.finite:
            nan, inf = self._get(f"{_INPUT}nan_count", "bigint"), self._get(f"{_INPUT}inf_count", "bigint")
            found = f"case when {nan} > 0 then 'NaN' else 'an infinite element' end"
            yield "finite", _Condition(f"{nan} is not null", f"{nan} + {inf} > 0", found)
        if rules.fields:
            yield "fields", self._fields(rules.fields)

    @property
    def _length(self) -> str:
        """As `validate_input` takes it: of an array the first dimension, 0 where any is."""
        shape = self._get(f"{_INPUT}shape", "bigint[]")
        of_array = f"case when list_contains({shape}, 0) then 0 else {shape}[1] end"
        length, items = self._get(f"{_INPUT}length", "bigint"), self._get("infersight.batch.size", "bigint")
        return f"coalesce({of_array}, {length}, {items})"

    def _shape(self, expected: Sequence[int | None]) -> _Condition:
        shape = self._get(f"{_INPUT}shape", "bigint[]")
        sizes = [f"{shape}[{place}] <> {size}" for place, size in enumerate(expected, 1) if size is not None]
        broken = " or ".join([f"{shape} is null", f"len({shape}) <> {len(expected)}", *sizes])
        found = f"coalesce('(' || array_to_string({shape}, ', ') || ')', 'no shape')"
        return _Condition(f"{self.type} is not null", broken, found)

    def _non_empty(self) -> _Condition:
        blank = f"coalesce({self._get(f'{_INPUT}whitespace_ratio', 'double')} = 1, false)"
        length = self._length
        found = f"case when {length} = 0 then 'nothing' else 'only whitespace' end"
        return _Condition(f"{length} is not null", f"{length} = 0 or {blank}", found)

    def _range(self, low: float | None, high: float | None) -> _Condition:
        least, greatest = (self._get(f"{_INPUT}{end}", "double") for end in ("min", "max"))
        beyond = [f"{least} < {low!r}"] if low is not None else []
        beyond += [f"{greatest} > {high!r}"] if high is not None else []
        if low is not None and high is not None:  # least and greatest are those of the finite elements
            beyond.append(f"coalesce({self._get(f'{_INPUT}inf_count', 'bigint')}, 0) > 0")
        found = f"printf('%g', {least}) || ' to ' || printf('%g', {greatest})"
        return _Condition(f"{least} is not null", " or ".join(beyond) or "false", found)

    def _fields(self, fields: Sequence[str]) -> _Condition:
        names, missing = (self._get(f"{_INPUT}{key}", "varchar[]") for key in ("fields", "missing"))
        wanted = f"list_sort([{literals(fields)}])"
        absent = (
            f"list_filter({wanted}, lambda field: not coalesce(list_contains({names}, field), false) "
            f"or coalesce(list_contains({missing}, field), false))"
        )
        return _Condition(
            f"{self.type} is not null", f"len({absent}) > 0", f"'none in ' || array_to_string({absent}, ', ')"
        )


def _examples_query(condition: _Condition, where: str) -> str:
    return (
        f"select prediction_id, trace_id, {condition.found} as found from predictions where {where} "  # noqa: S608
        f"and ({condition.known}) and ({condition.broken}) order by time_ns desc, prediction_id limit {_EXAMPLES}"
    )


def _examples(connection: duckdb.DuckDBPyConnection, text: str) -> list[InputViolation]:
    rows: list[tuple[Any, ...]] = connection.execute(text).fetchall()
    return [InputViolation(None, None, str(found), prediction, trace) for prediction, trace, found in rows]


def _reported(connection: duckdb.DuckDBPyConnection, chosen: Chosen) -> list[ReportedViolation]:
    keys = connection.execute(
        "select count(*) from attribute_keys where table_name = 'logs' and column_name = 'attributes' and key in "
        "('infersight.input.name', 'infersight.input.violations')"
    ).fetchone()
    if keys is None or keys[0] < 2:
        return []
    conditions = [each for each in chosen.conditions if not each.startswith("model_")]
    text = query("reported_violations").format(chosen=" and ".join(conditions) or "true", examples=_EXAMPLES)
    rows: list[tuple[Any, ...]] = connection.execute(text).fetchall()
    return [ReportedViolation(*row) for row in rows]
