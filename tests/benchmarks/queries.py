"""The questions of an incident over a day of telemetry, beside ClickHouse's embedded engine on the same rows.

`python tests/benchmarks/queries.py [--spans 10000000 ...] [--runs 5]`; needs the group `foreign` for ClickHouse. Each
question is asked in a fresh process with two threads, after its imports: the time goes from opening the store to the
last row, the median of the runs; the answers of both engines must agree. Several sizes show how we grow, ClickHouse is
asked at the largest. It has the tables that the OpenTelemetry Collector's exporter makes, each merged into one part.
CPU time is beside, for it holds on a busy machine.
"""

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from typing import Any, Final

from tests.benchmarks.peers import clickhouse
from tests.benchmarks.telemetry import DAY_NS, directory, stored

from infersight_collector.store.layout import TIME_COLUMN
from infersight_collector.store.snapshot import Snapshot

THREADS: Final = 2
BUSIEST: Final = 14
"""The hour with the most traffic, asked for as the last one."""

_HOUR_NS: Final = 3_600 * 10**9
_FROM_NS: Final = DAY_NS + BUSIEST * _HOUR_NS

Rows = list[tuple[Any, ...]]


@dataclass(frozen=True)
class Question:
    """What is asked of both engines.

    Args:
        name: in the table.
        goal_s: how long it may take us, in seconds.
        ours: queries over our views and macros; `{trace}` is the trace's id.
        theirs: the same for ClickHouse, as the exporter's own documentation asks.
        in_hour: whether only the busiest hour is opened, as `--last 1h` does.
    """

    name: str
    goal_s: float
    ours: Sequence[str]
    theirs: Sequence[str]
    in_hour: bool = False


_OUR_TRACE: Final = (
    "select span_id, * from trace('{trace}')",
    "select coalesce(body, ''), * from logs_of('{trace}')",
    "select span_id, * from exemplars where trace_id = '{trace}'",
)
_THEIR_TRACE: Final = (
    """
    WITH
        (SELECT min(Start) FROM otel_traces_trace_id_ts WHERE TraceId = '{trace}') AS first,
        (SELECT max(End) + 1 FROM otel_traces_trace_id_ts WHERE TraceId = '{trace}') AS last
    SELECT SpanId, * FROM otel_traces WHERE TraceId = '{trace}' AND Timestamp >= first AND Timestamp <= last
    """,
    "SELECT Body, * FROM otel_logs WHERE TraceId = '{trace}' ORDER BY Timestamp",
    """
    SELECT exemplar.1, exemplar.2, exemplar.3, MetricName, Attributes FROM otel_metrics_histogram
    ARRAY JOIN arrayZip(Exemplars.SpanId, Exemplars.TraceId, Exemplars.Value) AS exemplar
    WHERE has(Exemplars.TraceId, '{trace}') AND exemplar.2 = '{trace}'
    """,
)
_THEIR_SLOWEST: Final = f"""
    SELECT TraceId, ServiceName, SpanName, SpanAttributes['http.route'], Duration FROM otel_traces
    WHERE ParentSpanId = '' AND Timestamp >= fromUnixTimestamp64Nano({_FROM_NS})
        AND Timestamp < fromUnixTimestamp64Nano({_FROM_NS + _HOUR_NS})
    ORDER BY Duration DESC LIMIT 20
"""
_OUR_RED: Final = """
    select service_name || route as operation, spans, errors, p50_ms, p95_ms, p99_ms
    from rate_errors_duration() order by operation
"""
_THEIR_RED: Final = """
    SELECT concat(ServiceName, SpanAttributes['http.route']) AS operation, count(), countIf(StatusCode = 'Error'),
        quantiles(0.5, 0.95, 0.99)(Duration)
    FROM otel_traces WHERE SpanKind = 'Server' GROUP BY operation ORDER BY operation
"""
_OUR_ATTRIBUTE: Final = """
    select attributes['app.tenant'] as tenant, count(*), avg(duration_ns), max(duration_ns)
    from spans group by tenant order by tenant
"""
_THEIR_ATTRIBUTE: Final = """
    SELECT SpanAttributes['app.tenant'] AS tenant, count(), avg(Duration), max(Duration)
    FROM otel_traces GROUP BY tenant ORDER BY tenant
"""

