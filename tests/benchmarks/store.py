"""What the store costs a span, beside the least that any store could do with the same bytes.

The spans are seeded: requests of an inference service with 15 attributes of usual cardinality and one event. The
reference for the log is the bare write and fsync of the same bytes, that for the tables one plain Parquet file.
"""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false
# pyright: reportUnknownParameterType=false
# pyarrow publishes no types.

import itertools
import os
import random
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from infersight_collector.decode import decode
from infersight_collector.signals import Signal
from infersight_collector.store.maintenance import Maintenance
from infersight_collector.store.snapshot import Snapshot
from infersight_collector.store.wal import Origin, Record, Wal
from infersight_collector.store.writer import Store

REQUESTS: Final = 64
SPANS: Final = 1_000  # of a request
ROUNDS: Final = 3
WRITES: Final = 16  # as many as are compacted together
START_NS: Final = 1_772_359_200 * 10**9

Value = str | float | bool


def attributes(chance: random.Random) -> dict[str, Value]:
    """15 attributes: few values, many values, numbers."""
    return {
        "infersight.operation": chance.choice(["inference", "stage", "forward", "batch"]),
        "infersight.model.name": chance.choice(["resnet", "bert", "ranker"]),
        "infersight.model.version": chance.choice(["1.4.0", "1.5.0"]),
        "infersight.device": f"cuda:{chance.randrange(4)}",
        "infersight.batch.size": chance.choice([1, 2, 4, 8, 16, 32]),
        "infersight.request.id": f"{chance.getrandbits(64):016x}",
        "http.route": chance.choice(["/predict", "/embed", "/rank", "/health"]),
        "http.request.method": "POST",
        "http.response.status_code": chance.choices([200, 400, 500], [97, 2, 1])[0],
        "enduser.id": f"user-{int(chance.paretovariate(1.1)) % 50_000}",
        "server.address": f"10.0.0.{chance.randrange(12)}",
        "infersight.confidence": chance.random(),
        "cache.hit": chance.random() < 0.6,
        "infersight.event_loop.lag": chance.expovariate(1_000),
        "deployment.environment.name": "production",
    }


def any_value(value: Value) -> AnyValue:
    if isinstance(value, bool):
        return AnyValue(bool_value=value)
    if isinstance(value, int):
        return AnyValue(int_value=value)
    return AnyValue(double_value=value) if isinstance(value, float) else AnyValue(string_value=value)


def request(seed: int) -> bytes:
    """A request of `SPANS` spans in traces of five."""
    chance = random.Random(seed)
    message = ExportTraceServiceRequest()
    spans = message.resource_spans.add().scope_spans.add().spans
    message.resource_spans[0].resource.attributes.add(key="service.name", value=any_value("model-server"))
    trace_id = parent = b""
    for number in range(SPANS):
        if number % 5 == 0:
            trace_id, parent = chance.randbytes(16), b""
        start = START_NS + seed * 10**9 + number * 10**6 + chance.randrange(10**6)
        span_id = chance.randbytes(8)
        span = Span(
            trace_id=trace_id,
            span_id=span_id,
            parent_span_id=parent,
            name=chance.choice(["POST /predict", "preprocess", "forward", "postprocess"]),
            kind=Span.SPAN_KIND_SERVER if not parent else Span.SPAN_KIND_INTERNAL,
            start_time_unix_nano=start,
            end_time_unix_nano=start + int(chance.lognormvariate(16, 1)),
            attributes=[KeyValue(key=key, value=any_value(value)) for key, value in attributes(chance).items()],
            events=[Span.Event(name="batched", time_unix_nano=start + 1_000)],
        )
        parent = parent or span_id
        spans.append(span)
    return bytes(message.SerializeToString())


def alternately(spans: int, *works: Callable[[], None]) -> list[float]:
    """Microseconds a span of the fastest round of each.

    The rounds alternate, so that the ratios hold on a noisy machine.
    """
    taken: list[list[float]] = [[] for _ in works]
    for _ in range(ROUNDS):
        for work, times in zip(works, taken, strict=True):
            started = time.perf_counter()
            work()
            times.append(time.perf_counter() - started)
    return [min(times) / spans * 1e6 for times in taken]


def show(what: str, cost: float, reference: float, beside: str) -> None:
    print(f"{what:<42}{cost:7.2f} us a span  {cost / reference:6.2f} of {beside}")


def measure_log(directory: Path, requests: Sequence[bytes]) -> None:
    wal = Wal.open(directory / "log")

    def ours() -> None:
        for one in requests:
            wal.append([Record(Signal.TRACES, one)])
        wal.rotate()

    def bare() -> None:
        with (directory / "bare").open("wb", buffering=0) as file:
            for one in requests:
                file.write(one)
                os.fdatasync(file.fileno())

    cost, least = alternately(REQUESTS * SPANS, ours, bare)
    show("log: append and fsync, 1 000 spans each", cost, least, "a bare write and fsync")
    wal.close()


def measure_writes(directory: Path, parts: Sequence[pa.Table]) -> None:
    rows = pa.concat_tables(parts, promote_options="permissive").combine_chunks()
    store = Store.open(directory / "writes")
    numbers = itertools.count(1)

    def plain() -> None:
        pq.write_table(rows, directory / "plain", compression="zstd", compression_level=1)

    def at_once() -> None:
        store.write({"spans": rows}, Origin("w", next(numbers)))

    def in_parts() -> None:
        for part in parts:
            store.write({"spans": part}, Origin("w", next(numbers)))

    cost, small, least = alternately(rows.num_rows, at_once, in_parts, plain)
    show(f"tables: one write of {rows.num_rows} spans", cost, least, "one plain Parquet file")
    show(f"tables: {WRITES} writes of {rows.num_rows // WRITES} spans", small, least, "one plain Parquet file")


def measure_compaction(directory: Path, parts: Sequence[pa.Table], incoming: float) -> None:
    store = Store.open(directory / "compaction")
    for number, part in enumerate(parts, start=1):
        store.write({"spans": part}, Origin("w", number))
    new = bytes_a_span(store)
    started = time.perf_counter()
    merged = Maintenance(store.path).round().merged_rows
    print(f"{'compaction: first pass':<42}{(time.perf_counter() - started) / merged * 1e6:7.2f} us a span")
    plain = (directory / "plain").stat().st_size / merged
    for what, size in (("new", new), ("compacted", bytes_a_span(store))):
        print(f"{'bytes a span, ' + what:<42}{size:7.1f}            {size / plain:6.2f} of one plain Parquet file, "
              f"{size / incoming:.2f} of OTLP")  # fmt: skip
    started = time.perf_counter()
    Snapshot.of(store.path)
    print(f"{'opening a snapshot':<42}{(time.perf_counter() - started) * 1e3:7.2f} ms")


def bytes_a_span(store: Store) -> float:
    files = Snapshot.of(store.path).files("spans")
    return sum(Path(file).stat().st_size for file in files) / (REQUESTS * SPANS)


def main() -> None:
    """Prints the figures."""
    requests = [request(seed) for seed in range(REQUESTS)]
    each = REQUESTS // WRITES
    parts = [
        decode(Signal.TRACES, b"".join(requests[start : start + each]))["spans"] for start in range(0, REQUESTS, each)
    ]
    # In this directory rather than in /tmp, which often is memory: what is measured includes the disk.
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as name:
        measure_log(Path(name), requests)
        measure_writes(Path(name), parts)
        measure_compaction(Path(name), parts, sum(map(len, requests)) / (REQUESTS * SPANS))


if __name__ == "__main__":
    main()
