"""`infersight doctor` against collectors that are there, away, or broken."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.sdk.conftest import Receiver
    from tests.support.collectors import RunningCollector, StartCollector

from tests.sdk.fault_servers import answers_500, faulty_server

Doctor = Callable[..., tuple[int, list[list[str]]]]


@pytest.fixture
def doctor(tmp_path: Path) -> Doctor:
    """Runs the command in an empty folder; gives its exit code and the columns of its lines."""

    def run(*arguments: str, **environment: str) -> tuple[int, list[list[str]]]:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("OTEL_", "INFERSIGHT_"))}
        done = subprocess.run(
            [sys.executable, "-m", "infersight_analysis", "doctor", *arguments],
            env=inherited | environment,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        return done.returncode, [line.split(maxsplit=2) for line in done.stdout.splitlines()]

    return run


def said_about(lines: list[list[str]], about: str) -> list[tuple[str, str]]:
    return [(status, said) for status, subject, said in lines if subject == about]


@pytest.mark.parametrize("protocol", ["grpc", "http/protobuf"])
def test_where_all_is_well_each_signal_is_sent_and_the_exit_code_is_0(
    receiver: "Receiver", doctor: Doctor, protocol: str
) -> None:
    endpoint = receiver.grpc_endpoint if protocol == "grpc" else receiver.http_endpoint
    code, lines = doctor("--endpoint", endpoint, "--protocol", protocol, OTEL_SERVICE_NAME="mine")
    assert code == 0, lines
    for signal in ("traces", "metrics", "logs"):
        assert [status for status, _ in said_about(lines, signal)] == ["ok", "ok"]
    assert said_about(lines, "service") == [("ok", "mine")]
    (span,) = receiver.spans
    assert {row.trace_id for row in receiver.logs if row.trace_id} == {span.trace_id}
    assert {row.trace_id for row in receiver.exemplars} == {span.trace_id}


def test_the_trace_is_found_again_in_the_collectors_store(start_collector: "StartCollector", doctor: Doctor) -> None:
    collector: RunningCollector = start_collector()
    code, lines = doctor("--endpoint", f"http://{collector.grpc}", "--store", str(collector.store))
    assert code == 0, lines
    ((status, said),) = said_about(lines, "store")
    assert status == "ok"
    assert "with its log record and metric" in said


def test_another_store_is_told_from_the_collectors(start_collector: "StartCollector", doctor: Doctor) -> None:
    used, other = start_collector(), start_collector()
    code, lines = doctor("--endpoint", f"http://{used.grpc}", "--store", str(other.store))
    ((status, said),) = said_about(lines, "store")
    assert (code, status) == (1, "failed")
    assert "is it this collector's store?" in said


def test_without_a_collector_it_says_what_to_do(doctor: Doctor) -> None:
    code, lines = doctor(OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:9")
    assert code == 1
    ((status, said),) = said_about(lines, "traces")
    assert status == "failed"
    assert "nothing listens at http://127.0.0.1:9" in said
    assert "infersight collector" in said


def test_a_collector_that_refuses_is_quoted(doctor: Doctor) -> None:
    with faulty_server(answers_500) as endpoint:
        code, lines = doctor("--endpoint", endpoint, "--protocol", "http/protobuf")
    assert code == 1
    for signal in ("traces", "metrics", "logs"):
        status, said = said_about(lines, signal)[1]
        assert status == "failed"
        assert "500" in said


def test_a_disabled_sdk_is_a_failure(doctor: Doctor) -> None:
    code, lines = doctor(OTEL_SDK_DISABLED="true")
    assert code == 1
    assert said_about(lines, "enabled")[0][0] == "failed"
