"""Times and durations as people write them, and as integer nanoseconds, which is what the store keeps."""

import re
from datetime import UTC, datetime
from typing import Final

from infersight_analysis.errors import AnalysisError

SECOND_NS: Final = 10**9

_UNITS: Final = {
    "ns": 1,
    "us": 10**3,
    "ms": 10**6,
    "s": SECOND_NS,
    "m": 60 * SECOND_NS,
    "h": 3600 * SECOND_NS,
    "d": 86_400 * SECOND_NS,
    "w": 7 * 86_400 * SECOND_NS,
}
_DURATION_PART: Final = re.compile(r"(\d+(?:\.\d+)?)(ns|us|ms|s|m|h|d|w)")
_TO_THE_SECOND: Final = len("2026-03-01T14:05:00")
_FRACTION: Final = re.compile(r"[.,](\d{1,9})\d*")


def parse_duration(text: str) -> int:
    """Nanoseconds of a duration such as `500ms`, `1h30m` or `2d`.

    Raises:
        AnalysisError: it is none.
    """
    compact = text.strip().lower().replace("µs", "us")
    parts = _DURATION_PART.findall(compact)
    if not parts or "".join(number + unit for number, unit in parts) != compact:
        raise AnalysisError(f"{text!r} is no duration: write it as 500ms, 30s, 15m, 1h30m or 2d")
    return sum(round(float(number) * _UNITS[unit]) for number, unit in parts)


def parse_time(text: str) -> int:
    """Nanoseconds since the epoch of an ISO 8601 time with up to nine decimals; UTC where it names no offset.

    Raises:
        AnalysisError: it is none.
    """
    fraction = _FRACTION.search(text)
    try:
        moment = datetime.fromisoformat(_FRACTION.sub("", text).strip())
    except ValueError:
        raise AnalysisError(f"{text!r} is no time: write it in ISO 8601, as 2026-03-01T14:05:00Z") from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    nanoseconds = int(fraction[1].ljust(9, "0")) if fraction else 0
    return round(moment.timestamp()) * SECOND_NS + nanoseconds


def iso_time(time_ns: int) -> str:
    """A time in ISO 8601, UTC, with nanoseconds.

    Args:
        time_ns: nanoseconds since the epoch.
    """
    seconds, nanoseconds = divmod(time_ns, SECOND_NS)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{nanoseconds:09d}Z"


def readable_time(time: str) -> str:
    """A time in ISO 8601 for people, to the second: `2026-03-01 14:05:00`."""
    return time[:_TO_THE_SECOND].replace("T", " ")


def short_duration(duration_ns: float) -> str:
    """A duration for people, three digits and a unit: `412 ms`, `1.25 s`."""
    for unit in ("s", "ms", "us"):
        value = duration_ns / _UNITS[unit]
        if abs(value) >= 1:
            decimals = max(0, 3 - len(str(int(abs(value)))))
            return f"{value:.{decimals}f} {unit}"
    return f"{duration_ns:.0f} ns"


def long_duration(duration_ns: int) -> str:
    """A duration for people, also of hours and days: `45 min`, `3 h 20 min`, `2 d 4 h`."""
    minutes = round(duration_ns / _UNITS["m"])
    if minutes < 2:
        return short_duration(duration_ns)
    hours, minutes_left = divmod(minutes, 60)
    days, hours_left = divmod(hours, 24)
    parts = ((days, "d"), (hours_left, "h"), (minutes_left, "min"))
    return " ".join([f"{count} {unit}" for count, unit in parts if count][:2])
