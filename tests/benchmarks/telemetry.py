"""A day of realistic telemetry in a store: seeded, written by the real writer, compacted, and kept for the next run.

`python tests/benchmarks/telemetry.py [--spans 10000000]` makes it and says what it is. Twelve services call one another
in traces of 3 to 40 spans, with some 15 attributes a span; users and items follow Zipf's law, ids are random, durations
log-normal and nested in their parents', traffic follows the day, model servers roll out a release at 9:00. There are
half as many log records, metrics of every process each 15 seconds, and exemplars.

`INFERSIGHT_BENCH_DATA` is the directory that keeps what was made; `infersight-bench` in the temporary directory else.
"""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false
# pyarrow publishes no types.

import argparse
import os
import resource
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from tests.benchmarks.synthetic import logs, metrics, spans
from tests.benchmarks.synthetic.population import Population
from tests.benchmarks.synthetic.services import shapes
from tests.benchmarks.synthetic.trees import World

from infersight_collector.store.layout import SCHEMA_VERSION, TIME_COLUMN
from infersight_collector.store.maintenance import Maintenance, Report
from infersight_collector.store.snapshot import Snapshot
from infersight_collector.store.wal import Origin
from infersight_collector.store.writer import Store

if TYPE_CHECKING:
    import pyarrow as pa

DAY_NS: Final = 1_772_323_200 * 10**9
"""The first nanosecond of the day: 2026-03-01, UTC."""

HOURS: Final = 24
WRITE_SPANS: Final = 60_000
"""Spans of a write: what a busy collector takes from its log at once."""

_WRITER: Final = "telemetry"


@dataclass(frozen=True)
class Slice:
    """What begins between two times."""

    start_ns: int
    end_ns: int
    traces: int
    seed: tuple[int, ...]


def stored(count: int, seed: int = 1) -> Path:
    """The store with about so many spans; made where it does not exist yet."""
    made = directory() / f"store-{count}-{seed}-{SCHEMA_VERSION}"
    if not made.exists():
        unfinished = made.with_suffix(".unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        write(unfinished, count, seed)
        unfinished.rename(made)
    return made


def write(path: Path, count: int, seed: int = 1) -> None:
    """Write the day into a new store and compact it as a store is that has been quiet for a while."""
    store = Store.open(path)
    maintenance = Maintenance(path)
    for number, tables in enumerate(day(count, seed), start=1):
        store.write(tables, Origin(_WRITER, number))
        if number % 16 == 0:
            maintenance.round()
    report = Report()
    merges = list(maintenance.merge(report, all_now=True))
    maintenance.clean(report, 0)
    if report.problems or not merges:
        raise SystemExit(f"the store could not be compacted: {report.problems}")


def day(count: int, seed: int = 1) -> Iterator[dict[str, "pa.Table"]]:
    """The tables of each write, hour by hour.

    Args:
        count: spans of the whole day, roughly.
        seed: another one gives other telemetry.
    """
    world = World(shapes(seed), Population(DAY_NS, seed))
    of_metrics = metrics.hours(world, DAY_NS, HOURS, seed)
    for hour, points in zip(range(HOURS), of_metrics, strict=True):
        for part in _slices(hour, round(count * _share(hour) / world.spans_a_trace), world.spans_a_trace, seed):
            chance = np.random.default_rng(part.seed)
            made = spans.spans(world, world.draw(part.traces, part.start_ns, part.end_ns, chance), chance)
            yield {
                "spans": made.table,
                "logs": logs.logs(world, made, part.start_ns, part.end_ns, chance),
                "exemplars": spans.exemplars(world, made, chance),
            }
        yield {"metrics": points}


def _share(hour: int) -> float:
    """Of the day's traffic: most in the afternoon, a fifth of that at night."""
    curve = 1.2 + np.sin((np.arange(HOURS) - 8.5) / HOURS * 2 * np.pi)
    return float(curve[hour] / curve.sum())


def _slices(hour: int, traces: int, spans_a_trace: float, seed: int) -> Iterator[Slice]:
    parts = max(1, round(traces * spans_a_trace / WRITE_SPANS))
    edges = [DAY_NS + hour * metrics.HOUR_NS + part * metrics.HOUR_NS // parts for part in range(parts + 1)]
    for part in range(parts):
        yield Slice(edges[part], edges[part + 1], max(1, traces // parts), (seed, hour, part))


def directory() -> Path:
    """Where what was made is kept."""
    return Path(os.environ.get("INFERSIGHT_BENCH_DATA") or Path(tempfile.gettempdir()) / "infersight-bench")


def main() -> None:
    """Makes the store and prints its rows, bytes and cost."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--spans", type=int, default=1_000_000)
    options = parser.parse_args()
    path = stored(options.spans)
    used = resource.getrusage(resource.RUSAGE_SELF)
    print(f"{path}  {used.ru_utime + used.ru_stime:.0f} s CPU, {used.ru_maxrss >> 10} MiB")
    snapshot = Snapshot.of(path)
    for table in TIME_COLUMN:
        files = [Path(file) for file in snapshot.files(table)]
        rows = sum(_rows(file) for file in files)
        size = sum(file.stat().st_size for file in files)
        print(f"{table:10}{rows:12,} rows {len(files):5} files {size >> 20:7,} MiB {size / rows:7.1f} B a row")


def _rows(file: Path) -> int:
    import pyarrow.parquet as pq

    return int(pq.read_metadata(file).num_rows)


if __name__ == "__main__":
    main()
