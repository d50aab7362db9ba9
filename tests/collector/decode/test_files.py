"""OTLP files: framing and signal are found from the content, and damage keeps what came before it."""

# pyarrow publishes no types:
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false

import gzip
import json
import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from google.protobuf.json_format import MessageToJson
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from tests.support.captures import DATA

from infersight_collector.decode import UnreadableFile, check, decode, read_requests
from infersight_collector.signals import Signal

EXAMPLES = Path(__file__).parent / "examples"

Framing = Callable[[list[bytes]], bytes]


def traces(name: str = "POST /predict") -> bytes:
    request = ExportTraceServiceRequest()
    span = request.resource_spans.add().scope_spans.add().spans.add()
    span.trace_id, span.name, span.start_time_unix_nano = bytes(range(16)), name, 1_790_000_000_000_000_000
    return bytes(request.SerializeToString())


def logs(body: str = "started") -> bytes:
    request = ExportLogsServiceRequest()
    record = request.resource_logs.add().scope_logs.add().log_records.add()
    record.time_unix_nano, record.body.string_value = 1_790_000_000_000_000_000, body
    return bytes(request.SerializeToString())


def metrics(name: str = "requests") -> bytes:
    request = ExportMetricsServiceRequest()
    metric = request.resource_metrics.add().scope_metrics.add().metrics.add()
    metric.name = name
    metric.sum.data_points.add().as_int = 5
    return bytes(request.SerializeToString())


REQUESTS = {Signal.TRACES: traces, Signal.LOGS: logs, Signal.METRICS: metrics}


def after_words(requests: list[bytes]) -> bytes:
    return b"".join(len(request).to_bytes(4, "big") + request for request in requests)


def after_varints(requests: list[bytes]) -> bytes:
    return b"".join(bytes([len(request) & 0x7F | 0x80, len(request) >> 7]) + request for request in requests)


def after_short_varints(requests: list[bytes]) -> bytes:
    assert all(len(request) < 128 for request in requests)
    return b"".join(bytes([len(request)]) + request for request in requests)


@pytest.fixture(params=[False, True], ids=["plain", "gzip"])
def write(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[bytes], Path]:
    def write_content(content: bytes) -> Path:
        path = tmp_path / "capture"
        path.write_bytes(gzip.compress(content) if request.param else content)
        return path

    return write_content


@pytest.mark.parametrize("framing", [after_words, after_varints, after_short_varints])
@pytest.mark.parametrize("signal", list(Signal))
def test_framed_protobuf_is_recognised(signal: Signal, framing: Framing, write: Callable[[bytes], Path]) -> None:
    requests = [REQUESTS[signal]("first"), REQUESTS[signal]("second")]
    assert list(read_requests(write(framing(requests)))) == [(signal, request) for request in requests]


@pytest.mark.parametrize("length", range(1, 100, 7))
@pytest.mark.parametrize("signal", list(Signal))
def test_bare_request_is_recognised_whatever_its_lengths(signal: Signal, length: int, tmp_path: Path) -> None:
    """Its first bytes are tags and lengths that could be those of a framed file."""
    path = tmp_path / "bare"
    path.write_bytes(REQUESTS[signal]("n" * length))
    assert list(read_requests(path)) == [(signal, path.read_bytes())]


def test_signals_may_be_mixed_in_json_lines(write: Callable[[bytes], Path]) -> None:
    lines = [
        MessageToJson(ExportTraceServiceRequest.FromString(traces()), indent=None),
        "",
        MessageToJson(ExportLogsServiceRequest.FromString(logs()), indent=None),
        MessageToJson(ExportMetricsServiceRequest.FromString(metrics()), indent=None),
    ]
    # protobuf's own JSON has ids in base64, OTLP's in hex
    lines[0] = lines[0].replace("AAECAwQFBgcICQoLDA0ODw==", bytes(range(16)).hex())
    expected = [(Signal.TRACES, traces()), (Signal.LOGS, logs()), (Signal.METRICS, metrics())]
    assert list(read_requests(write("\n".join(lines).encode()))) == expected


