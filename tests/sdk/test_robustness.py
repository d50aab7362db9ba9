"""A collector that is away, silent, failing or mad costs the application nothing, and loses only what it must."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.sdk.conftest import Receiver, Script

from tests.sdk.fault_servers import BEHAVIOURS, faulty_server

NOWHERE = "http://127.0.0.1:9"

FAULTS = [
    pytest.param(behaviour, protocol, marks=[pytest.mark.slow] if number % 2 else [])
    for number, (behaviour, protocol) in enumerate(
        [
            *((behaviour, "grpc") for behaviour in (*BEHAVIOURS, "is_absent")),
            *((behaviour, "http/protobuf") for behaviour in (*BEHAVIOURS, "is_absent")),
        ]
    )
]
"""Each fault over one of the protocols by default, over the other in the heavier suites."""

CALLS = """
import infersight, json, logging, sys, time, tracemalloc
infersight.configure(console="off")

@infersight.observe(model="m")
def infer(items): return items

slowest = 0.0
for number in range(12_000):
    began = time.perf_counter()
    assert infer([1]) == [1]
    slowest = max(slowest, time.perf_counter() - began)
    if number == 4_000:
        tracemalloc.start()
grown = tracemalloc.get_traced_memory()[0]
began = time.monotonic()
infersight.shutdown()
print(json.dumps({"slowest": slowest, "grown": grown, "shutdown": time.monotonic() - began}))
"""


@pytest.mark.parametrize(("behaviour", "protocol"), FAULTS)
def test_no_collector_fault_reaches_a_call_or_holds_up_the_end_or_fills_the_memory(
    script: "Script", behaviour: str, protocol: str
) -> None:
    environment = {"OTEL_EXPORTER_OTLP_PROTOCOL": protocol, "INFERSIGHT_SHUTDOWN_SECONDS": "1"}
    if behaviour == "is_absent":
        result = script(CALLS, OTEL_EXPORTER_OTLP_ENDPOINT=NOWHERE, **environment)
    else:
        with faulty_server(BEHAVIOURS[behaviour]) as endpoint:
            result = script(CALLS, OTEL_EXPORTER_OTLP_ENDPOINT=endpoint, **environment)
    assert result.returncode == 0, result.stderr
    seen = json.loads(result.stdout)
    assert seen["slowest"] < 1  # an export takes seconds to fail; a busy machine stops a thread for tenths
    assert seen["shutdown"] < 5
    assert seen["grown"] < 30e6  # two queues of 2048 records, not 10 000


def test_what_a_full_queue_drops_is_counted(receiver: "Receiver", script: "Script") -> None:
    code = """
import infersight
infersight.configure()
for number in range(500):
    with infersight.stage("step"): pass
"""
    environment = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.grpc_endpoint,
        "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": NOWHERE,
        "OTEL_BSP_MAX_QUEUE_SIZE": "100",
        "OTEL_BSP_MAX_EXPORT_BATCH_SIZE": "100",
        "OTEL_METRIC_EXPORT_INTERVAL": "200",
    }
    assert script(code + "import time; time.sleep(1)", **environment).returncode == 0
    dropped = sum(
        point.as_int
        for point in receiver.last_points("otel.sdk.processor.span.processed")
        if any(pair.key == "error.type" and pair.value.string_value == "queue_full" for pair in point.attributes)
    )
    assert dropped > 100


def test_what_an_exporter_loses_is_counted(receiver: "Receiver", script: "Script") -> None:
    code = """
import infersight, time
infersight.configure()
with infersight.stage("step"): pass
infersight.force_flush(20)
infersight._configure.state.running.providers.meter.force_flush()
"""
    with faulty_server(BEHAVIOURS["answers_500"]) as endpoint:
        environment = {
            "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
            "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.http_endpoint,
            "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": f"{endpoint}/v1/traces",
        }
        assert script(code, **environment).returncode == 0
    lost = {
        pair.value.string_value: point.as_int
        for point in receiver.last_points("otel.sdk.exporter.span.exported")
        for pair in point.attributes
        if pair.key == "error.type"
    }
    assert lost == {"export_failed": 1}


SPOOLING = """
import infersight, logging, sys
infersight.configure(console="off", log_level="INFO")
for number in range(int(sys.argv[1])):
    with infersight.stage(f"step {number}"):
        logging.info("line %d", number)
"""


@pytest.mark.parametrize(("behaviour", "protocol"), FAULTS)
def test_a_spool_keeps_everything_for_the_next_process_that_finds_a_collector(
    receiver: "Receiver", script: "Script", tmp_path: Path, behaviour: str, protocol: str
) -> None:
    environment = {
        "OTEL_EXPORTER_OTLP_PROTOCOL": protocol,
        "INFERSIGHT_SPOOL": str(tmp_path / "spool"),
        "INFERSIGHT_SHUTDOWN_SECONDS": "1",
    }
    code = SPOOLING.replace("sys.argv[1]", "'3000'")
    if behaviour == "is_absent":
        result = script(code, OTEL_EXPORTER_OTLP_ENDPOINT=NOWHERE, **environment)
    else:
        with faulty_server(BEHAVIOURS[behaviour]) as endpoint:
            result = script(code, OTEL_EXPORTER_OTLP_ENDPOINT=endpoint, **environment)
    assert result.returncode == 0, result.stderr
    assert receiver.spans == []

    endpoint = receiver.grpc_endpoint if protocol == "grpc" else receiver.http_endpoint
    environment["INFERSIGHT_SHUTDOWN_SECONDS"] = "20"
    result = script(SPOOLING.replace("sys.argv[1]", "'1'"), OTEL_EXPORTER_OTLP_ENDPOINT=endpoint, **environment)
    assert (result.returncode, result.stderr) == (0, "")
    assert len(receiver.spans) == 3001
    assert len({span.span_id for span in receiver.spans}) == 3001
    lines = [row for row in receiver.logs if row.record.body.string_value.startswith("line ")]
    assert len(lines) == 3001
    assert list((tmp_path / "spool").iterdir()) == []
