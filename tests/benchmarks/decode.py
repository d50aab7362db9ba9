"""What a span costs to validate and to decode, beside google.protobuf: `python tests/benchmarks/decode.py`.

Times are CPU seconds of the one thread that works; each figure is the best of several runs.
"""

# pyarrow publishes no types:
# pyright: reportMissingTypeStubs=false, reportUnknownVariableType=false

import random
import time
from collections.abc import Callable
from functools import partial
from typing import Any, Final

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from infersight_collector.decode import check, decode
from infersight_collector.signals import Signal

REPEATS: Final = 15

RESOURCE: Final = {
    "service.name": "fraud",
    "service.version": "1.2.3",
    "service.instance.id": "0f4b1c9e",
    "telemetry.sdk.language": "python",
    "telemetry.sdk.name": "opentelemetry",
    "telemetry.sdk.version": "1.45.0",
}


def attributes(rng: random.Random) -> dict[str, str | int | float | bool]:
    """Fifteen attributes of a request to a model server."""
    return {
        "http.request.method": "POST",
        "http.route": "/predict/{model}",
        "url.path": f"/predict/model-{rng.randrange(20)}",
        "url.scheme": "http",
        "server.address": "models.internal.example.org",
        "server.port": 8080,
        "client.address": f"10.0.{rng.randrange(256)}.{rng.randrange(256)}",
        "user_agent.original": "python-httpx/0.28.1",
        "http.response.status_code": rng.choice([200, 200, 200, 422, 500]),
        "infersight.model.name": f"model-{rng.randrange(20)}",
        "infersight.model.version": "2026-01-15",
        "infersight.batch.size": rng.randrange(1, 33),
        "infersight.device": "cuda:0",
        "infersight.event_loop.lag": rng.random() / 100,
        "infersight.cached": rng.random() < 0.1,
    }


def put(pairs: Any, values: dict[str, Any]) -> None:
    names = {str: "string_value", bool: "bool_value", int: "int_value", float: "double_value"}
    for key, value in values.items():
        setattr(pairs.add(key=key).value, names[type(value)], value)


def request_of(spans: int, seed: int) -> bytes:
    """A request of spans with fifteen attributes and one event each."""
    rng = random.Random(seed)
    request = ExportTraceServiceRequest()
    resource = request.resource_spans.add()
    put(resource.resource.attributes, RESOURCE)
    scope = resource.scope_spans.add()
    scope.scope.name = "infersight"
    for _ in range(spans):
        start = 1_790_000_000_000_000_000 + rng.randrange(10**12)
        span = scope.spans.add(
            trace_id=rng.randbytes(16),
            span_id=rng.randbytes(8),
            parent_span_id=rng.randbytes(8),
            name=rng.choice(["POST /predict/{model}", "preprocess", "forward"]),
            kind=2,
            flags=257,
            start_time_unix_nano=start,
            end_time_unix_nano=start + rng.randrange(10**8),
        )
        put(span.attributes, attributes(rng))
        put(span.events.add(name="exception", time_unix_nano=start).attributes, {"exception.type": "ValueError"})
    return bytes(request.SerializeToString())


def walk_with_protobuf(request: bytes) -> list[tuple[Any, ...]]:
    """The least that a Python collector does with google.protobuf: parse, and read each value once."""
    rows: list[tuple[Any, ...]] = []
    for resource in ExportTraceServiceRequest.FromString(request).resource_spans:
        for scope in resource.scope_spans:
            for span in scope.spans:
                values = {
                    pair.key: getattr(pair.value, str(pair.value.WhichOneof("value"))) for pair in span.attributes
                }
                events = [(event.time_unix_nano, event.name) for event in span.events]
                times = (span.start_time_unix_nano, span.end_time_unix_nano)
                rows.append((span.trace_id.hex(), span.span_id.hex(), span.name, span.kind, *times, values, events))
    return rows


def best_seconds(work: Callable[[], object], repeats: int = REPEATS) -> float:
    found: list[float] = []
    for _ in range(repeats):
        begin = time.thread_time()
        work()
        found.append(time.thread_time() - begin)
    return min(found)


def report(title: str, request: bytes) -> None:
    spans = check(Signal.TRACES, request)
    protobuf = best_seconds(lambda: walk_with_protobuf(request), 3)
    print(f"{title}: {spans} spans, {len(request) / spans:.0f} bytes each")
    print(f"  google.protobuf walk  {protobuf / spans * 1e6:6.2f} us/span {spans / protobuf:12,.0f} spans/s")
    ours: dict[str, Callable[[Signal, bytes], object]] = {"check": check, "decode": decode}
    for name, work in ours.items():
        seconds = best_seconds(partial(work, Signal.TRACES, request))
        rate = f"{seconds / spans * 1e6:6.2f} us/span {spans / seconds:12,.0f} spans/s"
        print(f"  {name:20}  {rate} {protobuf / seconds:8.1f} x google.protobuf")


def main() -> None:
    """Print the figures for one large request and for many small ones, as a flush concatenates them."""
    report("one request", request_of(1000, 0))
    report("1000 requests of 10", b"".join(request_of(10, seed) for seed in range(1000)))


if __name__ == "__main__":
    main()
