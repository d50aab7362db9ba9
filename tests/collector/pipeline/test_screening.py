"""Of a request that becomes too large as rows, the resources that are the cause are left out."""

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span

from infersight_collector.decode import examine
from infersight_collector.errors import TooManyCopies
from infersight_collector.screening import screen
from infersight_collector.signals import Signal

LIMIT = 2 * 2**20


def resource(name: str, spans: int, text: int = 10) -> ResourceSpans:
    attributes = [KeyValue(key="service.name", value=AnyValue(string_value="x" * text))]
    many = [Span(name=name, trace_id=b"t" * 16, span_id=b"s" * 8) for _ in range(spans)]
    return ResourceSpans(resource=Resource(attributes=attributes), scope_spans=[ScopeSpans(spans=many)])


def request_of(*resources: ResourceSpans) -> bytes:
    return bytes(ExportTraceServiceRequest(resource_spans=resources).SerializeToString())


def names(request: bytes) -> list[str]:
    """The name of the spans of each resource."""
    return [part.scope_spans[0].spans[0].name for part in ExportTraceServiceRequest.FromString(request).resource_spans]


def test_the_largest_resource_is_left_out_and_the_others_keep_their_order() -> None:
    hostile = resource("hostile", spans=100, text=100_000)
    request = request_of(resource("a", 10), hostile, resource("b", 2000), resource("c", 1))
    screened = screen(Signal.TRACES, request, LIMIT)
    assert names(screened.request) == ["a", "b", "c"]
    assert screened.rejected == 100
    assert screened.examined == examine(Signal.TRACES, screened.request)
    assert screened.examined.records == 2011
    assert screened.examined.memory <= LIMIT


def test_of_many_that_are_too_large_together_as_many_as_possible_are_kept() -> None:
    request = request_of(*(resource(f"{number}", spans=number) for number in range(1, 401)))
    screened = screen(Signal.TRACES, request, LIMIT)
    kept = [int(name) for name in names(screened.request)]
    assert kept == list(range(1, len(kept) + 1))
    assert screened.rejected + screened.examined.records == sum(range(401))
    more = request_of(*(resource(f"{number}", spans=number) for number in range(1, len(kept) + 2)))
    assert examine(Signal.TRACES, more).memory > LIMIT * 0.99


@pytest.mark.parametrize(
    "resources",
    [
        [resource("one", spans=100, text=100_000)],
        [resource("one", spans=100, text=100_000)] * 2,
        [ResourceSpans(), resource("one", spans=100, text=100_000)],
        [resource("one", spans=100, text=100_000), *[resource("tiny", spans=1)] * 1000],
    ],
    ids=["alone", "all of them", "but for nothing", "among too many"],
)
def test_where_nothing_would_be_left_the_request_is_refused(resources: list[ResourceSpans]) -> None:
    with pytest.raises(TooManyCopies):
        screen(Signal.TRACES, request_of(*resources), LIMIT)


def test_fields_that_otlp_does_not_know_do_no_harm() -> None:
    unknown = bytes(ResourceSpans(schema_url="of another field").SerializeToString())
    small, hostile = request_of(resource("a", 3)), request_of(resource("hostile", spans=100, text=100_000))
    field_of_number_9 = b"\x4a" + bytes([len(unknown)]) + unknown
    varint_of_number_1 = b"\x08\x96\x01"
    request = field_of_number_9 + small + varint_of_number_1 + hostile + field_of_number_9
    screened = screen(Signal.TRACES, request, LIMIT)
    assert (names(screened.request), screened.rejected) == (["a"], 100)
