"""What distinguishes spans from the same operations in other traces, by their attributes."""

import json
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from math import prod
from statistics import median
from typing import Any, Final

import duckdb

from infersight_analysis.investigation.baseline import Baseline
from infersight_analysis.reading import OPERATION, query
from infersight_analysis.stats.order import percentile_of
from infersight_analysis.stored import literal
from infersight_analysis.trace import Span

_SIZE: Final = re.compile(r"(^|[._])(size|length|bytes|tokens|count|chars|rows|items|shape|width|height)$")
_NOT_AN_INPUT: Final = re.compile(
    r"^(thread|process|server|client|network|code|exception|error)\.|status_code|\.duration$"
    r"|infersight\.(event|requests|recorder|batch\.(fill|share|trace_ids)|sample)"
)

LARGE: Final = 2.0
"""How many times its median a number must be, above the 95th percentile, to be called large."""

_COMPARABLE: Final = 4.0
"""Others whose number is at least this part of it are as large."""

_RARE: Final = 0.2
"""The largest share of the others that may have a value for it to tell a span apart."""


@dataclass(frozen=True)
class Trait:
    """An attribute in which a span differs.

    Args:
        key: the attribute.
        statement: the difference in words.
        is_size: whether it is the size of an input.
        effect: how many times as long others take that have the value, or a number as large; 0 where there are none.
        alike: how many these are.
    """

    key: str
    statement: str
    is_size: bool
    effect: float
    alike: int


def traits_of(connection: duckdb.DuckDBPyConnection, spans: Sequence[Span], baseline: Baseline) -> list[Trait]:
    """The attributes of a request's spans that few of the others share, sizes first.

    Args:
        connection: from `connect`.
        spans: with their attributes, of different operations.
        baseline: whose traces to compare with.
    """
    keys = sorted({key for span in spans for key in span.attributes if _may_tell(key, span)})
    if not keys or not baseline.traces:
        return []
    values = {
        "trace_ids": list(baseline.traces),
        "first": min(baseline.traces),
        "last": max(baseline.traces),
        "from_ns": baseline.between_ns[0],
        "until_ns": baseline.between_ns[1],
        "names": sorted({span.name for span in spans}),
    }
    # Only these keys: text of all that occur would cost more than all else in an investigation.
    sql = query("attributes_of_operation").replace("{attributes}", ", ".join(map(_column, keys)))
    others: defaultdict[tuple[str | None, str], list[tuple[Mapping[str, Any], int]]] = defaultdict(list)
    for service, name, duration, *known in connection.execute(sql, values).fetchall():
        others[service, name].append((dict(zip(keys, map(_value, known), strict=True)), duration))
    found: dict[str, Trait] = {}
    for span in spans:
        alike = others.get((span.service, span.name))
        for key in span.attributes if alike else ():
            if _may_tell(key, span):
                trait = _trait(key, span.attributes[key], alike or ())
                if trait and (key not in found or trait.effect > found[key].effect):
                    found[key] = trait
    return sorted(found.values(), key=lambda trait: (not trait.is_size, -trait.effect, trait.key))


def _may_tell(key: str, span: Span) -> bool:
    """Whether an attribute says something of the input; how many others rode along in the batch is load."""
    is_load = key == "infersight.batch.size" and span.attributes.get(OPERATION) in ("queue", "batched", "batch")
    return not is_load and not _NOT_AN_INPUT.search(key)


def _column(key: str) -> str:
    return f"attributes[{literal(key)}]"


def _value(value: Any) -> Any:
    """Lists and maps come as the text of their JSON."""
    if isinstance(value, str) and value[:1] in ("[", "{"):
        with suppress(ValueError):
            return json.loads(value)
    return value


def _trait(key: str, value: Any, others: Sequence[tuple[Mapping[str, Any], int]]) -> Trait | None:
    number = _number(key, value)
    if number is not None:
        return _numeric(key, number, others)
    same = [duration for attributes, duration in others if attributes.get(key) == value]
    rest = [duration for attributes, duration in others if attributes.get(key) != value]
    if not rest or not same or len(same) > _RARE * len(others):
        return None  # one that no other has is rather an identifier
    ratio = median(same) / (median(rest) or 1)
    if ratio < LARGE:
        return None
    share = len(same) / len(others)
    same_value = f"{key} = {json.dumps(value, ensure_ascii=False)}"
    words = f"{same_value}, as {share:.0%} of the others, which take {_times(ratio)} as long"
    return Trait(key, words, is_size=False, effect=ratio, alike=len(same))


def _numeric(key: str, number: float, others: Sequence[tuple[Mapping[str, Any], int]]) -> Trait | None:
    sizes = [(_number(key, attributes.get(key)), duration) for attributes, duration in others]
    known = [(size, duration) for size, duration in sizes if size is not None]
    if len(known) < len(others) / 2:
        return None
    normal = median(size for size, _ in known)
    if percentile_of(number, [size for size, _ in known]) < 95 or number < LARGE * normal:
        return None
    bound = max(number / _COMPARABLE, LARGE * normal)
    alike = [duration for size, duration in known if size >= bound]
    rest = [duration for size, duration in known if size < bound]
    effect = median(alike) / (median(rest) or 1) if alike and rest else 0.0
    words = f"{key} = {number:,.10g}, {_times(number / normal)} its median" if normal else f"{key} = {number:,.10g}"
    if effect >= LARGE:
        words += f" (others as large take {_times(effect)} as long)"
    return Trait(key, words, bool(_SIZE.search(key)), effect, len(alike))


def _times(ratio: float) -> str:
    return f"{ratio:,.0f} times" if ratio >= 10 else f"{ratio:.1f} times"


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
