"""What a span costs to encode, beside google.protobuf building the same request: `python tests/benchmarks/encode.py`.

Times are CPU seconds of the one thread that works; each figure is the best of several runs.
"""

# pyarrow publishes no types:
# pyright: reportMissingTypeStubs=false, reportUnknownVariableType=false, reportUnknownMemberType=false

import random
import time
from collections.abc import Callable
from typing import Any, Final

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from tests.benchmarks.decode import attributes

from infersight_collector.decode import check, decode
from infersight_collector.encode import encode
from infersight_collector.signals import Signal

REPEATS: Final = 15
SPANS: Final = 10_000

FIELDS: Final = {str: "string_value", bool: "bool_value", int: "int_value", float: "double_value"}


def spans(rng: random.Random) -> list[dict[str, Any]]:
    """Spans with fifteen attributes and one event each, as plain values."""
    found: list[dict[str, Any]] = []
    for _ in range(SPANS):
        start = 1_790_000_000_000_000_000 + rng.randrange(10**12)
        times = {"start_time_unix_nano": start, "end_time_unix_nano": start + rng.randrange(10**8)}
        ids = {"trace_id": rng.randbytes(16), "span_id": rng.randbytes(8), "parent_span_id": rng.randbytes(8)}
        found.append({**times, **ids, "name": "POST /predict", "kind": 2, "attributes": attributes(rng)})
    return found


def build_with_protobuf(rows: list[dict[str, Any]]) -> bytes:
    """The request as a Python program builds it with google.protobuf."""
    request = ExportTraceServiceRequest()
    resource = request.resource_spans.add()
    put(resource.resource.attributes, {"service.name": "fraud", "service.version": "1.2.3"})
    scope = resource.scope_spans.add()
    scope.scope.name = "infersight"
    for row in rows:
        own = dict(row)
        values = own.pop("attributes")
        span = scope.spans.add(**own)
        put(span.attributes, values)
        event = span.events.add(name="exception", time_unix_nano=own["start_time_unix_nano"])
        put(event.attributes, {"exception.type": "ValueError"})
    return bytes(request.SerializeToString())


def put(pairs: Any, values: dict[str, Any]) -> None:
    for key, value in values.items():
        setattr(pairs.add(key=key).value, FIELDS[type(value)], value)


def best_seconds(work: Callable[[], object], repeats: int = REPEATS) -> float:
    found: list[float] = []
    for _ in range(repeats):
        begin = time.thread_time()
        work()
        found.append(time.thread_time() - begin)
    return min(found)


def main() -> None:
    """Print the figures; what is encoded has to decode to the same tables."""
    rows = spans(random.Random(0))
    request = build_with_protobuf(rows)
    tables = decode(Signal.TRACES, request)
    requests = list(encode(Signal.TRACES, tables))
    if not decode(Signal.TRACES, b"".join(requests))["spans"].equals(tables["spans"]):
        raise SystemExit("the encoder has changed the spans")
    print(f"{check(Signal.TRACES, request)} spans, {len(request) / SPANS:.0f} bytes each, in {len(requests)} requests")
    protobuf = best_seconds(lambda: build_with_protobuf(rows), 3)
    ours = best_seconds(lambda: list(encode(Signal.TRACES, tables)))
    for name, seconds in (("google.protobuf", protobuf), ("encode", ours)):
        rate = f"{seconds / SPANS * 1e6:6.2f} us/span {SPANS / seconds:12,.0f} spans/s"
        print(f"  {name:20}  {rate} {protobuf / seconds:8.1f} x google.protobuf")


if __name__ == "__main__":
    main()