QUESTIONS: Final = {
    "trace": Question("one trace's spans, logs, exemplars", 0.100, _OUR_TRACE, _THEIR_TRACE),
    "slowest": Question(
        "the 20 slowest requests of an hour",
        0.150,
        ("select trace_id, service_name, name, route, duration_ms from slowest(n := 20)",),
        (_THEIR_SLOWEST,),
        in_hour=True,
    ),
    "red": Question("rate, errors, p50/p95/p99 by route, 24 h", 1.0, (_OUR_RED,), (_THEIR_RED,)),
    "attribute": Question("an aggregate by one attribute", 0.300, (_OUR_ATTRIBUTE,), (_THEIR_ATTRIBUTE,)),
}


@dataclass(frozen=True)
class Answer:
    """What one process took, in seconds, and the first columns of what it found."""

    wall_s: float
    query_s: float
    cpu_s: float
    found: list[Any]


def answer_ours(path: Path, question: Question, trace: str) -> Answer:
    """Ask our store, in this process."""
    from infersight_analysis.database import connect

    import_module("deltalake")  # which `connect` would import

    begin, cpu = time.perf_counter(), _cpu()
    start, end = (_FROM_NS, _FROM_NS + _HOUR_NS) if question.in_hour else (None, None)
    connection = connect(path, threads=THREADS, start=start, end=end, create_when_named=True)
    opened = time.perf_counter()
    rows: list[Rows] = [connection.execute(query.format(trace=trace)).fetchall() for query in question.ours]
    done = time.perf_counter()
    return Answer(done - begin, done - opened, _cpu() - cpu, [sorted(row[0] for row in part) for part in rows])


def answer_theirs(path: Path, question: Question, trace: str) -> Answer:
    """Ask ClickHouse, in this process."""
    import_module("chdb.session")
    begin, cpu = time.perf_counter(), _cpu()
    session = clickhouse.open_session(path)
    opened = time.perf_counter()
    settings = f"SETTINGS max_threads = {THREADS}"
    texts = [
        session.query(f"{query.format(trace=trace)} {settings}", "JSONCompactEachRow").bytes()
        for query in question.theirs
    ]
    end = time.perf_counter()
    spent = _cpu() - cpu
    return Answer(
        end - begin, end - opened, spent, [sorted(json.loads(line)[0] for line in text.splitlines()) for text in texts]
    )


_ONE_THREAD: Final = {"OPENBLAS_NUM_THREADS": "1"}
"""Only the generator of this file needs numpy, whose import leaves a thread that spins for 60 ms of CPU."""

ENGINES: Final[dict[str, Callable[[Path, Question, str], Answer]]] = {"ours": answer_ours, "theirs": answer_theirs}


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def ask(engine: str, path: Path, question: str, traces: Sequence[str]) -> list[Answer]:
    """One fresh process for each trace; a question that names none is asked as often."""
    answers: list[Answer] = []
    for trace in traces:
        command = [sys.executable, __file__, "--answer", engine, str(path), question, trace]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=os.environ | _ONE_THREAD)
        answers.append(Answer(**json.loads(done.stdout)))
    return answers


