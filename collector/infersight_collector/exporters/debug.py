"""The exporter `debug`: shows on stdout what arrives."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false
# pyarrow publishes no types.

import json
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final, Literal

from infersight_collector.component import Batch
from infersight_collector.store.wal import Origin

Row = dict[str, Any]

_RECORDS: Final = {"spans": "spans", "logs": "log records", "metrics": "data points", "exemplars": "exemplars"}
"""What the rows of each table are to people."""


@dataclass(frozen=True)
class DebugConfig:
    """Configuration of one `debug` exporter.

    Attributes:
        verbosity: `basic`, how many records; `normal`, a line for each; `detailed`, everything.
    """

    verbosity: Literal["basic", "normal", "detailed"] = "basic"


class DebugExporter:
    """Writes to stdout, for people; a segment that is delivered again after a crash is shown again.

    Args:
        config: its configuration.
    """

    def __init__(self, config: DebugConfig) -> None:
        self._verbosity = config.verbosity
        self._batches: list[Batch] = []

    def start(self) -> None:
        """There is nothing to open."""

    def begin(self) -> None:
        """Forgets batches that were not committed."""
        self._batches = []

    def consume(self, batch: Batch) -> None:
        """Keeps a batch until the segment is complete."""
        self._batches.append(batch)

    def commit(self, origin: Origin) -> None:
        """Shows the segment."""
        del origin
        counts: Counter[str] = Counter()
        lines: list[str] = []
        for batch in self._batches:
            for name, rows in batch.tables.items():
                counts[name] += rows.num_rows
                if self._verbosity != "basic":
                    describe = _in_full if self._verbosity == "detailed" else _in_short
                    lines += (line for row in rows.to_pylist() for line in describe(name, row))
        head = ", ".join(f"{count} {_RECORDS[name]}" for name, count in counts.items() if count)
        with suppress(OSError, ValueError):  # nobody reads stdout any more
            sys.stdout.write("\n".join(map(_printable, [f"debug     {head or 'nothing'}", *lines])) + "\n")
            sys.stdout.flush()
        self.begin()

    def stop(self) -> None:
        """There is nothing to close."""


def _in_short(table: str, row: Row) -> Iterator[str]:
    head = _SHORT[table](row)
    ids = [row[name] for name in ("trace_id", "span_id") if row.get(name)]
    attributes = {name: value for name, value in (row.get("attributes") or {}).items() if value is not None}
    parts = [table, row.get("service_name") or "-", *head, *ids, *([_json(attributes)] if attributes else [])]
    yield "  ".join(map(str, parts))


def _in_full(table: str, row: Row) -> Iterator[str]:
    yield table
    for name, value in row.items():
        if value is not None:
            yield f"    {name}: {value if isinstance(value, str) else _json(_without_nulls(value))}"


def _span(row: Row) -> list[str]:
    duration = row.get("duration_ns")
    took = [] if duration is None else [f"{duration / 1e6:.3f} ms"]
    return [row.get("name") or "-", row.get("kind") or "-", *took, row.get("status_code") or "-"]


def _log(row: Row) -> list[str]:
    severity = row.get("severity_text") or row.get("severity_number") or "-"
    return [str(severity), row.get("body") or row.get("event_name") or "-"]


def _metric(row: Row) -> list[str]:
    if row.get("value") is not None:
        return [row.get("name") or "-", f"{row['value']:g} {row.get('unit') or ''}".strip()]
    return [row.get("name") or "-", f"count {row.get('count')}", f"sum {row.get('sum')}"]


def _exemplar(row: Row) -> list[str]:
    return [row.get("metric_name") or "-", f"{row.get('value')}"]


_SHORT: Final[dict[str, Callable[[Row], list[str]]]] = {
    "spans": _span,
    "logs": _log,
    "metrics": _metric,
    "exemplars": _exemplar,
}


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_nulls(member) for name, member in value.items() if member is not None}
    return [_without_nulls(each) for each in value] if isinstance(value, list) else value


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=repr)


def _printable(line: str) -> str:
    """Without characters that would steer the terminal."""
    if line.isprintable():
        return line
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in line)
