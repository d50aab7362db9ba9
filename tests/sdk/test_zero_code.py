"""Three ways in give the same telemetry: from outside by two commands, and by two calls in the application."""

import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.sdk.conftest import Receiver

from tests.sdk.conftest import free_port, served_by

FOLDER = Path(__file__).parent
BIN = Path(sys.executable).parent
UVICORN = ["uvicorn", "zero_code_application:app", "--app-dir", str(FOLDER), "--port", "PORT"]
RUN = [sys.executable, "-m", "infersight_analysis", "run", "--", str(BIN / "uvicorn"), *UVICORN[1:]]

WAYS: dict[str, tuple[list[str], dict[str, str]]] = {
    "calls": ([sys.executable, "-m", *UVICORN], {"CONFIGURES_ITSELF": "1"}),
    "opentelemetry-instrument": (
        [str(BIN / "opentelemetry-instrument"), str(BIN / "uvicorn"), *UVICORN[1:]],
        {"OTEL_PYTHON_DISTRO": "infersight"},
    ),
    "infersight run": (RUN, {}),
    "infersight run, with calls": (RUN, {"CONFIGURES_ITSELF": "1"}),
    "infersight run, 2 workers": ([*RUN, "--workers", "2"], {}),
}

CHANCE = ("process.", "cpython.", "infersight.gc.", "infersight.cpu.queue.")
"""Only there when a collection happened to take a millisecond, or the event loop to wait for a processor."""


def without_chance(names: Iterable[str]) -> list[str]:
    return sorted(name for name in names if not name.startswith(CHANCE))


def emitted(receiver: "Receiver", tmp_path: Path, way: str) -> dict[str, Any]:
    """What one request left behind: everything but ids, times and the process."""
    port = free_port()
    command, environment = WAYS[way]
    exporting = {
        "OTEL_SERVICE_NAME": "served",
        "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.grpc_endpoint,
        "OTEL_PYTHON_FASTAPI_EXCLUDED_URLS": "health",
    }
    log = tmp_path / f"{way}.log"
    command = [part.replace("PORT", str(port)) for part in command]
    with served_by(command, port, log, environment | exporting) as served:
        headers = {"traceparent": f"00-{1:032x}-{1:016x}-01", "x-request-id": "r1"}
        assert served.get("/double", headers)[0] == 200
        assert served.get("/inner/deep", headers)[0] == 200
        served.stop()
    assert "Traceback" not in log.read_text()
    spans = [span for span in receiver.spans if span.trace_id == f"{1:032x}"]
    names = {span.span_id: span.name for span in spans}
    return {
        "spans": sorted(
            (span.name, names.get(span.record.parent_span_id.hex()), span.record.kind, without_chance(span.attributes))
            for span in spans
        ),
        "logs": sorted(
            (row.record.body.string_value.partition(" - ")[2] or "doubled", sorted(row.attributes))
            for row in receiver.logs
            if row.trace_id == f"{1:032x}"
        ),
        "metrics": without_chance(receiver.metric_names),
    }


@pytest.mark.parametrize("way", [way for way in WAYS if way != "calls"])
def test_a_server_that_is_observed_from_outside_emits_what_its_own_calls_would(
    receiver: "Receiver", tmp_path: Path, way: str
) -> None:
    from_outside = emitted(receiver, tmp_path, way)
    for kept in (receiver.spans, receiver.logs, receiver.metric_names):
        kept.clear()
    by_calls = emitted(receiver, tmp_path, "calls")
    assert [span[:2] for span in by_calls["spans"]] == [
        ("GET /double", None),
        ("GET /inner", None),
        ("inference doubler", "GET /double"),
    ]
    assert len(by_calls["logs"]) == 3
    assert from_outside == by_calls


def test_the_exit_code_and_output_are_the_commands(receiver: "Receiver") -> None:
    code = "import infersight, sys; print(infersight._configure.state.running is not None); sys.exit(7)"
    result = subprocess.run(
        [sys.executable, "-m", "infersight_analysis", "run", "--", sys.executable, "-c", code],
        env={"OTEL_EXPORTER_OTLP_ENDPOINT": receiver.grpc_endpoint},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (result.returncode, result.stdout) == (7, "True\n")


def test_a_command_that_does_not_exist_is_one_line() -> None:
    command = [sys.executable, "-m", "infersight_analysis", "run", "--", "no-such-server"]
    result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert (result.returncode, result.stderr) == (2, "no such command: no-such-server\n")
