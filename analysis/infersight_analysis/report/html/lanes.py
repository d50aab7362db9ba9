"""Stretches of time as places on a line across the page."""

from dataclasses import dataclass
from typing import Self

from infersight_analysis.times import parse_time


@dataclass(frozen=True)
class Span:
    """From when to when, nanoseconds since the epoch."""

    start_ns: int
    end_ns: int

    @classmethod
    def of(cls, start: str, end: str) -> Self:
        """Of two times of a finding, ISO 8601."""
        return cls(parse_time(start), parse_time(end))


def lane(span: Span, whole: Span) -> tuple[float, float]:
    """Where a stretch begins in a longer one, and how wide it is, in percent."""
    length_ns = max(1, whole.end_ns - whole.start_ns)
    return 100 * (span.start_ns - whole.start_ns) / length_ns, 100 * (span.end_ns - span.start_ns) / length_ns