def ask_command(path: Path, traces: Sequence[str]) -> tuple[float, float]:
    """A whole command for a trace, Python's start included: seconds, and of CPU."""
    walls: list[float] = []
    cpus: list[float] = []
    for trace in traces:
        command = [sys.executable, "-m", "infersight_analysis", "sql", f"from trace('{trace}')", "--store", str(path)]
        begin, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([*command, "--format", "json"], check=True, capture_output=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        walls.append(time.perf_counter() - begin)
        cpus.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return median(walls), median(cpus)


def traces_of(path: Path, count: int) -> list[str]:
    """Slow traces that have exemplars, spread over the day."""
    from infersight_analysis.database import connect

    parts = "select trace_id, value, ntile($1) over (order by time_ns) as part from exemplars"
    rows = connect(path).execute(f"select arg_max(trace_id, value) from ({parts}) group by part", [count]).fetchall()
    return [row[0] for row in rows]


def bytes_a_row(path: Path) -> dict[str, tuple[int, int]]:
    """Bytes and rows of each of our tables."""
    from infersight_analysis.database import connect

    snapshot, connection = Snapshot.of(path), connect(path)
    found: dict[str, tuple[int, int]] = {}
    for table in TIME_COLUMN:
        size = sum(Path(file).stat().st_size for file in snapshot.files(table))
        counted = connection.execute(f"select count(*) from {table}").fetchall()
        found[table] = (size, counted[0][0])
    return found


def peer_of(count: int, store: Path) -> Path | None:
    """ClickHouse with the same rows, loaded where it is not yet; None where it is not installed."""
    if find_spec("chdb") is None:
        return None
    loaded = directory() / f"clickhouse-{count}-{store.name}"
    if not loaded.exists():
        unfinished = loaded.with_suffix(".unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        # In a process of its own: there is one session a process.
        subprocess.run([sys.executable, __file__, "--load", str(store), str(unfinished)], check=True)
        unfinished.rename(loaded)
    return loaded


def compare(count: int, runs: int, *, alone: bool) -> None:
    """Print the table of one size, ClickHouse beside where that is wanted and installed."""
    store = stored(count)
    peer = None if alone else peer_of(count, store)
    traces = traces_of(store, runs)
    sizes = bytes_a_row(store)
    print(f"\n{sizes['spans'][1]:,} spans; milliseconds (in brackets: of CPU)")
    print(f"{'':44}{'goal':>6}{'ours':>16}{'ClickHouse':>18}{'ratio':>7}{'opening apart':>22}")
    for key, question in QUESTIONS.items():
        ours = ask("ours", store, key, traces)
        theirs = ask("theirs", peer, key, traces) if peer else []
        for mine, other in zip(ours, theirs, strict=bool(theirs)):
            if mine.found != other.found:
                raise SystemExit(f"{question.name}: the engines disagree: {mine.found} and {other.found}"[:2_000])
        print(_line(question, ours, theirs), flush=True)
    wall, cpu = ask_command(store, traces)
    print(f"{'a whole command for a trace':44}{600:6}{wall * 1e3:9.0f} ({cpu * 1e3:4.0f})")
    _print_bytes(sizes, peer)


def _line(question: Question, ours: Sequence[Answer], theirs: Sequence[Answer]) -> str:
    mine, mine_cpu, my_query = (median(getattr(one, name) for one in ours) * 1e3 for name in _TIMES)
    line = f"{question.name:44}{question.goal_s * 1e3:6.0f}{mine:9.0f} ({mine_cpu:4.0f})"
    if theirs:
        other, other_cpu, their_query = (median(getattr(one, name) for one in theirs) * 1e3 for name in _TIMES)
        line += f"{other:11.0f} ({other_cpu:4.0f}){mine / other:7.2f}{my_query:11.0f} /{their_query:6.0f}"
    return line


_TIMES: Final = ("wall_s", "cpu_s", "query_s")


def _print_bytes(sizes: dict[str, tuple[int, int]], peer: Path | None) -> None:
    spans, count = sizes["spans"]
    print(f"{'bytes a span':44}{60:6}{spans / count:9.1f}")
    print(f"{'the same with summaries of traces':50}{(spans + sizes['traces'][0]) / count:9.1f}")
    total = sum(size for size, _ in sizes.values())
    print(f"{'MiB of all tables':50}{total / 2**20:9.0f}")
    if peer:
        command = [sys.executable, __file__, "--sizes", str(peer)]
        found: dict[str, int] = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        theirs = sum(size for table, size in found.items() if table.startswith("otel_traces"))
        print(
            f"{'ClickHouse: bytes a span, with trace_id_ts':50}{theirs / count:9.1f}{spans / theirs:25.2f} ours of it"
        )
        print(f"{'ClickHouse: MiB of all tables':50}{sum(found.values()) / 2**20:9.0f}"
              f"{total / sum(found.values()):25.2f}")  # fmt: skip


def main() -> None:
    """Print a table for each size."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--spans", type=int, nargs="*", default=[1_000_000, 3_000_000, 10_000_000])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--answer", nargs=4, help=argparse.SUPPRESS)
    parser.add_argument("--load", nargs=2, help=argparse.SUPPRESS)
    parser.add_argument("--sizes", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.answer:
        engine, path, question, trace = options.answer
        print(json.dumps(vars(ENGINES[engine](Path(path), QUESTIONS[question], trace))))
    elif options.load:
        clickhouse.load(*map(Path, options.load))
    elif options.sizes:
        print(json.dumps(clickhouse.sizes(clickhouse.open_session(Path(options.sizes)))))
    else:
        for count in options.spans:
            compare(count, options.runs, alone=count < max(options.spans))


if __name__ == "__main__":
    main()
