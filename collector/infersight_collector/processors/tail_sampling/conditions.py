"""What policies look for in the spans of a trace. Each is also its own configuration."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false, reportAttributeAccessIssue=false
# pyarrow publishes no types and makes its compute functions at import.

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from infersight_collector.processors.attribute_values import values_of
from infersight_collector.processors.tail_sampling.traces import Flags, Ints, Rows

_MEMORY: Final = 100_000
"""Traces after which half of what was counted is forgotten."""


@dataclass(eq=False)
class StatusCode:
    """A span has one of these status codes."""

    status_codes: list[Literal["OK", "ERROR", "UNSET"]]

    def found_in(self, spans: Rows) -> Flags:
        """For each trace whether it is found in these spans."""
        return spans.any(pc.is_in(spans.table.column("status_code"), pa.array(self.status_codes, pa.string())))


@dataclass(eq=False)
class StringAttribute:
    """A text attribute of a span, or of its resource, has one of these values.

    Attributes:
        key: the attribute.
        values: the values, or regular expressions (RE2) of which a part of the value has to match one.
        enabled_regex_matching: whether the values are regular expressions.
        invert_match: keeps the traces in which it is not found.
    """

    key: str
    values: list[str]
    enabled_regex_matching: bool = False
    invert_match: bool = False

    def __post_init__(self) -> None:
        """Raises ValueError where a regular expression cannot work."""
        if not self.values:
            raise ValueError("'values' is empty: write the values of the attribute to look for")
        for pattern in self.values if self.enabled_regex_matching else []:
            try:
                pc.match_substring_regex(pa.array([""]), pattern)
            except pa.ArrowInvalid as error:
                raise ValueError(f"'{pattern}' is no regular expression of RE2: {error}") from error

    def found_in(self, spans: Rows) -> Flags:
        """For each trace whether it is found in these spans."""
        texts = (values for values in values_of(spans.table, self.key) if pa.types.is_string(values.type))
        return _any_of(spans, (self._matching(values) for values in texts))

    def _matching(self, values: Any) -> Any:
        if not self.enabled_regex_matching:
            return pc.is_in(values, pa.array(self.values, pa.string()))
        encoded = values.dictionary_encode()
        matches = [pc.match_substring_regex(encoded.dictionary, pattern) for pattern in self.values]
        found = np.logical_or.reduce([match.to_numpy(zero_copy_only=False) for match in matches])
        return pa.array(found).take(encoded.indices)


@dataclass(eq=False)
class NumericAttribute:
    """A number among the attributes of a span, or of its resource, is in this range, the ends included."""

    key: str
    min_value: float = float("-inf")
    max_value: float = float("inf")

    def __post_init__(self) -> None:
        """Raises ValueError for a range in which nothing is."""
        if not self.min_value <= self.max_value:
            raise ValueError("'min_value' must not be above 'max_value'")

    def found_in(self, spans: Rows) -> Flags:
        """For each trace whether it is found in these spans."""
        numbers = (values for values in values_of(spans.table, self.key) if _is_number(values.type))
        return _any_of(spans, (self._in_range(values.cast(pa.float64(), safe=False)) for values in numbers))

    def _in_range(self, values: Any) -> Any:
        lowest, highest = (pa.scalar(end, pa.float64()) for end in (self.min_value, self.max_value))
        return pc.and_(pc.greater_equal(values, lowest), pc.less_equal(values, highest))


@dataclass(eq=False)
class BooleanAttribute:
    """A truth value among the attributes of a span, or of its resource, is this one."""

    key: str
    value: bool

    def found_in(self, spans: Rows) -> Flags:
        """For each trace whether it is found in these spans."""
        truths = (values for values in values_of(spans.table, self.key) if pa.types.is_boolean(values.type))
        return _any_of(spans, (pc.equal(values, pa.scalar(self.value, pa.bool_())) for values in truths))


@dataclass(eq=False)
class Rare:
    """An attribute of a span, or of its resource, has a value that few traces have, as a new version or a rare route.

    What was seen is counted in memory only, and forgotten by half every 100 000 traces: a value is rare again when it
    has not been seen for long, and every value when the collector starts.

    Attributes:
        key: the attribute, a text.
        first: so many traces with a value are rare in any case.
        below_percentage: values are rare that a smaller share of the traces with this attribute has, in percent.
    """

    key: str
    first: int = 10
    below_percentage: float = 1.0

    def __post_init__(self) -> None:
        """Raises ValueError for a share that is none."""
        if not 0 <= self.below_percentage <= 100:
            raise ValueError("'below_percentage' is a share of traces: write a number from 0 to 100")
        self._seen: dict[int, float] = {}
        self._total = 0.0

    def found_in(self, spans: Rows) -> Flags:
        """For each trace whether it is found in these spans; a trace counts once a value and call."""
        texts = [values for values in values_of(spans.table, self.key) if pa.types.is_string(values.type)]
        if not texts:
            return np.zeros(len(spans.hashes), np.bool_)
        return self._count(spans, pc.coalesce(*texts).dictionary_encode())

    def _count(self, spans: Rows, encoded: Any) -> Flags:
        """Counts the different values of each trace, and flags the traces with one that was rare until then."""
        # By their hashes, so that long values take no memory.
        values = [hash(text) for text in encoded.dictionary.to_pylist()]
        is_present = encoded.is_valid().to_numpy(zero_copy_only=False) & (spans.trace >= 0)
        value = pc.fill_null(encoded.indices, 0).to_numpy(zero_copy_only=False)[is_present].astype(np.int64)
        different = max(len(values), 1)
        trace, value = np.divmod(np.unique(spans.trace[is_present] * different + value), different)
        seen = np.array([self._seen.get(known, 0.0) for known in values])[value] + _occurrences(value)
        total = self._total + np.arange(len(value))
        is_rare = (seen < self.first) | (100 * seen < self.below_percentage * total)
        found = np.zeros(len(spans.hashes), np.bool_)
        found[trace[is_rare]] = True
        for known, count in zip(values, np.bincount(value, minlength=len(values)).tolist(), strict=True):
            self._seen[known] = self._seen.get(known, 0.0) + count
        self._total += len(value)
        self._forget()
        return found

    def _forget(self) -> None:
        while self._total > _MEMORY:
            self._total /= 2
            self._seen = {known: count / 2 for known, count in self._seen.items() if count >= 1}


def _occurrences(values: Ints) -> Ints:
    """For each value how many equal ones come before it."""
    order = np.argsort(values, kind="stable")
    ordered = values[order]
    begins = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]])) if len(values) else values
    found = np.empty(len(values), np.int64)
    found[order] = np.arange(len(values)) - np.repeat(begins, np.diff(np.append(begins, len(values))))
    return found


def _any_of(spans: Rows, flags: Iterator[Any]) -> Flags:
    found = np.zeros(len(spans.hashes), np.bool_)
    for flag in flags:
        found |= spans.any(flag)
    return found


def _is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind))