@pytest.mark.parametrize(
    ("name", "signal", "records"),
    [("trace", Signal.TRACES, 1), ("logs", Signal.LOGS, 1), ("events", Signal.LOGS, 1), ("metrics", Signal.METRICS, 4)],
)
def test_published_examples_are_read(name: str, signal: Signal, records: int) -> None:
    found = list(read_requests(EXAMPLES / f"{name}.json"))
    assert [(each, check(each, request)) for each, request in found] == [(signal, records)]


def test_log_body_of_the_published_event_is_a_map() -> None:
    [(signal, request)] = read_requests(EXAMPLES / "events.json")
    row = decode(signal, request)["logs"].to_pylist()[0]
    assert row["event_name"] == "browser.page_view"
    assert row["body_type"] == "map"
    assert json.loads(row["body"])["type"] == 0


def test_empty_file_has_no_requests(tmp_path: Path) -> None:
    path = tmp_path / "empty"
    path.touch()
    assert list(read_requests(path)) == []


def collect(requests: Iterator[tuple[Signal, bytes]]) -> tuple[list[bytes], UnreadableFile]:
    found: list[bytes] = []
    with pytest.raises(UnreadableFile) as damage:
        found.extend(request for _, request in requests)
    return found, damage.value


@pytest.mark.parametrize("framing", [after_words, after_varints])
def test_what_came_before_a_cut_is_read(framing: Framing, write: Callable[[bytes], Path]) -> None:
    content = framing([traces("one"), traces("two"), traces("three")])
    path = write(content[:-3])
    found, damage = collect(read_requests(path))
    assert found == [traces("one"), traces("two")]
    assert damage.path == path
    assert damage.offset == len(framing([traces("one"), traces("two")]))
    assert "cut off" in damage.reason


def test_what_came_before_a_corrupt_request_is_read(write: Callable[[bytes], Path]) -> None:
    found, damage = collect(read_requests(write(after_words([traces("one"), b"\x0a\x05abc"]))))
    assert found == [traces("one")]
    assert damage.offset >= len(after_words([traces("one")]))


def test_what_came_before_a_broken_line_is_read(write: Callable[[bytes], Path]) -> None:
    line = json.dumps({"resourceSpans": []}).encode() + b"\n"
    found, damage = collect(read_requests(write(line + line + b'{"resourceSpans": [')))
    assert found == [b"", b""]
    assert damage.offset >= 2 * len(line)
    assert "not JSON" in damage.reason


def test_what_came_before_a_cut_of_the_gzip_stream_is_read(tmp_path: Path) -> None:
    rng = random.Random(1)
    requests = [traces(rng.randbytes(5000).hex()) for _ in range(50)]
    path = tmp_path / "cut.gz"
    packed = gzip.compress(after_words(requests))
    path.write_bytes(packed[: len(packed) // 2])
    found, damage = collect(read_requests(path))
    assert 0 < len(found) < 50
    assert found == requests[: len(found)]
    assert "gzip" in damage.reason


@pytest.mark.parametrize("content", [b"hello, world\n", b"\x00\x00", b'{"a": 1}\n', bytes(range(256))])
def test_what_is_no_otlp_is_refused_with_the_name_of_the_file(content: bytes, write: Callable[[bytes], Path]) -> None:
    found, damage = collect(read_requests(write(content)))
    assert found == []
    assert "capture" in str(damage)


@pytest.mark.parametrize("name", ["traces", "logs", "metrics"])
def test_real_capture_is_decoded_whole(name: str) -> None:
    paths = sorted(DATA.glob(f"trainticket/**/{name}.otlp.pb.gz"))
    if not paths:
        pytest.skip(f"no captures under {DATA}; set INFERSIGHT_TEST_DATA")
    for signal, request in read_requests(paths[0]):
        assert signal == name
        tables = decode(signal, request)
        table = next(iter(tables.values()))
        assert table.num_rows == check(signal, request) > 0
        assert table["service_name"].null_count == 0
