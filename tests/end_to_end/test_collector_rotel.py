"""Rotel in front of the collector: what it forwards is stored as if it had come directly."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.support.collectors import RunningCollector, StartCollector
from tests.support.foreign import free_port, rotel, running, wait_for_listener
from tests.support.otlp_requests import spans_request
from tests.support.otlp_senders import GrpcSender, post

from infersight_collector.decode.json import request_from_json
from infersight_collector.signals import Signal

pytestmark = pytest.mark.slow  # an installed program

EXAMPLES = Path(__file__).parents[1] / "collector" / "decode" / "examples"
REQUESTS = [
    (signal, request_from_json(signal, (EXAMPLES / f"{name}.json").read_bytes()))
    for signal, name in [
        (Signal.TRACES, "trace"),
        (Signal.LOGS, "logs"),
        (Signal.LOGS, "events"),
        (Signal.METRICS, "metrics"),
    ]
]
MANY = spans_request(*(f"span {number}" for number in range(5000)))
COUNTS = {"spans": 5001, "logs": 2, "metrics": 4}


def send_over_grpc(address: str) -> None:
    sender = GrpcSender(address)
    for signal, request in [*REQUESTS, (Signal.TRACES, MANY)]:
        sender.send(signal, request)
    sender.close()


def send_over_http(address: str) -> None:
    for signal, request in [*REQUESTS, (Signal.TRACES, MANY)]:
        assert post(address, f"/v1/{signal}", request).status == 200


def rows(collector: RunningCollector) -> dict[str, list[str]]:
    """All that is stored, as comparable text; null columns left out."""
    found: dict[str, list[str]] = {}
    for table in COUNTS:
        all_rows: list[dict[str, Any]] = collector.rows(f"from {table}")
        found[table] = sorted(str({key: row[key] for key in sorted(row) if row[key] is not None}) for row in all_rows)
    return found


@pytest.mark.parametrize("send", [send_over_grpc, send_over_http])
@pytest.mark.parametrize("onward", ["grpc", "http"])
def test_what_rotel_forwards_is_stored_as_if_it_had_come_directly(
    start_collector: StartCollector, tmp_path: Path, send: Callable[[str], None], onward: str
) -> None:
    program = rotel()
    direct, behind = start_collector(), start_collector()
    send(direct.grpc if send is send_over_grpc else direct.http)
    grpc, http = (f"127.0.0.1:{free_port()}" for _ in range(2))
    address = behind.grpc if onward == "grpc" else behind.http
    command: list[str | Path] = [
        *(program, "start", "--pid-file", tmp_path / "rotel.pid"),
        *("--otlp-grpc-endpoint", grpc, "--otlp-http-endpoint", http),
        *("--exporter", "otlp", "--otlp-exporter-protocol", onward, "--otlp-exporter-endpoint", f"http://{address}"),
    ]
    with running(command, tmp_path / "rotel.log"):
        endpoint = grpc if send is send_over_grpc else http
        wait_for_listener(endpoint)
        send(endpoint)
        for collector in (direct, behind):
            for table, count in COUNTS.items():
                collector.wait_for(f"select count(*) from {table}", count)
    assert rows(behind) == rows(direct)
