"""What the processors cost a span, beside the decoding of the same spans: `python tests/benchmarks/processors.py`.

Times are CPU seconds of the process for one batch of 10 000 spans with 15 attributes and an event, the best of several
runs; the ratio is what does not depend on the machine.
"""

# pyright: reportUnknownVariableType=false, reportUnknownLambdaType=false
# pyarrow publishes no types.

import importlib.util
import random
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Final

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from infersight_collector.component import Batch, Processor
from infersight_collector.decode import decode
from infersight_collector.processors.actions import Action
from infersight_collector.processors.attributes import AttributesProcessor, ResourceProcessor
from infersight_collector.processors.batch import BatchProcessor
from infersight_collector.processors.filter import FilterProcessor
from infersight_collector.processors.memory_limiter import MemoryLimiter
from infersight_collector.processors.redaction import RedactionProcessor
from infersight_collector.processors.transform import TransformProcessor
from infersight_collector.signals import Signal

SPANS: Final = 10_000
REPEATS: Final = 15

PROCESSORS: Final[dict[str, Processor]] = {
    "batch": BatchProcessor(),
    "resource, upsert": ResourceProcessor([Action("deployment.environment.name", "upsert", "prod")]),
    "attributes, upsert": AttributesProcessor([Action("tenant", "upsert", "acme")]),
    "attributes, delete": AttributesProcessor([Action("url.scheme", "delete")]),
    "attributes, hash": AttributesProcessor([Action("client.address", "hash")]),
    "attributes, extract": AttributesProcessor([Action("url.path", "extract", pattern="model-(?P<number>[0-9]+)$")]),
    "filter, none match": FilterProcessor(spans="attributes['http.route'] = '/health'"),
    "filter, a fifth": FilterProcessor(spans="attributes['http.response.status_code'] = 500"),
    "transform, name": TransformProcessor(spans={"name": "regexp_replace(name, '[{].*[}]', '')"}),
    "transform, attribute": TransformProcessor(
        spans={"attributes['url.path']": "regexp_replace(attributes['url.path'], '[0-9]+', 'N')"}
    ),
    "redaction, clean": RedactionProcessor(),
}

MAIL_SHARE: Final = 0.01


def requests_of_decode() -> Any:
    """The spans are those of the decoder's benchmark."""
    specification = importlib.util.spec_from_file_location("decode_spans", Path(__file__).with_name("decode.py"))
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def with_mails(request: bytes, share: float) -> bytes:
    """The request with a mail address in the path of some spans."""
    rng = random.Random(1)
    message = ExportTraceServiceRequest.FromString(request)
    for span in message.resource_spans[0].scope_spans[0].spans:
        if rng.random() < share:
            span.attributes[2].value.string_value = f"/of/user{rng.randrange(10**6)}@example.org"
    return bytes(message.SerializeToString())


def best_seconds(work: Callable[[], object]) -> float:
    found: list[float] = []
    for _ in range(REPEATS):
        begin = time.process_time()
        work()
        found.append(time.process_time() - begin)
    return min(found)


def report(name: str, seconds: float, reference: float) -> None:
    print(f"{name:24} {seconds / SPANS * 1e6:6.2f} us/span  {seconds / reference:5.2f} of decode")


def admit_all(limiter: MemoryLimiter) -> None:
    for _ in range(SPANS):
        limiter.admit()


def main() -> None:
    """Print the cost of each processor, and of the memory limiter's gate for one request."""
    request: bytes = requests_of_decode().request_of(SPANS, 0)
    reference = best_seconds(lambda: decode(Signal.TRACES, request))
    report("decode", reference, reference)
    batch = Batch(Signal.TRACES, decode(Signal.TRACES, request))
    for name, processor in PROCESSORS.items():
        report(name, best_seconds(partial(processor.process, batch)), reference)
    mails = Batch(Signal.TRACES, decode(Signal.TRACES, with_mails(request, MAIL_SHARE)))
    report("redaction, 1 % mails", best_seconds(lambda: RedactionProcessor().process(mails)), reference)
    limiter = MemoryLimiter(limit_percentage=90)
    gate = best_seconds(partial(admit_all, limiter))
    print(f"{'memory_limiter':24} {gate / SPANS * 1e6:6.2f} us/request")


if __name__ == "__main__":
    main()
