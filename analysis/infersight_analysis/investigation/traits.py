"""What distinguishes a span from the same operation in other traces, by its attributes."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod
from statistics import median
from typing import Any, Final

import duckdb

from infersight_analysis.investigation.baseline import Baseline
from infersight_analysis.reading import present, query
from infersight_analysis.stats.order import percentile_of, rank_correlation
from infersight_analysis.trace import Span

_SIZE: Final = re.compile(r"(^|[._])(size|length|bytes|tokens|count|chars|rows|items|shape|width|height)$")
_NOT_AN_INPUT: Final = re.compile(
    r"^(thread|process|server|client|network|code|exception|error)\.|status_code|infersight.(event|requests)"
)

_LARGE: Final = 2.0
"""How many times its median a number must be, above the 95th percentile, to be called large."""

_RARE: Final = 0.2
"""The largest share of the others that may have a value for it to tell a span apart."""


@dataclass(frozen=True)
class Trait:
    """An attribute in which a span differs.

    Args:
        key: the attribute.
        statement: the difference in words.
        is_size: whether it is the size of an input.
        correlation: Spearman's rho of a number with the duration, over the span and the others; 0 for text.
    """

    key: str
    statement: str
    is_size: bool
    correlation: float


def traits_of(connection: duckdb.DuckDBPyConnection, span: Span, duration_ns: int, baseline: Baseline) -> list[Trait]:
    """The attributes of a span that few of the others share, sizes that go with the duration first.

    Args:
        connection: from `connect`.
        span: with its attributes.
        duration_ns: how long it took.
        baseline: whose traces to compare with.
    """
    values = {
        "trace_ids": list(baseline.traces),
        "from_ns": baseline.between_ns[0],
        "until_ns": baseline.between_ns[1],
        "name": span.name,
        "service": span.service,
    }
    rows = connection.execute(query("attributes_of_operation"), values).fetchall()
    others = [(present(attributes), duration) for attributes, duration in rows]
    if not others:
        return []
    keys = [key for key in span.attributes if not _NOT_AN_INPUT.search(key)]
    found = [_trait(key, span.attributes[key], duration_ns, others) for key in keys]
    return sorted(
        (trait for trait in found if trait), key=lambda trait: (not trait.is_size, -trait.correlation, trait.key)
    )


def _trait(key: str, value: Any, duration_ns: int, others: Sequence[tuple[Mapping[str, Any], int]]) -> Trait | None:
    number = _number(key, value)
    if number is not None:
        return _numeric(key, number, duration_ns, others)
    same = [duration for attributes, duration in others if attributes.get(key) == value]
    rest = [duration for attributes, duration in others if attributes.get(key) != value]
    if not rest or not same or len(same) > _RARE * len(others):
        return None  # one that no other has is rather an identifier
    ratio = median(same) / (median(rest) or 1)
    if ratio < _LARGE:
        return None
    share = len(same) / len(others)
    same_value = f"{key} = {json.dumps(value, ensure_ascii=False)}"
    words = f"{same_value}, as {share:.0%} of the others, which take {ratio:.1f} times as long"
    return Trait(key, words, is_size=False, correlation=0.0)


def _numeric(
    key: str, number: float, duration_ns: int, others: Sequence[tuple[Mapping[str, Any], int]]
) -> Trait | None:
    known = [
        (size, duration) for attributes, duration in others if (size := _number(key, attributes.get(key))) is not None
    ]
    if len(known) < len(others) / 2:
        return None
    sizes = [size for size, _ in known]
    normal = median(sizes)
    if percentile_of(number, sizes) < 95 or number < _LARGE * normal:
        return None
    correlation = rank_correlation([*sizes, number], [*(duration for _, duration in known), duration_ns])
    times = f"{number / normal:,.3g} times" if normal else "above"
    words = f"{key} = {number:,.10g} is {times} its median ({normal:,.10g})"
    if correlation >= 0.3:
        words += f" and goes with the time (rank correlation {correlation:.2f})"
    return Trait(key, words, bool(_SIZE.search(key)), correlation)


def _number(key: str, value: Any) -> float | None:
    """A number, or the number of elements of a shape; None for everything else."""
    if isinstance(value, bool):
        return None
    if isinstance(value, (int, float)):
        return float(value)
    if key.endswith("shape") and isinstance(value, list):
        sides: list[Any] = value  # pyright: ignore[reportUnknownVariableType] - JSON
        if sides and all(isinstance(side, int) for side in sides):
            return float(prod(sides))
    return None
